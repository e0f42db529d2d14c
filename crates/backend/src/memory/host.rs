//! Host memory whose bytes can be reached safely: where a device's data is staged.

use rustorch_error::Result;

use super::{Buffer, PoolAllocator};

/// A buffer in the processor's memory that nobody else holds.
#[derive(Debug)]
pub struct HostBuffer(Buffer);

impl HostBuffer {
    /// `bytes` bytes of 0.
    ///
    /// # Errors
    /// The memory cannot be had.
    pub fn zeroed(bytes: usize) -> Result<Self> {
        let buffer = Buffer::allocate(PoolAllocator::global(), bytes)?;
        // SAFETY: the pool hands out at least `bytes` bytes of main memory, which are this buffer's alone.
        unsafe { buffer.address().as_ptr().write_bytes(0, bytes) };
        Ok(HostBuffer(buffer))
    }

    /// As kernels see it.
    pub fn buffer(&self) -> &Buffer {
        &self.0
    }

    /// The bytes, to be read.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: they are main memory, initialised in `zeroed`; kernels that write through `buffer` have returned.
        unsafe { std::slice::from_raw_parts(self.0.address().as_ptr(), self.0.bytes()) }
    }

    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; `&mut self` says that nobody else looks.
        unsafe { std::slice::from_raw_parts_mut(self.0.address().as_ptr(), self.0.bytes()) }
    }
}
