//! A storage owns a tensor's memory; views share it.

use std::sync::atomic::{AtomicU32, Ordering};

use rustorch_backend::{Buffer, Device};
use rustorch_error::Result;

use crate::registry;

/// Memory on a device, with a count of the writes into it.
#[derive(Debug)]
pub struct Storage {
    buffer: Buffer,
    device: Device,
    version: AtomicU32,
}

impl Storage {
    /// `bytes` bytes of unspecified content on `device`.
    #[inline]
    pub fn allocate(device: Device, bytes: usize) -> Result<Self> {
        let buffer = Buffer::allocate(registry::backend(device)?.allocator(), bytes)?;
        Ok(Storage { buffer, device, version: AtomicU32::new(0) })
    }

    /// A storage around memory that exists.
    pub fn from_buffer(buffer: Buffer, device: Device) -> Self {
        Storage { buffer, device, version: AtomicU32::new(0) }
    }

    /// The memory. Every access to a tensor's data comes through here: the place where a value that is not computed
    /// yet could be computed.
    #[inline]
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// Where the memory is.
    #[inline]
    pub fn device(&self) -> Device {
        self.device
    }

    /// How often an in-place op has written here.
    #[inline]
    pub fn version(&self) -> u32 {
        self.version.load(Ordering::Relaxed)
    }

    /// Counts an in-place write, so that a backward pass that saved the old content can refuse.
    #[inline]
    pub fn bump_version(&self) {
        self.version.fetch_add(1, Ordering::Relaxed);
    }
}
