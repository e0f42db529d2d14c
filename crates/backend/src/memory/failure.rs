//! Memory that is refused: by the system, or on purpose, so that tests can see what follows.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustorch_error::{Result, RusTorchError};

/// Whether requests are looked at: counted by a test, or the next one refused.
static ARMED: AtomicBool = AtomicBool::new(false);
/// Whether a test counts requests.
static TESTED: AtomicBool = AtomicBool::new(false);
/// Whether the next request is refused, because one was served that could not be refused.
static OWED: AtomicBool = AtomicBool::new(false);
/// How many requests are granted yet.
static GRANTED: AtomicUsize = AtomicUsize::new(0);
/// Whether all requests after the first that is refused are refused, too.
static LASTING: AtomicBool = AtomicBool::new(false);
/// How many requests were refused.
static REFUSED: AtomicUsize = AtomicUsize::new(0);

/// The system said no.
#[cold]
pub(super) fn refused(bytes: usize) -> RusTorchError {
    RusTorchError::OutOfMemory {
        bytes,
        device: "cpu".into(),
        hint: "; the operating system refused: free tensors you no longer need, or work in smaller batches"
            .into(),
    }
}

/// From now on `granted` requests of memory, of any thread, are granted and the next one is refused; if `lasting`, all
/// that follow are, too. For tests: [`refuse_no_more`] ends it.
pub fn refuse_after(granted: usize, lasting: bool) {
    GRANTED.store(granted, Ordering::Relaxed);
    LASTING.store(lasting, Ordering::Relaxed);
    REFUSED.store(0, Ordering::Relaxed);
    TESTED.store(true, Ordering::Relaxed);
    ARMED.store(true, Ordering::SeqCst);
}

/// Memory is granted again; how many requests were refused.
pub fn refuse_no_more() -> usize {
    TESTED.store(false, Ordering::SeqCst);
    ARMED.store(OWED.load(Ordering::SeqCst), Ordering::SeqCst);
    REFUSED.load(Ordering::Relaxed)
}

/// Refuses the next request: the system has no memory, and could not say so to whom it happened.
pub(super) fn refuse_next() {
    OWED.store(true, Ordering::SeqCst);
    ARMED.store(true, Ordering::SeqCst);
}

/// Counts a request of `bytes` bytes.
#[inline(always)]
pub(super) fn count(bytes: usize) -> Result<()> {
    if ARMED.load(Ordering::Relaxed) { decide(bytes) } else { Ok(()) }
}

#[cold]
fn decide(bytes: usize) -> Result<()> {
    if OWED.swap(false, Ordering::SeqCst) {
        ARMED.store(TESTED.load(Ordering::SeqCst) || OWED.load(Ordering::SeqCst), Ordering::SeqCst);
        return Err(refused(bytes));
    }
    if !TESTED.load(Ordering::SeqCst) {
        return Ok(());
    }
    let granted = GRANTED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if granted.is_ok() || !LASTING.load(Ordering::Relaxed) && REFUSED.load(Ordering::Relaxed) > 0 {
        return Ok(());
    }
    REFUSED.fetch_add(1, Ordering::Relaxed);
    Err(RusTorchError::OutOfMemory { bytes, device: "cpu".into(), hint: "; a test refused it".into() })
}
