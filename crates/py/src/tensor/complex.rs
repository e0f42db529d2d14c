//! The complex side of a tensor: parts, conjugates, dtypes.

use pyo3::prelude::*;
use rustorch_backend::DType;
use rustorch_tensor::{RusTorchError, Tensor, ops};

use super::{PyTensor, convert, wrap};
use crate::arguments;
use crate::errors::IntoPyResult;

/// Writes a number or a tensor into a part of a tensor.
fn assign(
    part: rustorch_tensor::Result<Tensor>,
    name: &'static str,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let py = value.py();
    let part = part.into_py(py)?;
    let Some(value) = arguments::convert::tensor_like(value)? else {
        let message = format!("expected a tensor or a number, got {}", arguments::type_name(value));
        return Err(RusTorchError::argument(name, message)).into_py(py);
    };
    ops::copy_(&part, &value, false).into_py(py)
}

#[pymethods]
impl PyTensor {
    /// The real parts, as a view; a real tensor is its own. Assigning writes them.
    #[getter(real)]
    fn real_part<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        wrap(slf.py(), ops::real(&slf.get().tensor(slf)).into_py(slf.py())?)
    }

    #[setter(real)]
    fn set_real_part(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        assign(ops::real(&slf.get().tensor(slf)), "real", value)
    }

    /// The imaginary parts of a complex tensor, as a view. Assigning writes them.
    #[getter(imag)]
    fn imaginary_part<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        wrap(slf.py(), ops::imag(&slf.get().tensor(slf)).into_py(slf.py())?)
    }

    #[setter(imag)]
    fn set_imaginary_part(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        assign(ops::imag(&slf.get().tensor(slf)), "imag", value)
    }

    /// The conjugate transpose of a matrix.
    #[getter(H)]
    fn conjugate_transpose<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let tensor = slf.get().tensor(slf);
        let result = match tensor.ndim() {
            0 => ops::conj(&tensor),
            2 => ops::adjoint(&tensor),
            n => Err(RusTorchError::shape(
                "H",
                format!("tensor.H is only supported on matrices (2-D tensors), got a {n}-D tensor; see mH"),
            )),
        };
        wrap(slf.py(), result.into_py(slf.py())?)
    }

    /// The conjugate transposes of a batch of matrices.
    #[getter(mH)]
    fn conjugate_transposes<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        wrap(slf.py(), ops::adjoint(&slf.get().tensor(slf)).into_py(slf.py())?)
    }

    /// False: conjugates are computed at once.
    fn is_conj(&self) -> bool {
        false
    }

    /// False: negation is computed at once.
    fn is_neg(&self) -> bool {
        false
    }

    /// The tensor as complex64.
    fn cfloat<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        convert::to_dtype(slf, DType::Complex64)
    }

    /// The tensor as complex128.
    fn cdouble<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        convert::to_dtype(slf, DType::Complex128)
    }

    /// Raises: there is no complex dtype of half precision.
    fn chalf(slf: &Bound<'_, Self>) -> PyResult<()> {
        let message = "complex32 is not supported; cfloat() gives complex64, cdouble() complex128";
        Err(RusTorchError::dtype("chalf", message)).into_py(slf.py())
    }
}
