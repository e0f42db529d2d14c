//! Named tuples: what ops with several results give.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use smallvec::SmallVec;

static TYPES: PyOnceLock<Mutex<HashMap<&'static str, Py<PyAny>>>> = PyOnceLock::new();

/// The named tuple of an op, from `rustorch.return_types`, which is imported when it is first needed.
pub fn build<'py>(
    py: Python<'py>,
    op: &'static str,
    values: SmallVec<[Bound<'py, PyAny>; 3]>,
) -> PyResult<Bound<'py, PyAny>> {
    let types = TYPES.get_or_init(py, Mutex::default);
    let known =
        types.lock().unwrap_or_else(PoisonError::into_inner).get(op).map(|class| class.bind(py).clone());
    let class = if let Some(class) = known {
        class
    } else {
        let class = py.import("rustorch.return_types")?.getattr(op)?;
        types.lock().unwrap_or_else(PoisonError::into_inner).insert(op, class.clone().unbind());
        class
    };
    class.call1(PyTuple::new(py, values)?)
}
