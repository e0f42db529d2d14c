//! A device's memory in the host's hands.

use std::ops::Range;
use std::ptr::NonNull;

use rustorch_backend::memory::HostBuffer;
use rustorch_backend::{Buffer, StreamId};
use rustorch_error::Result;

use crate::executor::KernelExecutor;
use crate::streams::StreamSet;

/// A block that the host has for a time.
struct Lent<E: KernelExecutor> {
    executor: &'static E,
    streams: &'static StreamSet<E>,
    stream: StreamId,
    block: NonNull<u8>,
    host: NonNull<u8>,
}

// SAFETY: the addresses are only handed to the executor, which may be used from any thread.
unsafe impl<E: KernelExecutor> Send for Lent<E> {}
// SAFETY: as above.
unsafe impl<E: KernelExecutor> Sync for Lent<E> {}

impl<E: KernelExecutor> Drop for Lent<E> {
    fn drop(&mut self) {
        if let Ok(stream) = self.streams.find_to_queue(self.stream) {
            // SAFETY: `map` lent it, and the buffer over it is gone.
            unsafe { self.executor.unmap(stream, self.block, self.host) };
        }
    }
}

/// A range of a buffer, which lies in it, as host memory; `None` where the executor does not lend it.
pub(crate) fn lend<E: KernelExecutor>(
    executor: &'static E,
    streams: &'static StreamSet<E>,
    buffer: &Buffer,
    range: Range<usize>,
    written: bool,
) -> Result<Option<HostBuffer>> {
    let (stream, block, bytes) = (streams.current(), buffer.address(), range.len());
    let Some(host) = executor.map(streams.find(stream)?, block, range, written)? else { return Ok(None) };
    let lent = Lent { executor, streams, stream, block, host };
    // SAFETY: these bytes of the driver are the host's until `lent` is dropped; the caller does with them what the
    // contract says.
    Ok(Some(unsafe { HostBuffer::lent(host, bytes, Box::new(lent)) }))
}
