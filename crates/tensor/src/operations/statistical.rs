//! Statistics.

use rustorch_backend::Scalar;
use rustorch_error::{Result, RusTorchError};

use super::reduction_ops::{drop_dims, kept_shape, reduced_dims};
use crate::{Tensor, ops};

/// The number that the count is lowered by.
pub(crate) fn correction_of(unbiased: bool, correction: Option<Scalar>) -> f64 {
    correction.map_or(if unbiased { 1.0 } else { 0.0 }, Scalar::to_f64)
}

/// The variance over dimensions.
pub fn var(
    input: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    keepdim: bool,
    correction: Option<Scalar>,
) -> Result<Tensor> {
    if input.dtype().is_complex() {
        let part = |part: Result<Tensor>| ops::var(&part?, dim, unbiased, keepdim, correction);
        return ops::add(&part(ops::real(input))?, &part(ops::imag(input))?, 1.into());
    }
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            "var",
            format!("std and var only support floating point and complex dtypes, got {}", input.dtype()),
        ));
    }
    let dims = reduced_dims("var", input, dim)?;
    let count: usize = dims.iter().map(|&d| input.shape()[d]).product();
    let shape = kept_shape(input.shape(), &dims);
    let mean = Tensor::empty(&shape, input.dtype().compute(), input.device())?;
    let m2 = Tensor::empty(&shape, input.dtype().compute(), input.device())?;
    if count == 0 {
        m2.backend()?.fill(m2.operand(), f64::NAN.into())?;
    } else if m2.numel() > 0 {
        input.backend()?.moments(input.operand(), &dims, mean.operand(), m2.operand())?;
    }
    let divisor = (count as f64 - correction_of(unbiased, correction)).max(0.0);
    let result = ops::div(&m2, &Tensor::number(divisor)?, None)?;
    Ok(drop_dims(super::creation::cast(&result, input.dtype())?, &dims, keepdim))
}

/// The standard deviation over dimensions.
pub fn std(
    input: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    keepdim: bool,
    correction: Option<Scalar>,
) -> Result<Tensor> {
    ops::sqrt(&ops::var(input, dim, unbiased, keepdim, correction)?)
}

/// Variance and mean over dimensions.
pub fn var_mean(
    input: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    keepdim: bool,
    correction: Option<Scalar>,
) -> Result<(Tensor, Tensor)> {
    Ok((ops::var(input, dim, unbiased, keepdim, correction)?, ops::mean(input, dim, keepdim, None)?))
}

/// Standard deviation and mean over dimensions.
pub fn std_mean(
    input: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    keepdim: bool,
    correction: Option<Scalar>,
) -> Result<(Tensor, Tensor)> {
    Ok((std(input, dim, unbiased, keepdim, correction)?, ops::mean(input, dim, keepdim, None)?))
}

/// The variance over all elements.
pub fn var_all(input: &Tensor, unbiased: bool) -> Result<Tensor> {
    ops::var(input, None, unbiased, false, None)
}

/// The standard deviation over all elements.
pub fn std_all(input: &Tensor, unbiased: bool) -> Result<Tensor> {
    std(input, None, unbiased, false, None)
}

/// Variance and mean over all elements.
pub fn var_mean_all(input: &Tensor, unbiased: bool) -> Result<(Tensor, Tensor)> {
    var_mean(input, None, unbiased, false, None)
}

/// Standard deviation and mean over all elements.
pub fn std_mean_all(input: &Tensor, unbiased: bool) -> Result<(Tensor, Tensor)> {
    std_mean(input, None, unbiased, false, None)
}
