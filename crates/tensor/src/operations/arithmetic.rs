//! Forms of elementwise ops that are made of others.

use rustorch_backend::{Category, DType, Scalar};
use rustorch_error::{Result, RusTorchError};

use super::widening::{Given, Narrowed as _, Widening};
use crate::{Tensor, ops};

/// `div` with `rounding_mode`.
pub(crate) fn div_rounded(input: &Tensor, other: &Tensor, rounding_mode: Option<&str>) -> Result<Tensor> {
    match rounding_mode {
        None => ops::div(input, other, None),
        Some("floor") => ops::floor_divide(input, other),
        Some("trunc") => {
            let common = crate::result_type(&[input, other]);
            if common.is_integral(true) {
                // Floor division is exact for integers; it differs from truncation where the signs differ.
                let (a, b) = (super::creation::cast(input, common)?, super::creation::cast(other, common)?);
                let remainder = ops::fmod(&a, &b)?;
                ops::floor_divide(&ops::sub(&a, &remainder, 1.into())?, &b)
            } else {
                ops::trunc_divide(input, other)
            }
        }
        Some(mode) => Err(RusTorchError::argument(
            "div",
            format!("expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{mode}'"),
        )),
    }
}

/// The exponent, when it is a Python number with a cheaper form.
pub(crate) fn pow_special_case(exponent: &Tensor) -> Option<f64> {
    if !exponent.is_wrapped_number() {
        return None;
    }
    let value = match exponent.item().ok()? {
        Scalar::Complex(_, im) if im != 0.0 => return None,
        real => real.to_f64(),
    };
    [2.0, 3.0, 0.5, -0.5, -1.0, 1.0].contains(&value).then_some(value)
}

/// `pow` for the exponents of [`pow_special_case`].
pub(crate) fn pow_by_constant(input: &Tensor, exponent: &Tensor) -> Result<Tensor> {
    let value = exponent.item()?;
    let integers = crate::result_type(&[input, exponent]).is_integral(true);
    if integers && value.to_f64() < 0.0 {
        return Err(RusTorchError::argument("pow", "integers to negative integer powers are not allowed"));
    }
    let promoted = super::creation::cast(input, crate::result_type(&[input, exponent]))?;
    match value.to_f64() {
        2.0 => ops::square(&promoted),
        3.0 => ops::mul(&ops::square(&promoted)?, &promoted),
        0.5 => ops::sqrt(&promoted),
        -0.5 => ops::rsqrt(&promoted),
        -1.0 => ops::reciprocal(&promoted),
        _ => ops::clone(&promoted),
    }
}

/// `round` to decimal places.
pub(crate) fn round_decimals(input: &Tensor, decimals: i64) -> Result<Tensor> {
    if input.dtype().is_integral(true) {
        return Err(RusTorchError::dtype(
            "round",
            format!("decimals need a floating-point tensor, got {}", input.dtype()),
        ));
    }
    // Beyond float64's range the power is infinite, which the function knows.
    let power = 10f64.powi(decimals.unsigned_abs().min(400) as i32);
    if decimals > 0 { ops::round_multiple(input, power, 1.0) } else { ops::round_multiple(input, 1.0, power) }
}

/// `logit` of the input limited to `[eps, 1 - eps]`.
pub(crate) fn logit_clamped(input: &Tensor, eps: Option<f64>) -> Result<Tensor> {
    if let Some(wide) = Widening::of(&[Given::One(input)], None) {
        return logit_clamped(&wide.tensor(input)?, eps)?.narrowed(wide);
    }
    let eps = eps.unwrap_or(0.0);
    let (low, high) = (Tensor::number(eps)?, Tensor::number(1.0 - eps)?);
    ops::logit(&clamp(input, Some(&low), Some(&high))?, None)
}

/// `input + alpha * other`.
pub(crate) fn add_scaled(input: &Tensor, other: &Tensor, alpha: Scalar) -> Result<Tensor> {
    scaled("add", input, other, alpha, alpha)
}

/// `input - alpha * other`.
pub(crate) fn sub_scaled(input: &Tensor, other: &Tensor, alpha: Scalar) -> Result<Tensor> {
    scaled("sub", input, other, alpha, -alpha)
}

/// `input + factor * other`, where `alpha`, which the caller of `op` gave, is the factor or its negative.
fn scaled(op: &'static str, input: &Tensor, other: &Tensor, alpha: Scalar, factor: Scalar) -> Result<Tensor> {
    let dtype = crate::result_type(&[input, other]);
    if dtype.is_integral(true) && alpha.category() > Category::Integer {
        return Err(RusTorchError::argument(
            op,
            format!(
                "for integral input tensors, argument alpha must not be a floating point or complex number, got {alpha}"
            ),
        ));
    }
    alpha.convert_factor(op, "alpha", dtype.compute())?;
    ops::scaled_add(input, other, factor)
}

/// `input + value * tensor1 * tensor2`.
pub fn addcmul(input: &Tensor, tensor1: &Tensor, tensor2: &Tensor, value: Scalar) -> Result<Tensor> {
    let product = ops::mul(tensor1, tensor2)?;
    let dtype = crate::result_type(&[input, &product]);
    ops::add(input, &product, value.convert_factor("addcmul", "value", dtype.compute())?)
}

/// `input + value * tensor1 / tensor2`.
pub fn addcdiv(input: &Tensor, tensor1: &Tensor, tensor2: &Tensor, value: Scalar) -> Result<Tensor> {
    if crate::result_type(&[tensor1, tensor2]).is_integral(true) {
        return Err(RusTorchError::dtype(
            "addcdiv",
            "integer division is not supported; convert to a floating-point dtype",
        ));
    }
    let quotient = ops::div(tensor1, tensor2, None)?;
    let dtype = crate::result_type(&[input, &quotient]);
    ops::add(input, &quotient, value.convert_factor("addcdiv", "value", dtype.compute())?)
}

/// Limits each element; either end may be absent.
pub fn clamp(input: &Tensor, min: Option<&Tensor>, max: Option<&Tensor>) -> Result<Tensor> {
    match (min, max) {
        (None, None) => {
            Err(RusTorchError::argument("clamp", "at least one of 'min' or 'max' must not be None"))
        }
        (Some(min), None) => ops::clamp_min(input, min),
        (None, Some(max)) => ops::clamp_max(input, max),
        // PyTorch's rule where the ends cross: max wins.
        (Some(min), Some(max)) => ops::clamp_max(&ops::clamp_min(input, min)?, max),
    }
}

/// `other - alpha * input`.
pub fn rsub(input: &Tensor, other: &Tensor, alpha: Scalar) -> Result<Tensor> {
    if alpha.is_one() { ops::sub(other, input, alpha) } else { scaled("rsub", other, input, alpha, -alpha) }
}

/// The tensor itself.
pub fn positive(input: &Tensor) -> Result<Tensor> {
    if input.dtype() == DType::Bool {
        return Err(RusTorchError::dtype("positive", "the `+` operator is not supported on a bool tensor"));
    }
    Ok(input.clone())
}

/// `input` to the power `exponent` in float64.
pub fn float_power(input: &Tensor, exponent: &Tensor) -> Result<Tensor> {
    let dtype =
        if crate::result_type(&[input, exponent]).is_complex() { DType::Complex128 } else { DType::Float64 };
    let exponent =
        if exponent.is_wrapped_number() { exponent.clone() } else { super::creation::cast(exponent, dtype)? };
    ops::pow(&super::creation::cast(input, dtype)?, &exponent)
}

/// `square` of truth values, which are integers then.
pub(crate) fn square_of_bools(input: &Tensor) -> Result<Tensor> {
    ops::square(&super::creation::cast(input, DType::Int64)?)
}

/// The error of `gcd` of truth values.
pub(crate) fn gcd_of_bools() -> Result<Tensor> {
    refuse_bool("gcd")
}

/// The error of `lcm` of truth values.
pub(crate) fn lcm_of_bools() -> Result<Tensor> {
    refuse_bool("lcm")
}

#[cold]
fn refuse_bool(op: &'static str) -> Result<Tensor> {
    Err(RusTorchError::dtype(op, "not implemented for bool; it takes integer tensors"))
}
