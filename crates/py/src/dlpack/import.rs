//! Tensors over the memory of other libraries.

use std::ptr::NonNull;
use std::sync::Arc;

use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyTuple};
use rustorch_backend::{Buffer, Device, DeviceKind, Layout, Shape, StreamId};
use rustorch_tensor::operations::creation;
use rustorch_tensor::{Storage, Tensor, ops, registry};

use super::abi::{self, DLDevice, DLTensor, Unversioned, Versioned};
use crate::arguments::type_name;
use crate::errors::IntoPyResult;
use crate::sharing;
use crate::tensor::wrap;

/// The producer's structure; its deleter is called when the last tensor over the memory is gone.
enum Owner {
    Unversioned(NonNull<Unversioned>),
    Versioned(NonNull<Versioned>),
}

// SAFETY: the structure belongs to this value alone, and DLPack lets any thread call the deleter.
unsafe impl Send for Owner {}
// SAFETY: nothing is reached through a shared reference after the import.
unsafe impl Sync for Owner {}

impl Owner {
    fn tensor(&self) -> &DLTensor {
        // SAFETY: the producer keeps the structure until its deleter is called, which `drop` does.
        unsafe {
            match self {
                Owner::Unversioned(managed) => &managed.as_ref().tensor,
                Owner::Versioned(managed) => &managed.as_ref().tensor,
            }
        }
    }

    fn read_only(&self) -> bool {
        match self {
            Owner::Unversioned(_) => false,
            // SAFETY: as above.
            Owner::Versioned(managed) => unsafe { managed.as_ref().flags & abi::READ_ONLY != 0 },
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // SAFETY: a deleter may be called once, with its structure, and this is the only call.
        unsafe {
            match self {
                Owner::Unversioned(managed) => {
                    if let Some(delete) = managed.as_ref().deleter {
                        delete(managed.as_ptr());
                    }
                }
                Owner::Versioned(managed) => {
                    if let Some(delete) = managed.as_ref().deleter {
                        delete(managed.as_ptr());
                    }
                }
            }
        }
    }
}

/// Takes the structure out of a capsule, which is marked as used.
fn take(capsule: &Bound<'_, PyCapsule>) -> PyResult<Owner> {
    let raw = capsule.as_ptr();
    let pointer = |names: (&'static std::ffi::CStr, &'static std::ffi::CStr)| {
        // SAFETY: `raw` is a capsule; the pointer is asked for under the name it was found to have.
        unsafe {
            if ffi::PyCapsule_IsValid(raw, names.0.as_ptr()) != 1 {
                return None;
            }
            let pointer = NonNull::new(ffi::PyCapsule_GetPointer(raw, names.0.as_ptr()));
            ffi::PyCapsule_SetName(raw, names.1.as_ptr());
            pointer
        }
    };
    if let Some(found) = pointer(abi::VERSIONED_NAMES) {
        let managed: NonNull<Versioned> = found.cast();
        // SAFETY: a capsule of this name holds this structure, whose beginning every version has.
        let version = unsafe { managed.as_ref().version };
        if version.major > abi::VERSION.major {
            // SAFETY: the deleter stands at the same place in every version.
            drop(Owner::Versioned(managed));
            return Err(PyBufferError::new_err(format!(
                "from_dlpack(): the capsule is of DLPack {}.{}; versions up to {} are understood",
                version.major,
                version.minor,
                abi::VERSION.major
            )));
        }
        return Ok(Owner::Versioned(managed));
    }
    pointer(abi::NAMES).map(|found| Owner::Unversioned(found.cast())).ok_or_else(|| {
        PyBufferError::new_err(
            "from_dlpack(): expected a DLPack capsule that nobody has consumed, named 'dltensor' or 'dltensor_versioned'",
        )
    })
}

/// Where the elements lie, unless the producer's numbers make no sense.
fn layout(tensor: &DLTensor) -> PyResult<Layout> {
    let wrong = |what: String| PyBufferError::new_err(format!("from_dlpack(): {what}"));
    let ndim = usize::try_from(tensor.ndim)
        .map_err(|_| wrong(format!("the number of dimensions must not be negative, got {}", tensor.ndim)))?;
    if ndim > abi::MOST_DIMENSIONS {
        return Err(wrong(format!("{ndim} dimensions are more than any tensor has")));
    }
    if ndim > 0 && tensor.shape.is_null() {
        return Err(wrong(format!("there is no shape for {ndim} dimensions")));
    }
    if !tensor.shape.is_aligned() || !tensor.strides.is_aligned() {
        return Err(wrong("shape or strides do not lie where int64 numbers can".into()));
    }
    let list = |pointer: *mut i64| -> &[i64] {
        if ndim == 0 || pointer.is_null() {
            return &[];
        }
        // SAFETY: DLPack says that there are `ndim` numbers.
        unsafe { std::slice::from_raw_parts(pointer, ndim) }
    };
    let (sizes, steps) = (list(tensor.shape), list(tensor.strides));
    let shape: Shape = sizes
        .iter()
        .map(|&n| usize::try_from(n))
        .collect::<Result<_, _>>()
        .map_err(|_| wrong(format!("sizes must not be negative, got the shape {sizes:?}")))?;
    if sizes.iter().zip(steps).any(|(&size, &step)| step < 0 && size > 1) {
        return Err(wrong("tensors with negative strides are not supported; copy the array first".into()));
    }
    let steps: Option<Vec<isize>> =
        (!tensor.strides.is_null()).then(|| steps.iter().map(|&step| step as isize).collect());
    let layout = sharing::layout_in_memory(shape, steps.as_deref(), 0);
    let steps = steps.unwrap_or_default();
    layout.ok_or_else(|| wrong(format!("a tensor of shape {sizes:?} and strides {steps:?} fits no memory")))
}

/// A tensor over what a capsule holds; a read-only one's values are copied, since tensors can be written.
fn tensor(py: Python<'_>, capsule: &Bound<'_, PyCapsule>, copy: Option<bool>) -> PyResult<Tensor> {
    let wrong = |what: String| PyBufferError::new_err(format!("from_dlpack(): {what}"));
    let owner = take(capsule)?;
    let source = owner.tensor();
    let kind = kind(source.device)?;
    let dtype = source.dtype.dtype().ok_or_else(|| {
        wrong(format!(
            "there is no dtype for DLPack's code {}, {} bits, {} lanes",
            source.dtype.code, source.dtype.bits, source.dtype.lanes
        ))
    })?;
    let size = dtype.size();
    let layout = layout(source)?;
    let bytes = layout.end_in_bytes(size);
    if bytes > 0 && source.data.is_null() {
        return Err(wrong(format!("there is no data for a tensor of shape {:?}", layout.shape())));
    }
    let read_only = owner.read_only();
    if read_only && copy == Some(false) {
        return Err(wrong(
            "the data is read-only, and tensors can be written: it has to be copied, which copy=False forbids".into(),
        ));
    }
    let offset = usize::try_from(source.byte_offset)
        .ok()
        .filter(|offset| offset.checked_add(bytes).is_some_and(|end| isize::try_from(end).is_ok()))
        .ok_or_else(|| wrong(format!("an offset of {} bytes fits no memory", source.byte_offset)))?;
    let is_handle = matches!(kind, DeviceKind::OpenCl | DeviceKind::Metal);
    if bytes > 0 && !is_handle && source.data.addr().checked_add(offset + bytes).is_none() {
        return Err(wrong(format!("{bytes} bytes from byte {offset} on fit no memory")));
    }
    let start = source.data.cast::<u8>().wrapping_add(if is_handle { 0 } else { offset });
    let address = NonNull::new(start).unwrap_or(NonNull::<u64>::dangling().cast());
    let place = if is_handle { offset } else { address.addr().get() };
    if bytes > 0 && !place.is_multiple_of(size.min(8)) {
        return Err(wrong("the memory is not aligned; copy the array first".into()));
    }
    let shared = if kind == DeviceKind::Cpu {
        // SAFETY: the producer keeps the memory until the deleter is called, which the owner does when the buffer goes.
        // Strides are not negative, so the layout spans `bytes` from its start.
        let buffer = unsafe { Buffer::from_foreign(address, bytes, Box::new(owner)) };
        Tensor::from_storage(Arc::new(Storage::from_buffer(buffer, Device::CPU)), layout, dtype)
    } else if bytes == 0 {
        Tensor::empty(layout.shape(), dtype, Device { kind, index: None })
    } else {
        // SAFETY: the producer says that it is memory of such a device.
        let found = unsafe { sharing::find(kind, address) }.into_py(py)?;
        let needed = if is_handle { offset.saturating_add(bytes) } else { bytes };
        let Some((device, there)) = found.filter(|(_, there)| *there >= needed) else {
            return Err(wrong(format!(
                "its {needed} bytes of memory are of no {kind} device of RusTorch's, or of another context"
            )));
        };
        if is_handle {
            let layout = layout.at_offset("from_dlpack", offset / size).into_py(py)?;
            // SAFETY: as above.
            let buffer = unsafe { Buffer::from_foreign(address, there, Box::new(owner)) };
            Tensor::from_storage(Arc::new(Storage::from_buffer(buffer, device)), layout, dtype)
        } else {
            // SAFETY: as above.
            unsafe { sharing::over_addresses(owner, address, &layout, dtype, device) }
        }
    };
    let shared = shared.into_py(py)?;
    if read_only || copy == Some(true) {
        return py.detach(|| ops::clone(&shared)).into_py(py);
    }
    Ok(shared)
}

/// The kind of a device in DLPack's language.
fn kind(device: DLDevice) -> PyResult<DeviceKind> {
    device.kind().ok_or_else(|| {
        PyBufferError::new_err(format!(
            "from_dlpack(): the data is on the DLPack device of type {}; main memory, 1, CUDA, 2, OpenCL, 4, and Metal, \
             8, can be shared",
            device.device_type
        ))
    })
}

/// Asks a producer for its capsule, in the words of 1.x and, if it does not know them, of before.
fn ask<'py>(producer: &Bound<'py, PyAny>, copy: Option<bool>) -> PyResult<Bound<'py, PyAny>> {
    let py = producer.py();
    let (device_type, device_id): (i32, i32) = producer.call_method0("__dlpack_device__")?.extract()?;
    let old = PyDict::new(py);
    if kind(DLDevice { device_type, device_id })? == DeviceKind::Cuda {
        // What the producer does is ordered before what this thread's stream does from now on.
        let device = Device::new(DeviceKind::Cuda, u8::try_from(device_id).unwrap_or(u8::MAX));
        let streams = registry::backend(device).into_py(py)?.streams();
        let current = streams.map_or(StreamId::DEFAULT, rustorch_backend::Streams::current);
        let handle = sharing::of(device).and_then(|sharing| sharing.stream_handle(current)).into_py(py)?;
        old.set_item("stream", handle)?;
    }
    let keywords = old.copy()?;
    keywords.set_item("max_version", PyTuple::new(py, [abi::VERSION.major, abi::VERSION.minor])?)?;
    if copy.is_some() {
        keywords.set_item("copy", copy)?;
    }
    match producer.call_method("__dlpack__", (), Some(&keywords)) {
        Err(error) if error.is_instance_of::<PyTypeError>(py) => {
            producer.call_method("__dlpack__", (), Some(&old))
        }
        answer => answer,
    }
}

/// A tensor over the memory of `ext_tensor`: an object with `__dlpack__`, such as an array of NumPy or a tensor of
/// PyTorch, or a DLPack capsule.
///
/// Read-only data is copied, since tensors can be written. `copy=True` always copies; `copy=False` raises BufferError
/// where that would be needed.
#[pyfunction]
#[pyo3(signature = (ext_tensor, *, device=None, copy=None))]
fn from_dlpack<'py>(
    ext_tensor: &Bound<'py, PyAny>,
    device: Option<&Bound<'py, PyAny>>,
    copy: Option<bool>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = ext_tensor.py();
    let target = match device.filter(|device| !device.is_none()) {
        None => None,
        Some(device) => Some(crate::device::extract(device)?.ok_or_else(|| {
            PyTypeError::new_err(format!(
                "from_dlpack(): argument 'device' must be rustorch.device or str, not {}",
                type_name(device)
            ))
        })?),
    };
    let capsule = if let Ok(capsule) = ext_tensor.cast::<PyCapsule>() {
        capsule.clone()
    } else if ext_tensor.hasattr("__dlpack__")? {
        ask(ext_tensor, copy)?.cast_into::<PyCapsule>().map_err(|_| {
            PyTypeError::new_err(format!(
                "from_dlpack(): __dlpack__ of {} gave no capsule",
                type_name(ext_tensor)
            ))
        })?
    } else {
        return Err(PyTypeError::new_err(format!(
            "from_dlpack(): expected an object with __dlpack__ or a DLPack capsule, not {}",
            type_name(ext_tensor)
        )));
    };
    let shared = tensor(py, &capsule, copy)?;
    let Some(target) = target else { return wrap(py, shared) };
    let (_, target) = registry::resolve(target).into_py(py)?;
    if copy == Some(false) && !target.is_same(shared.device()) {
        return Err(pyo3::exceptions::PyValueError::new_err(format!(
            "from_dlpack(): cannot move the data from {} to {target} without copying, which copy=False forbids",
            shared.device()
        )));
    }
    wrap(py, py.detach(|| creation::moved(&shared, target)).into_py(py)?)
}

/// A DLPack capsule of the kind before 1.0 over a tensor's memory.
#[pyfunction]
fn to_dlpack<'py>(tensor: &Bound<'py, crate::tensor::PyTensor>) -> PyResult<Bound<'py, PyAny>> {
    tensor.call_method0("__dlpack__")
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(from_dlpack, module)?)?;
    module.add_function(wrap_pyfunction!(to_dlpack, module)?)
}
