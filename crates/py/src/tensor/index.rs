//! `x[…]`, for reading and for writing.

use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyEllipsis, PyList, PySlice, PyTuple};
use rustorch_tensor::operations::creation;
use rustorch_tensor::operations::indexing::{self, IndexItem};
use rustorch_tensor::{Device, Tensor, ops};
use smallvec::SmallVec;

use super::construct::tensor_from_data;
use super::{PyTensor, wrap};
use crate::arguments::{convert, type_name};
use crate::errors::IntoPyResult;
use crate::numpy;

type Items = SmallVec<[IndexItem; 4]>;

/// One bound of a slice.
fn bound(object: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    if object.is_none() {
        return Ok(None);
    }
    match convert::int(object)? {
        Some(value) => Ok(Some(value)),
        None => object.extract::<i64>().map(Some).map_err(|_| {
            PyTypeError::new_err("slice indices must be integers or None or have an __index__ method")
        }),
    }
}

fn item(object: &Bound<'_, PyAny>) -> PyResult<IndexItem> {
    if object.is_none() {
        return Ok(IndexItem::NewAxis);
    }
    if object.is_instance_of::<PyEllipsis>() {
        return Ok(IndexItem::Ellipsis);
    }
    if let Ok(slice) = object.cast::<PySlice>() {
        let part = |name| bound(&slice.getattr(name)?);
        let step = part("step")?;
        if step.is_some_and(|step| step <= 0) {
            return Err(PyValueError::new_err("step must be greater than zero"));
        }
        return Ok(IndexItem::Slice(part("start")?, part("stop")?, step));
    }
    if let Ok(flag) = object.cast::<PyBool>() {
        return Ok(IndexItem::Bool(flag.is_true()));
    }
    if let Some(tensor) = convert::tensor(object) {
        // A 0-d integer tensor picks one, as the integer would; bytes are masks.
        let picks = tensor.dtype().is_integral(false) && tensor.dtype() != rustorch_tensor::DType::UInt8;
        if tensor.ndim() == 0 && picks {
            return Ok(IndexItem::Integer(tensor.item().into_py(object.py())?.to_i64()));
        }
        return Ok(IndexItem::Tensor(tensor));
    }
    if let Some(value) = convert::int(object)? {
        return Ok(IndexItem::Integer(value));
    }
    if convert::is_sequence(object) || numpy::is_array(object) || object.try_iter().is_ok() {
        let tensor = tensor_from_data("index", object, None)?;
        if tensor.numel() == 0 && tensor.dtype().is_floating_point() {
            // An empty list has no dtype of its own; as an index it is one of integers.
            return Ok(IndexItem::Tensor(
                ops::empty(&[0], Some(rustorch_tensor::DType::Int64), Some(Device::CPU), false)
                    .into_py(object.py())?,
            ));
        }
        return Ok(IndexItem::Tensor(tensor));
    }
    Err(PyIndexError::new_err(format!(
        "only integers, slices (`:`), ellipsis (`...`), None and long or bool tensors are valid indices (got {})",
        type_name(object)
    )))
}

fn items(key: &Bound<'_, PyAny>) -> PyResult<Items> {
    match key.cast::<PyTuple>() {
        Ok(tuple) => tuple.iter_borrowed().map(|object| item(&object)).collect(),
        Err(_) => Ok(smallvec::smallvec![item(key)?]),
    }
}

#[pymethods]
impl PyTensor {
    fn __getitem__<'py>(slf: &Bound<'py, Self>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let tensor = slf.get().tensor(slf);
        // The common case, also how old-style iteration asks for rows.
        if let Some(index) = convert::int(key)?
            && tensor.ndim() > 0
        {
            let size = tensor.shape()[0] as i64;
            if !(-size..size).contains(&index) {
                return Err(crate::errors::to_python(
                    py,
                    &rustorch_tensor::RusTorchError::index(
                        "index",
                        format!("index {index} is out of bounds for dimension 0 with size {size}"),
                    ),
                ));
            }
            return wrap(py, ops::select(&tensor, 0, index).into_py(py)?);
        }
        let items = items(key)?;
        let copies = items.iter().any(|i| matches!(i, IndexItem::Tensor(_)));
        let result = if copies {
            py.detach(|| indexing::get(&tensor, &items))
        } else {
            indexing::get(&tensor, &items)
        };
        wrap(py, result.into_py_of(py, "__getitem__")?)
    }

    fn __setitem__(slf: &Bound<'_, Self>, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let tensor = slf.get().tensor(slf);
        let value = assigned(&tensor, value)?;
        let items = items(key)?;
        py.detach(|| indexing::put(&tensor, &items, &value)).into_py_of(py, "__setitem__")
    }
}

/// The value of an assignment as a tensor: a number, a tensor, an array or a sequence.
fn assigned(target: &Tensor, value: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    let py = value.py();
    let floating = || target.dtype().is_differentiable();
    let of_float = |value: f64| Tensor::number(value).into_py(py);
    let number =
        convert::number_beside(value, ("__setitem__", "value"), floating, convert::tensor_like, of_float)?;
    if let Some(tensor) = number {
        creation::check_number("__setitem__", "value", &tensor, target.dtype()).into_py(py)?;
        return Ok(tensor);
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() || numpy::is_array(value) {
        return tensor_from_data("__setitem__", value, Some(target.dtype()));
    }
    Err(PyTypeError::new_err(format!("can't assign a {} to a {} tensor", type_name(value), target.dtype())))
}
