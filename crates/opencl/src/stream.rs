//! Queues, and points in them.

use std::ptr::{null, null_mut};

use rustorch_backend::memory::fork::OnceLock;
use rustorch_error::Result;

use crate::driver::*;
use crate::loss::Loss;

/// A queue; unless its properties say otherwise, it keeps its order.
pub(crate) fn queue(cl: &OpenCl, context: Handle, device: Handle, properties: u64) -> Result<Handle> {
    let mut code = SUCCESS;
    // SAFETY: the device is the context's.
    let queue = unsafe { (cl.clCreateCommandQueue)(context, device, properties, &raw mut code) };
    check("clCreateCommandQueue", code).map(|()| queue)
}

/// An in-order queue.
pub struct OpenClStream {
    pub(crate) queue: Handle,
    /// A queue that keeps times, made for the first event that wants one: such queues are slower with some drivers.
    pub(crate) clock: OnceLock<Result<Handle>>,
}

// SAFETY: queues may be used from any thread.
unsafe impl Send for OpenClStream {}
// SAFETY: as above.
unsafe impl Sync for OpenClStream {}

/// A marker in a queue, and the one behind it that has its time.
pub struct OpenClEvent {
    pub(crate) marker: Marker,
    pub(crate) time: Option<Marker>,
}

/// An event of the driver's.
pub(crate) struct Marker {
    cl: &'static OpenCl,
    pub(crate) event: Handle,
}

// SAFETY: events may be used from any thread.
unsafe impl Send for Marker {}
// SAFETY: as above.
unsafe impl Sync for Marker {}

impl Marker {
    /// Marks the end of a queue, or the time when `after` is done, and starts the queue.
    pub(crate) fn new(
        cl: &'static OpenCl,
        loss: &Loss,
        queue: Handle,
        after: Option<&Marker>,
    ) -> Result<Self> {
        let (mut event, count) = (null_mut(), u32::from(after.is_some()));
        let list = after.map_or(null(), |after| &raw const after.event);
        // SAFETY: as many events as the count says; none means all that was queued.
        let code = unsafe { (cl.clEnqueueMarkerWithWaitList)(queue, count, list, &raw mut event) };
        loss.check("clEnqueueMarkerWithWaitList", code)?;
        let marker = Marker { cl, event };
        // SAFETY: the queue is alive.
        loss.check("clFlush", unsafe { (cl.clFlush)(queue) })?;
        Ok(marker)
    }

    /// Waits, then asks when it was reached, in nanoseconds.
    pub(crate) fn time(&self) -> Result<u64> {
        let mut time = 0u64;
        // SAFETY: one event, and a place for a number of that size.
        let code = unsafe {
            check("clWaitForEvents", (self.cl.clWaitForEvents)(1, &raw const self.event))?;
            let (size, place) = (size_of::<u64>(), (&raw mut time).cast());
            (self.cl.clGetEventProfilingInfo)(self.event, PROFILING_COMMAND_END, size, place, null_mut())
        };
        check("clGetEventProfilingInfo", code).map(|()| time)
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        // SAFETY: the event is released once, by its owner.
        unsafe { (self.cl.clReleaseEvent)(self.event) };
    }
}
