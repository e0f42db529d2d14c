//! Who sees the kernels that run: a profiler counts and times them, a recorder notes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustorch_backend::memory::fork::Mutex;
use rustorch_backend::{DeviceInfo, Kernel, Operand};
use rustorch_error::Result;
use smallvec::SmallVec;

/// A kernel that was run.
#[derive(Debug)]
pub struct Observed<'a, 'o> {
    /// What was computed, and from and into which memory.
    pub kernel: &'a Kernel<Operand<'o>>,
    /// Where it was asked for. What a device lacks has run on the CPU ([`fallbacks`](super::fallbacks)).
    pub device: &'static DeviceInfo,
    /// How long the call took. A GPU has only queued the kernel then.
    pub took: Duration,
    /// What came of it.
    pub outcome: &'a Result<()>,
}

/// Someone who is told of kernels.
pub trait Observer: Send + Sync {
    /// Called by the thread that asked for the kernel, after it.
    fn ran(&self, observed: &Observed<'_, '_>);
}

/// Those who are told, each with the number of its observation.
static OBSERVERS: Mutex<Vec<(usize, Arc<dyn Observer>)>> = Mutex::new(Vec::new());

/// How many of them there are.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The number of the next observation.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// As long as this lives, an observer is told.
#[must_use]
#[derive(Debug)]
pub struct Observation(usize);

/// Tells `observer` of every kernel that any thread runs, until the result is dropped.
pub fn observe(observer: Arc<dyn Observer>) -> Observation {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut observers = OBSERVERS.lock();
    observers.push((number, observer));
    COUNT.store(observers.len(), Ordering::Release);
    Observation(number)
}

impl Drop for Observation {
    fn drop(&mut self) {
        let mut observers = OBSERVERS.lock();
        observers.retain(|(number, _)| *number != self.0);
        COUNT.store(observers.len(), Ordering::Release);
    }
}

/// Whether anyone is told.
#[inline]
pub(super) fn is_watching() -> bool {
    COUNT.load(Ordering::Relaxed) != 0
}

/// Runs a kernel and tells everyone.
pub(super) fn watch(
    device: &'static DeviceInfo,
    kernel: &Kernel<Operand<'_>>,
    run: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let start = Instant::now();
    let outcome = run();
    let observed = Observed { kernel, device, took: start.elapsed(), outcome: &outcome };
    // An observer may run kernels of its own, or end an observation: nothing is locked while it is told.
    let observers: SmallVec<[Arc<dyn Observer>; 2]> =
        OBSERVERS.lock().iter().map(|(_, observer)| Arc::clone(observer)).collect();
    for observer in &observers {
        observer.ran(&observed);
    }
    outcome
}
