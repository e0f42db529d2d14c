//! Ending a long computation early, between its tasks.
//!
//! Who computes for a user lets a function be asked, a few times a second, whether to go on. When it says no, the
//! computation unwinds to [`interruptible`], and what it has made is dropped. Nothing that somebody else can see may be
//! half written then, so an op that writes into a tensor that exists calls [`forbid`] before it does.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often is asked: hardly ever for a computer, at once for a person.
const PERIOD: Duration = Duration::from_millis(100);

/// Looking at the clock takes longer than a short step: where steps are short, up to so many pass between two looks, which
/// are then about so far apart.
const MOST_STEPS: u32 = 31;
const APART: Duration = Duration::from_micros(10);

#[derive(Clone, Copy)]
struct Watch {
    ask: fn() -> bool,
    next: Instant,
    looked: Instant,
}

thread_local! {
    /// Of a thread that computes for a user.
    static WATCH: Cell<Option<Watch>> = const { Cell::new(None) };
    /// How many more steps pass before the next look at the clock, and how many pass between two.
    static STEPS: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// What an interrupted computation unwinds with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

/// Puts a value back when a scope ends, also by unwinding.
struct Restore(Option<Watch>);

impl Drop for Restore {
    fn drop(&mut self) {
        WATCH.set(self.0);
    }
}

/// Computes, and asks meanwhile whether to stop.
///
/// # Errors
/// `ask` said so; what was computed is lost.
pub fn interruptible<T>(ask: fn() -> bool, compute: impl FnOnce() -> T) -> Result<T, Interrupted> {
    let looked = Instant::now();
    let _before = Restore(WATCH.replace(Some(Watch { ask, next: looked + PERIOD, looked })));
    STEPS.set((0, 0));
    catch_unwind(AssertUnwindSafe(compute))
        .map_err(|payload| if payload.is::<Interrupted>() { Interrupted } else { resume_unwind(payload) })
}

/// Says that what this thread computes writes where others look: from now on it runs to its end.
#[inline]
pub fn forbid() {
    WATCH.set(None);
}

/// Whether this thread's computation may be interrupted.
#[inline]
pub fn is_watched() -> bool {
    WATCH.get().is_some()
}

/// Between tasks: asks, when it is time. Does not return where the answer is to stop.
#[inline]
pub fn checkpoint() {
    if let Some(watch) = WATCH.get() {
        check(watch);
    }
}

fn check(watch: Watch) {
    let (left, between) = STEPS.get();
    if left > 0 {
        STEPS.set((left - 1, between));
        return;
    }
    let now = Instant::now();
    if now < watch.next {
        let between =
            if now < watch.looked + APART { (2 * between + 1).min(MOST_STEPS) } else { between / 2 };
        STEPS.set((between, between));
        WATCH.set(Some(Watch { looked: now, ..watch }));
        return;
    }
    // Python may run what it likes meanwhile, but nothing under this watch.
    WATCH.set(None);
    let stop = (watch.ask)();
    let looked = Instant::now();
    WATCH.set(Some(Watch { next: looked + PERIOD, looked, ..watch }));
    if stop {
        stop_now();
    }
}

#[cold]
fn stop_now() {
    // Not a panic: nobody is told of it but who watches.
    resume_unwind(Box::new(Interrupted) as Box<dyn Any + Send>);
}

/// For threads that help: unwinds when who they help was told to stop.
#[inline]
pub fn stop_if(stopped: &AtomicBool) {
    if stopped.load(Ordering::Relaxed) {
        stop_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static ASKED: Cell<u32> = const { Cell::new(0) };
    }

    fn second_time() -> bool {
        ASKED.set(ASKED.get() + 1);
        ASKED.get() > 1
    }

    fn spin(time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            checkpoint();
        }
    }

    #[test]
    fn a_computation_ends_when_it_is_told_and_not_before() {
        ASKED.set(0);
        let start = Instant::now();
        assert_eq!(interruptible(second_time, || spin(Duration::from_secs(20))), Err(Interrupted));
        assert!(start.elapsed() >= 2 * PERIOD && start.elapsed() < Duration::from_secs(10));
        assert_eq!(interruptible(second_time, || 7), Ok(7));
        spin(2 * PERIOD);
        assert!(!is_watched());
    }

    #[test]
    fn what_writes_runs_to_its_end() {
        ASKED.set(1);
        let written = interruptible(second_time, || {
            forbid();
            spin(3 * PERIOD);
            1
        });
        assert_eq!(written, Ok(1));
    }

    #[test]
    fn other_panics_pass() {
        let outcome = catch_unwind(|| interruptible(second_time, || resume_unwind(Box::new("other"))));
        assert!(outcome.is_err_and(|payload| payload.downcast_ref::<&str>() == Some(&"other")));
    }
}
