//! Row-major copies, and layouts without gaps.

use rustorch_backend::Layout;
use rustorch_error::Result;
use smallvec::SmallVec;

use crate::Tensor;

/// A row-major copy without history.
pub fn contiguous_copy(tensor: &Tensor) -> Result<Tensor> {
    let copy = Tensor::empty(tensor.shape(), tensor.dtype(), tensor.device())?;
    tensor.backend()?.copy(tensor.operand(), copy.operand())?;
    Ok(copy)
}

/// The tensor itself if it is row-major, else a row-major copy; without history.
pub fn contiguous(tensor: &Tensor) -> Result<Tensor> {
    if tensor.is_contiguous() { Ok(tensor.detach()) } else { contiguous_copy(tensor) }
}

/// The layout of the first input, when it is dense but not row-major and all have its shape and strides.
pub(crate) fn dense_layout(inputs: &[&Tensor], shape: &[usize]) -> Option<Layout> {
    let first = inputs[0];
    if first.is_contiguous() || first.shape() != shape {
        return None;
    }
    if inputs[1..].iter().any(|t| t.ndim() > 0 && (t.shape() != shape || t.strides() != first.strides())) {
        return None;
    }
    let mut order: SmallVec<[usize; 5]> = (0..shape.len()).collect();
    order.sort_by_key(|&d| std::cmp::Reverse(first.strides()[d]));
    let permuted = first.layout().permute(&order);
    if permuted.is_contiguous() { first.layout().at_offset("empty", 0).ok() } else { None }
}
