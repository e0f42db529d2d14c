//! NumPy arrays over tensors' memory, and tensors over arrays' memory. NumPy itself is imported when it is first needed.

use std::ffi::CStr;
use std::ptr::NonNull;
use std::sync::Arc;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rustorch_backend::{Buffer, DType, Device, Dims, Layout, Shape, stepped};
use rustorch_tensor::operations::creation;
use rustorch_tensor::{Storage, Tensor, ops};

use crate::arguments::type_name;
use crate::dtype::PyDType;
use crate::errors::IntoPyResult;
use crate::tensor::{buffer, wrap};

static ASARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn asarray(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    Ok(ASARRAY
        .get_or_try_init(py, || Ok::<_, PyErr>(py.import("numpy")?.getattr("asarray")?.unbind()))?
        .bind(py))
}

fn parse_format(text: &CStr, size: usize) -> Option<DType> {
    let text = text.to_str().ok()?;
    Some(match (text.trim_start_matches(['@', '=', '<']), size) {
        ("?", 1) => DType::Bool,
        ("B", 1) => DType::UInt8,
        ("b", 1) => DType::Int8,
        ("h", 2) => DType::Int16,
        ("i" | "l", 4) => DType::Int32,
        ("l" | "q", 8) => DType::Int64,
        ("e", 2) => DType::Float16,
        ("f", 4) => DType::Float32,
        ("d", 8) => DType::Float64,
        ("Zf", 8) => DType::Complex64,
        ("Zd", 16) => DType::Complex128,
        _ => return None,
    })
}

/// A NumPy array over a tensor's memory; with `force` of its values, whatever stands in the way.
pub fn array<'py>(py: Python<'py>, tensor: &Tensor, force: bool) -> PyResult<Bound<'py, PyAny>> {
    if !force {
        if tensor.requires_grad() {
            return Err(PyRuntimeError::new_err(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
            ));
        }
        if !tensor.device().is_cpu() {
            return Err(PyTypeError::new_err(format!(
                "can't convert {} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.",
                tensor.device()
            )));
        }
    }
    if buffer::format(tensor.dtype()).is_none() {
        return Err(PyTypeError::new_err(format!(
            "numpy(): NumPy has no {}; convert it first, for example with float()",
            tensor.dtype()
        )));
    }
    let here = py.detach(|| creation::moved(&tensor.detach(), Device::CPU)).into_py(py)?;
    asarray(py)?.call1((wrap(py, here)?,))
}

/// A tensor over the memory of an object with the buffer protocol, such as a NumPy array, and whether that is read-only.
///
/// What the object's attributes say is not believed, since a subclass may say anything: the view tells all that counts.
fn from_buffer(op: &'static str, object: &Bound<'_, PyAny>) -> PyResult<(Tensor, bool)> {
    let py = object.py();
    // NumPy describes an array without dimensions by a null shape, which PyO3's view refuses; one row of it will do.
    let scalar = object.getattr("ndim").is_ok_and(|n| n.extract::<usize>().is_ok_and(|n| n == 0));
    let view = if scalar {
        PyUntypedBuffer::get(&object.call_method1("reshape", (1,))?)?
    } else {
        PyUntypedBuffer::get(object)?
    };
    let size = view.item_size();
    let dtype = parse_format(view.format(), size).ok_or_else(|| {
        PyTypeError::new_err(format!(
            "{op}(): can't convert an array of element format '{}' ({size} bytes); the supported types are: float64, \
             float32, float16, complex64, complex128, int64, int32, int16, int8, uint8 and bool, in native byte order",
            view.format().to_string_lossy()
        ))
    })?;
    if scalar && (view.item_count() != 1 || view.len_bytes() != size) {
        return Err(PyTypeError::new_err(format!(
            "{op}(): {} says that it has no dimensions, but shows {} elements",
            type_name(object),
            view.item_count()
        )));
    }
    let mut shape: Shape = view.shape().iter().copied().collect();
    let mut strides: Dims<isize> = Dims::new();
    for &stride in view.strides() {
        if stride < 0 {
            return Err(PyValueError::new_err(format!(
                "{op}(): at least one stride in the given numpy array is negative, and tensors with negative strides are \
                 not currently supported. (You can probably work around this by making a copy of your array with array.copy().)"
            )));
        }
        if stride % size as isize != 0 {
            return Err(PyValueError::new_err(format!(
                "{op}(): given numpy array strides not a multiple of the element byte size. Copy the numpy array to \
                 reallocate the memory."
            )));
        }
        strides.push(stepped(stride / size as isize, 1));
    }
    if scalar {
        (shape, strides) = (Shape::new(), Dims::new());
    }
    let layout = Layout::new(op, shape, strides, 0).into_py(py)?;
    let bytes = layout.end_in_bytes(size);
    if bytes > 0 && view.buf_ptr().is_null() {
        return Err(PyValueError::new_err(format!("{op}(): the array has no memory")));
    }
    let read_only = view.readonly();
    let address = NonNull::new(view.buf_ptr().cast::<u8>()).unwrap_or(NonNull::<u64>::dangling().cast());
    if !(address.as_ptr() as usize).is_multiple_of(size) {
        return Err(PyValueError::new_err(format!(
            "{op}(): the array's memory is not aligned; copy the array first"
        )));
    }
    // SAFETY: the view keeps the memory alive and in place, and lives inside the buffer. Strides are not negative, so the
    // layout spans `bytes` from its start.
    let buffer = unsafe { Buffer::from_foreign(address, bytes, Box::new(view)) };
    let storage = Arc::new(Storage::from_buffer(buffer, Device::CPU));
    Ok((Tensor::from_storage(storage, layout, dtype).into_py(py)?, read_only))
}

/// Whether the object is a NumPy array.
pub fn is_array(object: &Bound<'_, PyAny>) -> bool {
    let class = object.get_type();
    class.mro().iter().any(|base| {
        base.cast::<pyo3::types::PyType>().is_ok_and(|base| {
            base.name().is_ok_and(|n| n == "ndarray") && base.module().is_ok_and(|m| m == "numpy")
        })
    })
}

/// A tensor over an array's memory, for `op`; warns when the array may not be written.
pub fn shared(op: &'static str, array: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    let py = array.py();
    let (tensor, read_only) = from_buffer(op, array)?;
    if read_only {
        let category = py.get_type::<pyo3::exceptions::PyUserWarning>();
        PyErr::warn(
            py,
            &category,
            c"The given NumPy array is not writable, and RusTorch does not support non-writable tensors. Writing to this tensor is undefined behavior: it would write to the array's memory. Copy the array first to protect its data.",
            1,
        )?;
    }
    Ok(tensor)
}

/// A tensor with a copy of the values of an array or of a NumPy scalar.
pub fn copied(op: &'static str, object: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    let py = object.py();
    let array = asarray(py)?.call1((object,))?;
    let (tensor, _) = match from_buffer(op, &array) {
        Ok(tensor) => tensor,
        // Negative strides, foreign byte order: NumPy makes it plain.
        Err(error) if error.is_instance_of::<PyValueError>(py) => {
            from_buffer(op, &array.call_method0("copy")?)?
        }
        Err(error) => return Err(error),
    };
    py.detach(|| ops::clone(&tensor)).into_py(py)
}

/// A tensor that shares memory with a NumPy array.
#[pyfunction]
fn from_numpy<'py>(ndarray: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if !is_array(ndarray) {
        return Err(PyTypeError::new_err(format!(
            "from_numpy(): expected np.ndarray (got {})",
            type_name(ndarray)
        )));
    }
    wrap(ndarray.py(), shared("from_numpy", ndarray)?)
}

/// A tensor of one dimension over the memory of `buffer`, an object with the buffer protocol: `count` elements (-1: all
/// that are there) from byte `offset` on.
#[pyfunction]
#[pyo3(signature = (buffer, *, dtype, count=-1, offset=0, requires_grad=false))]
fn frombuffer<'py>(
    buffer: &Bound<'py, PyAny>,
    dtype: &Bound<'py, PyDType>,
    count: isize,
    offset: usize,
    requires_grad: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = buffer.py();
    let dtype = dtype.get().dtype;
    let size = dtype.size();
    let view = PyUntypedBuffer::get(buffer)?;
    if !view.is_c_contiguous() {
        return Err(PyValueError::new_err("frombuffer(): the buffer is not contiguous"));
    }
    if view.readonly() {
        let category = py.get_type::<pyo3::exceptions::PyUserWarning>();
        PyErr::warn(
            py,
            &category,
            c"The given buffer is not writable, and RusTorch does not support non-writable tensors. Writing to this tensor is undefined behavior: it would write to the buffer's memory. Copy the buffer first to protect its data.",
            1,
        )?;
    }
    let length = view.len_bytes();
    let left = length.checked_sub(offset).filter(|&left| left > 0).ok_or_else(|| {
        PyValueError::new_err(format!(
            "frombuffer(): offset ({offset} bytes) must be smaller than the buffer's length ({length} bytes)"
        ))
    })?;
    let elements = match usize::try_from(count) {
        Ok(count) if count > 0 => count,
        Err(_) if count == -1 && left.is_multiple_of(size) => left / size,
        Err(_) if count == -1 => {
            return Err(PyValueError::new_err(format!(
                "frombuffer(): {left} bytes after the offset are no multiple of the {size} bytes of {dtype}"
            )));
        }
        _ => {
            return Err(PyValueError::new_err(format!(
                "frombuffer(): count must be positive or -1, got {count}"
            )));
        }
    };
    if elements.checked_mul(size).is_none_or(|bytes| bytes > left) {
        return Err(PyValueError::new_err(format!(
            "frombuffer(): {elements} elements of {dtype} from byte {offset} on need more than the buffer's {length} bytes"
        )));
    }
    let address = NonNull::new(view.buf_ptr().cast::<u8>().wrapping_add(offset));
    let address = address.filter(|_| elements > 0).unwrap_or(NonNull::<u64>::dangling().cast());
    let aligned = (address.as_ptr() as usize).is_multiple_of(size.min(8));
    // SAFETY: the view keeps the memory alive and in place, and lives inside the buffer; the bytes were counted above.
    let memory = unsafe { Buffer::from_foreign(address, elements * size, Box::new(view)) };
    let storage = Arc::new(Storage::from_buffer(memory, Device::CPU));
    if !aligned {
        return Err(PyValueError::new_err(format!(
            "frombuffer(): {dtype} needs an address that is a multiple of its size; copy the bytes from {offset} on first"
        )));
    }
    let layout = Layout::contiguous("frombuffer", &[elements]).into_py(py)?;
    let tensor = Tensor::from_storage(storage, layout, dtype).into_py(py)?;
    if requires_grad {
        tensor.set_requires_grad(true).into_py(py)?;
    }
    wrap(py, tensor)
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(frombuffer, module)?)?;
    module.add_function(wrap_pyfunction!(from_numpy, module)?)
}
