//! Custom functions: `autograd.Function`. The Python class runs `forward`; here its outputs get their node.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyTuple};
use rustorch_tensor::autograd::{self, Backward, Edge, Gradients, Held, Node, Origin, Saved};
use rustorch_tensor::{Result, Tensor, ops};

use super::callback::into_core;
use crate::arguments::{convert, type_name};
use crate::errors::IntoPyResult;
use crate::tensor::{PyTensor, wrap, wrap_optional};

#[derive(Default)]
struct State {
    saved: Vec<Option<Saved>>,
    /// The node, for saved results; the node holds the context, so it is not held here.
    node: Option<std::sync::Weak<Node>>,
    needs_input_grad: Vec<bool>,
}

/// What a custom function carries from forward to backward: the `ctx` of both.
#[pyclass(name = "_FunctionContext", module = "rustorch._C", subclass, dict, frozen)]
struct PyFunctionContext {
    state: Mutex<State>,
}

impl PyFunctionContext {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyFunctionContext {
    #[new]
    fn new() -> Self {
        PyFunctionContext { state: Mutex::default() }
    }

    /// The tensors given to save_for_backward(); raises if one was changed in place since.
    #[getter]
    fn saved_tensors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let tensors: Vec<Option<Tensor>> = {
            let state = self.state();
            let node = state.node.as_ref().and_then(std::sync::Weak::upgrade);
            let Some(node) = node else {
                return if state.saved.is_empty() {
                    Ok(PyTuple::empty(py))
                } else {
                    Err(PyRuntimeError::new_err("saved_tensors: the graph of this function has been freed"))
                };
            };
            state
                .saved
                .iter()
                .map(|saved| saved.as_ref().map(|saved| saved.unpack(&node)).transpose())
                .collect::<Result<_>>()
                .into_py(py)?
        };
        let objects: Vec<_> = tensors.into_iter().map(|t| wrap_optional(py, t)).collect::<PyResult<_>>()?;
        PyTuple::new(py, objects)
    }

    /// Per argument of forward(), whether its gradient is wanted.
    #[getter]
    fn needs_input_grad<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.state().needs_input_grad.iter().copied())
    }

    /// Notes which arguments of forward() require gradients.
    fn _note_inputs(&self, inputs: &Bound<'_, PyTuple>) {
        self.state().needs_input_grad = inputs
            .iter_borrowed()
            .map(|input| input.cast::<PyTensor>().is_ok_and(|t| t.get().with(Tensor::requires_grad)))
            .collect();
    }
}

/// The node of a custom function.
struct CustomFunction {
    /// One reference, which the collector of cycles sees.
    context: Arc<Py<PyAny>>,
    held: Held,
    name: String,
    /// What the gradients are of, for each of `tensor_places`.
    inputs: Vec<Origin>,
    outputs: Vec<OutputKind>,
    /// Where the tensors stand among forward's arguments.
    tensor_places: Vec<usize>,
    arguments: usize,
    materialize: bool,
}

/// What is needed to make zeros for an output without gradient.
struct OutputKind {
    zeros_like: Option<Origin>,
}

impl CustomFunction {
    fn call<'py>(&self, py: Python<'py>, node: &Node, grads: &[Option<Tensor>]) -> PyResult<Gradients> {
        let context = self.context.bind(py);
        let arguments: Vec<_> = grads
            .iter()
            .zip(&self.outputs)
            .map(|(grad, output)| match (grad, &output.zeros_like) {
                (None, Some(origin)) if self.materialize => wrap(py, origin.zeros().into_py(py)?),
                (grad, _) => wrap_optional(py, grad.clone()),
            })
            .collect::<PyResult<_>>()?;
        let result = context.call_method1("_apply_backward", PyTuple::new(py, arguments)?)?;
        let results: Vec<Bound<'py, PyAny>> = match result.cast::<PyTuple>() {
            Ok(tuple) => tuple.iter().collect(),
            Err(_) => vec![result],
        };
        let surplus = results.iter().skip(self.arguments).any(|extra| !extra.is_none());
        if results.len() < self.arguments || surplus {
            return Err(PyRuntimeError::new_err(format!(
                "function {} returned an incorrect number of gradients (expected {}, got {})",
                self.name,
                self.arguments,
                results.len()
            )));
        }
        self.tensor_places
            .iter()
            .zip(&self.inputs)
            .enumerate()
            .map(|(i, (&place, input))| {
                let object = &results[place];
                if object.is_none() || !node.wants(i) {
                    return Ok(None);
                }
                let gradient = convert::tensor(object).ok_or_else(|| {
                    PyTypeError::new_err(format!(
                        "function {} returned a {} as gradient {place}; expected a Tensor or None",
                        self.name,
                        type_name(object)
                    ))
                })?;
                input.admit(gradient, &self.name, place).map(Some).into_py(py)
            })
            .collect()
    }
}

impl Backward for CustomFunction {
    fn name(&self) -> Cow<'static, str> {
        Cow::Owned(self.name.clone())
    }

    fn outputs(&self) -> usize {
        self.outputs.len()
    }

    fn held(&self) -> Option<&Held> {
        Some(&self.held)
    }

    fn backward(&self, node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
        Python::attach(|py| self.call(py, node, grads).map_err(|error| into_core(py, error)))
    }
}

/// Hangs the node of a custom function on what its forward() gave, and gives the outputs that the caller sees.
///
/// `marked` is what the context's save_for_backward(), mark_dirty() and mark_non_differentiable() were given.
#[pyfunction]
#[pyo3(signature = (context, name, inputs, outputs, marked, materialize))]
fn _record_function<'py>(
    context: &Bound<'py, PyFunctionContext>,
    name: String,
    inputs: &Bound<'py, PyTuple>,
    outputs: &Bound<'py, PyTuple>,
    marked: (Bound<'py, PyTuple>, Bound<'py, PyTuple>, Bound<'py, PyTuple>),
    materialize: &Bound<'py, PyBool>,
) -> PyResult<Bound<'py, PyTuple>> {
    let py = context.py();
    let (saved, dirty, constant) = &marked;
    let named = |list: &Bound<'py, PyTuple>| -> Vec<Tensor> {
        list.iter_borrowed().filter_map(|object| convert::tensor(&object)).collect()
    };
    let (dirty, constant) = (named(dirty), named(constant));
    let tensor_places: Vec<usize> = (0..inputs.len())
        .filter(|&i| inputs.get_item(i).is_ok_and(|object| convert::is_tensor(&object)))
        .collect();
    let input_tensors = named(inputs);
    let edges: smallvec::SmallVec<[Option<Edge>; 2]> = autograd::edges(input_tensors.iter());
    let mut results = Vec::with_capacity(outputs.len());
    let mut kinds = Vec::with_capacity(outputs.len());
    for object in outputs.iter_borrowed() {
        let Some(mut tensor) = convert::tensor(&object) else {
            results.push(None);
            kinds.push(OutputKind { zeros_like: None });
            continue;
        };
        let is_input = input_tensors.iter().any(|input| input.is_same(&tensor));
        let is_dirty = dirty.iter().any(|t| t.is_same(&tensor));
        if is_dirty && tensor.requires_grad() && tensor.is_leaf() {
            return Err(PyRuntimeError::new_err(
                "a leaf Variable that requires grad is being used in an in-place operation.",
            ));
        }
        if is_input && !is_dirty {
            // An input handed through is a result of its own.
            tensor =
                ops::view(&tensor.detach(), &tensor.shape().iter().map(|&n| n as i64).collect::<Vec<_>>())
                    .into_py(py)?;
        }
        kinds.push(OutputKind { zeros_like: Some(Origin::of(&tensor)) });
        results.push(Some(tensor));
    }
    let held = Arc::new(context.clone().into_any().unbind());
    let operation = Arc::new(CustomFunction {
        context: held.clone(),
        held: Held::new(held),
        inputs: input_tensors.iter().map(Origin::of).collect(),
        name,
        outputs: kinds,
        tensor_places,
        arguments: inputs.len(),
        materialize: materialize.is_true(),
    });
    let is_constant = |tensor: &Tensor| constant.iter().any(|t| t.is_same(tensor));
    // What gets no gradient is stood in for by another handle, so that the node's outputs keep their numbers.
    let recorded: Vec<Tensor> = results
        .iter()
        .map(|result| match result {
            Some(tensor) if !is_constant(tensor) => Ok(tensor.clone()),
            Some(tensor) => Ok(tensor.detach()),
            None => Tensor::empty(&[0], rustorch_tensor::DType::Bool, rustorch_tensor::Device::CPU),
        })
        .collect::<Result<_>>()
        .into_py(py)?;
    autograd::record_many(&recorded.iter().collect::<Vec<_>>(), operation, edges);
    let node = recorded.iter().find_map(Tensor::grad_fn);
    let mut state = context.get().state();
    state.saved = saved
        .iter_borrowed()
        .map(|object| {
            if object.is_none() {
                return Ok(None);
            }
            let tensor = convert::tensor(&object).ok_or_else(|| {
                PyTypeError::new_err(format!(
                    "save_for_backward can only save tensors or None, but argument is of type {}",
                    type_name(&object)
                ))
            })?;
            let output = results.iter().position(|r| r.as_ref().is_some_and(|r| r.is_same(&tensor)));
            let kept = match output {
                Some(index) if !is_constant(&tensor) => Saved::output(&tensor, index),
                _ => Saved::input(&tensor),
            };
            kept.map(Some).into_py(py)
        })
        .collect::<PyResult<_>>()?;
    state.node = node.as_ref().map(Arc::downgrade);
    drop(state);
    let objects: Vec<_> = results
        .into_iter()
        .zip(outputs.iter())
        .map(|(result, object)| match result {
            Some(tensor) => wrap(py, tensor),
            None => Ok(object),
        })
        .collect::<PyResult<_>>()?;
    PyTuple::new(py, objects)
}

/// Adds the class and the function to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyFunctionContext>()?;
    module.add_function(wrap_pyfunction!(_record_function, module)?)
}
