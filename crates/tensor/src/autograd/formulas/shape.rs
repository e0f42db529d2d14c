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
    ops::slice_backward(&ops::unsqueeze(grad, d)?, &sizes(shape), d, index, index + 1, 1)
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
    ops::slice_backward(grad, &sizes(shape), dim, start, end, step)
}

/// Zeros with the gradient on the diagonal.
pub fn diagonal_grad(grad: &Tensor, shape: &[usize], offset: i64, dim1: i64, dim2: i64) -> Result<Tensor> {
    ops::diagonal_backward(grad, &sizes(shape), offset, dim1, dim2)
}

/// The gradient of `unfold`: window by window into zeros of the input's shape.
pub fn unfold_grad(grad: &Tensor, shape: &[usize], dimension: i64, size: i64, step: i64) -> Result<Tensor> {
    // The windows of a row-major tensor of that shape, whose elements nobody reads.
    let one = Tensor::empty(&[1], grad.dtype(), grad.device())?;
    let stand_in = crate::operations::shape_ops::unfold(
        &one.alias(rustorch_backend::Layout::contiguous("unfold", shape)?),
        dimension,
        size,
        step,
    )?;
    let strides: Vec<i64> = stand_in.strides().iter().map(|&s| s as i64).collect();
    ops::as_strided_backward(grad, &sizes(shape), &sizes(stand_in.shape()), &strides, Some(0))
}

/// Zeros of the shape of a replaced part.
fn blank(shape: &[usize], grad: &Tensor) -> Result<Tensor> {
    ops::zeros(&sizes(shape), Some(grad.dtype()), Some(grad.device()), false)
}

/// The gradient of `select_scatter` by its input: none where it was replaced.
pub fn select_scatter_grad(grad: &Tensor, part: &[usize], dim: i64, index: i64) -> Result<Tensor> {
    ops::select_scatter(grad, &blank(part, grad)?, dim, index)
}

/// The gradient of `slice_scatter` by its input: none where it was replaced.
pub fn slice_scatter_grad(
    grad: &Tensor,
    part: &[usize],
    dim: i64,
    start: Option<i64>,
    end: Option<i64>,
    step: i64,
) -> Result<Tensor> {
    ops::slice_scatter(grad, &blank(part, grad)?, dim, start, end, step)
}

/// The gradient of `slice_scatter` by what it put there.
pub fn slice_scatter_src_grad(
    grad: &Tensor,
    dim: i64,
    start: Option<i64>,
    end: Option<i64>,
    step: i64,
) -> Result<Tensor> {
    ops::slice(grad, dim, start.unwrap_or(0), end.unwrap_or(i64::MAX), step)
}

/// The gradient of `diagonal_scatter` by its input: none where it was replaced.
pub fn diagonal_scatter_grad(
    grad: &Tensor,
    part: &[usize],
    offset: i64,
    dim1: i64,
    dim2: i64,
) -> Result<Tensor> {
    ops::diagonal_scatter(grad, &blank(part, grad)?, offset, dim1, dim2)
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
