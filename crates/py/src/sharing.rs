//! Memory and streams of devices by the driver's names: what `rustorch.opencl` shows of them, and
//! `__cuda_array_interface__`.

use std::ptr::NonNull;
use std::sync::Arc;

use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use rustorch_backend::{
    Buffer, DType, Device, DeviceKind, Dims, Layout, MOST_IN_MEMORY, Shape, Sharing, StreamId,
};
use rustorch_tensor::{RusTorchError, Storage, Tensor, registry};

use crate::arguments::convert;
use crate::devices::required;
use crate::errors::IntoPyResult;
use crate::tensor::memory::sizes;
use crate::tensor::{PyTensor, wrap};

/// What a kernel may take for granted of where a buffer begins; every driver's allocations do.
const GRAIN: usize = 256;

/// A layout by numbers that others tell; strides that do not matter become 1. `None` where no memory is as large as it
/// needs, or it goes backward.
pub fn layout_in_memory(shape: Shape, strides: Option<&[isize]>, offset: usize) -> Option<Layout> {
    let op = "from_dlpack";
    let Some(strides) = strides else {
        return Layout::contiguous(op, &shape).and_then(|layout| layout.at_offset(op, offset)).ok();
    };
    let strides: Dims<isize> =
        shape.iter().zip(strides).map(|(&n, &step)| if n > 1 { step } else { 1 }).collect();
    let layout = Layout::new(op, shape, strides, offset).ok()?;
    let forward = layout.strides().iter().all(|&step| step >= 0);
    (forward && layout.numel() <= MOST_IN_MEMORY).then_some(layout)
}

/// What a device shares.
pub fn of(device: Device) -> rustorch_tensor::Result<&'static dyn Sharing> {
    let none = || RusTorchError::unsupported("device", format!("{device} has no driver to share with"));
    registry::backend(device)?.sharing().ok_or_else(none)
}

/// The name by which other libraries know memory, and how many bytes in it a tensor begins.
pub fn place(tensor: &Tensor) -> (NonNull<u8>, usize) {
    let offset = tensor.layout().offset() * tensor.dtype().size();
    (tensor.storage().buffer().address(), offset)
}

/// The device of a kind whose memory begins or goes on at an address, and how many bytes there are.
///
/// # Safety
/// `address` names memory of a device of the kind.
pub unsafe fn find(
    kind: DeviceKind,
    address: NonNull<u8>,
) -> rustorch_tensor::Result<Option<(Device, usize)>> {
    for (index, backend) in registry::devices(kind).into_iter().enumerate() {
        let Some(sharing) = backend.sharing() else { continue };
        // SAFETY: the caller's promise.
        if let Some(bytes) = unsafe { sharing.extent(address) }? {
            return Ok(Some((Device::new(kind, index as u8), bytes)));
        }
    }
    Ok(None)
}

/// A tensor over memory that is addressed by numbers, as CUDA's is, from `address` on. `layout` begins at 0.
///
/// # Safety
/// `owner` keeps the memory, which is at least as long as the layout spans.
pub unsafe fn over_addresses<T: std::any::Any + Send + Sync>(
    owner: T,
    address: NonNull<u8>,
    layout: &Layout,
    dtype: DType,
    device: Device,
) -> rustorch_tensor::Result<Tensor> {
    let size = dtype.size();
    let bytes = layout.end_in_bytes(size);
    // Drivers align what they allocate, so that the rounded address is in the same allocation.
    let before = address.addr().get() % GRAIN;
    // SAFETY: as above; an address of less than the grain is none of a driver's.
    let start = if bytes == 0 { address } else { unsafe { address.sub(before) } };
    let before = if bytes == 0 { 0 } else { before };
    // SAFETY: the owner keeps the memory.
    let buffer = unsafe { Buffer::from_foreign(start, before + bytes, Box::new(owner)) };
    let layout = layout.at_offset("from_dlpack", before / size)?;
    Tensor::from_storage(Arc::new(Storage::from_buffer(buffer, device)), layout, dtype)
}

/// The driver's handle of a device's context.
#[pyfunction]
fn _context_handle(device: &Bound<'_, PyAny>) -> PyResult<usize> {
    let device_named = required(device)?;
    of(device_named).and_then(Sharing::context_handle).into_py(device.py())
}

/// The driver's handle of a stream.
#[pyfunction]
fn _stream_handle(device: &Bound<'_, PyAny>, stream: u32) -> PyResult<usize> {
    let device_named = required(device)?;
    of(device_named).and_then(|sharing| sharing.stream_handle(StreamId(stream))).into_py(device.py())
}

/// The driver's handle of a tensor's memory, and how many bytes in it the tensor begins.
#[pyfunction]
fn _buffer_handle(tensor: &Bound<'_, PyTensor>) -> (usize, usize) {
    let (address, offset) = place(&tensor.get().tensor(tensor));
    (address.as_ptr().expose_provenance(), offset)
}

/// A tensor over memory by the driver's handle, of which it takes a reference; strides and offset count elements.
#[pyfunction]
fn _tensor_of_handle<'py>(
    device: &Bound<'py, PyAny>,
    handle: usize,
    #[pyo3(from_py_with = convert::required_ints)] shape: Dims<i64>,
    #[pyo3(from_py_with = convert::optional_ints)] strides: Option<Dims<i64>>,
    offset: usize,
    dtype: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = device.py();
    let dtype =
        crate::dtype::extract(dtype).ok_or_else(|| PyTypeError::new_err(format!("{dtype} is no dtype")))?;
    let address = NonNull::new(std::ptr::with_exposed_provenance_mut(handle))
        .ok_or_else(|| PyValueError::new_err("the handle of the memory must not be 0"))?;
    let shape = sizes("from_handle", &shape)?;
    let strides: Option<Dims<isize>> = strides.map(|s| s.into_iter().map(|step| step as isize).collect());
    if let Some(strides) = strides.as_ref().filter(|strides| strides.len() != shape.len()) {
        return Err(PyValueError::new_err(format!("{strides:?} are not {} strides", shape.len())));
    }
    let message =
        format!("a tensor of shape {shape:?}, strides {strides:?} and offset {offset} fits no memory");
    let layout =
        layout_in_memory(shape, strides.as_deref(), offset).ok_or_else(|| PyValueError::new_err(message))?;
    let (_, device) = registry::resolve(required(device)?).into_py(py)?;
    let made = of(device).and_then(|sharing| {
        // SAFETY: the caller says that it is memory of a device of this kind.
        let buffer = unsafe { sharing.retain(address) }?;
        Tensor::from_storage(Arc::new(Storage::from_buffer(buffer, device)), layout, dtype)
    });
    wrap(py, made.into_py(py)?)
}

/// Dtypes as `__cuda_array_interface__` spells them.
const SPELLINGS: [(DType, &str); 12] = [
    (DType::Bool, "|b1"),
    (DType::UInt8, "|u1"),
    (DType::Int8, "|i1"),
    (DType::Int16, "<i2"),
    (DType::Int32, "<i4"),
    (DType::Int64, "<i8"),
    (DType::Float16, "<f2"),
    (DType::BFloat16, "<V2"),
    (DType::Float32, "<f4"),
    (DType::Float64, "<f8"),
    (DType::Complex64, "<c8"),
    (DType::Complex128, "<c16"),
];

/// The tensor over what `object` shows of itself as `__cuda_array_interface__`; `None` if it shows nothing.
pub fn cuda_array(op: &str, object: &Bound<'_, PyAny>) -> PyResult<Option<Tensor>> {
    let py = object.py();
    let name = pyo3::intern!(py, "__cuda_array_interface__");
    // NumPy's arrays and sequences do not have it; who has it tells by a dict.
    let Some(shown) = object.getattr_opt(name)? else { return Ok(None) };
    let shown = shown.cast_into::<PyDict>()?;
    let wrong = |what: String| PyValueError::new_err(format!("{op}(): __cuda_array_interface__ {what}"));
    let need = |key: &str| shown.get_item(key)?.ok_or_else(|| wrong(format!("has no '{key}'")));
    let typestr: String = need("typestr")?.extract()?;
    let dtype = SPELLINGS.iter().find(|(_, spelling)| *spelling == typestr).map(|(dtype, _)| *dtype);
    let dtype = dtype.ok_or_else(|| wrong(format!("has a typestr that is no dtype: {typestr}")))?;
    let shape: Vec<usize> = need("shape")?.extract()?;
    let (address, read_only): (usize, bool) = need("data")?.extract()?;
    let strides: Option<Vec<isize>> = match shown.get_item("strides")? {
        Some(strides) => strides.extract()?,
        None => None,
    };
    if shown.get_item("mask")?.is_some_and(|mask| !mask.is_none()) {
        return Err(wrong("has a mask; tensors have none".into()));
    }
    let size = dtype.size();
    if let Some(strides) = &strides {
        let whole =
            strides.iter().all(|&step| usize::try_from(step).is_ok_and(|step| step.is_multiple_of(size)));
        if strides.len() != shape.len() || !whole {
            return Err(wrong(format!("has strides that tensors do not have: {strides:?}")));
        }
    }
    let steps: Option<Vec<isize>> =
        strides.map(|strides| strides.iter().map(|step| step / size as isize).collect());
    let layout = layout_in_memory(shape.into(), steps.as_deref(), 0)
        .ok_or_else(|| wrong("has a shape and strides that fit no memory".into()))?;
    let bytes = layout.end_in_bytes(size);
    let Some(address) = NonNull::new(std::ptr::with_exposed_provenance_mut(address)).filter(|_| bytes > 0)
    else {
        let empty = Tensor::empty(layout.shape(), dtype, Device { kind: DeviceKind::Cuda, index: None });
        return if bytes == 0 { empty.into_py(py).map(Some) } else { Err(wrong("has no data".into())) };
    };
    if !address.addr().get().is_multiple_of(size) {
        return Err(wrong("has data that is not aligned".into()));
    }
    // Whoever asks gets the error that names the missing driver.
    registry::backend(Device { kind: DeviceKind::Cuda, index: None }).into_py(py)?;
    // SAFETY: the object says that it is memory of CUDA's.
    let found = unsafe { find(DeviceKind::Cuda, address) }.into_py(py)?;
    let Some((device, _)) = found.filter(|(_, there)| *there >= bytes) else {
        return Err(wrong(format!("has {bytes} bytes of data that are not those of a CUDA device")));
    };
    // Version 3 says which stream works on the data; without it, the producer has waited.
    match shown.get_item("stream")?.filter(|stream| !stream.is_none()) {
        None => {}
        Some(stream) => match stream.extract::<usize>()? {
            0 => return Err(wrong("has stream 0, which could be either default stream: 1 or 2".into())),
            // SAFETY: the object says that it is a stream of CUDA's.
            stream => wait(device, stream).into_py(py)?,
        },
    }
    let owner: Py<PyAny> = object.clone().unbind();
    // SAFETY: the object keeps the memory, of which there is enough.
    let shared = unsafe { over_addresses(owner, address, &layout, dtype, device) }.into_py(py)?;
    // Tensors can be written.
    let owned = if read_only { rustorch_tensor::ops::clone(&shared).into_py(py)? } else { shared };
    Ok(Some(owned))
}

/// This thread's work on a device goes on after what another library's stream was asked for.
fn wait(device: Device, stream: usize) -> rustorch_tensor::Result<()> {
    // SAFETY: the callers were told that it is a stream.
    unsafe { of(device)?.wait_for(stream) }
}

#[pymethods]
impl PyTensor {
    /// What CuPy, Numba and PyTorch read of a tensor on a CUDA device: version 3, with the stream that works on it.
    #[getter]
    fn __cuda_array_interface__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        let py = slf.py();
        let tensor = slf.get().tensor(slf);
        let device = tensor.device();
        if device.kind != DeviceKind::Cuda {
            return Err(PyAttributeError::new_err(format!(
                "__cuda_array_interface__ is of tensors on CUDA devices; this one is on {device}"
            )));
        }
        if tensor.requires_grad() {
            return Err(PyRuntimeError::new_err(
                "__cuda_array_interface__: the tensor requires gradients; use tensor.detach()",
            ));
        }
        let size = tensor.dtype().size();
        let (address, offset) = place(&tensor);
        let data = if tensor.numel() == 0 { 0 } else { address.addr().get() + offset };
        let streams = registry::backend(device).into_py(py)?.streams();
        let stream = streams.map_or(StreamId::DEFAULT, rustorch_backend::Streams::current);
        let stream = of(device).and_then(|sharing| sharing.stream_handle(stream)).into_py(py)?;
        let strides = (!tensor.is_contiguous())
            .then(|| PyTuple::new(py, tensor.layout().strides().iter().map(|&step| step * size as isize)));
        let spelling = SPELLINGS.iter().find(|(dtype, _)| *dtype == tensor.dtype());
        let shown = PyDict::new(py);
        shown.set_item("typestr", spelling.map(|(_, spelling)| *spelling))?;
        shown.set_item("shape", PyTuple::new(py, tensor.shape())?)?;
        shown.set_item("strides", strides.transpose()?)?;
        shown.set_item("data", (data, false))?;
        shown.set_item("version", 3)?;
        shown.set_item("stream", stream)?;
        Ok(shown)
    }
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_context_handle, module)?)?;
    module.add_function(wrap_pyfunction!(_stream_handle, module)?)?;
    module.add_function(wrap_pyfunction!(_buffer_handle, module)?)?;
    module.add_function(wrap_pyfunction!(_tensor_of_handle, module)?)
}
