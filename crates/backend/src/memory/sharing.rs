//! Memory that a device shares with other libraries.

use std::ptr::NonNull;

use rustorch_error::Result;

use super::Buffer;
use crate::device::StreamId;

/// Memory and streams by the names that the driver has for them.
pub trait Sharing: Send + Sync {
    /// The driver's handle of the device's context.
    fn context_handle(&self) -> Result<usize>;
    /// The driver's handle of a stream.
    fn stream_handle(&self, stream: StreamId) -> Result<usize>;
    /// Whether memory from `address` on is this device's, and how many bytes of it there are.
    ///
    /// # Safety
    /// `address` names memory of a device of this kind: what [`Buffer::address`] would be.
    unsafe fn extent(&self, address: NonNull<u8>) -> Result<Option<usize>>;
    /// A buffer over all memory behind `address`, with a reference of its own, as the driver counts them.
    ///
    /// # Errors
    /// The memory is of another context, or the driver does not count references.
    ///
    /// # Safety
    /// As [`Self::extent`].
    unsafe fn retain(&self, address: NonNull<u8>) -> Result<Buffer>;
    /// This thread's current stream goes on after what `stream`, which another library made, was asked for so far.
    ///
    /// # Safety
    /// `stream` is the driver's handle of a stream.
    unsafe fn wait_for(&self, stream: usize) -> Result<()>;
    /// `stream`, which another library made, goes on after what this thread's current stream was asked for so far.
    ///
    /// # Safety
    /// `stream` is the driver's handle of a stream.
    unsafe fn go_before(&self, stream: usize) -> Result<()>;
}
