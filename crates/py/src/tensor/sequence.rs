//! A tensor as a sequence of its rows.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use rustorch_tensor::ops;

use super::{PyTensor, wrap};
use crate::arguments::{convert, type_name};
use crate::errors::IntoPyResult;

/// Walks over the rows.
#[pyclass(module = "rustorch._C")]
struct Rows {
    tensor: Py<PyTensor>,
    next: usize,
    end: usize,
}

#[pymethods]
impl Rows {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.next == self.end {
            return Ok(None);
        }
        let tensor = self.tensor.bind(py);
        let row = ops::select(&tensor.get().tensor(tensor), 0, self.next as i64).into_py(py)?;
        self.next += 1;
        wrap(py, row).map(Some)
    }

    fn __length_hint__(&self) -> usize {
        self.end - self.next
    }
}

#[pymethods]
impl PyTensor {
    fn __len__(&self) -> PyResult<usize> {
        self.with(|t| t.shape().first().copied()).ok_or_else(|| PyTypeError::new_err("len() of a 0-d tensor"))
    }

    fn __iter__(slf: Bound<'_, Self>) -> PyResult<Rows> {
        let end = slf
            .get()
            .with(|t| t.shape().first().copied())
            .ok_or_else(|| PyTypeError::new_err("iteration over a 0-d tensor"))?;
        Ok(Rows { tensor: slf.unbind(), next: 0, end })
    }

    fn __contains__(slf: &Bound<'_, Self>, element: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = slf.py();
        let Some(value) = convert::tensor_like(element)? else {
            return Err(PyTypeError::new_err(format!(
                "Tensor.__contains__ only supports Tensor or Number, but you passed in a {}",
                type_name(element)
            )));
        };
        let tensor = slf.get().tensor(slf);
        let found = py.detach(|| ops::any(&ops::eq(&tensor, &value)?, None, false)?.item()).into_py(py)?;
        Ok(found.to_bool())
    }
}
