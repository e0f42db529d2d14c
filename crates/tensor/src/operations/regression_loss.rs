//! Losses of numbers: distances, divergences and likelihoods.

use rustorch_error::{Result, RusTorchError};

use super::creation::cast;
use super::loss::{invalid_reduction, reduce, weighted};
use crate::autograd::GradMode;
use crate::{Tensor, ops};

fn difference(input: &Tensor, target: &Tensor) -> Result<Tensor> {
    ops::sub(input, target, 1.into())
}

/// Squares near 0, absolute values beyond.
pub fn huber_loss(
    input: &Tensor,
    target: &Tensor,
    reduction: &str,
    delta: f64,
    weight: Option<&Tensor>,
) -> Result<Tensor> {
    let op = "huber_loss";
    if delta.is_nan() || delta <= 0.0 {
        return Err(RusTorchError::argument(op, format!("delta must be positive, got {delta}")));
    }
    let loss = ops::huber(&difference(input, target)?, delta)?;
    // The input says the dtype, as PyTorch has it, whatever the target's is.
    let loss = if input.dtype().is_floating_point() { cast(&loss, input.dtype())? } else { loss };
    // Unlike the other losses with weights, this one's mean is by the number of elements.
    match (weight, reduction) {
        (Some(_), "mean") => ops::mean(&weighted(op, loss, weight, "none")?, None, false, None),
        _ => weighted(op, loss, weight, reduction),
    }
}

/// The Huber loss over `beta`, whose slope far out is 1.
pub fn smooth_l1_loss(input: &Tensor, target: &Tensor, reduction: &str, beta: f64) -> Result<Tensor> {
    let op = "smooth_l1_loss";
    if beta.is_nan() || beta < 0.0 {
        return Err(RusTorchError::argument(op, format!("beta must not be negative, got {beta}")));
    }
    let difference = difference(input, target)?;
    let loss = if beta == 0.0 {
        ops::abs(&difference)?
    } else {
        ops::div(&ops::huber(&difference, beta)?, &Tensor::number(beta)?, None)?
    };
    reduce(op, loss, reduction)
}

/// The Kullback-Leibler divergence.
pub fn kl_div(input: &Tensor, target: &Tensor, reduction: &str, log_target: bool) -> Result<Tensor> {
    let op = "kl_div";
    for (name, tensor) in [("input", input), ("target", target)] {
        if tensor.dtype().is_integral(true) {
            return Err(RusTorchError::dtype(
                op,
                format!("integers are not supported, but {name} is {}", tensor.dtype()),
            ));
        }
    }
    let loss = if log_target {
        ops::mul(&ops::exp(target)?, &difference(target, input)?)?
    } else {
        difference(&ops::xlogy(target, target)?, &ops::mul(target, input)?)?
    };
    if reduction != "batchmean" {
        return reduce(op, loss, reduction);
    }
    let batch = input.shape().first().copied().unwrap_or(1);
    ops::div(&ops::sum(&loss, None, false, None)?, &Tensor::number(batch as f64)?, None)
}

/// The negative log-likelihood of a Poisson distribution.
pub fn poisson_nll_loss(
    input: &Tensor,
    target: &Tensor,
    log_input: bool,
    full: bool,
    eps: f64,
    reduction: &str,
) -> Result<Tensor> {
    let mut loss = if log_input {
        difference(&ops::exp(input)?, &ops::mul(target, input)?)?
    } else {
        let log_rate = ops::log(&ops::add(input, &Tensor::number(eps)?, 1.into())?)?;
        difference(input, &ops::mul(target, &log_rate)?)?
    };
    if full {
        // log(n!) ≈ n log n - n + log(2πn) / 2, and 0 for n <= 1.
        let circle = ops::mul(target, &Tensor::number(std::f64::consts::TAU)?)?;
        let spread = ops::mul(&ops::log(&circle)?, &Tensor::number(0.5)?)?;
        let stirling =
            ops::add(&difference(&ops::mul(target, &ops::log(target)?)?, target)?, &spread, 1.into())?;
        let small = ops::le(target, &Tensor::number(1)?)?;
        loss = ops::add(&loss, &ops::masked_fill(&stirling, &small, &Tensor::number(0)?)?, 1.into())?;
    }
    reduce("poisson_nll_loss", loss, reduction)
}

/// The variance as a tensor that broadcasts to the input.
fn variance(op: &'static str, input: &Tensor, var: &Tensor) -> Result<Tensor> {
    let (shape, given) = (input.shape(), var.shape());
    if var.is_wrapped_number() || given == shape {
        return Ok(var.clone());
    }
    if let [lead @ .., _] = shape
        && lead == given
    {
        return ops::unsqueeze(var, -1);
    }
    let differing: Vec<usize> = shape.iter().zip(given).filter(|(x, y)| x != y).map(|(_, &y)| y).collect();
    if shape.len() == given.len() && differing.iter().sum::<usize>() == 1 {
        return Ok(var.clone());
    }
    Err(RusTorchError::shape(
        op,
        format!(
            "var of shape {given:?} is of incorrect size for input {shape:?}: the same, one size 1, or without the last"
        ),
    ))
}

/// The negative log-likelihood of a Gaussian.
pub fn gaussian_nll_loss(
    input: &Tensor,
    target: &Tensor,
    var: &Tensor,
    full: bool,
    eps: f64,
    reduction: &str,
) -> Result<Tensor> {
    let op = "gaussian_nll_loss";
    let negative = ops::lt(&var.detach(), &Tensor::number(0)?)?;
    if ops::any(&negative, None, false)?.item()?.to_bool() {
        return Err(RusTorchError::argument(op, "var has negative entries"));
    }
    let var = variance(op, input, var)?;
    let var = if var.is_wrapped_number() {
        let ones = ops::ones_like(&input.detach(), None, None, false)?;
        ops::mul(&ones, &var)?
    } else {
        ops::clone(&var)?
    };
    {
        // The limit has no part in the gradient.
        let _mode = GradMode::no_grad();
        ops::clamp_min_(&var, &Tensor::number(eps)?)?;
    }
    let squared = ops::square(&difference(input, target)?)?;
    let sum = ops::add(&ops::log(&var)?, &ops::div(&squared, &var, None)?, 1.into())?;
    let mut loss = ops::mul(&sum, &Tensor::number(0.5)?)?;
    if full {
        loss = ops::add(&loss, &Tensor::number(0.5 * std::f64::consts::TAU.ln())?, 1.into())?;
    }
    match reduction {
        "none" | "mean" | "sum" => reduce(op, loss, reduction),
        other => Err(invalid_reduction(op, other)),
    }
}
