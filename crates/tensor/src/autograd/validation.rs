//! Gradients that do not come from the library's own formulas: of hooks, of custom functions, of callers.

use rustorch_error::{Result, RusTorchError};

use super::node::{Gradients, Node};
use super::saved::Origin;
use crate::{DType, Tensor};

impl Origin {
    /// Whether a tensor has this shape and dtype, and is on this device.
    #[inline]
    pub fn is_of(&self, tensor: &Tensor) -> bool {
        tensor.shape() == self.shape.as_slice()
            && tensor.dtype() == self.dtype
            && tensor.device().is_same(self.device)
    }

    /// A gradient of what is of this shape and dtype, and on this device: one that was broadcast is summed, another dtype
    /// converted. `giver` gave it as its gradient `index`.
    #[inline]
    pub fn admit(&self, grad: Tensor, giver: &str, index: usize) -> Result<Tensor> {
        if self.is_of(&grad) { Ok(grad) } else { self.made_to_fit(grad, giver, index) }
    }

    #[cold]
    fn made_to_fit(&self, grad: Tensor, giver: &str, index: usize) -> Result<Tensor> {
        let refused = |got: String, expected: String| {
            RusTorchError::autograd(
                "backward",
                format!(
                    "Function {giver} returned an invalid gradient at index {index} - got {got} but expected {expected}"
                ),
            )
        };
        if !self.is_summed_from(grad.shape()) {
            let expected = format!("shape compatible with {:?}", self.shape.as_slice());
            return Err(refused(format!("{:?}", grad.shape()), expected));
        }
        if grad.dtype().is_complex() && !self.dtype.is_complex() {
            return Err(refused(grad.dtype().to_string(), self.dtype.to_string()));
        }
        if !grad.device().is_same(self.device) && grad.ndim() > 0 {
            return Err(refused(format!("device {}", grad.device()), format!("device {}", self.device)));
        }
        self.restore(grad)
    }

    /// What an unpack hook gave: of the shape and on the device of what was packed; a hook may keep another precision.
    pub(super) fn unpacked(&self, tensor: Tensor, node: &Node) -> Result<Tensor> {
        let kind = |dtype: DType| (dtype.is_floating_point(), dtype.is_complex());
        if tensor.shape() == self.shape.as_slice()
            && tensor.device().is_same(self.device)
            && kind(tensor.dtype()) == kind(self.dtype)
        {
            return self.restore(tensor);
        }
        Err(RusTorchError::autograd(
            "backward",
            format!(
                "an unpack hook gave {} a tensor of shape {:?}, {} on {} for one of shape {:?}, {} on {}",
                node.name(),
                tensor.shape(),
                tensor.dtype(),
                tensor.device(),
                self.shape.as_slice(),
                self.dtype,
                self.device
            ),
        ))
    }

    /// Whether a tensor of this shape can be broadcast to `shape`.
    fn is_summed_from(&self, shape: &[usize]) -> bool {
        let own = self.shape.as_slice();
        own.len() <= shape.len()
            && own.iter().rev().zip(shape.iter().rev()).all(|(&n, &wide)| n == wide || n == 1)
    }
}

/// What a hook gave in the place of a gradient: nothing, or one of the same kind.
pub(super) fn replacement(before: Option<&Tensor>, after: Option<Tensor>) -> Result<Option<Tensor>> {
    let Some(after) = after else { return Ok(None) };
    let changed = |what: &str, was: String, got: String| {
        RusTorchError::autograd("backward", format!("a hook has changed the {what} (was {was} got {got})"))
    };
    let Some(before) = before else {
        let message = "a hook can't replace a None gradient with a non-None value";
        return Err(RusTorchError::autograd("backward", message));
    };
    if before.shape() != after.shape() {
        return Err(changed(
            "size of a gradient",
            format!("{:?}", before.shape()),
            format!("{:?}", after.shape()),
        ));
    }
    if before.dtype() != after.dtype() {
        return Err(changed("dtype of a gradient", before.dtype().to_string(), after.dtype().to_string()));
    }
    if !before.device().is_same(after.device()) {
        return Err(changed("device of a gradient", before.device().to_string(), after.device().to_string()));
    }
    Ok(Some(after))
}

/// What a node's hook gave in the place of its gradients, each of which it may take away.
pub(super) fn replacements(before: &[Option<Tensor>], after: Gradients) -> Result<Gradients> {
    if after.len() != before.len() {
        let message = format!(
            "a hook has returned an incorrect number of gradients (got {}, expected {})",
            after.len(),
            before.len()
        );
        return Err(RusTorchError::autograd("backward", message));
    }
    before.iter().zip(after).map(|(before, after)| replacement(before.as_ref(), after)).collect()
}
