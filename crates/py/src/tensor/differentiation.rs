//! Gradients, as attributes and methods of a tensor.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use rustorch_tensor::{DType, Device, Tensor, autograd};

use super::{PyTensor, wrap, wrap_optional};
use crate::arguments::{convert, type_name};
use crate::autograd::node::{PyHookHandle, PyNode};
use crate::autograd::{callback, collection};
use crate::errors::IntoPyResult;

fn tensor_or_none(attribute: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Tensor>> {
    match value {
        Some(value) if !value.is_none() => convert::tensor(value).map(Some).ok_or_else(|| {
            PyTypeError::new_err(format!(
                "assigned {attribute} must be a Tensor or None, not {}",
                type_name(value)
            ))
        }),
        _ => Ok(None),
    }
}

#[pymethods]
impl PyTensor {
    /// Whether ops on this tensor are recorded.
    #[getter]
    fn requires_grad(&self) -> bool {
        self.with(Tensor::requires_grad)
    }

    #[setter(requires_grad)]
    fn assign_requires_grad(slf: &Bound<'_, Self>, value: bool) -> PyResult<()> {
        slf.get().tensor(slf).set_requires_grad(value).into_py(slf.py())
    }

    /// Starts or stops recording ops on this leaf, and gives it.
    #[pyo3(signature = (requires_grad=true))]
    fn requires_grad_(slf: Bound<'_, Self>, requires_grad: bool) -> PyResult<Bound<'_, Self>> {
        Self::assign_requires_grad(&slf, requires_grad)?;
        Ok(slf)
    }

    /// The gradient that backward() accumulated; None before.
    #[getter]
    fn grad<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        wrap_optional(py, self.with(Tensor::grad))
    }

    #[setter(grad)]
    fn assign_grad(slf: &Bound<'_, Self>, value: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        slf.get().tensor(slf).set_grad(tensor_or_none("grad", value)?).into_py(slf.py())
    }

    #[deleter(grad)]
    fn delete_grad(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().tensor(slf).set_grad(None).into_py(slf.py())
    }

    /// The node that computed this tensor; None for leaves.
    #[getter]
    fn grad_fn(&self) -> Option<PyNode> {
        self.with(Tensor::grad_fn).map(PyNode::new)
    }

    /// Whether this tensor was made in inference mode.
    fn is_inference(&self) -> bool {
        self.with(|t| t.storage().is_inference())
    }

    /// Whether this tensor was not computed by a recorded op.
    #[getter]
    fn is_leaf(&self) -> bool {
        self.with(Tensor::is_leaf)
    }

    /// Which of its node's outputs this tensor is.
    #[getter]
    fn output_nr(&self) -> usize {
        self.with(Tensor::output_number)
    }

    /// Whether the gradient of this computed tensor is kept in `grad`.
    #[getter]
    fn retains_grad(&self) -> bool {
        self.with(Tensor::retains_grad)
    }

    /// The same data without history. Assigning makes the tensor show another tensor's data.
    #[getter]
    fn data<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        wrap(slf.py(), slf.get().with(Tensor::data))
    }

    #[setter(data)]
    fn assign_data(slf: &Bound<'_, Self>, value: &Bound<'_, PyTensor>) -> PyResult<()> {
        let data = value.get().tensor(value);
        let tensor = slf.get().tensor(slf);
        if tensor.requires_grad() && !data.dtype().is_differentiable() {
            return Err(PyTypeError::new_err(format!(
                "data set to a tensor that requires gradients must be floating point or complex dtype, not {}",
                data.dtype()
            )));
        }
        slf.get().replace(tensor.with_data(&data));
        Ok(())
    }

    /// Accumulates the gradients of this tensor into the leaves it was computed from.
    #[pyo3(signature = (gradient=None, retain_graph=None, create_graph=false, inputs=None))]
    fn backward(
        slf: &Bound<'_, Self>,
        gradient: Option<&Bound<'_, PyAny>>,
        retain_graph: Option<bool>,
        create_graph: bool,
        inputs: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let tensor = slf.get().tensor(slf);
        let gradient = tensor_or_none("gradient", gradient)?;
        let inputs = crate::autograd::optional_tensors("backward", "inputs", inputs)?;
        let retain = retain_graph.unwrap_or(create_graph);
        let _pass = collection::Pass::begin(py);
        py.detach(|| autograd::backward(&[tensor], &[gradient], retain, create_graph, inputs.as_deref()))
            .into_py(py)
    }

    /// Takes this tensor out of the graph: it becomes a leaf without gradient.
    fn detach_(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let tensor = slf.get().tensor(&slf);
        if tensor.base().is_some() {
            return Err(pyo3::exceptions::PyRuntimeError::new_err(
                "Can't detach views in-place. Use detach() instead",
            ));
        }
        tensor.set_face(std::ptr::null_mut());
        slf.get().replace(tensor.detach());
        Ok(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        collection::traverse(collection::is_made(self.cell.0.get()), &visit, |show| {
            self.with(|tensor| tensor.visit_held(show));
        })
    }

    /// Lets go of the tensor: the object is garbage.
    fn __clear__(&self) {
        if let Ok(nothing) = Tensor::empty(&[0], DType::Float32, Device::CPU) {
            self.with(|tensor| tensor.set_face(std::ptr::null_mut()));
            self.replace(nothing);
        }
    }

    /// Keeps the gradient of this computed tensor in `grad`, as leaves do.
    fn retain_grad(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().tensor(slf).retain_grad().into_py(slf.py())
    }

    /// Calls `hook(grad)` when this tensor's gradient is computed; what it gives, unless None, replaces the gradient.
    fn register_hook(slf: &Bound<'_, Self>, hook: Bound<'_, PyAny>) -> PyResult<PyHookHandle> {
        let function = Arc::new(hook.unbind());
        let hook = Arc::new(callback::gradient_hook(function.clone()));
        let handle = slf.get().tensor(slf).register_hook(hook).into_py(slf.py())?;
        Ok(PyHookHandle::new(handle, function))
    }

    /// Calls `hook(tensor)` after this leaf's gradient has been accumulated.
    fn register_post_accumulate_grad_hook(
        slf: &Bound<'_, Self>,
        hook: Bound<'_, PyAny>,
    ) -> PyResult<PyHookHandle> {
        let function = Arc::new(hook.unbind());
        let hook = Arc::new(callback::after_hook(function.clone()));
        let handle = slf.get().tensor(slf).register_post_accumulate_grad_hook(hook).into_py(slf.py())?;
        Ok(PyHookHandle::new(handle, function))
    }
}
