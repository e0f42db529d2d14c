//! Hooks on saved tensors, and anomaly mode.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use rustorch_tensor::RusTorchError;
use rustorch_tensor::autograd::anomaly;
use rustorch_tensor::autograd::hooks::{self, SavedHooks};

use super::callback::into_core;
use crate::arguments::{convert, type_name};
use crate::tensor::wrap;

/// Lets hooks see what ops save for backward, until they are popped.
#[pyfunction]
fn _push_saved_tensors_hooks(pack_hook: Py<PyAny>, unpack_hook: Py<PyAny>) {
    let pack = move |tensor: &rustorch_tensor::Tensor| {
        Python::attach(|py| {
            let packed = wrap(py, tensor.clone()).and_then(|tensor| pack_hook.bind(py).call1((tensor,)));
            match packed {
                Ok(packed) => Ok(Box::new(packed.unbind()) as hooks::Packed),
                Err(error) => Err(into_core(py, error)),
            }
        })
    };
    let unpack = move |packed: &hooks::Packed| {
        Python::attach(|py| {
            let Some(packed) = packed.downcast_ref::<Py<PyAny>>() else {
                return Err(RusTorchError::autograd("unpack_hook", "what was packed is no Python object"));
            };
            let call = || {
                let result = unpack_hook.bind(py).call1((packed.bind(py),))?;
                convert::tensor(&result).ok_or_else(|| {
                    PyTypeError::new_err(format!(
                        "Output of saved tensor unpack_hook expected to be a Tensor but got {}",
                        type_name(&result)
                    ))
                })
            };
            call().map_err(|error| into_core(py, error))
        })
    };
    hooks::push(SavedHooks { pack: Box::new(pack), unpack: Box::new(unpack) });
}

/// Takes the innermost hooks off.
#[pyfunction]
fn _pop_saved_tensors_hooks() {
    hooks::pop();
}

/// Whether anomaly mode is on, and whether it looks for NaN.
#[pyfunction]
fn _is_anomaly_enabled() -> (bool, bool) {
    anomaly::is_enabled()
}

/// Turns anomaly mode on or off.
#[pyfunction]
fn _set_anomaly_enabled(enabled: bool, check_nan: bool) {
    anomaly::set_trace(trace);
    anomaly::set_enabled(enabled, check_nan);
}

/// The Python stack as text.
fn trace() -> Option<String> {
    Python::attach(|py| {
        let lines = py.import("traceback").and_then(|module| module.call_method0("format_stack")).ok()?;
        lines.extract::<Vec<String>>().ok().map(|lines| lines.concat())
    })
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_push_saved_tensors_hooks, module)?)?;
    module.add_function(wrap_pyfunction!(_pop_saved_tensors_hooks, module)?)?;
    module.add_function(wrap_pyfunction!(_is_anomaly_enabled, module)?)?;
    module.add_function(wrap_pyfunction!(_set_anomaly_enabled, module)?)
}
