//! Dropout (N. Srivastava et al., *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*, JMLR 2014), and
//! its form for self-normalising networks (G. Klambauer et al., *Self-Normalizing Neural Networks*, 2017).

use rustorch_backend::{Distribution, Shape};
use rustorch_error::{Result, RusTorchError};

use super::random::fill;
use crate::autograd::GradMode;
use crate::{Tensor, ops};

/// SELU's value at minus infinity, negated: scale times alpha.
const LOWER_LIMIT: f64 = 1.758_099_340_847_376_6;

/// Whether there is anything to drop, after the checks.
fn drops(op: &'static str, input: &Tensor, p: f64, train: bool, by_channel: bool) -> Result<bool> {
    if !(0.0..=1.0).contains(&p) {
        return Err(RusTorchError::argument(
            op,
            format!("probability has to be between 0 and 1, but got {p}"),
        ));
    }
    if !train || p == 0.0 || input.numel() == 0 {
        return Ok(false);
    }
    if by_channel && input.ndim() < 2 {
        return Err(RusTorchError::shape(
            op,
            format!("expected at least 2 dimensions (N, C, *), got {:?}", input.shape()),
        ));
    }
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            op,
            format!("not implemented for {}; it drops elements of floating-point tensors", input.dtype()),
        ));
    }
    Ok(true)
}

/// 1 where an element, or a channel, is kept, and 0 where it is dropped.
fn kept(input: &Tensor, p: f64, by_channel: bool) -> Result<Tensor> {
    let mut shape = Shape::from_slice(input.shape());
    if by_channel {
        shape[2..].fill(1);
    }
    let mask = Tensor::empty(&shape, input.dtype(), input.device())?;
    fill(&mask, Distribution::Bernoulli { p: 1.0 - p }, None)?;
    Ok(mask)
}

fn plain(op: &'static str, input: &Tensor, p: f64, train: bool, by_channel: bool) -> Result<Tensor> {
    if !drops(op, input, p, train, by_channel)? {
        return Ok(input.clone());
    }
    let mask = kept(input, p, by_channel)?;
    let scale = if p == 1.0 { 0.0 } else { 1.0 / (1.0 - p) };
    let mask = {
        let _mode = GradMode::no_grad();
        ops::mul(&mask, &Tensor::number(scale)?)?
    };
    ops::mul(input, &mask)
}

fn alpha(op: &'static str, input: &Tensor, p: f64, train: bool, by_channel: bool) -> Result<Tensor> {
    if !drops(op, input, p, train, by_channel)? {
        return Ok(input.clone());
    }
    if p == 1.0 {
        return ops::mul(input, &Tensor::number(0.0)?);
    }
    let mask = kept(input, p, by_channel)?;
    // a (x kept - limit (1 - kept)) + a limit p: mean 0 and variance 1 again, for x of mean 0 and variance 1.
    let a = 1.0 / ((LOWER_LIMIT * LOWER_LIMIT * p + 1.0) * (1.0 - p)).sqrt();
    let (factor, shift) = {
        let _mode = GradMode::no_grad();
        let lost = ops::sub(&mask, &Tensor::number(1.0)?, 1.into())?;
        let shift = ops::mul(&lost, &Tensor::number(LOWER_LIMIT * a)?)?;
        let shift = ops::add(&shift, &Tensor::number(LOWER_LIMIT * a * p)?, 1.into())?;
        (ops::mul(&mask, &Tensor::number(a)?)?, shift)
    };
    ops::add(&ops::mul(input, &factor)?, &shift, 1.into())
}

/// Zeroes elements and scales the rest.
pub fn dropout(input: &Tensor, p: f64, train: bool) -> Result<Tensor> {
    plain("dropout", input, p, train, false)
}

/// Zeroes channels and scales the rest.
pub fn feature_dropout(input: &Tensor, p: f64, train: bool) -> Result<Tensor> {
    plain("feature_dropout", input, p, train, true)
}

/// Dropout that keeps mean 0 and variance 1.
pub fn alpha_dropout(input: &Tensor, p: f64, train: bool) -> Result<Tensor> {
    alpha("alpha_dropout", input, p, train, false)
}

/// Dropout of channels that keeps mean 0 and variance 1.
pub fn feature_alpha_dropout(input: &Tensor, p: f64, train: bool) -> Result<Tensor> {
    alpha("feature_alpha_dropout", input, p, train, true)
}
