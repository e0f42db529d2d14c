//! Python code called from the backward pass.

use std::cell::RefCell;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use rustorch_tensor::{Result, RusTorchError, Tensor};

use crate::arguments::{convert, type_name};
use crate::tensor::wrap;

thread_local! {
    /// The exception that Python code raised, while the core's error that stands for it is on its way out.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Marks the core's error that stands for a Python exception.
const MARK: &str = "python";

/// The core's error for a Python exception, which comes out again at the end of the call.
pub fn into_core(py: Python<'_>, error: PyErr) -> RusTorchError {
    let message = error.value(py).to_string();
    RAISED.with_borrow_mut(|raised| *raised = Some(error));
    RusTorchError::autograd(MARK, message)
}

/// The Python exception that an error of the core stands for, if it does.
pub fn take_exception(_py: Python<'_>, error: &RusTorchError) -> Option<PyErr> {
    match error {
        RusTorchError::Autograd { op, .. } if *op == MARK => RAISED.with_borrow_mut(Option::take),
        _ => None,
    }
}

/// A hook that sees a gradient and may replace it.
pub fn gradient_hook(function: Py<PyAny>) -> impl Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync {
    move |gradient| {
        Python::attach(|py| {
            let call = || -> PyResult<Option<Tensor>> {
                let result = function.bind(py).call1((wrap(py, gradient.clone())?,))?;
                if result.is_none() {
                    return Ok(None);
                }
                convert::tensor(&result).map(Some).ok_or_else(|| {
                    PyTypeError::new_err(format!(
                        "hooks must return None or a Tensor, not {}",
                        type_name(&result)
                    ))
                })
            };
            call().map_err(|error| into_core(py, error))
        })
    }
}

/// A hook that sees a tensor; what it gives is ignored.
pub fn after_hook(function: Py<PyAny>) -> impl Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync {
    move |tensor| {
        Python::attach(|py| {
            let call = || function.bind(py).call1((wrap(py, tensor.clone())?,)).map(|_| None);
            call().map_err(|error| into_core(py, error))
        })
    }
}
