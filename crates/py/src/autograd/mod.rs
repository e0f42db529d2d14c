//! Automatic differentiation as Python sees it: the mode, `backward` and `grad`, graph nodes, hooks, custom functions.

pub mod callback;
pub mod collection;
mod function;
mod hooks;
mod mode;
pub mod node;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rustorch_tensor::{Tensor, autograd};

use crate::arguments::{convert, type_name};
use crate::errors::IntoPyResult;
use crate::tensor::wrap_optional;

/// A tensor or a sequence of them.
fn tensors(op: &str, argument: &str, object: &Bound<'_, PyAny>) -> PyResult<Vec<Tensor>> {
    if let Some(tensor) = convert::tensor(object) {
        return Ok(vec![tensor]);
    }
    convert::tensors(object)?.ok_or_else(|| {
        PyTypeError::new_err(format!(
            "{op}(): argument '{argument}' must be a Tensor or a sequence of Tensors, not {}",
            type_name(object)
        ))
    })
}

/// A tensor, a sequence of them, or nothing.
pub fn optional_tensors(
    op: &str,
    argument: &str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Vec<Tensor>>> {
    object.filter(|object| !object.is_none()).map(|object| tensors(op, argument, object)).transpose()
}

/// The gradients that flow in: one per tensor, each a Tensor or None.
fn gradients(op: &str, argument: &str, object: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Option<Tensor>>> {
    let Some(object) = object.filter(|object| !object.is_none()) else { return Ok(Vec::new()) };
    if let Some(tensor) = convert::tensor(object) {
        return Ok(vec![Some(tensor)]);
    }
    object
        .try_iter()?
        .map(|item| {
            let item = item?;
            if item.is_none() {
                return Ok(None);
            }
            convert::tensor(&item).map(Some).ok_or_else(|| {
                PyTypeError::new_err(format!(
                    "{op}(): argument '{argument}' must be Tensors or None, not {}",
                    type_name(&item)
                ))
            })
        })
        .collect()
}

/// Accumulates the gradients of `tensors` into the leaves they were computed from, or into `inputs` alone.
#[pyfunction]
#[pyo3(signature = (tensors, grad_tensors=None, retain_graph=None, create_graph=false, inputs=None))]
fn backward(
    tensors: &Bound<'_, PyAny>,
    grad_tensors: Option<&Bound<'_, PyAny>>,
    retain_graph: Option<bool>,
    create_graph: bool,
    inputs: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let py = tensors.py();
    let roots = self::tensors("backward", "tensors", tensors)?;
    let grads = gradients("backward", "grad_tensors", grad_tensors)?;
    let inputs = optional_tensors("backward", "inputs", inputs)?;
    let retain = retain_graph.unwrap_or(create_graph);
    let _pass = collection::Pass::begin(py);
    py.detach(|| autograd::backward(&roots, &grads, retain, create_graph, inputs.as_deref())).into_py(py)
}

fn refused(py: Python<'_>, message: &str) -> PyErr {
    crate::errors::to_python(py, &rustorch_tensor::RusTorchError::autograd("grad", message))
}

/// The gradients of `outputs` by `inputs`, as a tuple.
///
/// An input that the outputs do not depend on is an error, unless `allow_unused` (then its gradient is None) or
/// `materialize_grads` (then it is zeros).
#[pyfunction]
#[pyo3(signature = (outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=false, only_inputs=true, allow_unused=None, is_grads_batched=false, materialize_grads=false))]
#[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
fn grad<'py>(
    outputs: &Bound<'py, PyAny>,
    inputs: &Bound<'py, PyAny>,
    grad_outputs: Option<&Bound<'py, PyAny>>,
    retain_graph: Option<bool>,
    create_graph: bool,
    only_inputs: bool,
    allow_unused: Option<bool>,
    is_grads_batched: bool,
    materialize_grads: bool,
) -> PyResult<Bound<'py, PyTuple>> {
    let py = outputs.py();
    if is_grads_batched {
        return Err(refused(
            py,
            "is_grads_batched=True is not supported; call grad() once per row of grad_outputs",
        ));
    }
    if !only_inputs {
        return Err(refused(
            py,
            "only_inputs=False is deprecated in PyTorch and not supported; use backward()",
        ));
    }
    let roots = tensors("grad", "outputs", outputs)?;
    let leaves = tensors("grad", "inputs", inputs)?;
    let grads = gradients("grad", "grad_outputs", grad_outputs)?;
    let retain = retain_graph.unwrap_or(create_graph);
    let pass = collection::Pass::begin(py);
    let found = py.detach(|| autograd::grad(&roots, &leaves, &grads, retain, create_graph)).into_py(py)?;
    drop(pass);
    let mut results = Vec::with_capacity(found.len());
    for (gradient, leaf) in found.into_iter().zip(&leaves) {
        let gradient = match gradient {
            None if materialize_grads => {
                Some(rustorch_tensor::ops::zeros_like(leaf, None, None, false).into_py(py)?)
            }
            None if allow_unused != Some(true) => {
                return Err(crate::errors::to_python(
                    py,
                    &rustorch_tensor::RusTorchError::autograd(
                        "grad",
                        "One of the differentiated Tensors appears to not have been used in the graph. Set \
                         allow_unused=True if this is the desired behavior.",
                    ),
                ));
            }
            other => other,
        };
        results.push(wrap_optional(py, gradient)?);
    }
    PyTuple::new(py, results)
}

/// Adds the classes and the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let backward = wrap_pyfunction!(backward, module)?;
    module.add("_backward", backward)?;
    module.add("_grad", wrap_pyfunction!(grad, module)?)?;
    node::register(module)?;
    function::register(module)?;
    hooks::register(module)?;
    mode::register(module)
}
