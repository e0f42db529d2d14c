//! Tensors from Python data: `tensor`, `as_tensor`, `asarray`, and the class's own constructor.

use pyo3::exceptions::{PyTypeError, PyUserWarning, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySequence, PyString, PyTuple, PyType};
use rustorch_backend::memory::Scratch;
use rustorch_backend::{Category, DType, Device, Scalar, with_element};
use rustorch_tensor::operations::creation;
use rustorch_tensor::{Element, RusTorchError, Tensor, ops, registry};

use super::copying::from_bytes;
use super::{PyTensor, wrap};
use crate::arguments::{convert, type_name};
use crate::errors::IntoPyResult;
use crate::{device, dtype, numpy, sharing};

/// How deep sequences may be nested, as in PyTorch: a list inside of itself ends here, and not at the end of the stack.
const DEEPEST: usize = 128;

/// The elements of nested sequences, read in one pass.
struct Elements {
    op: &'static str,
    shape: Vec<usize>,
    /// Whether an element has been met, so that the number of dimensions is known.
    known: bool,
    values: Scratch<Scalar>,
    /// Whether an int was among them that only floats hold.
    wide: bool,
    dtype: Option<DType>,
}

impl Elements {
    fn meet(&mut self, py: Python<'_>, value: Scalar, dtype: DType) -> PyResult<()> {
        self.values.push(value).into_py_of(py, self.op)?;
        self.dtype = Some(self.dtype.map_or(dtype, |seen| seen.promote(dtype)));
        Ok(())
    }

    /// Checks or notes that there are `size` entries at `depth`.
    fn dimension(&mut self, depth: usize, size: usize) -> PyResult<()> {
        if depth == self.shape.len() && !self.known {
            self.shape.push(size);
        } else if depth >= self.shape.len() {
            return Err(PyValueError::new_err(format!(
                "{}(): expected a number at dim {depth}, but got a sequence of length {size}",
                self.op
            )));
        } else if self.shape[depth] != size {
            return Err(PyValueError::new_err(format!(
                "{}(): expected sequence of length {} at dim {depth} (got {size})",
                self.op, self.shape[depth]
            )));
        }
        Ok(())
    }

    fn leaf(&mut self, depth: usize) -> PyResult<()> {
        self.known = true;
        if depth == self.shape.len() {
            return Ok(());
        }
        Err(PyTypeError::new_err(format!(
            "{}(): expected a sequence of length {} at dim {depth}, but got a number",
            self.op, self.shape[depth]
        )))
    }

    fn read(&mut self, object: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
        if depth > DEEPEST {
            return Err(PyValueError::new_err(format!(
                "{}(): too many dimensions '{}': sequences may be nested {DEEPEST} deep; is one inside of itself?",
                self.op,
                type_name(object)
            )));
        }
        if let Ok(list) = object.cast::<PyList>() {
            self.dimension(depth, list.len())?;
            return list.iter().try_for_each(|item| self.read(&item, depth + 1));
        }
        if let Ok(tuple) = object.cast::<PyTuple>() {
            self.dimension(depth, tuple.len())?;
            return tuple.iter_borrowed().try_for_each(|item| self.read(&item, depth + 1));
        }
        if let Some(tensor) = convert::tensor(object) {
            return self.tensor(object.py(), &tensor, depth);
        }
        let mut wide = false;
        let of_float = |value| {
            wide = true;
            Ok(Scalar::Float(value))
        };
        let number = convert::number_beside(object, (self.op, "data"), || true, convert::number, of_float)?;
        if wide {
            self.leaf(depth)?;
            self.wide = true;
            self.values.extend(number).into_py(object.py())?;
            self.dtype = Some(self.dtype.map_or(DType::Int64, |seen| seen.promote(DType::Int64)));
            return Ok(());
        }
        if let Some(value) = number {
            self.leaf(depth)?;
            let dtype = match value {
                // NumPy's scalars know their dtype; float64 is Python's float, too.
                _ if convert::is_numpy_scalar(object) => numpy::copied(self.op, object)?.dtype(),
                value => creation::dtype_of(value),
            };
            return self.meet(object.py(), value, dtype);
        }
        if numpy::is_array(object) {
            return self.tensor(object.py(), &numpy::copied(self.op, object)?, depth);
        }
        if let Ok(sequence) = object.cast::<PySequence>()
            && !object.is_instance_of::<PyString>()
        {
            let length = sequence.len()?;
            self.dimension(depth, length)?;
            // What has no memory of its own, as a range, may be longer than there is room for.
            self.values.reserve(length).into_py(object.py())?;
            return (0..length).try_for_each(|i| self.read(&sequence.get_item(i)?, depth + 1));
        }
        Err(PyTypeError::new_err(format!(
            "{}(): a tensor is made of numbers, not of {}: give nested sequences of numbers, a NumPy array or a Tensor",
            self.op,
            type_name(object)
        )))
    }

    fn tensor(&mut self, py: Python<'_>, tensor: &Tensor, depth: usize) -> PyResult<()> {
        for (i, &size) in tensor.shape().iter().enumerate() {
            self.dimension(depth + i, size)?;
        }
        self.leaf(depth + tensor.ndim())?;
        let values = super::elements::scalars(tensor).into_py_of(py, self.op)?;
        values.iter().try_for_each(|&value| self.meet(py, value, tensor.dtype()))
    }

    fn build(self, dtype: Option<DType>) -> rustorch_tensor::Result<Tensor> {
        let dtype = dtype.or(self.dtype).unwrap_or_else(rustorch_tensor::default_dtype);
        if self.dtype.is_some_and(DType::is_complex) && !dtype.is_complex() {
            return Err(RusTorchError::dtype(self.op, format!("complex numbers do not convert to {dtype}")));
        }
        fn dense<T: Element>(elements: &Elements) -> rustorch_tensor::Result<Tensor> {
            // What is too large for a float is infinite, as PyTorch has it here.
            let checked = T::DTYPE.category() == Category::Integer;
            let convert = |&value: &Scalar| {
                let value = if checked { value.convert(elements.op, "data", T::DTYPE)? } else { value };
                Ok(T::from_scalar(value))
            };
            let converted = Scratch::try_collect(elements.values.iter().map(convert))?;
            Tensor::from_slice(&converted, &elements.shape)
        }
        with_element!(dtype, T => dense::<T>(&self), else self.complex(dtype))
    }

    fn complex(&self, dtype: DType) -> rustorch_tensor::Result<Tensor> {
        let mut bytes = Scratch::with_room(self.values.len().saturating_mul(dtype.size()))?;
        for &value in &self.values {
            let (re, im) = match value {
                Scalar::Complex(re, im) => (re, im),
                real => (real.to_f64(), 0.0),
            };
            for part in [re, im] {
                match dtype {
                    DType::Complex64 => bytes.extend_from_slice(&(part as f32).to_ne_bytes())?,
                    _ => bytes.extend_from_slice(&part.to_ne_bytes())?,
                }
            }
        }
        from_bytes(&bytes, dtype, &self.shape)
    }
}

/// A new tensor with the values of Python data: numbers, nested sequences, NumPy arrays, tensors.
pub fn tensor_from_data(op: &'static str, data: &Bound<'_, PyAny>, dtype: Option<DType>) -> PyResult<Tensor> {
    let py = data.py();
    let source = if let Some(tensor) = convert::tensor(data) {
        tensor.detach()
    } else if numpy::is_array(data) || convert::is_numpy_scalar(data) {
        numpy::copied(op, data)?
    } else if let Some(shown) = sharing::cuda_array(op, data)? {
        shown
    } else {
        let mut elements = Elements {
            op,
            shape: Vec::new(),
            known: false,
            values: Scratch::new(),
            wide: false,
            dtype: None,
        };
        elements.read(data, 0)?;
        if elements.wide && !dtype.or(elements.dtype).is_some_and(DType::is_differentiable) {
            return Err(convert::too_large_number(op, "data"));
        }
        return elements.build(dtype).into_py_of(py, op);
    };
    let result = match dtype {
        Some(dtype) if dtype != source.dtype() => creation::to_dtype(&source, Some(dtype)),
        _ => ops::clone(&source),
    };
    result.into_py_of(py, op)
}

/// An optional dtype argument of `op`.
fn dtype_argument(op: &str, object: Option<&Bound<'_, PyAny>>) -> PyResult<Option<DType>> {
    match object {
        Some(object) if !object.is_none() => dtype::extract(object).map(Some).ok_or_else(|| {
            PyTypeError::new_err(format!(
                "{op}(): argument 'dtype' must be rustorch.dtype, not {}",
                type_name(object)
            ))
        }),
        _ => Ok(None),
    }
}

/// An error of reading a device, with the name of the function that asked for it.
fn named<T>(op: &str, object: &Bound<'_, PyAny>, read: PyResult<T>) -> PyResult<T> {
    read.inspect_err(|error| {
        let value = error.value(object.py());
        let _ = value.setattr("args", (format!("{op}(): argument 'device': {value}"),));
    })
}

fn device_argument(op: &str, object: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Device>> {
    match object {
        Some(object) if !object.is_none() => {
            named(op, object, device::extract(object))?.map(Some).ok_or_else(|| {
                PyTypeError::new_err(format!(
                    "{op}(): argument 'device' must be rustorch.device or str, not {}",
                    type_name(object)
                ))
            })
        }
        _ => Ok(None),
    }
}

/// Where a tensor of given data goes: where it is told, else to the default device if that is not the CPU.
fn destination(device: Option<Device>) -> Option<Device> {
    device.or_else(|| Some(registry::default_device()).filter(|device| !device.is_cpu()))
}

/// The tensor on `device`, requiring gradients if asked.
fn finish(
    py: Python<'_>,
    tensor: Tensor,
    device: Option<Device>,
    requires_grad: bool,
) -> PyResult<Bound<'_, PyAny>> {
    let tensor = match device {
        Some(device) => creation::moved(&tensor, device).into_py(py)?,
        None => tensor,
    };
    if requires_grad {
        tensor.set_requires_grad(true).into_py(py)?;
    }
    wrap(py, tensor)
}

/// A new tensor with the values of `data`: a number, nested sequences, a NumPy array or a Tensor.
///
/// The dtype is taken from the data: bool, int64, the default float or complex dtype for Python's numbers.
#[pyfunction]
#[pyo3(signature = (data, *, dtype=None, device=None, requires_grad=false))]
fn tensor<'py>(
    data: &Bound<'py, PyAny>,
    dtype: Option<&Bound<'py, PyAny>>,
    device: Option<&Bound<'py, PyAny>>,
    requires_grad: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = data.py();
    if convert::is_tensor(data) {
        PyErr::warn(
            py,
            &py.get_type::<PyUserWarning>(),
            c"To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or sourceTensor.detach().clone().requires_grad_(True), rather than rustorch.tensor(sourceTensor).",
            1,
        )?;
    }
    let made = tensor_from_data("tensor", data, dtype_argument("tensor", dtype)?)?;
    finish(py, made, destination(device_argument("tensor", device)?), requires_grad)
}

/// A tensor of `data`: the tensor itself, or over a NumPy array's memory, where dtype and device allow; else a new one.
#[pyfunction]
#[pyo3(signature = (data, dtype=None, device=None))]
fn as_tensor<'py>(
    data: &Bound<'py, PyAny>,
    dtype: Option<&Bound<'py, PyAny>>,
    device: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let dtype = dtype_argument("as_tensor", dtype)?;
    let device = destination(device_argument("as_tensor", device)?);
    shared_or_new("as_tensor", data, dtype, device)
}

fn shared_or_new<'py>(
    op: &'static str,
    data: &Bound<'py, PyAny>,
    dtype: Option<DType>,
    device: Option<Device>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = data.py();
    let shared = if let Some(tensor) = convert::tensor(data) {
        tensor
    } else if numpy::is_array(data) {
        numpy::shared(op, data)?
    } else if let Some(shown) = sharing::cuda_array(op, data)? {
        // As PyTorch: to the CPU, unless a device is given.
        let shown = dtype.map_or(Ok(shown.clone()), |dtype| creation::cast(&shown, dtype)).into_py(py)?;
        return finish(py, shown, device.or(Some(Device::CPU)), false);
    } else {
        return finish(py, tensor_from_data(op, data, dtype)?, device, false);
    };
    let cast = match dtype {
        Some(dtype) => creation::cast(&shared, dtype).into_py(py)?,
        None => shared,
    };
    finish(py, cast, device, false)
}

/// A tensor of `obj`, sharing its memory if that can be done; `copy=True` never shares, `copy=False` raises where it
/// would have to copy.
#[pyfunction]
#[pyo3(signature = (obj, *, dtype=None, device=None, copy=None, requires_grad=false))]
fn asarray<'py>(
    obj: &Bound<'py, PyAny>,
    dtype: Option<&Bound<'py, PyAny>>,
    device: Option<&Bound<'py, PyAny>>,
    copy: Option<bool>,
    requires_grad: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = obj.py();
    let dtype = dtype_argument("asarray", dtype)?;
    let device = destination(device_argument("asarray", device)?);
    if copy == Some(true) {
        return finish(py, tensor_from_data("asarray", obj, dtype)?, device, requires_grad);
    }
    let result = shared_or_new("asarray", obj, dtype, device)?;
    if copy == Some(false) {
        let source = if let Some(tensor) = convert::tensor(obj) {
            Some(tensor)
        } else if numpy::is_array(obj) {
            Some(numpy::shared("asarray", obj)?)
        } else {
            None
        };
        let address = |t: &Tensor| t.storage().buffer().address();
        let made = convert::tensor(&result);
        if source.as_ref().map(address) != made.as_ref().map(address) {
            return Err(PyValueError::new_err(
                "asarray(): can't alias the object with copy=False; it would have to be copied",
            ));
        }
    }
    if requires_grad && let Some(tensor) = convert::tensor(&result) {
        tensor.set_requires_grad(true).into_py(py)?;
    }
    Ok(result)
}

/// Whether an object is a Tensor.
#[pyfunction]
fn is_tensor(obj: &Bound<'_, PyAny>) -> bool {
    convert::is_tensor(obj)
}

#[pymethods]
impl PyTensor {
    /// `Tensor()` is empty, `Tensor(2, 3)` has those sizes and unspecified content, `Tensor(data)` is a copy in the
    /// default dtype, `Tensor(tensor)` another object for the same data. Prefer `rustorch.tensor` and `rustorch.empty`.
    #[new]
    #[pyo3(signature = (*args, **_kwargs))]
    fn construct(args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let py = args.py();
        let default = rustorch_tensor::default_dtype();
        let tensor = match args.len() {
            0 => Tensor::empty(&[0], default, Device::CPU).into_py(py)?,
            1 if convert::is_tensor(&args.get_item(0)?) => match convert::tensor(&args.get_item(0)?) {
                Some(tensor) => tensor.detach(),
                None => return Err(PyTypeError::new_err("Tensor(): expected a Tensor")),
            },
            1 if !convert::is_int(&args.get_item(0)?) => {
                tensor_from_data("Tensor", &args.get_item(0)?, Some(default))?
            }
            _ => match convert::ints(args.as_any())? {
                Some(sizes) => ops::empty(&sizes, None, Some(Device::CPU), false).into_py(py)?,
                None => {
                    return Err(PyTypeError::new_err(format!(
                        "Tensor(): expected sizes, a sequence of numbers or a Tensor, not {}",
                        type_name(args.as_any())
                    )));
                }
            },
        };
        Ok(PyTensor::new(tensor))
    }

    /// An object of the class `cls` for the data of `data`, without its history.
    #[staticmethod]
    #[pyo3(signature = (cls, data, require_grad=false))]
    fn _make_subclass<'py>(
        cls: &Bound<'py, PyType>,
        data: &Bound<'py, PyTensor>,
        require_grad: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = cls.py();
        let object = py.get_type::<PyTensor>().call_method1("__new__", (cls, data))?;
        let tensor = object.cast::<PyTensor>()?.get().tensor(object.cast::<PyTensor>()?);
        tensor.set_requires_grad(require_grad).into_py(py)?;
        Ok(object)
    }

    /// A new tensor of this dtype and device with the values of `data`.
    #[pyo3(signature = (data, *, dtype=None, device=None, requires_grad=false))]
    fn new_tensor<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        dtype: Option<&Bound<'py, PyAny>>,
        device: Option<&Bound<'py, PyAny>>,
        requires_grad: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let dtype = dtype_argument("new_tensor", dtype)?.unwrap_or(self.with(Tensor::dtype));
        let device = device_argument("new_tensor", device)?.or(Some(self.with(Tensor::device)));
        finish(data.py(), tensor_from_data("new_tensor", data, Some(dtype))?, device, requires_grad)
    }
}

/// Adds the class and the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyTensor>()?;
    module.add_function(wrap_pyfunction!(super::convert::_parse_to, module)?)?;
    module.add_function(wrap_pyfunction!(tensor, module)?)?;
    module.add_function(wrap_pyfunction!(as_tensor, module)?)?;
    module.add_function(wrap_pyfunction!(asarray, module)?)?;
    module.add_function(wrap_pyfunction!(is_tensor, module)?)
}
