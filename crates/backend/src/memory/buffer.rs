//! A buffer owns memory and gives it back.

use std::any::Any;
use std::fmt;
use std::ptr::NonNull;

use rustorch_error::{Result, RusTorchError};

use super::{Block, MemoryAllocator};

/// Who takes the memory back.
enum Owner {
    Allocator(&'static dyn MemoryAllocator),
    /// Somebody else's memory, alive as long as this value is, and whose it is in the end.
    Foreign(#[allow(dead_code)] Box<dyn Any + Send + Sync>, Option<&'static dyn MemoryAllocator>),
}

/// Memory of a device. Tensors share it through their storage; kernels read and write it through [`Self::address`].
pub struct Buffer {
    block: Block,
    bytes: usize,
    owner: Owner,
}

impl Buffer {
    /// `bytes` bytes of unspecified content.
    ///
    /// # Errors
    /// The memory cannot be had.
    #[inline]
    pub fn allocate(allocator: &'static dyn MemoryAllocator, bytes: usize) -> Result<Self> {
        Ok(Buffer { block: allocator.allocate(bytes)?, bytes, owner: Owner::Allocator(allocator) })
    }

    /// Memory that belongs to somebody else, who lives inside `owner`.
    ///
    /// # Safety
    /// `address` is valid for reads and writes of `bytes` bytes for as long as `owner` lives.
    pub unsafe fn from_foreign(
        address: NonNull<u8>,
        bytes: usize,
        owner: Box<dyn Any + Send + Sync>,
    ) -> Self {
        Buffer { block: Block { address, capacity: bytes }, bytes, owner: Owner::Foreign(owner, None) }
    }

    /// The same memory as the buffer inside `owner`, which stays alive.
    pub fn within<T: AsRef<Buffer> + Send + Sync + 'static>(owner: std::sync::Arc<T>) -> Self {
        let (address, bytes, allocator) = {
            let buffer: &Buffer = (*owner).as_ref();
            (buffer.address(), buffer.bytes, buffer.allocator())
        };
        Buffer {
            block: Block { address, capacity: bytes },
            bytes,
            owner: Owner::Foreign(Box::new(owner), allocator),
        }
    }

    /// Whose memory it is; `None` for that of another library.
    pub fn allocator(&self) -> Option<&'static dyn MemoryAllocator> {
        match self.owner {
            Owner::Allocator(allocator) => Some(allocator),
            Owner::Foreign(_, allocator) => allocator,
        }
    }

    /// The first byte on a CPU; a device's handle elsewhere.
    #[inline]
    pub fn address(&self) -> NonNull<u8> {
        self.block.address
    }

    /// How many bytes were asked for.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Fails unless `length` bytes from `offset` on lie in the buffer.
    ///
    /// # Errors
    /// `IndexOutOfRange`, in the name of `op`.
    pub fn check_range(&self, op: &'static str, offset: usize, length: usize) -> Result<()> {
        match offset.checked_add(length) {
            Some(end) if end <= self.bytes => Ok(()),
            _ => Err(RusTorchError::index(
                op,
                format!(
                    "{length} bytes from byte {offset} on do not lie in a buffer of {} bytes",
                    self.bytes
                ),
            )),
        }
    }
}

impl Drop for Buffer {
    #[inline]
    fn drop(&mut self) {
        if let Owner::Allocator(allocator) = self.owner {
            // SAFETY: the block came from this allocator and is dropped once, here.
            unsafe { allocator.deallocate(self.block) }
        }
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes at {:p})", self.bytes, self.block.address)
    }
}

/// The bytes of a slice of elements.
pub fn as_bytes<T: crate::Element>(data: &[T]) -> &[u8] {
    // SAFETY: every `Element` is a number or bool without padding, so its bytes are initialised; u8 has alignment 1.
    unsafe { std::slice::from_raw_parts(data.as_ptr().cast(), std::mem::size_of_val(data)) }
}

/// Reads one element from its bytes; a bool is true for any byte but 0.
///
/// # Panics
/// `bytes` is shorter than the element.
pub fn from_bytes<T: crate::Element>(bytes: &[u8]) -> T {
    assert!(bytes.len() >= size_of::<T>());
    if T::DTYPE == crate::DType::Bool {
        return T::from_scalar(crate::Scalar::Bool(bytes[0] != 0));
    }
    // SAFETY: the bytes are there (asserted), and every bit pattern of a number `Element` is a value.
    unsafe { bytes.as_ptr().cast::<T>().read_unaligned() }
}
