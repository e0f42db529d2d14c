//! Memory and streams by the driver's names.

use std::ptr::NonNull;

use rustorch_backend::{Buffer, Sharing, StreamId};
use rustorch_error::{Result, RusTorchError};

use crate::backend::GpuBackend;
use crate::executor::KernelExecutor;

/// A reference that a tensor over another library's memory holds.
struct Reference<E: KernelExecutor> {
    executor: &'static E,
    address: NonNull<u8>,
}

// SAFETY: an address is a name for memory, which the executor gives back from any thread.
unsafe impl<E: KernelExecutor> Send for Reference<E> {}
// SAFETY: as above.
unsafe impl<E: KernelExecutor> Sync for Reference<E> {}

impl<E: KernelExecutor> Drop for Reference<E> {
    fn drop(&mut self) {
        // SAFETY: `retain` took the reference, which is given back once. A driver that counts references keeps memory that
        // queued work uses.
        unsafe { self.executor.free(self.address) };
    }
}

impl<E: KernelExecutor> Sharing for GpuBackend<E> {
    fn context_handle(&self) -> Result<usize> {
        self.executor.context_handle()
    }

    fn stream_handle(&self, stream: StreamId) -> Result<usize> {
        self.streams.find(stream).map(|stream| self.executor.stream_handle(stream))
    }

    unsafe fn extent(&self, address: NonNull<u8>) -> Result<Option<usize>> {
        // SAFETY: the caller's promise.
        unsafe { self.executor.extent(address) }
    }

    unsafe fn retain(&self, address: NonNull<u8>) -> Result<Buffer> {
        // SAFETY: the caller's promise.
        let Some(bytes) = (unsafe { self.executor.extent(address) })? else {
            return Err(RusTorchError::device(
                "retain",
                format!(
                    "the memory is of another {} context; make it in the context of this device",
                    self.executor.info().kind
                ),
            ));
        };
        // SAFETY: the caller's promise.
        unsafe { self.executor.retain(address) }?;
        let owner = Reference { executor: self.executor, address };
        // SAFETY: the driver keeps the memory as long as the reference is there.
        Ok(unsafe { Buffer::from_foreign(address, bytes, Box::new(owner)) })
    }

    unsafe fn wait_for(&self, stream: usize) -> Result<()> {
        // SAFETY: the caller's promise.
        let foreign = unsafe { self.executor.foreign_stream(stream) }?;
        let event = self.executor.record(&foreign, false)?;
        self.streams.with_current(|stream| self.executor.wait_event(stream, &event))
    }

    unsafe fn go_before(&self, stream: usize) -> Result<()> {
        // SAFETY: the caller's promise.
        let foreign = unsafe { self.executor.foreign_stream(stream) }?;
        let event = self.streams.with_current(|stream| self.executor.record(stream, false))?;
        self.executor.wait_event(&foreign, &event)
    }
}
