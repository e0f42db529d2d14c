//! Connectionist temporal classification.

use std::sync::Arc;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{CtcSample, DType, kernel};
use rustorch_error::{Result, RusTorchError};

use super::creation::cast;
use super::loss::reduce;
use super::shape_ops::reshape_to;
use crate::{Tensor, ops};

const OP: &str = "ctc_loss";

/// Where each sample's targets begin, after the checks of the lengths.
fn first_targets(
    (frames, count): (usize, usize),
    targets: &Tensor,
    input_lengths: &[i64],
    target_lengths: &[i64],
) -> Result<Scratch<i64>> {
    for (name, lengths) in [("input_lengths", input_lengths), ("target_lengths", target_lengths)] {
        if lengths.len() != count {
            return Err(RusTorchError::shape(
                OP,
                format!("{name} must be of size batch_size, {count}, got {}", lengths.len()),
            ));
        }
    }
    if let Some(length) = input_lengths.iter().find(|&&n| n < 0 || n > frames as i64) {
        return Err(RusTorchError::argument(
            OP,
            format!("expected input_lengths between 0 and the {frames} frames, but got {length}"),
        ));
    }
    if let Some(length) = target_lengths.iter().find(|&&n| n < 0 || n > targets.numel() as i64) {
        return Err(RusTorchError::argument(
            OP,
            format!(
                "expected target_lengths between 0 and the {} targets, but got {length}",
                targets.numel()
            ),
        ));
    }
    let total: i64 = target_lengths.iter().sum();
    let longest = target_lengths.iter().copied().max().unwrap_or(0);
    match targets.shape() {
        &[given] if given as i64 == total => {
            let mut next = 0;
            Scratch::collect(target_lengths.iter().map(|length| {
                next += length;
                next - length
            }))
        }
        &[rows, width] if rows == count && width as i64 >= longest => {
            Scratch::collect((0..count).map(|row| (row * width) as i64))
        }
        shape => Err(RusTorchError::shape(
            OP,
            format!("expected targets ({count}, S) with S at least {longest}, or ({total}), got {shape:?}"),
        )),
    }
}

fn samples(
    input_lengths: &[i64],
    target_lengths: &[i64],
    first_targets: &[i64],
) -> Result<Scratch<CtcSample>> {
    let numbers = input_lengths.iter().zip(target_lengths).zip(first_targets);
    Scratch::collect(numbers.map(|((&frames, &targets), &first)| CtcSample {
        frames: frames as usize,
        targets: targets as usize,
        first: first as usize,
    }))
}

/// The negative log-likelihood of target sequences.
pub fn ctc_loss(
    log_probs: &Tensor,
    targets: &Tensor,
    input_lengths: &[i64],
    target_lengths: &[i64],
    blank: i64,
    reduction: &str,
    zero_infinity: bool,
) -> Result<Tensor> {
    let dtype = log_probs.dtype();
    if !matches!(dtype, DType::Float32 | DType::Float64) {
        return Err(RusTorchError::dtype(
            OP,
            format!("not implemented for {dtype}; log_probs are float32 or float64"),
        ));
    }
    if !targets.dtype().is_integral(false) {
        return Err(RusTorchError::dtype(OP, format!("expected integer targets, got {}", targets.dtype())));
    }
    let batched = log_probs.ndim() == 3;
    let probabilities = match log_probs.ndim() {
        3 => log_probs.clone(),
        2 => ops::unsqueeze(log_probs, 1)?,
        _ => {
            return Err(RusTorchError::shape(
                OP,
                format!("expected log_probs (T, N, C) or (T, C), got {:?}", log_probs.shape()),
            ));
        }
    };
    let classes = probabilities.shape()[2];
    if probabilities.numel() == 0 {
        return Err(RusTorchError::shape(
            OP,
            format!("log_probs must not be empty, got {:?}", log_probs.shape()),
        ));
    }
    if blank < 0 || blank >= classes as i64 {
        return Err(RusTorchError::argument(
            OP,
            format!("blank must be one of the {classes} classes, got {blank}"),
        ));
    }
    let first = first_targets(
        (probabilities.shape()[0], probabilities.shape()[1]),
        targets,
        input_lengths,
        target_lengths,
    )?;
    let listed = targets.to_vec::<i64>()?;
    for (&start, &length) in first.iter().zip(target_lengths) {
        let own = &listed[start as usize..(start + length) as usize];
        if let Some(bad) = own.iter().find(|&&class| class < 0 || class >= classes as i64) {
            return Err(RusTorchError::index(
                OP,
                format!("target {bad} is out of bounds: there are {classes} classes"),
            ));
        }
    }
    // A copy is what the backward pass sees, too: the caller's tensor may be another's memory, and change unnoticed.
    let flat = Tensor::from_slice_on(targets.device(), &listed, &[listed.len()])?;
    let wide = cast(&probabilities, DType::Float64)?;
    let (losses, _) = ops::ctc(&wide, &flat, input_lengths, target_lengths, &first, blank, zero_infinity)?;
    if reduction == "mean" {
        let lengths = Scratch::collect(target_lengths.iter().map(|&n| n.max(1) as f64))?;
        let lengths = Tensor::from_slice_on(losses.device(), &lengths, &[lengths.len()])?;
        return cast(&ops::mean(&ops::div(&losses, &lengths, None)?, None, false, None)?, dtype);
    }
    let losses = if batched { losses } else { reshape_to(&losses, &[])? };
    cast(&reduce(OP, losses, reduction)?, dtype)
}

/// The loss of each sample.
pub fn ctc(
    log_probs: &Tensor,
    targets: &Tensor,
    input_lengths: &[i64],
    target_lengths: &[i64],
    first_targets: &[i64],
    blank: i64,
    zero_infinity: bool,
) -> Result<(Tensor, Tensor)> {
    let samples = samples(input_lengths, target_lengths, first_targets)?;
    let (frames, count) = (log_probs.shape()[0], log_probs.shape()[1]);
    let states = 2 * samples.iter().map(|s| s.targets).max().unwrap_or(0) + 1;
    let losses = Tensor::empty(&[count], log_probs.dtype(), log_probs.device())?;
    let log_alpha = Tensor::empty(&[count, frames, states], log_probs.dtype(), log_probs.device())?;
    let operands = (log_probs.operand(), targets.operand());
    losses.backend()?.run(kernel::CtcLoss {
        blank: blank as usize,
        samples: Arc::new(samples),
        log_probs: operands.0,
        targets: operands.1,
        losses: losses.operand(),
        log_alpha: log_alpha.operand(),
    })?;
    let shown = if zero_infinity { without_infinity(&losses, &losses)? } else { losses };
    Ok((shown, log_alpha))
}

/// `x` with 0 for the samples whose loss is infinite.
fn without_infinity(losses: &Tensor, x: &Tensor) -> Result<Tensor> {
    let infinite = ops::eq(losses, &Tensor::number(f64::INFINITY)?)?;
    ops::masked_fill(x, &infinite, &Tensor::number(0.0)?)
}

/// The gradient by the log-probabilities.
#[allow(clippy::too_many_arguments, reason = "the arguments of `ctc`, the gradient, and what `ctc` saved")]
pub fn ctc_grad(
    grad_output: &Tensor,
    log_probs: &Tensor,
    targets: &Tensor,
    log_alpha: &Tensor,
    input_lengths: &[i64],
    target_lengths: &[i64],
    first_targets: &[i64],
    blank: i64,
    zero_infinity: bool,
) -> Result<Tensor> {
    let samples = samples(input_lengths, target_lengths, first_targets)?;
    let result = Tensor::empty(log_probs.shape(), log_probs.dtype(), log_probs.device())?;
    result.backend()?.run(kernel::CtcLossGrad {
        blank: blank as usize,
        samples: Arc::new(samples),
        zero_infinity,
        grad: grad_output.operand(),
        log_probs: log_probs.operand(),
        targets: targets.operand(),
        log_alpha: log_alpha.operand(),
        grad_log_probs: result.operand(),
    })?;
    Ok(result)
}
