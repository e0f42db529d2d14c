//! What a tensor is: shape, dtype, device, memory.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rustorch_tensor::{DType, ops};

use super::{PyTensor, wrap, wrap_optional};
use crate::device::PyDevice;
use crate::dtype::{self, PyDType};
use crate::errors::IntoPyResult;
use crate::size;

#[pymethods]
impl PyTensor {
    /// The sizes of the dimensions.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        size::build(py, &self.with(|t| rustorch_tensor::Shape::from_slice(t.shape())))
    }

    /// The sizes of the dimensions, or of one of them.
    #[pyo3(signature = (dim=None))]
    fn size<'py>(&self, py: Python<'py>, dim: Option<i64>) -> PyResult<Bound<'py, PyAny>> {
        let Some(dim) = dim else { return self.shape(py) };
        let size = self.with(|t| t.dim_index("size", dim).map(|d| t.shape().get(d).copied())).into_py(py)?;
        match size {
            Some(size) => Ok(size.into_pyobject(py)?.into_any()),
            None => Err(pyo3::exceptions::PyIndexError::new_err("size(): a 0-d tensor has no dimensions")),
        }
    }

    /// The step to the next element along each dimension, or along one of them, in elements.
    #[pyo3(signature = (dim=None))]
    fn stride<'py>(&self, py: Python<'py>, dim: Option<i64>) -> PyResult<Bound<'py, PyAny>> {
        let strides = self.with(|t| t.layout().strides().to_vec());
        match dim {
            None => Ok(PyTuple::new(py, strides)?.into_any()),
            Some(dim) => {
                let index = self.with(|t| t.dim_index("stride", dim)).into_py(py)?;
                let stride = strides.get(index).copied().ok_or_else(|| {
                    pyo3::exceptions::PyIndexError::new_err("stride(): a 0-d tensor has no dimensions")
                })?;
                Ok(stride.into_pyobject(py)?.into_any())
            }
        }
    }

    /// The element type.
    #[getter]
    fn dtype<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDType>> {
        dtype::object(py, self.with(rustorch_tensor::Tensor::dtype))
    }

    /// Where the data is.
    #[getter(device)]
    fn place(&self) -> PyDevice {
        PyDevice { device: self.with(rustorch_tensor::Tensor::device) }
    }

    /// Whether the data is in main memory.
    #[getter]
    fn is_cpu(&self) -> bool {
        self.with(|t| t.device().is_cpu())
    }

    /// The number of dimensions.
    #[getter]
    fn ndim(&self) -> usize {
        self.with(rustorch_tensor::Tensor::ndim)
    }

    /// The number of dimensions.
    fn dim(&self) -> usize {
        self.ndim()
    }

    /// The number of dimensions.
    fn ndimension(&self) -> usize {
        self.ndim()
    }

    /// The number of elements.
    fn numel<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.with(rustorch_tensor::Tensor::numel) {
            // A view that repeats its elements may show more of them than the machine's numbers count.
            usize::MAX => self.with(|t| crate::size::build(py, t.shape()))?.call_method0("numel"),
            numel => Ok(numel.into_pyobject(py)?.into_any()),
        }
    }

    /// The number of elements.
    fn nelement<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.numel(py)
    }

    /// Bytes per element.
    #[getter]
    fn itemsize(&self) -> usize {
        self.with(|t| t.dtype().size())
    }

    /// Bytes per element.
    fn element_size(&self) -> usize {
        self.itemsize()
    }

    /// The number of elements times the bytes of each.
    #[getter]
    fn nbytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.numel(py)?.mul(self.itemsize())
    }

    /// The first element's position in the storage, in elements.
    fn storage_offset(&self) -> usize {
        self.with(|t| t.layout().offset())
    }

    /// The address of the first element.
    fn data_ptr(&self) -> usize {
        self.with(|t| {
            if t.numel() == 0 {
                return 0;
            }
            t.storage().buffer().address().as_ptr() as usize + t.layout().offset() * t.dtype().size()
        })
    }

    /// Whether the dtype is a real floating-point one.
    fn is_floating_point(&self) -> bool {
        self.with(|t| t.dtype().is_floating_point())
    }

    /// Whether the dtype is complex.
    fn is_complex(&self) -> bool {
        self.with(|t| t.dtype().is_complex())
    }

    /// Whether the dtype has negative numbers.
    fn is_signed(&self) -> bool {
        self.with(|t| !matches!(t.dtype(), DType::Bool | DType::UInt8))
    }

    /// How often an in-place op has written into the storage.
    #[getter]
    fn _version(&self) -> u32 {
        self.with(|t| t.storage().version())
    }

    /// The tensor whose storage this view shares; None if this is no view.
    #[getter]
    fn _base<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        wrap_optional(py, self.with(rustorch_tensor::Tensor::base))
    }

    /// Whether this shares the storage of another tensor.
    fn _is_view(&self) -> bool {
        self.with(|t| t.base().is_some())
    }

    /// Whether two tensors are the same object or show the same elements of one storage.
    fn is_set_to(&self, tensor: &Bound<'_, PyTensor>) -> bool {
        let other = tensor.get().tensor(tensor);
        self.with(|t| {
            t.storage().buffer().address() == other.storage().buffer().address()
                && t.layout() == other.layout()
        })
    }

    /// Whether two tensors have the same shape.
    fn is_same_size(&self, other: &Bound<'_, PyTensor>) -> bool {
        let shape = other.get().with(|t| rustorch_tensor::Shape::from_slice(t.shape()));
        self.with(|t| t.shape() == shape.as_slice())
    }

    /// The tensor with its dimensions reversed.
    #[getter(T)]
    fn reversed<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let tensor = slf.get().tensor(slf);
        let order: Vec<i64> = (0..tensor.ndim() as i64).rev().collect();
        wrap(slf.py(), ops::permute(&tensor, &order).into_py(slf.py())?)
    }

    /// The tensor with its last two dimensions exchanged.
    #[getter(mT)]
    fn matrix_transposed<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let tensor = slf.get().tensor(slf);
        if tensor.ndim() < 2 {
            return Err(PyTypeError::new_err(format!(
                "mT: only for tensors of matrices, but this one has {} dimensions",
                tensor.ndim()
            )));
        }
        wrap(slf.py(), ops::transpose(&tensor, -2, -1).into_py(slf.py())?)
    }
}
