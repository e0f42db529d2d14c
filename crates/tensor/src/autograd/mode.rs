//! Whether ops are recorded, per thread.

use std::cell::Cell;

thread_local! {
    static ENABLED: Cell<bool> = const { Cell::new(true) };
    static INFERENCE: Cell<bool> = const { Cell::new(false) };
}

/// Whether ops on this thread are recorded.
#[inline]
pub fn is_enabled() -> bool {
    ENABLED.get()
}

/// Sets whether ops on this thread are recorded; gives what was set before.
#[inline]
pub fn set_enabled(enabled: bool) -> bool {
    ENABLED.replace(enabled)
}

/// Whether storages made on this thread are for inference alone.
#[inline]
pub fn is_inference() -> bool {
    INFERENCE.get()
}

/// Sets whether storages made on this thread are for inference alone; gives what was set before.
pub fn set_inference(inference: bool) -> bool {
    INFERENCE.replace(inference)
}

/// Sets the mode while it lives.
#[derive(Debug)]
pub struct GradMode {
    previous: bool,
}

impl GradMode {
    /// Records (or not) until the guard is dropped.
    #[must_use = "the mode returns to what it was when the guard is dropped"]
    pub fn set(enabled: bool) -> Self {
        GradMode { previous: set_enabled(enabled) }
    }

    /// Does not record until the guard is dropped.
    #[must_use = "the mode returns to what it was when the guard is dropped"]
    pub fn no_grad() -> Self {
        Self::set(false)
    }
}

impl Drop for GradMode {
    fn drop(&mut self) {
        set_enabled(self.previous);
    }
}
