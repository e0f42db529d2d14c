//! Host memory whose bytes can be reached safely: where a device's data is staged, or lies.

use std::any::Any;
use std::ptr::NonNull;

use rustorch_error::Result;

use super::{Buffer, host_allocator};

/// A buffer in the processor's memory that nobody else holds.
#[derive(Debug)]
pub struct HostBuffer(Buffer);

impl HostBuffer {
    /// `bytes` bytes of 0.
    ///
    /// # Errors
    /// The memory cannot be had.
    pub fn zeroed(bytes: usize) -> Result<Self> {
        let buffer = Buffer::allocate(host_allocator(), bytes)?;
        // SAFETY: the allocator hands out at least `bytes` bytes of main memory, which are this buffer's alone.
        unsafe { buffer.address().as_ptr().write_bytes(0, bytes) };
        Ok(HostBuffer(buffer))
    }

    /// Memory of a device that the host uses until this is dropped, and with it `owner`.
    ///
    /// # Safety
    /// `address` is that of `bytes` bytes of main memory, initialised as far as they are read; until then nobody writes
    /// them, and if this is used to write them nobody else reads them.
    pub unsafe fn lent(address: NonNull<u8>, bytes: usize, owner: Box<dyn Any + Send + Sync>) -> Self {
        // SAFETY: the caller's promise.
        HostBuffer(unsafe { Buffer::from_foreign(address, bytes, owner) })
    }

    /// As kernels see it.
    pub fn buffer(&self) -> &Buffer {
        &self.0
    }

    /// The bytes, to be read.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: they are main memory and initialised, as `zeroed` and `lent` say; kernels that write through `buffer` have returned.
        unsafe { std::slice::from_raw_parts(self.0.address().as_ptr(), self.0.bytes()) }
    }

    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; `&mut self` says that nobody else looks.
        unsafe { std::slice::from_raw_parts_mut(self.0.address().as_ptr(), self.0.bytes()) }
    }
}
