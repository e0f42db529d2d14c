//! What a device with queues of its own offers beside computing: streams, events and copies that nobody waits for. The
//! CPU has none of it.

use std::any::Any;
use std::sync::Arc;

use rustorch_error::Result;

use crate::device::StreamId;
use crate::memory::{Buffer, MemoryAllocator};

/// A point in a stream.
pub trait Event: Any + Send + Sync {
    /// Whether everything before it is done.
    fn is_done(&self) -> Result<bool>;
    /// Waits for everything before it.
    fn wait(&self) -> Result<()>;
    /// Milliseconds from this point to `end`; both were recorded with their time, by the same device, and are done.
    fn elapsed_time(&self, end: &dyn Event) -> Result<f64>;
}

/// In-order queues of one device, beside each other.
///
/// Kernels and copies go to the stream that is current on the calling thread. Memory belongs to the stream that was
/// current when it was allocated: what is given back is handed out again to that stream alone.
pub trait Streams: Send + Sync {
    /// Where this thread's work goes.
    fn current(&self) -> StreamId;
    /// Sets where this thread's work goes.
    fn set_current(&self, stream: StreamId) -> Result<()>;
    /// A stream beside the default one; a lower priority number goes first, where the device knows priorities. After
    /// some of a priority, those that there are are handed out again.
    fn create(&self, priority: i32) -> Result<StreamId>;
    /// Whether everything on a stream is done.
    fn is_done(&self, stream: StreamId) -> Result<bool>;
    /// Waits until everything on a stream is done.
    fn synchronize(&self, stream: StreamId) -> Result<()>;
    /// Marks a stream's end as it is now; `timed` where the time is to be measured.
    fn record(&self, stream: StreamId, timed: bool) -> Result<Arc<dyn Event>>;
    /// What is asked of `stream` from now on begins after the event.
    fn wait_event(&self, stream: StreamId, event: &dyn Event) -> Result<()>;
    /// Says that work on `stream` uses the memory, which is not handed out again before that work is done.
    fn record_use(&self, buffer: &Buffer, stream: StreamId) -> Result<()>;

    /// Where host memory comes from that the device copies from and to at its own time.
    fn pinned(&self) -> &'static dyn MemoryAllocator;
    /// Queues a copy of `bytes` bytes to memory of [`Self::pinned`].
    fn read_later(&self, source: (&Buffer, usize), pinned: (&Buffer, usize), bytes: usize) -> Result<()>;
    /// Queues a copy of `bytes` bytes from memory of [`Self::pinned`].
    fn write_later(
        &self,
        pinned: (&Buffer, usize),
        destination: (&Buffer, usize),
        bytes: usize,
    ) -> Result<()>;
}
