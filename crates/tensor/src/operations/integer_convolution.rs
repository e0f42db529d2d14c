//! Convolutions of integers, as products of matrices: the kernels for floats have no like for them.

use rustorch_backend::volume;
use rustorch_error::Result;

use super::shape_ops::reshape_to;
use crate::{Tensor, ops};

/// The weight as one matrix per group: (groups, filters per group, channels per group times taps).
fn matrices(weight: &Tensor, groups: usize) -> Result<Tensor> {
    let shape = weight.shape();
    reshape_to(weight, &[groups, shape[0] / groups, volume(&shape[1..])])
}

fn kernel_size(weight: &Tensor) -> Vec<i64> {
    weight.shape()[2..].iter().map(|&n| n as i64).collect()
}

/// Cross-correlation without a bias.
pub(super) fn forward(
    input: &Tensor,
    weight: &Tensor,
    [stride, padding, dilation]: [&[i64]; 3],
    groups: usize,
) -> Result<Tensor> {
    let windows = ops::patches(input, &kernel_size(weight), stride, padding, dilation)?;
    let (batch, spatial) = (input.shape()[0], input.ndim() - 2);
    let positions = &windows.shape()[2 + spatial..];
    let rows = volume(&weight.shape()[1..]);
    let columns = reshape_to(&windows, &[batch, groups, rows, volume(positions)])?;
    let product = ops::matmul(&matrices(weight, groups)?, &columns)?;
    let mut shape = vec![batch, weight.shape()[0]];
    shape.extend_from_slice(positions);
    reshape_to(&product, &shape)
}

/// The transposed convolution into a tensor of shape `shape`.
pub(super) fn transposed(
    grad: &Tensor,
    weight: &Tensor,
    shape: &[i64],
    [stride, padding, dilation]: [&[i64]; 3],
    groups: usize,
) -> Result<Tensor> {
    let (batch, positions) = (grad.shape()[0], &grad.shape()[2..]);
    let split = [batch, groups, weight.shape()[0] / groups, volume(positions)];
    let matrices = ops::transpose(&matrices(weight, groups)?, 1, 2)?;
    let columns = ops::matmul(&matrices, &reshape_to(grad, &split)?)?;
    let mut windows = vec![batch, weight.shape()[1] * groups];
    windows.extend_from_slice(&weight.shape()[2..]);
    windows.extend_from_slice(positions);
    ops::patches_input(
        &reshape_to(&columns, &windows)?,
        shape,
        &kernel_size(weight),
        stride,
        padding,
        dilation,
    )
}
