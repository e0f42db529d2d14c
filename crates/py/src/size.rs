//! `rustorch.Size`: the tuple that shapes are.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;

static SIZE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A shape as Python's `Size`.
#[inline]
pub fn build<'py>(py: Python<'py>, shape: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    let class =
        SIZE.get_or_try_init(py, || Ok::<_, PyErr>(py.import("rustorch._size")?.getattr("Size")?.unbind()))?;
    class.bind(py).call1((PyTuple::new(py, shape)?,))
}
