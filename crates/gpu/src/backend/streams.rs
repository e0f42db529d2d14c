//! The contract's streams and copies, by the device's set of streams and its pools.

use std::ptr::NonNull;
use std::sync::Arc;

use rustorch_backend::memory::fork;
use rustorch_backend::{Buffer, Event, MemoryAllocator, StreamId, Streams};
use rustorch_error::{Result, RusTorchError};

use super::GpuBackend;
use crate::executor::{KernelExecutor, Transfer};
use crate::streams::GpuEvent;

impl<E: KernelExecutor> Streams for GpuBackend<E> {
    fn current(&self) -> StreamId {
        self.streams.current()
    }

    fn set_current(&self, stream: StreamId) -> Result<()> {
        self.streams.set_current(stream)
    }

    fn create(&self, priority: i32) -> Result<StreamId> {
        self.streams.create(priority)
    }

    fn synchronize(&self, stream: StreamId) -> Result<()> {
        self.streams.wait(stream)
    }

    fn is_done(&self, stream: StreamId) -> Result<bool> {
        self.streams.is_done(stream)
    }

    fn record(&self, stream: StreamId, timed: bool) -> Result<Arc<dyn Event>> {
        let event = self.executor.record(self.streams.find(stream)?, timed)?;
        Ok(Arc::new(GpuEvent { executor: self.executor, process: fork::generation(), event, timed }))
    }

    fn wait_event(&self, stream: StreamId, event: &dyn Event) -> Result<()> {
        match GpuEvent::of(self.executor, event) {
            Some(own) => self.executor.wait_event(self.streams.find_to_queue(stream)?, &own.event),
            // Another device's: drivers do not wait for each other.
            None => event.wait(),
        }
    }

    fn record_use(&self, buffer: &Buffer, stream: StreamId) -> Result<()> {
        self.streams.find(stream)?;
        self.memory.record_use(buffer, stream);
        Ok(())
    }

    fn pinned(&self) -> &'static dyn MemoryAllocator {
        self.pinned
    }

    fn read_later(&self, source: (&Buffer, usize), pinned: (&Buffer, usize), bytes: usize) -> Result<()> {
        let (stream, transfer) = self.transfer("read_later", source, pinned, bytes)?;
        // SAFETY: the pinned pool keeps the memory until this stream is done with it.
        if bytes > 0 { unsafe { self.executor.read(stream, &transfer) } } else { Ok(()) }
    }

    fn write_later(
        &self,
        pinned: (&Buffer, usize),
        destination: (&Buffer, usize),
        bytes: usize,
    ) -> Result<()> {
        let (stream, transfer) = self.transfer("write_later", destination, pinned, bytes)?;
        // SAFETY: as above.
        if bytes > 0 { unsafe { self.executor.write(stream, &transfer) } } else { Ok(()) }
    }
}

impl<E: KernelExecutor> GpuBackend<E> {
    /// A copy between the device and pinned memory, which is kept until the current stream is done with it.
    fn transfer(
        &self,
        op: &'static str,
        device: (&Buffer, usize),
        pinned: (&Buffer, usize),
        bytes: usize,
    ) -> Result<(&'static E::Stream, Transfer)> {
        device.0.check_range(op, device.1, bytes)?;
        pinned.0.check_range(op, pinned.1, bytes)?;
        if !pinned.0.allocator().is_some_and(|owner| std::ptr::addr_eq(owner, self.pinned)) {
            return Err(RusTorchError::argument(op, "the host's memory is not pinned for this device"));
        }
        let stream = self.streams.current();
        self.pinned.record_use(pinned.0, stream);
        // SAFETY: the range is the buffer's, which is the host's memory.
        let host = unsafe { pinned.0.address().add(pinned.1) };
        let device = (device.0.address(), device.1);
        Ok((self.streams.find_to_queue(stream)?, Transfer { device, host, bytes, wait: false }))
    }

    /// Copies device memory to the host, and waits for it.
    pub(crate) fn read_now(&self, buffer: &Buffer, offset: usize, destination: &mut [u8]) -> Result<()> {
        buffer.check_range("read", offset, destination.len())?;
        if destination.is_empty() {
            return Ok(());
        }
        let (device, bytes) = ((buffer.address(), offset), destination.len());
        let transfer = Transfer { device, host: NonNull::from(destination).cast(), bytes, wait: true };
        // SAFETY: the copy is done when this returns, and the destination is the caller's alone.
        self.streams.with_current(|stream| unsafe { self.executor.read(stream, &transfer) })
    }

    /// Copies host memory to the device; `source` may be reused when this returns.
    pub(crate) fn write_now(&self, buffer: &Buffer, offset: usize, source: &[u8]) -> Result<()> {
        buffer.check_range("write", offset, source.len())?;
        if source.is_empty() {
            return Ok(());
        }
        let (device, bytes) = ((buffer.address(), offset), source.len());
        let transfer = Transfer { device, host: NonNull::from(source).cast(), bytes, wait: true };
        // SAFETY: the copy is done when this returns.
        self.streams.with_current(|stream| unsafe { self.executor.write(stream, &transfer) })
    }
}
