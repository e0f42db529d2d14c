//! Gradients of interpolation, a linear map.

use rustorch_error::Result;

use crate::{Tensor, ops};

fn sizes(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&n| n as i64).collect()
}

/// The gradient of interpolation by its input.
pub fn interpolate_grad(
    grad: &Tensor,
    shape: &[usize],
    mode: &str,
    scales: &[f64],
    align_corners: bool,
    antialias: bool,
) -> Result<Tensor> {
    ops::interpolate_input(grad, &sizes(shape), mode, scales, align_corners, antialias)
}

/// The gradient of that gradient: interpolation, to the sizes of the gradient it was given.
pub fn interpolate_again(
    grad: &Tensor,
    shape: &[usize],
    mode: &str,
    scales: &[f64],
    align_corners: bool,
    antialias: bool,
) -> Result<Tensor> {
    ops::interpolate_over(grad, mode, &sizes(&shape[2..]), scales, align_corners, antialias)
}
