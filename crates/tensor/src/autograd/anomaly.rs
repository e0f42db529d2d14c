//! Anomaly mode: nodes remember where they were made, and gradients that are NaN are errors.

use std::sync::atomic::{AtomicBool, Ordering};

use rustorch_backend::memory::fork::OnceLock;
use rustorch_error::{Result, RusTorchError};

use super::node::{Gradients, Node};
use crate::{Tensor, ops};

static ENABLED: AtomicBool = AtomicBool::new(false);
static CHECK_NAN: AtomicBool = AtomicBool::new(true);
static TRACE: OnceLock<fn() -> Option<String>> = OnceLock::new();

/// Whether anomaly mode is on, and whether it looks for NaN.
#[inline]
pub fn is_enabled() -> (bool, bool) {
    (ENABLED.load(Ordering::Relaxed), CHECK_NAN.load(Ordering::Relaxed))
}

/// Turns anomaly mode on or off, for all threads.
pub fn set_enabled(enabled: bool, check_nan: bool) {
    ENABLED.store(enabled, Ordering::Relaxed);
    CHECK_NAN.store(check_nan, Ordering::Relaxed);
}

/// Sets the function that says where in the program an op is called.
pub fn set_trace(trace: fn() -> Option<String>) {
    // A second face asks for the same; the first one's answer stands.
    let _ = TRACE.set(trace);
}

/// Where the program is.
pub(super) fn trace() -> Option<String> {
    TRACE.get().and_then(|trace| trace())
}

fn has_nan(gradient: &Tensor) -> Result<bool> {
    let gradient = gradient.detach();
    Ok(ops::any(&ops::ne(&gradient, &gradient)?, None, false)?.item()?.to_bool())
}

/// Refuses gradients that are NaN.
pub(super) fn check(node: &Node, gradients: &Gradients) -> Result<()> {
    if is_enabled() != (true, true) {
        return Ok(());
    }
    for (index, gradient) in gradients.iter().enumerate() {
        let Some(gradient) = gradient else { continue };
        if gradient.dtype().is_differentiable() && has_nan(gradient)? {
            return Err(RusTorchError::autograd(
                "backward",
                format!(
                    "Function '{}' returned nan values in its {index}th output{}",
                    node.name(),
                    node.origin_note()
                ),
            ));
        }
    }
    Ok(())
}
