//! In-place ops on views: the base's history takes them in, and views of it follow.

use std::borrow::Cow;
use std::sync::Arc;

use rustorch_error::{Result, RusTorchError};

use super::mode;
use super::node::{Backward, Edge, Edges, Gradients, Node};
use super::saved::Origin;
use crate::operations::contiguity::contiguous_copy;
use crate::{DType, Layout, Tensor, ops};
use rustorch_backend::Dims;

/// Where a view lies in its base, whose elements lie without gaps.
struct ViewGeometry {
    base: Origin,
    /// The base's dimensions in the order in which they lie in memory, if that is not theirs.
    order: Option<Dims<usize>>,
    /// Relative to the base's first element, in elements of the view.
    layout: Layout,
    /// The view's: that of the base, or of its parts, or of what its elements are parts of.
    dtype: DType,
}

impl ViewGeometry {
    fn of(view: &Tensor, base: &Tensor) -> Self {
        let layout = view.layout();
        let first = base.layout().offset() * base.dtype().size() / view.dtype().size();
        // A view that begins before its base is none of its windows.
        let relative = layout.offset().checked_sub(first);
        let relative = relative.and_then(|offset| layout.at_offset("view", offset).ok());
        ViewGeometry {
            dtype: view.dtype(),
            base: Origin::of(base),
            order: dense_order(base.layout()).filter(|_| !base.is_contiguous()),
            layout: relative.unwrap_or_else(|| layout.clone()),
        }
    }
}

/// The order of dimensions in which a layout is row-major, if there is one.
fn dense_order(layout: &Layout) -> Option<Dims<usize>> {
    let mut order: Dims<usize> = (0..layout.ndim()).collect();
    order.sort_by_key(|&d| std::cmp::Reverse(layout.strides()[d]));
    layout.permute(&order).is_contiguous().then_some(order)
}

impl ViewGeometry {
    /// A tensor of the base's shape with its dimensions in the order of the base's memory.
    fn ordered(&self, tensor: &Tensor) -> Result<Tensor> {
        match &self.order {
            Some(order) => ops::permute(tensor, &order.iter().map(|&d| d as i64).collect::<Vec<_>>()),
            None => Ok(tensor.clone()),
        }
    }

    /// The reverse of `ordered`.
    fn restored(&self, tensor: &Tensor) -> Result<Tensor> {
        let Some(order) = &self.order else { return Ok(tensor.clone()) };
        let mut back = vec![0; order.len()];
        for (from, &to) in order.iter().enumerate() {
            back[to] = from as i64;
        }
        ops::permute(tensor, &back)
    }

    /// The view's part of a row-major tensor of the base's ordered shape and dtype, as recorded ops see it.
    fn window(&self, base: &Tensor) -> Result<Tensor> {
        let size: Vec<i64> = self.layout.shape().iter().map(|&n| n as i64).collect();
        let stride: Vec<i64> = self.layout.strides().iter().map(|&s| s as i64).collect();
        let same = match (self.dtype.is_complex(), base.dtype().is_complex()) {
            (false, true) => ops::view_as_real(base)?,
            (true, false) => ops::view_as_complex(&ops::reshape(base, &[-1, 2])?)?,
            _ => base.clone(),
        };
        ops::as_strided(&same, &size, &stride, Some(self.layout.offset() as i64))
    }

    /// Zeros of the base's shape with the view's gradient in its place.
    fn scatter(&self, grad: &Tensor) -> Result<Tensor> {
        let signed = |sizes: &[usize]| sizes.iter().map(|&n| n as i64).collect::<Vec<_>>();
        let mut base: Vec<i64> = signed(&self.base.shape);
        if let Some(order) = &self.order {
            base = order.iter().map(|&d| base[d]).collect();
        }
        let mut shape = signed(self.layout.shape());
        let mut strides: Vec<i64> = self.layout.strides().iter().map(|&s| s as i64).collect();
        let mut offset = self.layout.offset() as i64;
        if self.dtype == self.base.dtype {
            return self.restored(&ops::as_strided_backward(grad, &base, &shape, &strides, Some(offset))?);
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
            return self.restored(&ops::as_strided_backward(&grad, &base, &shape, &strides, Some(offset))?);
        }
        base.push(2);
        let parts = ops::as_strided_backward(&grad, &base, &shape, &strides, Some(offset))?;
        self.restored(&ops::view_as_complex(&parts)?)
    }
}

/// Whether a base has no gaps and a view of it reaches only the base's own elements; `as_strided` can reach others.
pub(super) fn is_window(view: &Tensor, base: &Tensor) -> bool {
    let (size, wide) = (view.dtype().size(), base.dtype().size());
    let first = base.layout().offset() * wide;
    let end = base.numel().saturating_mul(wide).saturating_add(first);
    dense_order(base.layout()).is_some()
        && view.layout().span().is_none_or(|(low, high)| low * size >= first && (high + 1) * size <= end)
}

/// The history of a view whose base has been written: the view is a strided window into the base.
pub(super) fn as_strided_node(view: &Tensor, base: &Tensor) -> Node {
    let operation =
        AsStrided { geometry: Arc::new(ViewGeometry::of(view, base)), window: is_window(view, base) };
    Node::new(Arc::new(operation), std::iter::once(base.edge()).collect::<Edges>())
}

struct AsStrided {
    geometry: Arc<ViewGeometry>,
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
                "a view was used after its base had been changed in place, and the base has gaps or the view \
                 reaches beyond it; take the view after the in-place operation",
            ));
        }
        Ok(smallvec::smallvec![Some(self.geometry.scatter(grad)?)])
    }
}

/// An in-place op on a part of a tensor, as that tensor's history sees it.
pub(super) struct CopySlices {
    operation: Arc<dyn Backward>,
    geometry: Arc<ViewGeometry>,
}

impl CopySlices {
    /// `operation` wrote the view `view` of `base`.
    pub(super) fn new(operation: Arc<dyn Backward>, view: &Tensor, base: &Tensor) -> Self {
        CopySlices { operation, geometry: Arc::new(ViewGeometry::of(view, base)) }
    }

    /// The gradients, made of recorded ops.
    fn recorded(&self, node: &Arc<Node>, grad: &Tensor) -> Result<Gradients> {
        let geometry = &self.geometry;
        // Two copies: what is read below stays as it is when the other is written.
        let grad = ops::contiguous(&geometry.ordered(grad)?)?;
        let (arrived, base) = (ops::clone(&grad)?, ops::clone(&grad)?);
        let arrived = geometry.window(&arrived)?;
        // What the op saved of its result is a window of this node's output.
        let window = AsStrided { geometry: geometry.clone(), window: true };
        let edges = smallvec::smallvec![Some(Edge { node: node.clone(), index: 0 })];
        let window = Edge { node: Arc::new(Node::new(Arc::new(window), edges)), index: 0 };
        let inner = Arc::new(node.standing_in(self.operation.clone(), window));
        let mut gradients = self.operation.backward(&inner, &[Some(ops::clone(&arrived)?)])?;
        if let Some(first) = gradients.first_mut() {
            let part = match first.take() {
                Some(part) => part,
                None => ops::zeros_like(&arrived, None, None, false)?,
            };
            // A write into a view again, which is recorded in its turn.
            ops::copy_(&geometry.window(&base)?, &part, false)?;
            *first = Some(geometry.restored(&base)?);
        }
        Ok(gradients)
    }
}

impl Backward for CopySlices {
    fn name(&self) -> Cow<'static, str> {
        "CopySlices".into()
    }

    fn backward(&self, node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
        let Some(grad) = &grads[0] else { return Ok(smallvec::smallvec![None; node.next().len()]) };
        if mode::is_enabled() {
            return self.recorded(node, grad);
        }
        let base = contiguous_copy(&self.geometry.ordered(grad)?)?;
        let window = base.alias_as(self.geometry.layout.clone(), self.geometry.dtype);
        let mut gradients = self.operation.backward(node, &[Some(contiguous_copy(&window)?)])?;
        match gradients.first_mut().and_then(Option::take) {
            Some(inner) => window.backend()?.copy(inner.operand(), window.operand())?,
            None => window.backend()?.fill(window.operand(), 0.into())?,
        }
        if let Some(first) = gradients.first_mut() {
            *first = Some(self.geometry.restored(&base)?);
        }
        Ok(gradients)
    }
}
