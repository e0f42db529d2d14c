//! What in-place ops owe the graph.

use std::cell::RefCell;
use std::sync::Arc;

use rustorch_error::{Result, RusTorchError};

use super::mode::{self, GradMode};
use super::node::{Backward, Edge, Edges, Node};
use super::{hooks, is_recording};
use crate::Tensor;
use crate::operations::memory_overlap::share_storage;
use crate::operations::{contiguity, elementwise};

/// Refuses an in-place write that the graph does not allow, and one that would write an element twice.
pub fn check_inplace(op: &'static str, target: &Tensor, others: &[&Tensor]) -> Result<()> {
    // Half of the write would be worse than none.
    rustorch_backend::interrupts::forbid();
    if target.layout().overlaps_itself() {
        return Err(RusTorchError::argument(
            op,
            format!(
                "unsupported operation: several elements of the written-to tensor of shape {:?} and strides {:?} \
                 refer to a single memory location; clone() it before writing",
                target.shape(),
                target.strides()
            ),
        ));
    }
    if target.storage().is_inference() && !mode::is_inference() {
        return Err(RusTorchError::autograd(
            op,
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a \
             normal tensor before doing inplace update",
        ));
    }
    if !mode::is_enabled() {
        return Ok(());
    }
    if target.requires_grad() && target.is_leaf() {
        return Err(leaf_error(op));
    }
    if let Some(base) = target.base()
        && (base.requires_grad() || target.requires_grad() || is_recording(others))
    {
        if base.requires_grad() && base.is_leaf() {
            return Err(RusTorchError::autograd(
                op,
                "a view of a leaf Variable that requires grad is being used in an in-place operation; \
                 do it under no_grad()",
            ));
        }
        if !target.follows_base() {
            return Err(RusTorchError::autograd(
                op,
                "a view that was created in no_grad mode is being modified inplace with grad mode enabled; make the \
                 view with grad mode enabled, or clone() it",
            ));
        }
        if !super::views::is_window(target, &base) {
            return Err(RusTorchError::autograd(
                op,
                format!(
                    "an in-place operation on a view cannot be recorded when its base (shape {:?}, strides {:?}) has \
                     gaps or the view reaches beyond it; clone() the base first",
                    base.shape(),
                    base.strides()
                ),
            ));
        }
    }
    Ok(())
}

/// Replaces the history of a tensor that an in-place op has changed.
pub fn rebase(target: &Tensor, operation: Arc<dyn Backward>, mut edges: Edges) {
    if target.follows_base()
        && let Some(base) = target.base()
    {
        // The base has changed where the view lies; the view's own history follows from the base's from now on.
        edges[0] = base.edge();
        let operation = Arc::new(super::views::CopySlices::new(operation, target, &base));
        base.set_history(Edge { node: Arc::new(Node::new(operation, edges)), index: 0 });
        return;
    }
    target.set_history(Edge { node: Arc::new(Node::new(operation, edges)), index: 0 });
}

/// Writes the result `value` of an op into `target`, whose dtype must hold it and whose shape must be the same.
pub fn assign(op: &'static str, target: &Tensor, value: &Tensor) -> Result<()> {
    if !crate::can_cast(value.dtype(), target.dtype()) {
        return Err(RusTorchError::dtype(
            op,
            format!(
                "result type {} can't be cast to the desired output type {}",
                value.dtype(),
                target.dtype()
            ),
        ));
    }
    if value.shape() != target.shape() {
        return Err(elementwise::output_shape_error(op, target.shape(), value.shape()));
    }
    crate::ops::copy_(target, value, false)
}

thread_local! {
    /// What the in-place ops that compute now on this thread will be written into.
    static OVERWRITTEN: RefCell<Vec<Tensor>> = const { RefCell::new(Vec::new()) };
}

/// Ends, when dropped, what [`overwrite`] began.
struct Overwriting;

impl Overwriting {
    fn begin(target: &Tensor) -> Self {
        OVERWRITTEN.with_borrow_mut(|targets| targets.push(target.detach()));
        hooks::watch();
        Overwriting
    }
}

impl Drop for Overwriting {
    fn drop(&mut self) {
        hooks::unwatch();
        let ended = OVERWRITTEN.with_borrow_mut(Vec::pop);
        drop(ended);
    }
}

/// Whether this thread is about to write where the tensor lies.
pub(super) fn is_overwritten(tensor: &Tensor) -> bool {
    OVERWRITTEN.with_borrow(|targets| targets.iter().any(|t| share_storage(t, tensor)))
}

/// The in-place form of an op that has no kernel of its own for it: writes what `compute` gives into `target`. What is
/// saved meanwhile is copied where it shares the target's memory, since the write comes after.
pub fn overwrite(op: &'static str, target: &Tensor, compute: impl FnOnce() -> Result<Tensor>) -> Result<()> {
    check_inplace(op, target, &[])?;
    let value = if mode::is_enabled() {
        let _overwriting = Overwriting::begin(target);
        compute()?
    } else {
        compute()?
    };
    assign(op, target, &value)
}

/// The in-place form of a view: what the tensor is from now on, in the layout that `view` gives it.
pub fn relayout(
    op: &'static str,
    target: &Tensor,
    view: impl FnOnce(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    if target.requires_grad() && target.is_leaf() && mode::is_enabled() {
        return Err(leaf_error(op));
    }
    if target.requires_grad() && !target.is_leaf() {
        // The tensor from before stays in the graph, with what has been saved of it and with its views, as the new one's
        // base. No mode leaves its history with another shape than its own.
        let _mode = GradMode::set(true);
        let changed = view(target)?;
        if target.retains_grad() {
            changed.retain_grad()?;
        }
        return Ok(changed);
    }
    let _mode = GradMode::no_grad();
    Ok(target.with_layout_of(&view(target)?))
}

#[cold]
fn leaf_error(op: &'static str) -> RusTorchError {
    RusTorchError::autograd(
        op,
        "a leaf Variable that requires grad is being used in an in-place operation; do it under no_grad()",
    )
}

/// The tensor itself when nobody else holds it or its storage, a copy otherwise.
pub(super) fn owned(grad: Tensor) -> Result<Tensor> {
    let alone = Arc::strong_count(&grad.body) == 1 && Arc::strong_count(&grad.body.storage) == 1;
    if alone && !grad.requires_grad() && grad.is_contiguous() {
        return Ok(grad);
    }
    contiguity::contiguous_copy(&grad)
}
