//! Python numbers, sequences and their like as Rust values. `None` means: not that kind of object.

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyFloat, PyInt, PyList, PyString, PyTuple};
use rustorch_backend::{Dims, Scalar};
use rustorch_tensor::Tensor;

use super::type_name;
use crate::errors::IntoPyResult;
use crate::sequences::gathered;
use crate::tensor::PyTensor;

/// Whether the object is a tensor.
#[inline]
pub fn is_tensor(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyTensor>()
}

/// Whether an object counts as an integer: an int or something with `__index__`, such as NumPy's; bool and tensors of
/// floats do not.
pub fn is_int(object: &Bound<'_, PyAny>) -> bool {
    if object.is_exact_instance_of::<PyInt>() {
        return true;
    }
    if object.is_exact_instance_of::<PyTuple>()
        || object.is_exact_instance_of::<PyList>()
        || object.is_instance_of::<PyBool>()
    {
        return false;
    }
    if let Ok(tensor) = object.cast::<PyTensor>() {
        return tensor.get().with(|t| t.ndim() == 0 && t.dtype().is_integral(false));
    }
    has_index(object)
}

/// Whether a type has `__index__` and is no sequence: NumPy's arrays have both.
fn has_index(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a valid object; the checks run no Python code.
    unsafe { ffi::PyIndex_Check(object.as_ptr()) != 0 && ffi::PySequence_Check(object.as_ptr()) == 0 }
}

/// An integer of 64 bits.
#[inline]
pub fn int(object: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    if !is_int(object) {
        return Ok(None);
    }
    object.extract::<i64>().map(Some)
}

/// What is wrong with an int that no int64 holds; `why` may add what would have worked.
#[cold]
pub fn too_large(op: &str, argument: &str, why: &str) -> PyErr {
    PyOverflowError::new_err(format!(
        "{op}(): argument '{argument}': the int does not fit the 64 bits of an int64{why}"
    ))
}

/// What is wrong with such an int beside tensors of integers.
#[cold]
pub fn too_large_number(op: &str, argument: &str) -> PyErr {
    too_large(op, argument, "; only tensors of floats take larger numbers, as floats")
}

/// `read`, where an int that no int64 holds counts as the float that it is to tensors of floats, if there are such;
/// else it is an error that names `op` and `argument`.
#[inline]
pub fn number_beside<T>(
    object: &Bound<'_, PyAny>,
    (op, argument): (&str, &str),
    floating: impl FnOnce() -> bool,
    read: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<Option<T>>,
    of_float: impl FnOnce(f64) -> PyResult<T>,
) -> PyResult<Option<T>> {
    match read(object) {
        Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => {
            let value = wide_int(object).filter(|_| floating());
            value.ok_or_else(|| too_large_number(op, argument)).and_then(of_float).map(Some)
        }
        other => other,
    }
}

/// An int of any size as a float, if that is finite.
pub fn wide_int(object: &Bound<'_, PyAny>) -> Option<f64> {
    object.cast::<PyInt>().ok()?.extract::<f64>().ok()
}

/// Whether an object counts as a number: Python's, NumPy's scalars; tensors do not.
pub fn is_number(object: &Bound<'_, PyAny>) -> bool {
    object.is_exact_instance_of::<PyFloat>()
        || object.is_exact_instance_of::<PyInt>()
        || object.is_instance_of::<PyFloat>()
        || object.is_instance_of::<PyInt>()
        || object.is_instance_of::<PyComplex>()
        || (!is_tensor(object)
            && !is_sequence(object)
            && !object.is_instance_of::<PyString>()
            && (has_index(object) || has_float(object)))
}

/// Whether a type outside the standard library converts to float: NumPy's scalars, which have no `__len__`.
fn has_float(object: &Bound<'_, PyAny>) -> bool {
    let class = object.get_type();
    class.hasattr("__float__").unwrap_or(false) && is_numpy_scalar(object)
}

/// Whether the object is a scalar of NumPy. NumPy is not imported for that: if it was not, there are none.
pub fn is_numpy_scalar(object: &Bound<'_, PyAny>) -> bool {
    let class = object.get_type();
    class.module().is_ok_and(|m| m == "numpy") && class.name().is_ok_and(|n| n != "ndarray")
}

/// A Python number, exactly.
#[inline]
pub fn number(object: &Bound<'_, PyAny>) -> PyResult<Option<Scalar>> {
    if object.is_exact_instance_of::<PyFloat>() {
        return Ok(Some(Scalar::Float(object.extract()?)));
    }
    if object.is_exact_instance_of::<PyInt>() {
        return Ok(Some(integer(object)?));
    }
    uncommon_number(object)
}

/// An int; an OverflowError beyond 64 bits, where [`number_beside`] knows what it stands for.
fn integer(object: &Bound<'_, PyAny>) -> PyResult<Scalar> {
    object.extract::<i64>().map(Scalar::Int)
}

fn uncommon_number(object: &Bound<'_, PyAny>) -> PyResult<Option<Scalar>> {
    if let Ok(value) = object.cast::<PyBool>() {
        return Ok(Some(Scalar::Bool(value.is_true())));
    }
    if object.is_instance_of::<PyFloat>() {
        return Ok(Some(Scalar::Float(object.extract()?)));
    }
    if let Ok(value) = object.cast::<PyComplex>() {
        return Ok(Some(Scalar::Complex(value.real(), value.imag())));
    }
    if object.is_instance_of::<PyInt>() {
        return Ok(Some(integer(object)?));
    }
    if !is_number(object) {
        return Ok(None);
    }
    if is_numpy_scalar(object) {
        // NumPy's bool has no `__index__`; `item()` gives the Python number of every scalar.
        let item = object.call_method0("item")?;
        return if is_numpy_scalar(&item) { Ok(None) } else { number(&item) };
    }
    Ok(Some(integer(object)?))
}

/// A number or the value of a tensor of one element.
pub fn scalar(object: &Bound<'_, PyAny>) -> PyResult<Option<Scalar>> {
    if let Ok(tensor) = object.cast::<PyTensor>() {
        let tensor = tensor.get().tensor(tensor);
        return if tensor.numel() == 1 { tensor.item().into_py(object.py()).map(Some) } else { Ok(None) };
    }
    number(object)
}

/// A float: any real number.
#[inline]
pub fn float(object: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    if object.is_exact_instance_of::<PyFloat>() {
        return object.extract().map(Some);
    }
    if object.is_exact_instance_of::<PyInt>() {
        return object.extract().map(Some);
    }
    Ok(scalar(object)?.filter(|s| !matches!(s, Scalar::Complex(..))).map(Scalar::to_f64))
}

/// A truth value; NumPy's counts, ints do not.
pub fn bool(object: &Bound<'_, PyAny>) -> PyResult<Option<bool>> {
    if let Ok(value) = object.cast::<PyBool>() {
        return Ok(Some(value.is_true()));
    }
    if is_numpy_scalar(object) {
        return Ok(match number(object)? {
            Some(Scalar::Bool(value)) => Some(value),
            _ => None,
        });
    }
    Ok(None)
}

/// Whether the object is a list or a tuple.
pub fn is_sequence(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyTuple>() || object.is_instance_of::<PyList>()
}

/// A sequence of integers, or a single one.
pub fn ints(object: &Bound<'_, PyAny>) -> PyResult<Option<Dims<i64>>> {
    if let Some(value) = int(object)? {
        return Ok(Some(smallvec::smallvec![value]));
    }
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return gathered(object.py(), tuple.iter_borrowed().map(|item| int(&item)));
    }
    if let Ok(list) = object.cast::<PyList>() {
        return gathered(object.py(), list.iter().map(|item| int(&item)));
    }
    if object.is_instance_of::<PyString>() || is_tensor(object) {
        return Ok(None);
    }
    // A range, a NumPy array, any other iterable of integers.
    match object.try_iter() {
        Ok(items) => gathered(object.py(), items.map(|item| int(&item?))),
        Err(_) => Ok(None),
    }
}

/// The integers of an argument that has to be a sequence of them: as many as there is memory for.
pub fn required_ints(object: &Bound<'_, PyAny>) -> PyResult<Dims<i64>> {
    ints(object)?.ok_or_else(|| {
        PyTypeError::new_err(format!("a sequence of ints is wanted, not {}", type_name(object)))
    })
}

/// As [`required_ints`], of an argument that may be None.
pub fn optional_ints(object: &Bound<'_, PyAny>) -> PyResult<Option<Dims<i64>>> {
    if object.is_none() { Ok(None) } else { required_ints(object).map(Some) }
}

/// A sequence of real numbers, or a single one.
pub fn floats(object: &Bound<'_, PyAny>) -> PyResult<Option<Dims<f64>>> {
    if let Some(value) = float(object)? {
        return Ok(Some(smallvec::smallvec![value]));
    }
    if object.is_instance_of::<PyString>() || is_tensor(object) {
        return Ok(None);
    }
    match object.try_iter() {
        Ok(items) => gathered(object.py(), items.map(|item| float(&item?))),
        Err(_) => Ok(None),
    }
}

/// A tensor.
#[inline]
pub fn tensor(object: &Bound<'_, PyAny>) -> Option<Tensor> {
    object.cast::<PyTensor>().ok().map(|tensor| tensor.get().tensor(tensor))
}

/// A tensor, or a number as a 0-d tensor that yields in promotion.
#[inline]
pub fn tensor_like(object: &Bound<'_, PyAny>) -> PyResult<Option<Tensor>> {
    if let Some(tensor) = tensor(object) {
        return Ok(Some(tensor));
    }
    number(object)?.map(|value| Tensor::number(value).into_py(object.py())).transpose()
}

/// A list or tuple of tensors.
pub fn tensors(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<Tensor>>> {
    if is_tensor(object) || object.is_instance_of::<PyString>() {
        return Ok(None);
    }
    match object.try_iter() {
        Ok(items) => gathered(object.py(), items.map(|item| Ok(tensor(&item?)))),
        Err(_) => Ok(None),
    }
}
