//! Tensors handed to other libraries.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use rustorch_tensor::operations::creation;
use rustorch_tensor::{Device, DeviceKind, Tensor, ops, registry};

use super::abi::{self, DLDataType, DLDevice, DLTensor, Unversioned, Versioned};
use crate::errors::IntoPyResult;
use crate::sharing;
use crate::tensor::PyTensor;

/// What a consumer holds until it calls the deleter.
struct Export<M> {
    managed: M,
    #[allow(dead_code, reason = "keeps the memory")]
    tensor: Tensor,
    shape: Vec<i64>,
    strides: Vec<i64>,
}

fn describe<M>(export: &mut Export<M>) -> DLTensor {
    let tensor = &export.tensor;
    let (address, offset) = sharing::place(tensor);
    // What is a handle elsewhere cannot be added to.
    let (start, byte_offset) = match tensor.device().kind {
        DeviceKind::Cpu | DeviceKind::Cuda => (address.as_ptr().wrapping_add(offset), 0),
        DeviceKind::OpenCl | DeviceKind::Metal => (address.as_ptr(), offset as u64),
    };
    DLTensor {
        data: start.cast::<c_void>(),
        device: DLDevice::of(tensor.device()),
        ndim: tensor.ndim() as i32,
        dtype: DLDataType::of(tensor.dtype()),
        shape: export.shape.as_mut_ptr(),
        strides: export.strides.as_mut_ptr(),
        byte_offset,
    }
}

/// The two kinds of capsule.
trait Managed: Sized {
    const NAME: &'static std::ffi::CStr;
    /// The structure without its tensor.
    fn empty(flags: u64) -> Self;
    fn fill(&mut self, tensor: DLTensor, context: *mut c_void);
    /// Frees what the structure stands for.
    ///
    /// # Safety
    /// `managed` is a structure that nobody uses afterwards.
    unsafe fn delete(managed: *mut Self);
}

fn nothing() -> DLTensor {
    DLTensor {
        data: std::ptr::null_mut(),
        device: DLDevice { device_type: abi::CPU, device_id: 0 },
        ndim: 0,
        dtype: DLDataType { code: 0, bits: 0, lanes: 0 },
        shape: std::ptr::null_mut(),
        strides: std::ptr::null_mut(),
        byte_offset: 0,
    }
}

/// Frees an export. Who calls is C, which no panic may reach: what is left of the memory then is lost.
fn free<M>(export: Box<Export<M>>) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(export)));
}

unsafe extern "C" fn free_unversioned(managed: *mut Unversioned) {
    // SAFETY: `context` is the export that `capsule` boxed; a consumer calls its deleter once.
    free(unsafe { Box::from_raw((*managed).context.cast::<Export<Unversioned>>()) });
}

unsafe extern "C" fn free_versioned(managed: *mut Versioned) {
    // SAFETY: as above.
    free(unsafe { Box::from_raw((*managed).context.cast::<Export<Versioned>>()) });
}

impl Managed for Unversioned {
    const NAME: &'static std::ffi::CStr = abi::NAMES.0;
    fn empty(_flags: u64) -> Self {
        Unversioned { tensor: nothing(), context: std::ptr::null_mut(), deleter: Some(free_unversioned) }
    }
    fn fill(&mut self, tensor: DLTensor, context: *mut c_void) {
        (self.tensor, self.context) = (tensor, context);
    }
    unsafe fn delete(managed: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { free_unversioned(managed) }
    }
}

impl Managed for Versioned {
    const NAME: &'static std::ffi::CStr = abi::VERSIONED_NAMES.0;
    fn empty(flags: u64) -> Self {
        let (version, context) = (abi::VERSION, std::ptr::null_mut());
        Versioned { version, context, deleter: Some(free_versioned), flags, tensor: nothing() }
    }
    fn fill(&mut self, tensor: DLTensor, context: *mut c_void) {
        (self.tensor, self.context) = (tensor, context);
    }
    unsafe fn delete(managed: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { free_versioned(managed) }
    }
}

/// Frees a capsule's content if no consumer took it, which the name tells.
unsafe extern "C" fn destroy<M: Managed>(capsule: *mut ffi::PyObject) {
    // SAFETY: the interpreter calls this once with the capsule; a pointer under the name is what `capsule` put there.
    unsafe {
        if ffi::PyCapsule_IsValid(capsule, M::NAME.as_ptr()) == 1 {
            let managed = ffi::PyCapsule_GetPointer(capsule, M::NAME.as_ptr());
            if !managed.is_null() {
                M::delete(managed.cast::<M>());
            }
        }
    }
}

fn capsule<M: Managed>(py: Python<'_>, tensor: Tensor, flags: u64) -> PyResult<Bound<'_, PyAny>> {
    let mut export = Box::new(Export {
        managed: M::empty(flags),
        shape: tensor.shape().iter().map(|&n| n as i64).collect(),
        strides: tensor.layout().strides().iter().map(|&s| s as i64).collect(),
        tensor,
    });
    let described = describe(&mut export);
    let export = Box::into_raw(export);
    // SAFETY: `export` was boxed above and stays in place; the capsule's destructor or its consumer frees it.
    unsafe {
        (*export).managed.fill(described, export.cast::<c_void>());
        let managed = (&raw mut (*export).managed).cast::<c_void>();
        let raw = ffi::PyCapsule_New(managed, M::NAME.as_ptr(), Some(destroy::<M>));
        if raw.is_null() {
            drop(Box::from_raw(export));
        }
        Bound::from_owned_ptr_or_err(py, raw)
    }
}

/// Orders a tensor's work before what a consumer does, who names a stream or none.
fn hand_over(py: Python<'_>, device: Device, stream: Option<i64>) -> PyResult<()> {
    let refuse = |what: &str| Err(PyBufferError::new_err(format!("__dlpack__(): {what}")));
    match (device.kind, stream) {
        (DeviceKind::Cpu, None | Some(-1)) | (DeviceKind::Cuda, Some(-1)) => Ok(()),
        (DeviceKind::Cpu, _) => refuse("stream must be None for a tensor on cpu"),
        (DeviceKind::OpenCl | DeviceKind::Metal, None | Some(-1)) => {
            // There is no stream to wait for this one.
            let backend = registry::backend(device).into_py(py)?;
            let Some(streams) = backend.streams() else { return Ok(()) };
            py.detach(|| streams.synchronize(streams.current())).into_py(py)
        }
        (DeviceKind::OpenCl | DeviceKind::Metal, _) => refuse("stream is for tensors on CUDA devices"),
        (DeviceKind::Cuda, Some(0)) => refuse("stream 0 could be either default stream: give 1 or 2"),
        (DeviceKind::Cuda, stream) => {
            let stream = usize::try_from(stream.unwrap_or(1)).map_err(|_| {
                PyBufferError::new_err("__dlpack__(): a stream is -1, 1, 2 or the driver's handle")
            })?;
            let sharing = sharing::of(device).into_py(py)?;
            let streams = registry::backend(device).into_py(py)?.streams();
            let current = streams.map(|streams| sharing.stream_handle(streams.current())).transpose();
            if current.into_py(py)? == Some(stream) {
                return Ok(());
            }
            // SAFETY: the consumer says that it is a stream of CUDA's.
            unsafe { sharing.go_before(stream) }.into_py(py)
        }
    }
}

#[pymethods]
impl PyTensor {
    /// The device in DLPack's language: (1, 0) is main memory, 2 CUDA, 4 OpenCL, 8 Metal.
    fn __dlpack_device__(&self) -> (i32, i32) {
        let device = DLDevice::of(self.with(Tensor::device));
        (device.device_type, device.device_id)
    }

    /// A DLPack capsule over the tensor's memory, for `from_dlpack` of other libraries: versioned where `max_version`
    /// allows. `copy=True` hands out a copy, as does `dl_device=(1, 0)` of a tensor on a device.
    ///
    /// `stream` is the consumer's stream on a CUDA device, which waits for the work that was queued: 1 or None is the
    /// legacy default stream, 2 the thread's own, -1 none. Of other devices, the work is waited for.
    #[pyo3(signature = (*, stream=Some(-1), max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        slf: &Bound<'py, Self>,
        stream: Option<i64>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let tensor = slf.get().tensor(slf);
        if tensor.requires_grad() {
            return Err(PyBufferError::new_err(
                "Can't export tensors that require gradient, use tensor.detach()",
            ));
        }
        let device = tensor.device();
        let own = DLDevice::of(device);
        let to_host = match dl_device {
            None => false,
            Some(wanted) if wanted == (own.device_type, own.device_id) => false,
            Some((abi::CPU, _)) if copy != Some(false) => !device.is_cpu(),
            Some(wanted) => {
                return Err(PyBufferError::new_err(format!(
                    "__dlpack__(): a tensor on {device} cannot be exported to the DLPack device {wanted:?}"
                )));
            }
        };
        if to_host {
            let tensor = py.detach(|| creation::moved(&tensor, Device::CPU)).into_py(py)?;
            return export(py, &tensor, max_version, abi::IS_COPIED);
        }
        let copied = copy == Some(true);
        let tensor = if copied { py.detach(|| ops::clone(&tensor)).into_py(py)? } else { tensor };
        hand_over(py, device, stream)?;
        export(py, &tensor, max_version, if copied { abi::IS_COPIED } else { 0 })
    }
}

fn export<'py>(
    py: Python<'py>,
    tensor: &Tensor,
    max_version: Option<(u32, u32)>,
    flags: u64,
) -> PyResult<Bound<'py, PyAny>> {
    match max_version {
        Some((major, _)) if major >= abi::VERSION.major => capsule::<Versioned>(py, tensor.detach(), flags),
        _ => capsule::<Unversioned>(py, tensor.detach(), flags),
    }
}
