//! The buffer protocol: `memoryview(tensor)` and `numpy.asarray(tensor)` see the tensor's own memory.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use rustorch_tensor::{DType, Tensor};

use super::PyTensor;

/// The element type in the buffer protocol's language; it has none for bfloat16.
pub fn format(dtype: DType) -> Option<&'static CStr> {
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

/// What a consumer's view points to. It holds the storage, so that the tensor may show other data meanwhile.
struct Export {
    #[allow(dead_code, reason = "keeps the memory")]
    tensor: Tensor,
    shape: Vec<ffi::Py_ssize_t>,
    /// In bytes.
    strides: Vec<ffi::Py_ssize_t>,
}

fn refuse(tensor: &Tensor, flags: c_int) -> Option<String> {
    let wants = |flag: c_int| flags & flag == flag;
    if tensor.requires_grad() {
        return Some("a Tensor that requires grad does not show its memory; use tensor.detach()".into());
    }
    if !tensor.device().is_cpu() {
        return Some(format!("a tensor on {} does not show its memory; use Tensor.cpu()", tensor.device()));
    }
    if format(tensor.dtype()).is_none() {
        return Some(format!("the buffer protocol has no {}; convert it, or use DLPack", tensor.dtype()));
    }
    if tensor.numel() > rustorch_backend::MOST_IN_MEMORY {
        return Some(format!(
            "a tensor of shape {:?} repeats its elements too often to be shown",
            tensor.shape()
        ));
    }
    let row_major = !wants(ffi::PyBUF_STRIDES) || wants(ffi::PyBUF_C_CONTIGUOUS);
    if row_major && !tensor.is_contiguous() {
        return Some("this consumer takes contiguous memory only; use Tensor.contiguous()".into());
    }
    if wants(ffi::PyBUF_F_CONTIGUOUS) && !(tensor.is_contiguous() && tensor.ndim() < 2) {
        return Some("this consumer takes column-major memory only".into());
    }
    None
}

#[pymethods]
impl PyTensor {
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("a view is needed"));
        }
        let tensor = slf.get().with(Clone::clone);
        if let Some(reason) = refuse(&tensor, flags) {
            return Err(PyBufferError::new_err(reason));
        }
        let size = tensor.dtype().size();
        let mut export = Box::new(Export {
            shape: tensor.shape().iter().map(|&n| n as ffi::Py_ssize_t).collect(),
            strides: tensor.layout().strides().iter().map(|&s| s * size as ffi::Py_ssize_t).collect(),
            tensor,
        });
        let tensor = &export.tensor;
        let wanted = |flag: c_int, field: *mut ffi::Py_ssize_t| {
            if flags & flag == flag { field } else { ptr::null_mut() }
        };
        let format = format(tensor.dtype()).filter(|_| flags & ffi::PyBUF_FORMAT == ffi::PyBUF_FORMAT);
        // SAFETY: `view` is the interpreter's, to be filled. It hands it back to `__releasebuffer__`, which frees the
        // export; until then that holds the storage, the shape and the strides. The layout lies inside the storage.
        unsafe {
            let start = tensor.storage().buffer().address().as_ptr().add(tensor.layout().offset() * size);
            (*view).buf = start.cast::<c_void>();
            (*view).len = (tensor.numel() * size) as ffi::Py_ssize_t;
            (*view).readonly = 0;
            (*view).itemsize = size as ffi::Py_ssize_t;
            (*view).format = format.map_or(ptr::null_mut(), |f| f.as_ptr().cast_mut());
            (*view).ndim = if flags & ffi::PyBUF_ND == ffi::PyBUF_ND { tensor.ndim() as c_int } else { 1 };
            (*view).shape = wanted(ffi::PyBUF_ND, export.shape.as_mut_ptr());
            (*view).strides = wanted(ffi::PyBUF_STRIDES, export.strides.as_mut_ptr());
            (*view).suboffsets = ptr::null_mut();
            (*view).internal = Box::into_raw(export).cast::<c_void>();
            (*view).obj = slf.into_ptr();
        }
        Ok(())
    }

    unsafe fn __releasebuffer__(&self, view: *mut ffi::Py_buffer) {
        // SAFETY: `internal` is the export that `__getbuffer__` put there, released once.
        drop(unsafe { Box::from_raw((*view).internal.cast::<Export>()) });
    }
}
