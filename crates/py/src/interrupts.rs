//! Work without the GIL, during which Python's signals are heard: Ctrl-C ends it with a KeyboardInterrupt.

use std::cell::{Cell, RefCell};

use pyo3::prelude::*;
use rustorch_backend::interrupts::interruptible;
use rustorch_backend::memory::fork;

thread_local! {
    /// What a handler of signals raised while this thread computed.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
    /// Whether this is the thread on which Python handles signals, and in which process that was found out.
    static IS_MAIN: Cell<Option<(u32, bool)>> = const { Cell::new(None) };
}

/// Runs `op` without the GIL. On the main thread it ends early when a signal's handler raises, and so does this.
pub fn detached<T: Send>(py: Python<'_>, op: impl FnOnce() -> T + Send) -> PyResult<T> {
    if !is_main(py)? {
        return Ok(py.detach(op));
    }
    py.detach(|| interruptible(must_stop, op))
        .map_err(|_| RAISED.take().unwrap_or_else(|| pyo3::exceptions::PyKeyboardInterrupt::new_err(())))
}

/// Python calls handlers of signals on the main thread alone.
fn is_main(py: Python<'_>) -> PyResult<bool> {
    let process = fork::generation();
    match IS_MAIN.get() {
        Some((found, is_main)) if found == process => Ok(is_main),
        _ => {
            let threading = py.import("threading")?;
            let main = threading.call_method0("main_thread")?;
            let is_main = threading.call_method0("get_ident")?.eq(main.getattr("ident")?)?;
            IS_MAIN.set(Some((process, is_main)));
            Ok(is_main)
        }
    }
}

/// Lets Python call the handlers of signals that have arrived; whether one raised.
fn must_stop() -> bool {
    Python::attach(|py| match py.check_signals() {
        Ok(()) => false,
        Err(error) => {
            RAISED.replace(Some(error));
            true
        }
    })
}
