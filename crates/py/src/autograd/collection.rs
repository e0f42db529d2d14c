//! Cycles through the graph: a hook that refers to its tensor, a context that refers to an output. Python's collector
//! sees them through these.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// How many backward passes run.
static PASSES: AtomicUsize = AtomicUsize::new(0);

/// A backward pass, as long as it lives.
///
/// A pass takes handles of tensors that it finds by way of the graph, without the GIL. The collector looks twice at who
/// holds what, and must see the same: it does not look while a pass runs. A pass begins with the GIL held, which the
/// collector holds, too, so none begins between its looks; that one ends there does no harm.
pub struct Pass(());

impl Pass {
    /// A pass begins.
    pub fn begin(_py: Python<'_>) -> Self {
        PASSES.fetch_add(1, Ordering::SeqCst);
        Pass(())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        PASSES.fetch_sub(1, Ordering::SeqCst);
    }
}

/// True in an object that is there. The collector may look at one that Python is still making: that is all zeros, since
/// a class with a dictionary makes the dictionary before the rest is written.
pub struct Made(bool);

impl Made {
    /// Of an object that is there.
    pub const YES: Self = Made(true);
}

/// Shows the collector the Python objects that `walk` finds.
pub fn traverse(
    made: &Made,
    visit: &PyVisit<'_>,
    walk: impl FnOnce(&mut dyn FnMut(&(dyn Any + Send + Sync))),
) -> Result<(), PyTraverseError> {
    if !made.0 || PASSES.load(Ordering::SeqCst) > 0 {
        return Ok(());
    }
    let mut result = Ok(());
    walk(&mut |object| {
        if result.is_ok()
            && let Some(object) = object.downcast_ref::<Py<PyAny>>()
        {
            result = visit.call(object);
        }
    });
    result
}
