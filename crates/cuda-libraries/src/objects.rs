//! What the libraries have in common: handles, streams, addresses, factors.

use std::ffi::{c_int, c_void};

use rustorch_backend::{DType, Operand};

/// What a library's function answers; 0 is success.
pub(crate) type Code = c_int;
/// One of a library's objects.
pub(crate) type Handle = *mut c_void;

/// One of a library's objects, with the function that destroys it.
pub(crate) struct Owned {
    pub handle: Handle,
    pub destroy: unsafe extern "system" fn(Handle) -> Code,
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the object is destroyed once, by its owner.
        unsafe { (self.destroy)(self.handle) };
    }
}

/// A stream of the driver's, on which a library works.
#[derive(Debug, Clone, Copy)]
pub struct Stream(*mut c_void);

impl Stream {
    /// The stream of a handle.
    ///
    /// # Safety
    /// It is a stream of the context that is current where it is used.
    pub const unsafe fn new(handle: *mut c_void) -> Self {
        Stream(handle)
    }

    pub(crate) fn handle(self) -> *mut c_void {
        self.0
    }
}

/// The first element's address.
pub(crate) fn address(operand: Operand<'_>) -> *const c_void {
    let offset = operand.layout.offset() * operand.dtype.size();
    operand.buffer.address().as_ptr().wrapping_add(offset).cast_const().cast()
}

/// A factor in the type that libraries scale with: double for float64, else float.
pub(crate) enum Factor {
    Single(f32),
    Double(f64),
}

impl Factor {
    pub(crate) fn new(value: f64, dtype: DType) -> Factor {
        if dtype == DType::Float64 { Factor::Double(value) } else { Factor::Single(value as f32) }
    }

    pub(crate) fn place(&self) -> *const c_void {
        match self {
            Factor::Single(value) => std::ptr::from_ref(value).cast(),
            Factor::Double(value) => std::ptr::from_ref(value).cast(),
        }
    }
}
