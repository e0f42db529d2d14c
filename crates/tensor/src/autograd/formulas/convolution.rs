//! Gradients of linear maps, convolutions and pools.

use rustorch_backend::volume;
use rustorch_error::Result;

use crate::operations::linear_algebra::fold_rows;
use crate::operations::shape_ops::reshape_to;
use crate::{Tensor, ops};

fn sizes(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&n| n as i64).collect()
}

/// `gradᵀ @ input`, over all leading dimensions.
pub fn linear_weight_grad(grad: &Tensor, input: &Tensor) -> Result<Tensor> {
    let grad = ops::transpose(&fold_rows(grad)?, 0, 1)?;
    ops::matrix_product(&grad, &fold_rows(input)?)
}

/// The gradient of a convolution by its input.
pub fn convolution_grad_input(
    grad: &Tensor,
    weight: &Tensor,
    shape: &[usize],
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
    groups: i64,
) -> Result<Tensor> {
    ops::conv_input(grad, weight, &sizes(shape), stride, padding, dilation, groups)
}

/// The gradient of a convolution by its weight.
pub fn convolution_grad_weight(
    grad: &Tensor,
    input: &Tensor,
    shape: &[usize],
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
    groups: i64,
) -> Result<Tensor> {
    ops::conv_weight(grad, input, &sizes(shape), stride, padding, dilation, groups)
}

/// The sum over all but the channel dimension, 1.
pub fn sum_channels(grad: &Tensor) -> Result<Tensor> {
    let dims: Vec<i64> = (0..grad.ndim() as i64).filter(|&d| d != 1).collect();
    ops::sum(grad, Some(&dims), false, None)
}

/// The gradient of max pooling by its input.
pub fn max_pool_grad(grad: &Tensor, indices: &Tensor, shape: &[usize]) -> Result<Tensor> {
    ops::max_pool_input(grad, indices, &sizes(shape))
}

/// What max pooling picked, read from another tensor at the same places.
pub fn gather_pooled(grad: &Tensor, indices: &Tensor) -> Result<Tensor> {
    let (n, c) = (grad.shape()[0], grad.shape()[1]);
    let plane = volume(&grad.shape()[2..]);
    let windows = volume(&indices.shape()[2..]);
    let flat = reshape_to(grad, &[n, c, plane])?;
    let picked = ops::gather(&flat, 2, &reshape_to(indices, &[n, c, windows])?)?;
    reshape_to(&picked, indices.shape())
}

/// The gradient of average pooling by its input.
pub fn avg_pool_grad(
    grad: &Tensor,
    shape: &[usize],
    kernel_size: &[i64],
    stride: &[i64],
    padding: &[i64],
    count_include_pad: bool,
    divisor: i64,
) -> Result<Tensor> {
    ops::avg_pool_input(grad, &sizes(shape), kernel_size, stride, padding, count_include_pad, divisor)
}

/// The means of as many windows as `shape` says: with or without one that sticks out.
pub fn avg_pool_of_shape(
    input: &Tensor,
    shape: &[usize],
    kernel_size: &[i64],
    stride: &[i64],
    padding: &[i64],
    count_include_pad: bool,
    divisor: i64,
) -> Result<Tensor> {
    let pool =
        |ceil_mode| ops::avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor);
    let rounded_up = pool(true)?;
    if rounded_up.shape() == shape { Ok(rounded_up) } else { pool(false) }
}

/// The gradient of the windows of a tensor.
pub fn patches_grad(
    grad: &Tensor,
    shape: &[usize],
    kernel_size: &[i64],
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
) -> Result<Tensor> {
    ops::patches_input(grad, &sizes(shape), kernel_size, stride, padding, dilation)
}

/// The gradient of weighted sums of picked elements by what they were picked from.
pub fn weighted_gather_grad_input(
    grad: &Tensor,
    shape: &[usize],
    index: &Tensor,
    weight: &Tensor,
) -> Result<Tensor> {
    ops::weighted_gather_input(grad, &sizes(shape), index, weight)
}
