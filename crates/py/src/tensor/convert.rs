//! From a tensor to other things: numbers, lists, arrays, other dtypes and devices.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyDict, PyInt, PyTuple};
use rustorch_backend::memory::reserve;
use rustorch_backend::sizes::check_extent;
use rustorch_backend::{DType, Device, Scalar, volume};
use rustorch_tensor::operations::creation;
use rustorch_tensor::{DeviceKind, MemoryFormat, Tensor, ops, registry};

use super::{PyTensor, elements, wrap};
use crate::arguments::type_name;
use crate::device::PyDevice;
use crate::dtype::PyDType;
use crate::errors::IntoPyResult;
use crate::memory_format::PyMemoryFormat;
use crate::{device, dtype, numpy, sequences};

/// The elements as nested lists; `values` gives them in row-major order. From the innermost lists outward, since a tensor
/// may have more dimensions than the stack has room for.
fn nested<'py>(
    py: Python<'py>,
    shape: &[usize],
    values: impl Iterator<Item = Scalar>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut level = Vec::new();
    reserve(&mut level, volume(shape)).into_py_of(py, "tolist")?;
    for value in values {
        level.push(sequences::number(py, value)?);
    }
    for (d, &size) in shape.iter().enumerate().rev() {
        let count = volume(&shape[..d]);
        // Without elements there may be any number of lists.
        check_extent("tolist", count.saturating_mul(size.max(1))).into_py(py)?;
        let mut items = level.into_iter();
        let mut outer = Vec::new();
        reserve(&mut outer, count).into_py_of(py, "tolist")?;
        for _ in 0..count {
            outer.push(sequences::list(py, size, items.by_ref().take(size).map(Ok))?.into_any());
        }
        level = outer;
    }
    level.into_iter().next().ok_or_else(|| PyRuntimeError::new_err("tolist(): too few elements"))
}

/// What `to` was asked for.
#[derive(Default)]
struct Target {
    dtype: Option<DType>,
    device: Option<Device>,
    copy: bool,
    non_blocking: bool,
    format: Option<MemoryFormat>,
}

impl Target {
    /// Reads the forms of `to`: (dtype), (device), (device, dtype), (other), then `non_blocking` and `copy`.
    fn read(arguments: &Bound<'_, PyTuple>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut target = Target::default();
        let mut flags = 0;
        for argument in arguments {
            if let Ok(flag) = argument.cast::<PyBool>() {
                // non_blocking, then copy.
                let which = if flags == 0 { &mut target.non_blocking } else { &mut target.copy };
                *which = flag.is_true();
                flags += 1;
            } else if !argument.is_none() {
                target.place(&argument)?;
            }
        }
        for (name, value) in keywords.into_iter().flatten() {
            let name: String = name.extract()?;
            match name.as_str() {
                "dtype" | "device" | "other" if value.is_none() => {}
                "dtype" | "device" | "other" => target.place(&value)?,
                "copy" => target.copy = value.extract()?,
                "memory_format" if value.is_none() => {}
                "memory_format" => target.format = Some(value.cast::<PyMemoryFormat>()?.get().format),
                "non_blocking" => target.non_blocking = value.extract()?,
                _ => {
                    return Err(PyTypeError::new_err(format!(
                        "to() got an unexpected keyword argument '{name}'"
                    )));
                }
            }
        }
        Ok(target)
    }

    fn place(&mut self, argument: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Some(dtype) = dtype::extract(argument) {
            self.dtype = Some(dtype);
        } else if let Ok(other) = argument.cast::<PyTensor>() {
            (self.dtype, self.device) = other.get().with(|t| (Some(t.dtype()), Some(t.device())));
        } else if let Some(device) = device::extract(argument)? {
            self.device = Some(device);
        } else {
            return Err(PyTypeError::new_err(format!(
                "to(): expected a rustorch.dtype, a rustorch.device, a device's name or a Tensor, not {}",
                type_name(argument)
            )));
        }
        Ok(())
    }
}

/// The only element; the GIL is released while a device computes it.
fn value(slf: &Bound<'_, PyTensor>) -> PyResult<Scalar> {
    let py = slf.py();
    if slf.get().with(|tensor| tensor.device().is_cpu()) {
        return slf.get().with(Tensor::item).into_py(py);
    }
    let tensor = slf.get().tensor(slf);
    py.detach(|| tensor.item()).into_py(py)
}

/// The tensor as `target` says: the object itself where nothing changes.
fn converted<'py>(slf: &Bound<'py, PyTensor>, target: &Target) -> PyResult<Bound<'py, PyAny>> {
    let py = slf.py();
    let tensor = slf.get().tensor(slf);
    let device = target.device.map(|device| registry::resolve(device).into_py(py)).transpose()?;
    let same = target.dtype.is_none_or(|d| d == tensor.dtype())
        && device.is_none_or(|(_, device)| device.is_same(tensor.device()));
    let format = target.format.filter(|&format| format != MemoryFormat::Preserve);
    let laid = format.is_none_or(|format| tensor.is_contiguous_in(format).unwrap_or(false));
    if same && laid && !target.copy {
        return Ok(slf.clone().into_any());
    }
    let result = py.detach(|| {
        let mut result = tensor.clone();
        // Nothing reads on the CPU what may not be there yet.
        let non_blocking = target.non_blocking && format.is_none();
        if let Some(dtype) = target.dtype.filter(|_| non_blocking && !tensor.device().is_cpu()) {
            result = creation::cast(&result, dtype)?;
        }
        if let Some(device) = target.device {
            result = creation::moved_with(&result, device, non_blocking)?;
        }
        result = match target.dtype {
            Some(dtype) if dtype != result.dtype() => creation::cast(&result, dtype)?,
            _ if target.copy && laid && same => ops::clone(&result)?,
            _ => result,
        };
        match format {
            Some(_) => ops::contiguous_as(&result, format),
            None => Ok(result),
        }
    });
    wrap(py, result.into_py_of(py, "to")?)
}

pub(super) fn to_dtype<'py>(slf: &Bound<'py, PyTensor>, dtype: DType) -> PyResult<Bound<'py, PyAny>> {
    converted(slf, &Target { dtype: Some(dtype), ..Target::default() })
}

/// What the arguments of a module's `to` ask for: a device and a dtype, each None where they do not say.
#[pyfunction]
#[pyo3(signature = (*args, **kwargs))]
pub(super) fn _parse_to<'py>(
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<(Option<PyDevice>, Option<Bound<'py, PyDType>>)> {
    let target = Target::read(args, kwargs)?;
    let dtype = target.dtype.map(|d| dtype::object(args.py(), d)).transpose()?;
    Ok((target.device.map(|device| PyDevice { device }), dtype))
}

#[pymethods]
impl PyTensor {
    /// The value of a tensor of one element, as a Python number.
    pub(super) fn item<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        sequences::number(slf.py(), value(slf)?)
    }

    /// The elements as nested lists of Python numbers; of a 0-d tensor, its value.
    fn tolist<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let tensor = slf.get().tensor(slf);
        let values = py.detach(|| elements::scalars(&tensor)).into_py_of(py, "tolist")?;
        nested(py, tensor.shape(), values.iter().copied())
    }

    /// The tensor with another dtype or on another device: `to(dtype)`, `to(device)`, `to(device, dtype)`, `to(other)`;
    /// the tensor itself where nothing changes, unless `copy=True`.
    #[pyo3(signature = (*args, **kwargs))]
    fn to<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        converted(slf, &Target::read(args, kwargs)?)
    }

    /// The tensor with the dtype (and on the device) of another.
    fn type_as<'py>(slf: &Bound<'py, Self>, other: &Bound<'py, PyTensor>) -> PyResult<Bound<'py, PyAny>> {
        let (dtype, device) = other.get().with(|t| (Some(t.dtype()), Some(t.device())));
        converted(slf, &Target { dtype, device, ..Target::default() })
    }

    /// The tensor in main memory; itself when it is there already.
    fn cpu<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        converted(slf, &Target { device: Some(Device::CPU), ..Target::default() })
    }

    /// The tensor on a GPU of NVIDIA's: the current one, or that of an index or a device.
    #[pyo3(signature = (device=None, non_blocking=false, memory_format=None))]
    fn cuda<'py>(
        slf: &Bound<'py, Self>,
        device: Option<&Bound<'py, PyAny>>,
        non_blocking: bool,
        memory_format: Option<&Bound<'py, PyMemoryFormat>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let wanted = match device {
            None => Device { kind: DeviceKind::Cuda, index: None },
            Some(object) => match object.extract::<u8>() {
                Ok(index) => Device::new(DeviceKind::Cuda, index),
                Err(_) => {
                    device::extract(object)?.filter(|d| d.kind == DeviceKind::Cuda).ok_or_else(|| {
                        PyTypeError::new_err(
                            "cuda(): expected the index of a CUDA device or a device of type 'cuda'",
                        )
                    })?
                }
            },
        };
        let format = memory_format.map(|format| format.get().format);
        converted(slf, &Target { device: Some(wanted), format, non_blocking, ..Target::default() })
    }

    /// The tensor as float16.
    fn half<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_dtype(slf, DType::Float16)
    }

    /// The tensor as bfloat16.
    fn bfloat16<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_dtype(slf, DType::BFloat16)
    }

    /// The tensor as float32.
    fn float<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_dtype(slf, DType::Float32)
    }

    /// The tensor as float64.
    fn double<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_dtype(slf, DType::Float64)
    }

    /// The tensor as uint8.
    fn byte<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_dtype(slf, DType::UInt8)
    }

    /// The tensor as int8.
    fn char<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_dtype(slf, DType::Int8)
    }

    /// The tensor as int16.
    fn short<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_dtype(slf, DType::Int16)
    }

    /// The tensor as int32.
    fn int<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_dtype(slf, DType::Int32)
    }

    /// The tensor as int64.
    fn long<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_dtype(slf, DType::Int64)
    }

    /// The tensor as bool: whether each element differs from zero.
    fn bool<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        to_dtype(slf, DType::Bool)
    }

    /// A NumPy array over the same memory. Tensors that require gradients must be detached first, or `force=True`.
    #[pyo3(signature = (*, force=false))]
    fn numpy<'py>(slf: &Bound<'py, Self>, force: bool) -> PyResult<Bound<'py, PyAny>> {
        numpy::array(slf.py(), &slf.get().tensor(slf), force)
    }

    /// What NumPy asks for when it is given a tensor.
    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = numpy::array(slf.py(), &slf.get().tensor(slf), false)?;
        let array = match dtype {
            Some(dtype) if !dtype.is_none() => {
                let keywords = PyDict::new(slf.py());
                keywords.set_item("copy", false)?;
                array.call_method("astype", (dtype,), Some(&keywords))?
            }
            _ => array,
        };
        if copy == Some(true) { array.call_method0("copy") } else { Ok(array) }
    }

    /// NumPy leaves operators between an array and a tensor to the tensor.
    #[classattr]
    fn __array_priority__() -> i32 {
        1000
    }

    fn __bool__(slf: &Bound<'_, Self>) -> PyResult<bool> {
        slf.get().with(|t| {
            if t.numel() == 1 {
                return value(slf).map(Scalar::to_bool);
            }
            Err(PyRuntimeError::new_err(format!(
                "Boolean value of Tensor with {} values is ambiguous",
                if t.numel() == 0 { "no" } else { "more than one" }
            )))
        })
    }

    fn __int__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let value = Self::item(slf)?;
        slf.py().get_type::<PyInt>().call1((value,))
    }

    fn __float__(slf: &Bound<'_, Self>) -> PyResult<f64> {
        match value(slf)? {
            Scalar::Complex(_, im) if im != 0.0 => {
                Err(PyRuntimeError::new_err("float(): the imaginary part of the value is not zero"))
            }
            value => Ok(value.to_f64()),
        }
    }

    fn __complex__(slf: &Bound<'_, Self>) -> PyResult<Py<PyComplex>> {
        let (re, im) = match value(slf)? {
            Scalar::Complex(re, im) => (re, im),
            value => (value.to_f64(), 0.0),
        };
        Ok(PyComplex::from_doubles(slf.py(), re, im).unbind())
    }

    fn __index__(slf: &Bound<'_, Self>) -> PyResult<i64> {
        slf.get().with(|t| {
            if t.numel() == 1 && t.dtype().is_integral(true) {
                return t.item().map(Scalar::to_i64).into_py(slf.py());
            }
            Err(PyTypeError::new_err(format!(
                "only integer tensors of a single element can be converted to an index, not {t:?}"
            )))
        })
    }
}
