//! Which streams a device has, and which is current: what every executor would repeat.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustorch_backend::memory::fork::{self, Mutex};
use rustorch_backend::{Event, StreamId};
use rustorch_error::{Result, RusTorchError};

use crate::executor::KernelExecutor;

/// How many streams of a priority there are; then they are handed out again.
const PER_PRIORITY: usize = 32;

/// How many priorities are told apart on either side of 0; no driver has more.
const PRIORITIES: i32 = 5;

thread_local! {
    /// The current stream of each device, by the number of its set; the default one where the list ends.
    static CURRENT: RefCell<Vec<StreamId>> = const { RefCell::new(Vec::new()) };
}

/// The streams of a device.
pub(crate) struct StreamSet<E: KernelExecutor> {
    executor: &'static E,
    number: usize,
    /// The process that made them.
    process: u32,
    default: Progress<E>,
    made: Mutex<Vec<&'static Made<E>>>,
    by_priority: Mutex<BTreeMap<i32, Pool>>,
}

/// A stream beside the default one.
struct Made<E: KernelExecutor> {
    stream: E::Stream,
    progress: Progress<E>,
}

/// What is known of how far a stream is.
struct Progress<E: KernelExecutor> {
    /// Whether something was queued since the event was recorded.
    queued: AtomicBool,
    /// The last point that was asked about; none after the stream was waited for.
    asked: Mutex<Option<E::Event>>,
}

impl<E: KernelExecutor> Progress<E> {
    fn new() -> Self {
        Progress { queued: AtomicBool::new(false), asked: Mutex::new(None) }
    }
}

/// The streams of one priority, and how often one was handed out.
#[derive(Default)]
struct Pool {
    streams: Vec<StreamId>,
    handed_out: usize,
}

impl<E: KernelExecutor> StreamSet<E> {
    pub(crate) fn new(executor: &'static E) -> Self {
        static SETS: AtomicUsize = AtomicUsize::new(0);
        StreamSet {
            executor,
            number: SETS.fetch_add(1, Ordering::Relaxed),
            process: fork::generation(),
            default: Progress::new(),
            made: Mutex::default(),
            by_priority: Mutex::default(),
        }
    }

    /// The stream that is current on this thread.
    #[inline]
    pub(crate) fn current(&self) -> StreamId {
        // A thread that ends has none any more.
        CURRENT
            .try_with(|current| current.borrow().get(self.number).copied())
            .ok()
            .flatten()
            .unwrap_or(StreamId::DEFAULT)
    }

    /// Calls `f` with the stream that is current on this thread.
    #[inline]
    pub(crate) fn with_current<T>(&self, f: impl FnOnce(&E::Stream) -> Result<T>) -> Result<T> {
        f(self.find_to_queue(self.current())?)
    }

    /// A stream by its name.
    pub(crate) fn find(&self, stream: StreamId) -> Result<&'static E::Stream> {
        self.entry(stream).map(|(stream, _)| stream)
    }

    /// A stream by its name, to queue something there.
    #[inline]
    pub(crate) fn find_to_queue(&self, stream: StreamId) -> Result<&'static E::Stream> {
        let (stream, progress) = self.entry(stream)?;
        progress.queued.store(true, Ordering::Release);
        Ok(stream)
    }

    #[inline]
    fn entry(&self, stream: StreamId) -> Result<(&'static E::Stream, &Progress<E>)> {
        if fork::generation() != self.process {
            return Err(forked(self.executor));
        }
        let Some(index) = (stream.0 as usize).checked_sub(1) else {
            return Ok((self.executor.default_stream(), &self.default));
        };
        let made = self.made.lock();
        made.get(index).map(|made| (&made.stream, &made.progress)).ok_or_else(|| {
            let kind = self.executor.info().kind;
            RusTorchError::device("stream", format!("this {kind} device has no stream {}", stream.0))
        })
    }

    /// Whether everything on a stream is done.
    ///
    /// A driver takes its time to pass even a point behind which there is nothing: a point is asked about until it is
    /// passed, and a new one is marked only when something was queued since.
    pub(crate) fn is_done(&self, stream: StreamId) -> Result<bool> {
        let (stream, progress) = self.entry(stream)?;
        let mut asked = progress.asked.lock();
        if progress.queued.swap(false, Ordering::AcqRel) {
            *asked = Some(self.executor.record(stream, false)?);
        }
        asked.as_ref().map_or(Ok(true), |event| self.executor.is_done(event))
    }

    /// Waits until everything on a stream is done.
    pub(crate) fn wait(&self, stream: StreamId) -> Result<()> {
        let (stream, progress) = self.entry(stream)?;
        // What is queued meanwhile sets it again.
        progress.queued.store(false, Ordering::Release);
        let done = self.executor.synchronize(stream);
        *progress.asked.lock() = None;
        done
    }

    pub(crate) fn set_current(&self, stream: StreamId) -> Result<()> {
        self.find(stream)?;
        CURRENT.with(|current| {
            let mut current = current.borrow_mut();
            if current.len() <= self.number {
                current.resize(self.number + 1, StreamId::DEFAULT);
            }
            current[self.number] = stream;
        });
        Ok(())
    }

    pub(crate) fn create(&self, priority: i32) -> Result<StreamId> {
        let priority = priority.clamp(-PRIORITIES, PRIORITIES);
        // Held while a stream is made, so that no more are made than wanted.
        let mut pools = self.by_priority.lock();
        let pool = pools.entry(priority).or_default();
        if pool.streams.len() < PER_PRIORITY {
            let stream = Made { stream: self.executor.create_stream(priority)?, progress: Progress::new() };
            let stream = &*Box::leak(Box::new(stream));
            let mut made = self.made.lock();
            made.push(stream);
            pool.streams.push(StreamId(made.len() as u32));
        }
        let stream = pool.streams[pool.handed_out % PER_PRIORITY];
        pool.handed_out += 1;
        Ok(stream)
    }

    /// Waits until everything on every stream is done; the first failure is reported when all were waited for.
    pub(crate) fn synchronize(&self) -> Result<()> {
        let made = self.made.lock().len() as u32;
        (0..=made).map(StreamId).map(|stream| self.wait(stream)).fold(Ok(()), Result::and)
    }
}

/// A forked child has no driver: its threads and its view of the device stayed with the parent.
#[cold]
fn forked<E: KernelExecutor>(executor: &E) -> RusTorchError {
    let message = format!(
        "{} was set up by the process that this one was forked from, and can not be used here; start processes by 'spawn'",
        executor.info().kind
    );
    RusTorchError::unavailable("stream", message)
}

/// A point in a stream of a device.
pub(crate) struct GpuEvent<E: KernelExecutor> {
    pub(crate) executor: &'static E,
    /// The process that made it.
    pub(crate) process: u32,
    pub(crate) event: E::Event,
    pub(crate) timed: bool,
}

impl<E: KernelExecutor> GpuEvent<E> {
    /// An event as one of this device.
    pub(crate) fn of<'a>(executor: &'static E, event: &'a dyn Event) -> Option<&'a Self> {
        (event as &dyn Any).downcast_ref::<Self>().filter(|event| std::ptr::eq(event.executor, executor))
    }

    fn check_process(&self) -> Result<()> {
        if fork::generation() == self.process { Ok(()) } else { Err(forked(self.executor)) }
    }
}

impl<E: KernelExecutor> Event for GpuEvent<E> {
    fn is_done(&self) -> Result<bool> {
        self.check_process()?;
        self.executor.is_done(&self.event)
    }

    fn wait(&self) -> Result<()> {
        self.check_process()?;
        self.executor.wait(&self.event)
    }

    fn elapsed_time(&self, end: &dyn Event) -> Result<f64> {
        self.check_process()?;
        match Self::of(self.executor, end) {
            Some(end) if self.timed && end.timed => self.executor.elapsed_time(&self.event, &end.event),
            Some(_) => Err(RusTorchError::argument(
                "elapsed_time",
                "Both events must be created with argument 'enable_timing=True'.",
            )),
            None => Err(RusTorchError::device("elapsed_time", "the events are of two devices")),
        }
    }
}
