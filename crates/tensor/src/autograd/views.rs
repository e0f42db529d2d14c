//! In-place ops on views: the base's history takes them in, and views of it follow.

use std::borrow::Cow;
use std::sync::Arc;

use rustorch_error::{Result, RusTorchError};

use super::mode;
use super::node::{Backward, Edges, Gradients, Node};
use super::saved::Origin;
use crate::operations::elementwise::contiguous_copy;
use crate::{DType, Layout, Tensor, ops};

/// Where a view lies in a row-major tensor of its base's shape.
struct Place {
    base: Origin,
    /// Relative to the base's first element, in elements of the view.
    layout: Layout,
    /// The view's: that of the base, or of its parts, or of what its elements are parts of.
    dtype: DType,
}

impl Place {
    fn of(view: &Tensor, base: &Tensor) -> Self {
        let layout = view.layout();
        let first = base.layout().offset() * base.dtype().size() / view.dtype().size();
        let offset = layout.offset().wrapping_sub(first);
        Place {
            dtype: view.dtype(),
            base: Origin::of(base),
            layout: layout.with(layout.shape().into(), layout.strides().into(), offset),
        }
    }
}

impl Place {
    /// Zeros of the base's shape with the view's gradient in its place.
    fn scatter(&self, grad: &Tensor) -> Result<Tensor> {
        let signed = |sizes: &[usize]| sizes.iter().map(|&n| n as i64).collect::<Vec<_>>();
        let mut base: Vec<i64> = signed(&self.base.shape);
        let mut shape = signed(self.layout.shape());
        let mut strides: Vec<i64> = self.layout.strides().iter().map(|&s| s as i64).collect();
        let mut offset = self.layout.offset() as i64;
        if self.dtype == self.base.dtype {
            return ops::as_strided_scatter(grad, &base, &shape, &strides, Some(offset));
        }
        // One of them is complex: both as real parts.
        let mut grad = grad.clone();
        if self.dtype.is_complex() {
            grad = ops::view_as_real(&grad)?;
            shape.push(2);
            strides = strides.iter().map(|s| s * 2).chain([1]).collect();
            offset *= 2;
        }
        if !self.base.dtype.is_complex() {
            return ops::as_strided_scatter(&grad, &base, &shape, &strides, Some(offset));
        }
        base.push(2);
        ops::view_as_complex(&ops::as_strided_scatter(&grad, &base, &shape, &strides, Some(offset))?)
    }
}

/// Whether a base is row-major and a view of it reaches only the base's own elements; `as_strided` can reach others.
pub(super) fn is_window(view: &Tensor, base: &Tensor) -> bool {
    let (size, wide) = (view.dtype().size(), base.dtype().size());
    let first = base.layout().offset() * wide;
    let end = first + base.numel() * wide;
    base.is_contiguous()
        && view.layout().span().is_none_or(|(low, high)| low * size >= first && (high + 1) * size <= end)
}

/// The history of a view whose base has been written: the view is a strided window into the base.
pub(super) fn as_strided_node(view: &Tensor, base: &Tensor) -> Node {
    let operation = AsStrided { place: Place::of(view, base), window: is_window(view, base) };
    Node::new(Arc::new(operation), std::iter::once(base.edge()).collect::<Edges>())
}

struct AsStrided {
    place: Place,
    window: bool,
}

impl Backward for AsStrided {
    fn name(&self) -> Cow<'static, str> {
        "AsStridedBackward0".into()
    }

    fn backward(&self, _node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
        let Some(grad) = &grads[0] else { return Ok(smallvec::smallvec![None]) };
        if !self.window {
            return Err(RusTorchError::autograd(
                "backward",
                "a view was used after its base had been changed in place, and the base is not contiguous or the view \
                 reaches beyond it; take the view after the in-place operation",
            ));
        }
        Ok(smallvec::smallvec![Some(self.place.scatter(grad)?)])
    }
}

/// An in-place op on a part of a tensor, as that tensor's history sees it.
pub(super) struct CopySlices {
    operation: Arc<dyn Backward>,
    place: Place,
}

impl CopySlices {
    /// `operation` wrote the view `view` of `base`.
    pub(super) fn new(operation: Arc<dyn Backward>, view: &Tensor, base: &Tensor) -> Self {
        CopySlices { operation, place: Place::of(view, base) }
    }
}

impl Backward for CopySlices {
    fn name(&self) -> Cow<'static, str> {
        "CopySlices".into()
    }

    fn backward(&self, node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
        let Some(grad) = &grads[0] else { return Ok(smallvec::smallvec![None; node.next().len()]) };
        if mode::is_enabled() {
            return Err(RusTorchError::autograd(
                "backward",
                format!(
                    "{} was applied in place to a view, and its gradient cannot be differentiated again \
                     (create_graph=True); use the form that is not in place",
                    self.operation.name()
                ),
            ));
        }
        let base = contiguous_copy(grad)?;
        let window = base.alias_as(self.place.layout.clone(), self.place.dtype);
        let mut gradients = self.operation.backward(node, &[Some(contiguous_copy(&window)?)])?;
        match gradients.first_mut().and_then(Option::take) {
            Some(inner) => window.backend()?.copy(inner.operand(), window.operand())?,
            None => window.backend()?.fill(window.operand(), 0.into())?,
        }
        if let Some(first) = gradients.first_mut() {
            *first = Some(base);
        }
        Ok(gradients)
    }
}
