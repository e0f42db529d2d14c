//! What in-place ops owe the graph.

use std::sync::Arc;

use rustorch_error::{Result, RusTorchError};

use super::node::{Backward, Edge, Edges, Node};
use super::{is_recording, mode};
use crate::Tensor;
use crate::operations::elementwise;

/// Refuses an in-place write that the graph does not allow, and one that would write an element twice.
pub fn check_inplace(op: &'static str, target: &Tensor, others: &[&Tensor]) -> Result<()> {
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
        return Err(RusTorchError::autograd(
            op,
            "a leaf Variable that requires grad is being used in an in-place operation; do it under no_grad()",
        ));
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

/// The in-place form of an op that has no kernel of its own for it: writes `value` into `target`.
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

/// What an op that becomes others reads of the tensor it will be written into: a copy, where those others are recorded
/// and may keep it.
pub fn original(target: &Tensor) -> Result<Tensor> {
    if is_recording(&[target]) { crate::ops::clone(target) } else { Ok(target.clone()) }
}

/// The content of a tensor before an in-place op, with its history.
pub fn snapshot(tensor: &Tensor) -> Result<Tensor> {
    crate::ops::clone(tensor)
}

/// The tensor itself when nobody else holds it or its storage, a copy otherwise.
pub(super) fn owned(grad: Tensor) -> Result<Tensor> {
    let alone = Arc::strong_count(&grad.body) == 1 && Arc::strong_count(&grad.body.storage) == 1;
    if alone && !grad.requires_grad() && grad.is_contiguous() {
        return Ok(grad);
    }
    elementwise::contiguous_copy(&grad)
}
