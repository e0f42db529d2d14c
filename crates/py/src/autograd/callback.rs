//! Python code called from the backward pass.

use std::cell::RefCell;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rustorch_tensor::autograd::{Gradients, GradientsHook, NodeHook};
use rustorch_tensor::{Result, RusTorchError, Tensor};

use crate::arguments::{convert, type_name};
use crate::tensor::{wrap, wrap_optional};

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

/// The Python object that a hook calls: one reference, which the collector of cycles sees.
pub type Function = Arc<Py<PyAny>>;

/// A hook that sees a gradient and may replace it.
pub fn gradient_hook(function: Function) -> impl Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync {
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

/// A hook that sees a tensor, and gives nothing.
pub fn after_hook(function: Function) -> impl Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync {
    move |tensor| {
        Python::attach(|py| {
            let call = || {
                let result = function.bind(py).call1((wrap(py, tensor.clone())?,))?;
                if result.is_none() {
                    return Ok(None);
                }
                Err(PyTypeError::new_err(format!(
                    "post accumulate grad hooks should return None, not {}",
                    type_name(&result)
                )))
            };
            call().map_err(|error| into_core(py, error))
        })
    }
}

fn objects<'py>(py: Python<'py>, gradients: &[Option<Tensor>]) -> PyResult<Bound<'py, PyTuple>> {
    let objects: Vec<_> = gradients.iter().map(|g| wrap_optional(py, g.clone())).collect::<PyResult<_>>()?;
    PyTuple::new(py, objects)
}

/// What a hook gave in the place of `count` gradients.
fn replacement(result: &Bound<'_, PyAny>, count: usize) -> PyResult<Option<Gradients>> {
    if result.is_none() {
        return Ok(None);
    }
    let wrong = || {
        PyTypeError::new_err(format!(
            "hooks of a node must return None, a Tensor, or a tuple of {count} Tensors or None, not {}",
            type_name(result)
        ))
    };
    if let Some(tensor) = convert::tensor(result) {
        return if count == 1 { Ok(Some(smallvec::smallvec![Some(tensor)])) } else { Err(wrong()) };
    }
    let tuple = result.cast::<PyTuple>().map_err(|_| wrong())?;
    if tuple.len() != count {
        return Err(wrong());
    }
    let gradients = tuple.iter_borrowed().map(|item| match convert::tensor(&item) {
        Some(tensor) => Ok(Some(tensor)),
        None if item.is_none() => Ok(None),
        None => Err(wrong()),
    });
    gradients.collect::<PyResult<_>>().map(Some)
}

/// A hook of a node that sees the gradients it gives and those it got, and may replace the former.
pub fn node_hook(function: Function) -> NodeHook {
    Arc::new(move |given, got| {
        Python::attach(|py| {
            let call = || {
                let result = function.bind(py).call1((objects(py, given)?, objects(py, got)?))?;
                replacement(&result, given.len())
            };
            call().map_err(|error| into_core(py, error))
        })
    })
}

/// A hook of a node that sees the gradients it gets, and may replace them.
pub fn gradients_hook(function: Function) -> GradientsHook {
    Arc::new(move |got| {
        Python::attach(|py| {
            let call = || {
                let result = function.bind(py).call1((objects(py, got)?,))?;
                replacement(&result, got.len())
            };
            call().map_err(|error| into_core(py, error))
        })
    })
}
