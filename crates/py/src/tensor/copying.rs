//! Copies, pickles, text, comparison as a whole. What is written in Python is imported when it is first needed.

use pyo3::prelude::*;
use rustorch_backend::{DType, Device};
use rustorch_tensor::Tensor;

use super::PyTensor;

pub(super) fn from_bytes(data: &[u8], dtype: DType, shape: &[usize]) -> rustorch_tensor::Result<Tensor> {
    let tensor = Tensor::empty(shape, dtype, Device::CPU)?;
    let expected = tensor.numel() * dtype.size();
    if data.len() != expected {
        return Err(rustorch_tensor::RusTorchError::model_format(format!(
            "a tensor of shape {shape:?} and dtype {dtype} has {expected} bytes, but {} were given",
            data.len()
        )));
    }
    tensor.backend()?.write(tensor.storage().buffer(), 0, data)?;
    Ok(tensor)
}

#[pymethods]
impl PyTensor {
    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rustorch._printing")?.call_method1("tensor_repr", (slf,))
    }

    fn __format__<'py>(
        slf: &Bound<'py, Self>,
        format_spec: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if slf.get().with(Tensor::ndim) == 0 && format_spec.is_truthy()? {
            return Self::item(slf)?.call_method1("__format__", (format_spec,));
        }
        slf.py().import("builtins")?.getattr("object")?.call_method1("__format__", (slf, format_spec))
    }

    fn __deepcopy__<'py>(slf: &Bound<'py, Self>, memo: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rustorch._tensor")?.call_method1("deepcopy", (slf, memo))
    }

    /// Whether all elements are close to those of another tensor.
    #[pyo3(signature = (other, rtol=1e-05, atol=1e-08, equal_nan=false))]
    fn allclose<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyTensor>,
        rtol: f64,
        atol: f64,
        equal_nan: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rustorch.functional")?.call_method1("allclose", (slf, other, rtol, atol, equal_nan))
    }

    /// Whether each element is close to that of another tensor.
    #[pyo3(signature = (other, rtol=1e-05, atol=1e-08, equal_nan=false))]
    fn isclose<'py>(
        slf: &Bound<'py, Self>,
        other: &Bound<'py, PyTensor>,
        rtol: f64,
        atol: f64,
        equal_nan: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rustorch.functional")?.call_method1("isclose", (slf, other, rtol, atol, equal_nan))
    }

    /// Whether another tensor has the same shape and the same elements.
    fn equal<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyTensor>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rustorch.functional")?.call_method1("equal", (slf, other))
    }

    fn __reduce_ex__<'py>(
        slf: &Bound<'py, Self>,
        protocol: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rustorch._tensor")?.call_method1("reduce", (slf, protocol))
    }
}
