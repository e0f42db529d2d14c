//! Where gradients end: in the leaves.

use std::borrow::Cow;
use std::sync::{Arc, Weak};

use rustorch_error::{Result, RusTorchError};

use super::meta::Meta;
use super::node::{Backward, Gradients, Node};
use super::saved::Origin;
use super::{mode, validation};
use crate::{Tensor, ops};

impl Meta {
    /// Adds to the gradient. Several backward passes may do so at a time: one adds after the other, and a gradient that
    /// the program takes away or exchanges meanwhile counts as exchanged before.
    ///
    /// Where `in_place`, the tensor that holds the gradient stays the same.
    pub(super) fn accumulate(&self, grad: &Tensor, in_place: bool) -> Result<()> {
        let mut old = self.grad();
        // The engine may share one tensor among several leaves, and the user may change a gradient in place.
        let first =
            || if mode::is_enabled() { Ok(grad.clone()) } else { super::inplace::owned(grad.clone()) };
        if old.is_none() {
            if self.exchange_grad(None, first()?) {
                return Ok(());
            }
            old = self.grad();
        }
        // Not the lock of the state: what computes may wait for Python, and Python's threads read the state.
        let _alone = self.accumulation.lock();
        loop {
            let new = match &old {
                None => first()?,
                Some(old) => {
                    check_old(old, grad)?;
                    if in_place && !mode::is_enabled() {
                        return ops::add_(old, grad, 1.into());
                    }
                    ops::add(old, grad, 1.into())?
                }
            };
            if self.exchange_grad(old.as_ref(), new) {
                return Ok(());
            }
            old = self.grad();
        }
    }
}

/// A gradient from before may be of other data that the leaf had.
fn check_old(old: &Tensor, grad: &Tensor) -> Result<()> {
    if old.shape() == grad.shape() && old.dtype() == grad.dtype() && old.device().is_same(grad.device()) {
        return Ok(());
    }
    Err(RusTorchError::autograd(
        "backward",
        format!(
            "a gradient of shape {:?}, {} on {} cannot be added to a grad of shape {:?}, {} on {}; set grad to None first",
            grad.shape(),
            grad.dtype(),
            grad.device(),
            old.shape(),
            old.dtype(),
            old.device()
        ),
    ))
}

/// Adds what arrives to a leaf's gradient. A leaf that nobody holds any more has nobody to read its gradient.
pub(super) struct AccumulateGrad {
    meta: Weak<Meta>,
    /// What the leaf was when it came into the graph.
    origin: Origin,
}

impl AccumulateGrad {
    pub(super) fn new(leaf: &Tensor) -> Self {
        AccumulateGrad { meta: Arc::downgrade(&leaf.meta), origin: Origin::of(leaf) }
    }

    #[cold]
    fn exchanged(&self, variable: &Tensor) -> RusTorchError {
        RusTorchError::autograd(
            "backward",
            format!(
                "a leaf of shape {:?}, {} on {} was given other data, or another layout, between forward and backward: now                  it has shape {:?}, {} on {}; change it before the forward pass or after the backward pass",
                self.origin.shape.as_slice(),
                self.origin.dtype,
                self.origin.device,
                variable.shape(),
                variable.dtype(),
                variable.device()
            ),
        )
    }
}

impl Backward for AccumulateGrad {
    fn name(&self) -> Cow<'static, str> {
        "AccumulateGrad".into()
    }

    fn leaf(&self) -> Option<Tensor> {
        let meta = self.meta.upgrade()?;
        meta.shown().map(|body| Tensor { body, meta })
    }

    fn accumulates(&self) -> bool {
        true
    }

    fn backward(&self, node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
        let (Some(Some(arrived)), Some(meta)) = (grads.first(), self.meta.upgrade()) else {
            return Ok(Gradients::new());
        };
        let Some((body, is_current)) = meta.arrival(node) else { return Ok(Gradients::new()) };
        let variable = Tensor { body, meta };
        if !is_current {
            return Err(self.exchanged(&variable));
        }
        let arrived = self.origin.admit(arrived.clone(), "AccumulateGrad", 0)?;
        let grad = apply_leaf_hooks(&variable, arrived)?;
        variable.meta.accumulate(&grad, true)?;
        drop(grad);
        for hook in variable.meta.after_accumulate_hooks() {
            hook(&variable)?;
        }
        Ok(Gradients::new())
    }
}

/// The gradient of a leaf after its hooks have seen it.
pub(super) fn apply_leaf_hooks(variable: &Tensor, mut grad: Tensor) -> Result<Tensor> {
    for hook in variable.meta.leaf_hooks() {
        if let Some(replaced) = validation::replacement(Some(&grad), hook(&grad)?)? {
            grad = replaced;
        }
    }
    Ok(grad)
}
