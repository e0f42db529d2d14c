//! Views in place: the tensor itself shows its memory in another layout.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use rustorch_backend::Dims;
use rustorch_tensor::{Result, Tensor, autograd, ops};

use super::PyTensor;
use crate::arguments::{convert, type_name};
use crate::errors::IntoPyResult;

/// Makes `slf` what `view` makes of its tensor.
fn relayout<'py>(
    op: &'static str,
    slf: Bound<'py, PyTensor>,
    view: impl FnOnce(&Tensor) -> Result<Tensor>,
) -> PyResult<Bound<'py, PyTensor>> {
    let tensor = slf.get().tensor(&slf);
    let changed = autograd::relayout(op, &tensor, view).into_py(slf.py())?;
    if !changed.is_same(&tensor) {
        // The object is the new tensor's; the old one lives on in the graph alone.
        tensor.set_face(std::ptr::null_mut());
        changed.set_face(slf.as_ptr().cast());
    }
    slf.get().replace(changed);
    Ok(slf)
}

fn transposed<'py>(
    op: &'static str,
    slf: Bound<'py, PyTensor>,
    dim0: i64,
    dim1: i64,
) -> PyResult<Bound<'py, PyTensor>> {
    relayout(op, slf, |tensor| ops::transpose(tensor, dim0, dim1))
}

#[pymethods]
impl PyTensor {
    /// Drops dimensions of size 1 in place: all, or those named.
    #[pyo3(signature = (dim=None))]
    fn squeeze_<'py>(slf: Bound<'py, Self>, dim: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, Self>> {
        let wrong = |dim: &Bound<'_, PyAny>| {
            PyTypeError::new_err(format!(
                "squeeze_(): argument 'dim' must be an int or a sequence of ints, not {}",
                type_name(dim)
            ))
        };
        let dims = match dim.filter(|dim| !dim.is_none()) {
            Some(dim) => Some(convert::ints(dim)?.ok_or_else(|| wrong(dim))?),
            None => None,
        };
        relayout("squeeze_", slf, |tensor| ops::squeeze(tensor, dims.as_deref()))
    }

    /// Adds a dimension of size 1 in place.
    fn unsqueeze_(slf: Bound<'_, Self>, dim: i64) -> PyResult<Bound<'_, Self>> {
        relayout("unsqueeze_", slf, |tensor| ops::unsqueeze(tensor, dim))
    }

    /// Exchanges the dimensions of a matrix in place; a tensor of fewer dimensions stays as it is.
    fn t_(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        relayout("t_", slf, ops::t)
    }

    /// Exchanges two dimensions in place.
    fn transpose_(slf: Bound<'_, Self>, dim0: i64, dim1: i64) -> PyResult<Bound<'_, Self>> {
        transposed("transpose_", slf, dim0, dim1)
    }

    /// Exchanges two dimensions in place.
    fn swapaxes_(slf: Bound<'_, Self>, axis0: i64, axis1: i64) -> PyResult<Bound<'_, Self>> {
        transposed("swapaxes_", slf, axis0, axis1)
    }

    /// Exchanges two dimensions in place.
    fn swapdims_(slf: Bound<'_, Self>, dim0: i64, dim1: i64) -> PyResult<Bound<'_, Self>> {
        transposed("swapdims_", slf, dim0, dim1)
    }

    /// Shows the storage with the given sizes, strides and offset, in elements.
    #[pyo3(signature = (size, stride, storage_offset=None))]
    fn as_strided_(
        slf: Bound<'_, Self>,
        #[pyo3(from_py_with = convert::required_ints)] size: Dims<i64>,
        #[pyo3(from_py_with = convert::required_ints)] stride: Dims<i64>,
        storage_offset: Option<i64>,
    ) -> PyResult<Bound<'_, Self>> {
        relayout("as_strided_", slf, |tensor| ops::as_strided(tensor, &size, &stride, storage_offset))
    }
}
