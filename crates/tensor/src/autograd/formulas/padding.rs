//! Gradients of padding.

use rustorch_error::Result;

use crate::{Tensor, ops};

/// The gradient of a constant pad: what was added is cropped, and what was cropped is zero.
pub fn constant_pad_grad(grad: &Tensor, pad: &[i64]) -> Result<Tensor> {
    let negated: Vec<i64> = pad.iter().map(|n| -n).collect();
    ops::constant_pad_nd(grad, &negated, 0.into())
}

/// The gradient of padding with what is inside.
pub fn pad_from_inside_grad(grad: &Tensor, shape: &[usize], pad: &[i64], mode: &str) -> Result<Tensor> {
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    ops::pad_from_inside_input(grad, &shape, pad, mode)
}
