//! Special functions that are made of others.

use rustorch_error::{Result, RusTorchError};

use crate::{Tensor, ops};

/// The n-th derivative of digamma.
pub fn polygamma(n: i64, input: &Tensor) -> Result<Tensor> {
    if n < 0 {
        return Err(RusTorchError::argument("polygamma", format!("does not support negative n, got {n}")));
    }
    ops::polygamma_of(input, &Tensor::number(n)?)
}

/// [`polygamma`] as a method.
pub fn polygamma_method(input: &Tensor, n: i64) -> Result<Tensor> {
    polygamma(n, input)
}

/// The logarithm of the multivariate gamma function: `Σ log Γ(x - j/2)` over j below p, and a constant.
pub fn mvlgamma(input: &Tensor, p: i64) -> Result<Tensor> {
    if p < 1 {
        return Err(RusTorchError::argument("mvlgamma", format!("p has to be at least 1, got {p}")));
    }
    let shifts = ops::arange_step(
        0.0.into(),
        (-0.5 * p as f64).into(),
        (-0.5).into(),
        Some(super::elementwise::float_dtype_of(input)),
        Some(input.device()),
        false,
    )?;
    let terms = ops::lgamma(&ops::add(&ops::unsqueeze(input, -1)?, &shifts, 1.into())?)?;
    let constant = (p * (p - 1)) as f64 / 4.0 * std::f64::consts::PI.ln();
    ops::add(&ops::sum(&terms, Some(&[-1]), false, None)?, &Tensor::number(constant)?, 1.into())
}
