//! Gradients of views and joins.

use rustorch_error::Result;

use crate::autograd::{Gradients, Origin};
use crate::operations::shape_ops::{permutation, reshape_to};
use crate::{Tensor, ops};

/// The gradient under the input's shape.
pub fn reshape_as_shape(grad: &Tensor, shape: &[usize]) -> Result<Tensor> {
    reshape_to(grad, shape)
}

/// The dimensions back in their order.
pub fn inverse_permute(grad: &Tensor, dims: &[i64]) -> Result<Tensor> {
    let order = permutation("permute", grad, dims)?;
    let mut inverse = vec![0; order.len()];
    for (i, &d) in order.iter().enumerate() {
        inverse[d] = i as i64;
    }
    ops::permute(grad, &inverse)
}

fn sizes(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&n| n as i64).collect()
}

/// Zeros of `shape` in which `write` puts the gradient; recorded through `copy_` into a view only by way of its ops.
pub fn select_grad(grad: &Tensor, shape: &[usize], dim: i64, index: i64) -> Result<Tensor> {
    let d = rustorch_backend::normalize_dim("select", dim, shape.len())? as i64;
    let index = if index < 0 { index + shape[d as usize] as i64 } else { index };
    ops::slice_scatter(&ops::unsqueeze(grad, d)?, &sizes(shape), d, index, index + 1, 1)
}

/// Zeros with the gradient at the slice.
pub fn slice_grad(
    grad: &Tensor,
    shape: &[usize],
    dim: i64,
    start: i64,
    end: i64,
    step: i64,
) -> Result<Tensor> {
    ops::slice_scatter(grad, &sizes(shape), dim, start, end, step)
}

/// Zeros with the gradient on the diagonal.
pub fn diagonal_grad(grad: &Tensor, shape: &[usize], offset: i64, dim1: i64, dim2: i64) -> Result<Tensor> {
    ops::diagonal_scatter(grad, &sizes(shape), offset, dim1, dim2)
}

/// The gradient cut into the parts that were joined.
pub fn cat_grad(grad: &Tensor, origins: &[Origin], dim: i64) -> Result<Gradients> {
    let d = grad.dim_index("cat", dim)?;
    let mut at = 0;
    origins
        .iter()
        .map(|origin| {
            // The legacy empty vector that may join anything got nothing.
            if origin.shape.len() != grad.ndim() {
                return origin.zeros().map(Some);
            }
            let n = origin.shape[d] as i64;
            at += n;
            let part = ops::slice(grad, d as i64, at - n, at, 1)?;
            origin.restore(part).map(Some)
        })
        .collect()
}

/// The gradient of `as_strided`: window by window into zeros of the input's shape.
pub fn as_strided_grad(
    grad: &Tensor,
    input: &Tensor,
    size: &[i64],
    stride: &[i64],
    storage_offset: Option<i64>,
) -> Result<Tensor> {
    if !input.is_contiguous() {
        return Err(rustorch_error::RusTorchError::autograd(
            "backward",
            format!(
                "the gradient of as_strided() needs a contiguous input, got shape {:?} and strides {:?}",
                input.shape(),
                input.strides()
            ),
        ));
    }
    let offset = storage_offset.map_or(0, |o| o - input.layout().offset() as i64);
    ops::as_strided_scatter(grad, &sizes(input.shape()), size, stride, Some(offset))
}
