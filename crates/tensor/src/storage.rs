//! A storage owns a tensor's memory; views share it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustorch_backend::{Buffer, Device};
use rustorch_error::Result;

use crate::autograd::mode;
use crate::registry;

/// Memory on a device, with a count of the writes into it.
#[derive(Debug)]
pub struct Storage {
    buffer: Buffer,
    device: Device,
    version: AtomicU32,
    /// Whether this was made in inference mode.
    inference: bool,
    /// The storage whose memory this shares, if it does.
    root: Option<Arc<Storage>>,
}

impl Storage {
    /// `bytes` bytes of unspecified content on `device`.
    #[inline]
    pub fn allocate(device: Device, bytes: usize) -> Result<Self> {
        let (backend, device) = registry::resolve(device)?;
        let buffer = Buffer::allocate(backend.allocator(), bytes)?;
        Ok(Storage {
            buffer,
            device,
            version: AtomicU32::new(0),
            inference: mode::is_inference(),
            root: None,
        })
    }

    /// A storage around memory that exists.
    pub fn from_buffer(buffer: Buffer, device: Device) -> Self {
        Storage { buffer, device, version: AtomicU32::new(0), inference: mode::is_inference(), root: None }
    }

    /// The same memory with a count of writes of its own.
    pub fn recounted(self: &Arc<Self>) -> Arc<Self> {
        let root = self.root.as_ref().unwrap_or(self);
        Arc::new(Storage {
            buffer: Buffer::within(root.clone()),
            device: self.device,
            version: AtomicU32::new(0),
            inference: self.inference,
            root: Some(root.clone()),
        })
    }

    /// Whether this was made in inference mode, and so can not take part in gradients.
    #[inline]
    pub fn is_inference(&self) -> bool {
        self.inference
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

impl AsRef<Buffer> for Storage {
    fn as_ref(&self) -> &Buffer {
        &self.buffer
    }
}
