//! Undoing broadcasts.

use rustorch_error::Result;

use crate::{Tensor, ops};

/// Sums a tensor down to a shape that broadcasts to its own; recorded.
pub fn sum_to_size(input: &Tensor, shape: &[usize]) -> Result<Tensor> {
    let lead = input.ndim() - shape.len();
    let dims: Vec<i64> = (0..input.ndim())
        .filter(|&d| d < lead || (shape[d - lead] == 1 && input.shape()[d] != 1))
        .map(|d| d as i64)
        .collect();
    if dims.is_empty() {
        return Ok(input.clone());
    }
    let summed = ops::sum(input, Some(&dims), true, Some(input.dtype()))?;
    if lead == 0 { Ok(summed) } else { super::shape_ops::reshape_to(&summed, shape) }
}
