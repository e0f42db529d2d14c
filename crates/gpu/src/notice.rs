//! Says why the first step on a device takes so long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustorch_backend::memory::fork::Mutex;

/// How long a program may have spent on compilations before it says so.
const PATIENCE: Duration = Duration::from_secs(2);

/// What all compilations of this process have taken until now.
static SPENT: Mutex<Duration> = Mutex::new(Duration::ZERO);

/// Whether it was said; once is enough.
static SAID: AtomicBool = AtomicBool::new(false);

/// Compiles; says so on stderr when this and what was compiled before take more than two seconds together.
pub(crate) fn watched<T>(kind: &str, compile: impl FnOnce() -> T) -> T {
    if SAID.load(Ordering::Relaxed) {
        return compile();
    }
    let left = PATIENCE.saturating_sub(*SPENT.lock());
    let start = Instant::now();
    let (done, waits) = mpsc::channel::<()>();
    let kind = kind.to_owned();
    let watcher = std::thread::Builder::new().name("rustorch-notice".into()).spawn(move || {
        let is_late = waits.recv_timeout(left) == Err(mpsc::RecvTimeoutError::Timeout);
        if is_late && !SAID.swap(true, Ordering::Relaxed) {
            eprintln!(
                "rustorch: compiling kernels for {kind}; the first use of each takes a while, later runs find them on disk"
            );
        }
    });
    let compiled = compile();
    drop(done);
    if let Ok(watcher) = watcher {
        // It ends at once now. Joined, so that no thread is left when the process is forked.
        let _ = watcher.join();
    }
    *SPENT.lock() += start.elapsed();
    compiled
}
