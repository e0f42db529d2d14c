//! NumPy arrays over tensors' memory, and tensors over arrays' memory. NumPy itself is imported when it is first needed.

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyBufferError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rustorch_backend::{Buffer, DType, Device, Dims, Layout, Shape};
use rustorch_tensor::{Storage, Tensor, ops};

use crate::arguments::type_name;
use crate::errors::IntoPyResult;
use crate::tensor::wrap;

static ASARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn asarray(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    Ok(ASARRAY
        .get_or_try_init(py, || Ok::<_, PyErr>(py.import("numpy")?.getattr("asarray")?.unbind()))?
        .bind(py))
}

/// A tensor's memory for the buffer protocol: NumPy keeps this object, and with it the storage, alive.
#[pyclass(module = "rustorch._C", frozen)]
struct TensorMemory {
    tensor: Tensor,
    shape: Vec<ffi::Py_ssize_t>,
    /// In bytes.
    strides: Vec<ffi::Py_ssize_t>,
}

/// The element type in the buffer protocol's language.
fn format(dtype: DType) -> Option<&'static CStr> {
    Some(match dtype {
        DType::Bool => c"?",
        DType::UInt8 => c"B",
        DType::Int8 => c"b",
        DType::Int16 => c"h",
        DType::Int32 => c"i",
        DType::Int64 => c"q",
        DType::Float16 => c"e",
        DType::Float32 => c"f",
        DType::Float64 => c"d",
        DType::Complex64 => c"Zf",
        DType::Complex128 => c"Zd",
        DType::BFloat16 => return None,
    })
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

#[pymethods]
impl TensorMemory {
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("a view is needed"));
        }
        if flags & ffi::PyBUF_STRIDES != ffi::PyBUF_STRIDES {
            return Err(PyBufferError::new_err("tensors have strides, which this consumer does not take"));
        }
        let memory = slf.get();
        let tensor = &memory.tensor;
        let size = tensor.dtype().size();
        let format = format(tensor.dtype()).unwrap_or(c"B");
        // SAFETY: `view` is the interpreter's, to be filled. It keeps a reference to this object, which owns the storage,
        // the shape and the strides; the layout lies inside the storage.
        unsafe {
            let start = tensor.storage().buffer().address().as_ptr().add(tensor.layout().offset() * size);
            (*view).buf = start.cast::<c_void>();
            (*view).len = (tensor.numel() * size) as ffi::Py_ssize_t;
            (*view).readonly = 0;
            (*view).itemsize = size as ffi::Py_ssize_t;
            (*view).format = format.as_ptr().cast_mut();
            (*view).ndim = memory.shape.len() as c_int;
            (*view).shape = memory.shape.as_ptr().cast_mut();
            (*view).strides = memory.strides.as_ptr().cast_mut();
            (*view).suboffsets = ptr::null_mut();
            (*view).internal = ptr::null_mut();
            (*view).obj = slf.into_ptr();
        }
        Ok(())
    }
}

/// A NumPy array over a tensor's memory; with `force` of its values, whatever stands in the way.
pub fn array<'py>(py: Python<'py>, tensor: &Tensor, force: bool) -> PyResult<Bound<'py, PyAny>> {
    if !force {
        if tensor.requires_grad() {
            return Err(PyRuntimeError::new_err(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
            ));
        }
        if tensor.device().kind != Device::CPU.kind {
            return Err(PyTypeError::new_err(format!(
                "can't convert {} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.",
                tensor.device()
            )));
        }
    }
    let size = tensor.dtype().size();
    if format(tensor.dtype()).is_none() {
        return Err(PyTypeError::new_err(format!(
            "numpy(): NumPy has no {}; convert it first, for example with float()",
            tensor.dtype()
        )));
    }
    let memory = TensorMemory {
        tensor: tensor.detach(),
        shape: tensor.shape().iter().map(|&n| n as ffi::Py_ssize_t).collect(),
        strides: tensor.layout().strides().iter().map(|&s| s * size as ffi::Py_ssize_t).collect(),
    };
    asarray(py)?.call1((Bound::new(py, memory)?,))
}

/// A tensor over the memory of an object with the buffer protocol, such as a NumPy array.
fn from_buffer(op: &'static str, object: &Bound<'_, PyAny>) -> PyResult<Tensor> {
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
        strides.push(stride / size as isize);
    }
    if scalar {
        (shape, strides) = (Shape::new(), Dims::new());
    }
    let layout = Layout::new(shape, strides, 0);
    let bytes = layout.span().map_or(0, |(_, high)| (high + 1) * size);
    let address = NonNull::new(view.buf_ptr().cast::<u8>()).unwrap_or(NonNull::<u64>::dangling().cast());
    if !(address.as_ptr() as usize).is_multiple_of(size) {
        return Err(PyValueError::new_err(format!(
            "{op}(): the array's memory is not aligned; copy the array first"
        )));
    }
    // SAFETY: the view keeps the memory alive and in place, and lives inside the buffer. Strides are not negative, so the
    // layout spans `bytes` from its start.
    let buffer = unsafe { Buffer::from_foreign(address, bytes, Box::new(view)) };
    Tensor::from_storage(Arc::new(Storage::from_buffer(buffer, Device::CPU)), layout, dtype).into_py(py)
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
    if !array.getattr("flags")?.getattr("writeable")?.extract::<bool>()? {
        let category = py.get_type::<pyo3::exceptions::PyUserWarning>();
        PyErr::warn(
            py,
            &category,
            c"The given NumPy array is not writable, and RusTorch does not support non-writable tensors. Writing to this tensor is undefined behavior: it would write to the array's memory. Copy the array first to protect its data.",
            1,
        )?;
        // NumPy exports such memory read-only, which the tensor's readers do not mind.
    }
    from_buffer(op, array)
}

/// A tensor with a copy of the values of an array or of a NumPy scalar.
pub fn copied(op: &'static str, object: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    let py = object.py();
    let array = asarray(py)?.call1((object,))?;
    let tensor = match from_buffer(op, &array) {
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

/// Adds the function to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(from_numpy, module)?)
}
