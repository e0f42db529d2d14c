//! Whether the same program gives the same bits each time.

use std::sync::atomic::{AtomicBool, Ordering};

static DETERMINISTIC: AtomicBool = AtomicBool::new(true);

/// Whether kernels must combine numbers in a fixed order, as they do unless [`use_deterministic_algorithms`] allowed
/// otherwise.
pub fn is_deterministic() -> bool {
    DETERMINISTIC.load(Ordering::Relaxed)
}

/// With `false`, a GPU may add what meets at one place in the order in which it comes, by atomic additions: faster where
/// much meets, and rounded differently each time.
pub fn use_deterministic_algorithms(mode: bool) {
    DETERMINISTIC.store(mode, Ordering::Relaxed);
}
