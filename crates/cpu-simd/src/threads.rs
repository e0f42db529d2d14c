//! The CPU backend's one thread pool.
//!
//! A caller publishes a job, takes part in it, and waits for the helpers that joined, never for those that might have:
//! a helper that wakes too late finds the job closed. So nothing depends on a helper being there at all, and a process
//! that was forked, or that cannot start threads, computes the same on the calling thread.

use std::any::Any;
use std::cell::Cell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustorch_backend::interrupts;
use rustorch_error::Result;

/// How long a thread looks for work, or for the end of a job, before it sleeps: longer than the gaps between the parallel
/// regions of a training step (docs/decisions/0002-spin-time.md has the measurement).
const SPIN: Duration = Duration::from_micros(200);

/// Chunks per thread: enough that a thread which is held up leaves its share to the others.
const CHUNKS_PER_THREAD: usize = 4;

/// Ranges per call on one thread that may be told to stop between them.
const STEPS: usize = 16;

/// The number of threads asked for; 0 until it is first needed.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The pool; null until it is first needed, and again in a forked child, whose helpers do not exist.
static POOL: AtomicPtr<Pool> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    /// Whether this thread works on a job, so that nested calls run on it alone.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Whether the caller of the job that this thread helps with was told to stop.
    static STOPPED: Cell<Option<&'static AtomicBool>> = const { Cell::new(None) };
}

/// In long tasks, between their steps: does not return when the computation is to end.
#[inline]
pub(crate) fn checkpoint() {
    if let Some(stopped) = STOPPED.get() {
        interrupts::stop_if(stopped);
    }
    interrupts::checkpoint();
}

/// The number of threads that a kernel may use, the calling one included.
///
/// `RUSTORCH_NUM_THREADS`, else `OMP_NUM_THREADS`, else the number of CPUs that the process may use.
pub fn num_threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => {
            let from = |name| {
                let value = std::env::var(name).ok()?;
                value.split(',').next()?.trim().parse::<usize>().ok().filter(|&n| n > 0)
            };
            let threads = from("RUSTORCH_NUM_THREADS")
                .or_else(|| from("OMP_NUM_THREADS"))
                .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
                .unwrap_or(1);
            // Keeps what `set_num_threads` may have set meanwhile.
            match THREADS.compare_exchange(0, threads, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => threads,
                Err(set) => set,
            }
        }
        threads => threads,
    }
}

/// Sets the number of threads that kernels may use from now on; 0 counts as 1.
pub fn set_num_threads(threads: usize) {
    THREADS.store(threads.max(1), Ordering::Relaxed);
}

/// Calls `body` with ranges that cover `0..n`, each element once, on several threads when that pays.
///
/// Up to `grain` elements run on the calling thread and do not touch the pool. Ranges begin at multiples of `grain`.
/// Calls from inside `body`, and calls while another thread has the pool, run on the calling thread. A panic in `body`
/// is a panic of the caller, after every helper has left.
#[inline]
pub fn parallel_for(n: usize, grain: usize, body: impl Fn(Range<usize>) + Sync) {
    let grain = grain.max(1);
    if n <= grain {
        if n > 0 {
            body(0..n);
        }
        return;
    }
    let threads = num_threads();
    if INSIDE.get() {
        checkpoint();
        body(0..n);
    } else if threads == 1 {
        if interrupts::is_watched() {
            in_steps(n, grain, &body);
        } else {
            body(0..n);
        }
    } else {
        Pool::get().run(n, grain, threads, &body);
    }
}

/// One range after the other on this thread, which may be told to stop between them.
fn in_steps(n: usize, grain: usize, body: &(dyn Fn(Range<usize>) + Sync)) {
    let step = grain.saturating_mul(n.div_ceil(grain.saturating_mul(STEPS)));
    for start in (0..n).step_by(step) {
        interrupts::checkpoint();
        body(start..start.saturating_add(step).min(n));
    }
}

/// [`parallel_for`] for a `body` that can fail: the first error seen, after which no further range is begun.
pub fn try_parallel_for(
    n: usize,
    grain: usize,
    body: impl Fn(Range<usize>) -> Result<()> + Sync,
) -> Result<()> {
    let failed = AtomicBool::new(false);
    let error = Mutex::new(None);
    parallel_for(n, grain, |range| {
        if failed.load(Ordering::Relaxed) {
            return;
        }
        if let Err(e) = body(range) {
            failed.store(true, Ordering::Relaxed);
            lock(&error).get_or_insert(e);
        }
    });
    error.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// One call of `parallel_for`, on its caller's stack.
struct Job<'a> {
    body: &'a (dyn Fn(Range<usize>) + Sync),
    n: usize,
    chunk: usize,
    next: AtomicUsize,
    /// Set with the first panic; for those that are in the middle of a task.
    stopped: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Job<'_> {
    /// Takes chunks until none is left.
    fn work(&self) {
        let outside = INSIDE.replace(true);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            loop {
                let start = self.next.fetch_add(self.chunk, Ordering::Relaxed);
                if start >= self.n {
                    break;
                }
                interrupts::checkpoint();
                (self.body)(start..(start + self.chunk).min(self.n));
            }
        }));
        INSIDE.set(outside);
        if let Err(payload) = outcome {
            lock(&self.panic).get_or_insert(payload);
            // Nobody begins another chunk. `n` leaves room for every thread's `fetch_add`. Who is stopped in the middle of
            // one finds the reason there already.
            self.next.store(self.n, Ordering::Relaxed);
            self.stopped.store(true, Ordering::Release);
        }
    }
}

/// The bit of [`Pool::state`] that says that the job may be joined. Below it is the number of helpers at work, above it
/// the number of the job.
const OPEN: u64 = 1 << 16;
const HELPERS: u64 = OPEN - 1;

struct Pool {
    /// Whether a caller has the pool.
    taken: AtomicBool,
    state: AtomicU64,
    job: AtomicPtr<Job<'static>>,
    /// The most helpers that may join.
    limit: AtomicU64,
    spawned: AtomicUsize,
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
    caller_sleeps: AtomicBool,
    finish: Mutex<()>,
    finished: Condvar,
}

impl Pool {
    fn get() -> &'static Pool {
        let pool = POOL.load(Ordering::Acquire);
        // SAFETY: the pointer is null or came from `Box::into_raw` in `create`, and is never freed once published.
        unsafe { pool.as_ref() }.unwrap_or_else(Self::create)
    }

    #[cold]
    fn create() -> &'static Pool {
        let pool = Box::into_raw(Box::new(Pool {
            taken: AtomicBool::new(false),
            state: AtomicU64::new(0),
            job: AtomicPtr::new(ptr::null_mut()),
            limit: AtomicU64::new(0),
            spawned: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
            caller_sleeps: AtomicBool::new(false),
            finish: Mutex::new(()),
            finished: Condvar::new(),
        }));
        match POOL.compare_exchange(ptr::null_mut(), pool, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                forget_pool_in_forked_children();
                // SAFETY: just made, published, and never freed.
                unsafe { &*pool }
            }
            Err(first) => {
                // SAFETY: `pool` was not published; `first` was, and is never freed.
                unsafe {
                    drop(Box::from_raw(pool));
                    &*first
                }
            }
        }
    }

    fn run(&'static self, n: usize, grain: usize, threads: usize, body: &(dyn Fn(Range<usize>) + Sync)) {
        if self.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return body(0..n);
        }
        let chunk = grain.saturating_mul(n.div_ceil(grain.saturating_mul(threads * CHUNKS_PER_THREAD)));
        let helpers = (n.div_ceil(chunk) - 1).min(threads - 1);
        self.spawn_up_to(threads - 1);

        let job = Job {
            body,
            n,
            chunk,
            next: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            panic: Mutex::new(None),
        };
        self.limit.store((helpers as u64).min(HELPERS), Ordering::Relaxed);
        self.job.store(ptr::from_ref(&job).cast_mut().cast(), Ordering::Relaxed);
        // The next job's number, open, nobody at work. SeqCst, here and in `sleep_unless_joinable`: either the helper
        // sees the job before it sleeps, or the caller sees the sleeper.
        let number = (self.state.load(Ordering::Relaxed) / (2 * OPEN)).wrapping_add(1);
        self.state.store(number.wrapping_mul(2 * OPEN) | OPEN, Ordering::SeqCst);
        let sleepers = self.sleepers.load(Ordering::SeqCst);
        if sleepers > 0 {
            drop(lock(&self.sleep));
            for _ in 0..helpers.min(sleepers) {
                self.wake.notify_one();
            }
        }

        job.work();

        let state = self.state.fetch_and(!OPEN, Ordering::SeqCst);
        if state & HELPERS != 0 {
            self.wait_for_helpers();
        }
        self.taken.store(false, Ordering::Release);
        let panic = job.panic.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }

    fn wait_for_helpers(&self) {
        let done = || self.state.load(Ordering::SeqCst) & HELPERS == 0;
        if spin_until(done) {
            return;
        }
        let mut guard = lock(&self.finish);
        self.caller_sleeps.store(true, Ordering::SeqCst);
        while !done() {
            guard = self.finished.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        self.caller_sleeps.store(false, Ordering::SeqCst);
    }

    /// Starts helpers until there are `wanted`. A system that refuses more leaves the work to those there are.
    fn spawn_up_to(&'static self, wanted: usize) {
        for i in self.spawned.load(Ordering::Relaxed)..wanted {
            let helper = std::thread::Builder::new().name(format!("rustorch-{}", i + 1));
            if helper.spawn(|| self.help()).is_err() {
                break;
            }
            self.spawned.store(i + 1, Ordering::Relaxed);
        }
    }

    /// What a helper does all its life; it ends with the process.
    fn help(&self) {
        let mut last = 0;
        loop {
            let joinable = || {
                let state = self.state.load(Ordering::SeqCst);
                let open = state & OPEN != 0 && state / (2 * OPEN) != last;
                (open && state & HELPERS < self.limit.load(Ordering::Relaxed)).then_some(state)
            };
            if !spin_until(|| joinable().is_some()) {
                self.sleep_unless(|| joinable().is_some());
            }
            let Some(state) = joinable() else { continue };
            if self.state.compare_exchange(state, state + 1, Ordering::SeqCst, Ordering::Relaxed).is_err() {
                continue;
            }
            last = state / (2 * OPEN);
            // SAFETY: this helper is counted in `state`, and the job's caller waits for the count to be 0 before the
            // job leaves its stack.
            let job = unsafe { &*self.job.load(Ordering::Relaxed) };
            STOPPED.set(Some(&job.stopped));
            job.work();
            STOPPED.set(None);
            let left = self.state.fetch_sub(1, Ordering::SeqCst);
            if left & (HELPERS | OPEN) == 1 && self.caller_sleeps.load(Ordering::SeqCst) {
                drop(lock(&self.finish));
                self.finished.notify_one();
            }
        }
    }

    fn sleep_unless(&self, ready: impl Fn() -> bool) {
        let guard = lock(&self.sleep);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        // Not in a loop: who was woken too late for one job is awake for the next.
        if !ready() {
            drop(self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner));
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits actively, at most [`SPIN`]; whether `ready` came true.
fn spin_until(ready: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    loop {
        for _ in 0..16 {
            if ready() {
                return true;
            }
            std::hint::spin_loop();
        }
        if start.elapsed() > SPIN {
            return ready();
        }
    }
}

/// No code that can panic runs under these locks, so a poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn forget_pool_in_forked_children() {
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    extern "C" fn forget() {
        POOL.store(ptr::null_mut(), Ordering::Release);
    }
    // Not `Once`, which another thread may hold when this one forks.
    if !REGISTERED.swap(true, Ordering::AcqRel) {
        // SAFETY: `forget` only stores to an atomic, which is allowed in a child between `fork` and `exec`. A failure
        // (no memory) leaves the child with a pool without helpers, in which callers do the work.
        unsafe {
            libc::pthread_atfork(None, None, Some(forget));
        }
    }
}

#[cfg(not(unix))]
fn forget_pool_in_forked_children() {}

#[cfg(test)]
mod tests;
