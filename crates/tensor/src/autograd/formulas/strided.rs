//! The gradient of `as_strided`, which sees the storage and not the tensor.

use std::borrow::Cow;
use std::sync::Arc;

use rustorch_backend::Layout;
use rustorch_error::Result;

use crate::autograd::{Backward, Gradients, Node, Origin};
use crate::{Tensor, ops};

struct AsStridedBackward {
    input: Origin,
    from: Layout,
    to: Layout,
}

/// The node of `as_strided`, which shows `input`'s storage in the layout `to`.
pub fn as_strided_node(input: &Tensor, to: &Layout) -> Arc<dyn Backward> {
    Arc::new(AsStridedBackward { input: Origin::of(input), from: input.layout().clone(), to: to.clone() })
}

fn signed(values: &[usize]) -> Vec<i64> {
    values.iter().map(|&n| n as i64).collect()
}

fn strides(layout: &Layout) -> Vec<i64> {
    layout.strides().iter().map(|&s| s as i64).collect()
}

/// Zeros, `length` of them, to which `values` are added where a layout says that they lie, counted from `first` on.
fn spread(values: &Tensor, layout: &Layout, first: usize, length: usize) -> Result<Tensor> {
    let offset = (layout.offset() - first) as i64;
    ops::as_strided_backward(
        values,
        &[length as i64],
        &signed(layout.shape()),
        &strides(layout),
        Some(offset),
    )
}

/// The sum over the dimensions along which a layout stays where it is, and the layout without them.
fn without_repetitions(grad: &Tensor, layout: &Layout) -> Result<(Tensor, Layout)> {
    let repeated = |d: &usize| layout.strides()[*d] == 0 && layout.shape()[*d] > 1;
    let dims: Vec<i64> = (0..layout.ndim()).filter(repeated).map(|d| d as i64).collect();
    if dims.is_empty() {
        return Ok((grad.clone(), layout.clone()));
    }
    let sum = ops::sum(grad, Some(&dims), true, None)?;
    Ok((sum, layout.without_repetitions()))
}

impl AsStridedBackward {
    /// The gradient of the memory that both see, shown where the input lies in it. Where several of the input's elements
    /// lie on one another, each gets an equal part: what they come from adds the parts up.
    fn gradient(&self, grad: &Tensor) -> Result<Tensor> {
        let (Some((low, high)), Some((lowest, highest))) = (self.from.span(), self.to.span()) else {
            return self.input.zeros();
        };
        let (first, last) = (low.min(lowest), high.max(highest));
        let length = last - first + 1;
        let (grad, to) = without_repetitions(grad, &self.to)?;
        let mut memory = spread(&grad, &to, first, length)?;
        if self.from.overlaps_itself() {
            let dtype = Some(grad.dtype().to_real());
            let ones = ops::ones(&signed(&self.input.shape), dtype, Some(grad.device()), false)?;
            let count = spread(&ones, &self.from, first, length)?;
            memory = ops::div(&memory, &ops::clamp_min(&count, &Tensor::number(1)?)?, None)?;
        }
        let offset = Some((self.from.offset() - first) as i64);
        let shown = ops::as_strided(&memory, &signed(&self.input.shape), &strides(&self.from), offset)?;
        ops::contiguous(&shown)
    }
}

impl Backward for AsStridedBackward {
    fn name(&self) -> Cow<'static, str> {
        "AsStridedBackward0".into()
    }

    fn backward(&self, _node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
        let Some(grad) = &grads[0] else { return Ok(smallvec::smallvec![None]) };
        Ok(smallvec::smallvec![Some(self.input.restore(self.gradient(grad)?)?)])
    }
}
