//! Tensors handed to other libraries.

use std::ffi::c_void;

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use rustorch_tensor::{Tensor, ops};

use super::abi::{self, DLDataType, DLDevice, DLTensor, Unversioned, Versioned};
use crate::errors::IntoPyResult;
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
    let offset = tensor.layout().offset() * tensor.dtype().size();
    let start = tensor.storage().buffer().address().as_ptr().wrapping_add(offset);
    DLTensor {
        data: start.cast::<c_void>(),
        device: DLDevice { device_type: abi::CPU, device_id: 0 },
        ndim: tensor.ndim() as i32,
        dtype: DLDataType::of(tensor.dtype()),
        shape: export.shape.as_mut_ptr(),
        strides: export.strides.as_mut_ptr(),
        byte_offset: 0,
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

unsafe extern "C" fn free_unversioned(managed: *mut Unversioned) {
    // SAFETY: `context` is the export that `capsule` boxed; a consumer calls its deleter once.
    drop(unsafe { Box::from_raw((*managed).context.cast::<Export<Unversioned>>()) });
}

unsafe extern "C" fn free_versioned(managed: *mut Versioned) {
    // SAFETY: as above.
    drop(unsafe { Box::from_raw((*managed).context.cast::<Export<Versioned>>()) });
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

#[pymethods]
impl PyTensor {
    /// The device in DLPack's language: (1, 0), main memory.
    fn __dlpack_device__(&self) -> PyResult<(i32, i32)> {
        let device = self.with(Tensor::device);
        if device.is_cpu() {
            return Ok((abi::CPU, 0));
        }
        Err(PyBufferError::new_err(format!(
            "__dlpack_device__(): a tensor on {device} is not exported by DLPack; use Tensor.cpu()"
        )))
    }

    /// A DLPack capsule over the tensor's memory, for `from_dlpack` of other libraries: versioned where `max_version`
    /// allows. `copy=True` hands out a copy.
    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        slf: &Bound<'py, Self>,
        stream: Option<&Bound<'py, PyAny>>,
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
        if !tensor.device().is_cpu() || dl_device.is_some_and(|(kind, _)| kind != abi::CPU) {
            return Err(PyBufferError::new_err(format!(
                "__dlpack__(): a tensor on {} cannot be exported to the DLPack device {:?}",
                tensor.device(),
                dl_device.unwrap_or((abi::CPU, 0))
            )));
        }
        if stream.is_some_and(|stream| !stream.is_none()) {
            return Err(PyBufferError::new_err("__dlpack__(): stream must be None for a tensor on cpu"));
        }
        let copied = copy == Some(true);
        let tensor = if copied { py.detach(|| ops::clone(&tensor)).into_py(py)? } else { tensor };
        let flags = if copied { abi::IS_COPIED } else { 0 };
        match max_version {
            Some((major, _)) if major >= abi::VERSION.major => {
                capsule::<Versioned>(py, tensor.detach(), flags)
            }
            _ => capsule::<Unversioned>(py, tensor.detach(), flags),
        }
    }
}
