//! Graph nodes and handles of hooks.

use std::sync::Arc;

use pyo3::basic::CompareOp;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rustorch_tensor::autograd::{HookHandle, Node};

use super::callback;
use super::collection;
use crate::tensor::wrap_optional;

/// A recorded op: what `Tensor.grad_fn` shows.
#[pyclass(name = "Node", module = "rustorch.autograd.graph", frozen)]
pub struct PyNode {
    node: Arc<Node>,
}

impl PyNode {
    /// The Python object of a node.
    pub fn new(node: Arc<Node>) -> Self {
        PyNode { node }
    }
}

#[pymethods]
impl PyNode {
    /// The name of the recorded op, such as 'MulBackward0'.
    fn name(&self) -> &str {
        self.node.name()
    }

    /// The nodes that this one passes gradients to, each with the number of its output; (None, 0) where none is wanted.
    #[getter]
    fn next_functions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let pairs: Vec<_> = self
            .node
            .next()
            .iter()
            .map(|edge| match edge {
                Some(edge) => (Some(PyNode::new(edge.node.clone())), edge.index),
                None => (None, 0),
            })
            .collect();
        PyTuple::new(py, pairs)
    }

    /// The leaf into whose `grad` this node accumulates; None for other nodes.
    #[getter]
    fn variable<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        wrap_optional(py, self.node.leaf())
    }

    /// Calls `hook(grad_inputs, grad_outputs)` after the node has computed its gradients; what it gives, unless None,
    /// replaces `grad_inputs`.
    fn register_hook(&self, hook: Bound<'_, PyAny>) -> PyHookHandle {
        let function = Arc::new(hook.unbind());
        PyHookHandle::new(self.node.register_hook(callback::node_hook(function.clone())), function)
    }

    /// Calls `hook(grad_outputs)` before the node computes its gradients; what it gives, unless None, replaces them.
    fn register_prehook(&self, hook: Bound<'_, PyAny>) -> PyHookHandle {
        let function = Arc::new(hook.unbind());
        PyHookHandle::new(self.node.register_prehook(callback::gradients_hook(function.clone())), function)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        collection::traverse(collection::is_made(&raw const self.node), &visit, |show| {
            self.node.visit_held(show);
        })
    }

    fn __clear__(&self) {
        self.node.remove_hooks();
    }

    fn __repr__(&self) -> String {
        format!("<{}>", self.node.name())
    }

    fn __hash__(&self) -> u64 {
        self.node.sequence()
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp) -> Option<bool> {
        let same = other.cast::<PyNode>().is_ok_and(|other| Arc::ptr_eq(&other.get().node, &self.node));
        match op {
            CompareOp::Eq => Some(same),
            CompareOp::Ne => Some(!same),
            _ => None,
        }
    }
}

/// Names a registered hook. `remove()` takes it off; so does leaving a `with` block over it.
#[pyclass(name = "RemovableHandle", module = "rustorch._C", frozen)]
pub struct PyHookHandle {
    handle: HookHandle,
}

impl PyHookHandle {
    /// The Python object of the handle of a hook that calls `function`.
    pub fn new(handle: HookHandle, function: callback::Function) -> Self {
        PyHookHandle { handle: handle.holding(function) }
    }
}

#[pymethods]
impl PyHookHandle {
    /// Takes the hook off; a second call does nothing.
    fn remove(&self) {
        self.handle.remove();
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.handle.remove();
    }
}

/// Adds the classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyNode>()?;
    module.add_class::<PyHookHandle>()
}
