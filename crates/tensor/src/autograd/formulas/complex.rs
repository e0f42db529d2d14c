//! Gradients of functions of complex numbers that are not holomorphic.

use rustorch_backend::Scalar;
use rustorch_error::Result;

use crate::{Tensor, ops};

/// Parts in a last dimension, of any strides, as complex numbers.
pub fn join_parts(grad: &Tensor) -> Result<Tensor> {
    let layout = grad.layout();
    let fits = layout.offset().is_multiple_of(2)
        && layout
            .strides()
            .split_last()
            .is_some_and(|(last, rest)| *last == 1 && rest.iter().all(|s| s % 2 == 0));
    if fits {
        return ops::view_as_complex(grad);
    }
    let parts = [ops::select(grad, -1, 0)?, ops::select(grad, -1, 1)?];
    ops::view_as_complex(&ops::stack(&parts, -1)?)
}

/// The gradient of the angle: a quarter turn from the number, by its length.
pub fn angle_grad(grad: &Tensor, input: &Tensor) -> Result<Tensor> {
    if !input.dtype().is_complex() {
        return ops::zeros_like(grad, None, None, false);
    }
    let zero = Tensor::number(0_i64)?;
    let turned = ops::mul(input, &Tensor::number(Scalar::Complex(0.0, 1.0))?)?;
    let length = ops::abs(input)?;
    let gradient = ops::div(&ops::mul(&turned, grad)?, &ops::square(&length)?, None)?;
    ops::where_(&ops::eq(&length.detach(), &zero)?, &zero, &gradient)
}

/// The gradient of `x / |x|`: what lies across the number, by its length.
pub fn sgn_grad(grad: &Tensor, input: &Tensor, result: &Tensor) -> Result<Tensor> {
    if !input.dtype().is_complex() {
        return ops::zeros_like(grad, None, None, false);
    }
    let zero = Tensor::number(0_i64)?;
    let along = ops::mul(result, &ops::real(&ops::mul(grad, &ops::conj(result)?)?)?)?;
    let length = ops::abs(input)?;
    let gradient = ops::div(&ops::sub(grad, &along, 1.into())?, &length, None)?;
    ops::where_(&ops::eq(&length.detach(), &zero)?, &zero, &gradient)
}
