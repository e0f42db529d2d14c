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

/// Whether an object is there, from its first field, an `Arc` or made of them. The collector may look at an object that
/// Python is still making: that is all zeros, since a class with a dictionary makes the dictionary before the rest is written.
pub fn is_made<T>(field: *const T) -> bool {
    const { assert!(size_of::<T>() >= size_of::<usize>() && align_of::<T>() == align_of::<usize>()) };
    // SAFETY: the field is there, if only as zeros, and begins with an address.
    unsafe { field.cast::<usize>().read() != 0 }
}

/// Shows the collector the Python objects that `walk` finds in an object that is `made`.
pub fn traverse(
    made: bool,
    visit: &PyVisit<'_>,
    walk: impl FnOnce(&mut dyn FnMut(&(dyn Any + Send + Sync))),
) -> Result<(), PyTraverseError> {
    if !made || PASSES.load(Ordering::SeqCst) > 0 {
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
