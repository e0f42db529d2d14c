//! Whether ops are recorded: functions, and the context managers behind `no_grad` and its like.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rustorch_tensor::autograd::mode;

/// Sets whether ops are recorded while a `with` block runs. The classes of `rustorch.autograd.grad_mode` are this.
#[pyclass(name = "_GradMode", module = "rustorch._C", subclass, frozen)]
struct PyGradMode {
    enabled: bool,
    /// Whether tensors made inside are for inference alone; None leaves that as it is.
    inference: Option<bool>,
    /// What was set before, per entry: one object may be entered again inside itself.
    before: Mutex<Vec<(bool, bool)>>,
}

impl PyGradMode {
    fn stack(&self) -> std::sync::MutexGuard<'_, Vec<(bool, bool)>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyGradMode {
    #[new]
    #[pyo3(signature = (enabled, inference=None, *_rest))]
    fn new(enabled: bool, inference: Option<bool>, _rest: &Bound<'_, PyTuple>) -> Self {
        PyGradMode { enabled, inference, before: Mutex::default() }
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        let inference = mode::is_inference();
        mode::set_inference(slf.get().inference.unwrap_or(inference));
        let before = mode::set_enabled(slf.get().enabled);
        slf.get().stack().push((before, inference));
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        if let Some((before, inference)) = self.stack().pop() {
            mode::set_enabled(before);
            mode::set_inference(inference);
        }
    }
}

/// Whether ops on this thread are recorded.
#[pyfunction]
fn is_grad_enabled() -> bool {
    mode::is_enabled()
}

/// Whether tensors made on this thread are for inference alone.
#[pyfunction]
fn is_inference_mode_enabled() -> bool {
    mode::is_inference()
}

/// Sets whether ops on this thread are recorded; gives what was set before.
#[pyfunction]
fn _set_grad_enabled(enabled: bool) -> bool {
    mode::set_enabled(enabled)
}

/// Adds the class and the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyGradMode>()?;
    module.add_function(wrap_pyfunction!(is_grad_enabled, module)?)?;
    module.add_function(wrap_pyfunction!(is_inference_mode_enabled, module)?)?;
    module.add_function(wrap_pyfunction!(_set_grad_enabled, module)?)
}
