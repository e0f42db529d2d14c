//! Python's sequences and numbers where there may be too many of them for the memory: PyO3's own constructors panic.

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList, PyTuple};
use rustorch_backend::Scalar;
use rustorch_backend::memory::reserve;
use smallvec::{Array, SmallVec};

use crate::errors::to_python;

/// A number of the core as a Python number.
pub fn number(py: Python<'_>, value: Scalar) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: each function gives a new reference, or null with an exception set.
    unsafe {
        let object = match value {
            Scalar::Bool(value) => return Ok(PyBool::new(py, value).to_owned().into_any()),
            Scalar::Int(value) => ffi::PyLong_FromLongLong(value),
            Scalar::Float(value) => ffi::PyFloat_FromDouble(value),
            Scalar::Complex(re, im) => ffi::PyComplex_FromDoubles(re, im),
        };
        Bound::from_owned_ptr_or_err(py, object)
    }
}

type Set = unsafe extern "C" fn(*mut ffi::PyObject, ffi::Py_ssize_t, *mut ffi::PyObject) -> std::ffi::c_int;

/// A list or a tuple of `len` items.
fn filled<'py>(
    py: Python<'py>,
    new: unsafe extern "C" fn(ffi::Py_ssize_t) -> *mut ffi::PyObject,
    set: Set,
    len: usize,
    mut items: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the function gives a new reference, or null with an exception set.
    let sequence = unsafe { Bound::from_owned_ptr_or_err(py, new(len as ffi::Py_ssize_t))? };
    for i in 0..len {
        let item = items.next().unwrap_or_else(|| Err(PyRuntimeError::new_err("there are too few items")))?;
        // SAFETY: the sequence is new, has a place i, and takes over the reference. Places that an error leaves empty are
        // none to the interpreter when it takes the sequence down.
        if unsafe { set(sequence.as_ptr(), i as ffi::Py_ssize_t, item.into_ptr()) } != 0 {
            return Err(PyErr::fetch(py));
        }
    }
    Ok(sequence)
}

/// A list of `len` items.
pub fn list<'py>(
    py: Python<'py>,
    len: usize,
    items: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>,
) -> PyResult<Bound<'py, PyList>> {
    Ok(filled(py, ffi::PyList_New, ffi::PyList_SetItem, len, items)?.cast_into()?)
}

/// A tuple of `len` items.
pub fn tuple<'py>(
    py: Python<'py>,
    len: usize,
    items: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>,
) -> PyResult<Bound<'py, PyTuple>> {
    Ok(filled(py, ffi::PyTuple_New, ffi::PyTuple_SetItem, len, items)?.cast_into()?)
}

/// A list that grows by one, or an error where it cannot.
pub trait TryPush {
    /// What it holds.
    type Item;
    /// Adds an item at the end.
    fn try_push(&mut self, py: Python<'_>, item: Self::Item) -> PyResult<()>;
}

impl<T> TryPush for Vec<T> {
    type Item = T;
    fn try_push(&mut self, py: Python<'_>, item: T) -> PyResult<()> {
        if self.len() == self.capacity() {
            reserve(self, self.len().max(4)).map_err(|error| to_python(py, &error))?;
        }
        self.push(item);
        Ok(())
    }
}

impl<A: Array> TryPush for SmallVec<A> {
    type Item = A::Item;
    fn try_push(&mut self, _: Python<'_>, item: A::Item) -> PyResult<()> {
        if self.try_reserve(1).is_err() {
            return Err(pyo3::exceptions::PyMemoryError::new_err("a sequence is too long for the memory"));
        }
        self.push(item);
        Ok(())
    }
}

/// The items of an iteration, `None` from the first on that is none.
pub fn gathered<L: TryPush + Default>(
    py: Python<'_>,
    items: impl Iterator<Item = PyResult<Option<L::Item>>>,
) -> PyResult<Option<L>> {
    let mut list = L::default();
    for item in items {
        let Some(item) = item? else { return Ok(None) };
        list.try_push(py, item)?;
    }
    Ok(Some(list))
}
