//! Losses.

use rustorch_backend::{DType, ElementwiseOp, Instruction, Program, ReduceOp, Shape, Source, volume};
use rustorch_error::{Result, RusTorchError};

use super::reduction_ops::{self, reduced_dims};
use super::shape_ops::reshape_to;
use crate::{Tensor, ops};

/// The error for a reduction that is none.
#[cold]
pub(crate) fn invalid_reduction(op: &'static str, reduction: &str) -> RusTorchError {
    RusTorchError::argument(
        op,
        format!("{reduction} is not a valid value for reduction; it is 'none', 'mean' or 'sum'"),
    )
}

/// What becomes of a loss's elements.
pub(crate) fn reduce(op: &'static str, loss: Tensor, reduction: &str) -> Result<Tensor> {
    match reduction {
        "none" => Ok(loss),
        "mean" => ops::mean(&loss, None, false, None),
        "sum" => ops::sum(&loss, None, false, None),
        other => Err(invalid_reduction(op, other)),
    }
}

/// As [`reduce`], with a weight per element; the mean is by the weights' sum.
pub(crate) fn weighted(
    op: &'static str,
    loss: Tensor,
    weight: Option<&Tensor>,
    reduction: &str,
) -> Result<Tensor> {
    let Some(weight) = weight else { return reduce(op, loss, reduction) };
    if weight.shape() != loss.shape() {
        return Err(RusTorchError::shape(
            op,
            format!(
                "weights and input must have the same size, got {:?} and {:?}",
                weight.shape(),
                loss.shape()
            ),
        ));
    }
    let scaled = ops::mul(&loss, weight)?;
    if reduction == "mean" {
        let total = ops::sum(weight, None, false, None)?;
        return ops::div(&ops::sum(&scaled, None, false, None)?, &total, None);
    }
    reduce(op, scaled, reduction)
}

/// The squared difference.
pub fn mse_loss(input: &Tensor, target: &Tensor, reduction: &str, weight: Option<&Tensor>) -> Result<Tensor> {
    weighted("mse_loss", ops::square(&ops::sub(input, target, 1.into())?)?, weight, reduction)
}

/// The absolute difference.
pub fn l1_loss(input: &Tensor, target: &Tensor, reduction: &str, weight: Option<&Tensor>) -> Result<Tensor> {
    weighted("l1_loss", ops::abs(&ops::sub(input, target, 1.into())?)?, weight, reduction)
}

/// Checks (N, C, *) against (N, *) and gives both with a batch dimension, and the class count.
fn class_shapes(op: &'static str, input: &Tensor, target: &Tensor) -> Result<(Tensor, Tensor, usize)> {
    let fail = || {
        RusTorchError::shape(
            op,
            format!(
                "expected input (N, C, *) with target (N, *), or (C) with (), got input {:?} and target {:?}",
                input.shape(),
                target.shape()
            ),
        )
    };
    let (input, target) = if input.ndim() == 1 {
        (ops::unsqueeze(input, 0)?, reshape_to(target, &[target.numel()]).map_err(|_| fail())?)
    } else {
        (input.clone(), target.clone())
    };
    let shape = input.shape();
    if shape.len() < 2
        || target.ndim() != shape.len() - 1
        || shape[0] != target.shape()[0]
        || shape[2..] != target.shape()[1..]
    {
        return Err(fail());
    }
    let classes = shape[1];
    Ok((input, target, classes))
}

/// The negative log-likelihood of class indices.
pub fn nll_loss(
    input: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    ignore_index: i64,
    reduction: &str,
) -> Result<Tensor> {
    let op = "nll_loss";
    let scalar = input.ndim() == 1;
    let (input, target, classes) = class_shapes(op, input, target)?;
    if !target.dtype().is_integral(false) {
        return Err(RusTorchError::dtype(
            op,
            format!("expected target class indices to be int64, got {}", target.dtype()),
        ));
    }
    let target = super::creation::cast(&target, DType::Int64)?;
    let ignored = ops::eq(&target, &Tensor::number(ignore_index)?)?;
    let safe = ops::where_(&ignored, &Tensor::number(0_i64)?, &target)?;
    check_classes(op, &safe, classes)?;
    let picked = ops::squeeze(&ops::gather(&input, 1, &ops::unsqueeze(&safe, 1)?)?, Some(&[1]))?;
    let factor = match weight {
        Some(weight) if weight.shape() == [classes] => {
            let flat = ops::reshape(&safe, &[-1])?;
            reshape_to(&ops::index_select(weight, 0, &flat)?, safe.shape())?
        }
        Some(weight) => {
            return Err(RusTorchError::shape(
                op,
                format!(
                    "weight tensor should be defined either for all {classes} classes or no classes but got shape {:?}",
                    weight.shape()
                ),
            ));
        }
        None => Tensor::scalar(1.into(), input.dtype(), input.device())?,
    };
    let factor = ops::where_(&ignored, &Tensor::number(0.0)?, &factor)?;
    let zero = Tensor::number(0.0)?;
    let loss = ops::where_(&ignored, &zero, &ops::neg(&ops::mul(&picked, &factor)?)?)?;
    match reduction {
        "mean" => {
            ops::div(&ops::sum(&loss, None, false, None)?, &ops::sum(&factor, None, false, None)?, None)
        }
        "none" if scalar => reshape_to(&loss, &[]),
        _ => reduce(op, loss, reduction),
    }
}

/// Whether an index is outside the constants.
static OUTSIDE: &[Instruction] = &[
    Instruction::new(ElementwiseOp::Maximum, &[Source::Input(0), Source::Constant(0)]),
    Instruction::new(ElementwiseOp::Minimum, &[Source::Register(0), Source::Constant(1)]),
    Instruction::new(ElementwiseOp::Ne, &[Source::Register(1), Source::Input(0)]),
];

/// Whether an index is none of `0..classes`, of which there are some.
fn any_outside(op: &'static str, target: &Tensor, classes: usize) -> Result<bool> {
    let is_outside = Program {
        compute: target.dtype(),
        instructions: OUTSIDE.into(),
        constants: [0.into(), (classes as i64 - 1).into()].into_iter().collect(),
        outputs: [Source::Register(2)].into_iter().collect(),
    };
    let dims = reduced_dims(op, target, None)?;
    let outside = reduction_ops::reduce(ReduceOp::Any, Some(&is_outside), target, &dims, DType::Bool, false)?;
    Ok(outside.item()?.to_bool())
}

/// Refuses class indices outside `0..classes`.
pub(crate) fn check_classes(op: &'static str, target: &Tensor, classes: usize) -> Result<()> {
    if target.numel() == 0 {
        return Ok(());
    }
    let target = target.detach();
    if classes > 0 && !any_outside(op, &target, classes)? {
        return Ok(());
    }
    let low = ops::amin(&target, &[], false)?.item()?.to_i64();
    let bad = if low < 0 { low } else { ops::amax(&target, &[], false)?.item()?.to_i64() };
    Err(RusTorchError::index(op, format!("target {bad} is out of bounds: there are {classes} classes")))
}

/// Log-softmax and negative log-likelihood.
pub fn cross_entropy(
    input: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    ignore_index: i64,
    reduction: &str,
    label_smoothing: f64,
) -> Result<Tensor> {
    let op = "cross_entropy";
    if !(0.0..=1.0).contains(&label_smoothing) {
        return Err(RusTorchError::argument(
            op,
            format!("label_smoothing must be between 0.0 and 1.0, got {label_smoothing}"),
        ));
    }
    let dim = i64::from(input.ndim() != 1);
    let classes = *input.shape().get(dim as usize).ok_or_else(|| {
        RusTorchError::shape(op, format!("expected input (N, C, *) or (C), got {:?}", input.shape()))
    })?;
    let log_p = ops::log_softmax(input, dim, None)?;
    if target.shape() == input.shape() && target.dtype().is_floating_point() {
        return soft_targets(&log_p, target, weight, reduction, label_smoothing, dim, classes);
    }
    let nll = nll_loss(&log_p, target, weight, ignore_index, reduction)?;
    if label_smoothing == 0.0 {
        return Ok(nll);
    }
    // (1 - ε) nll + ε / C Σ_c w_c (-log p_c), each weighted as nll is.
    let ignored = ops::eq(target, &Tensor::number(ignore_index)?)?;
    let spread = match weight {
        Some(w) => ops::mul(&log_p, &class_vector(w, log_p.ndim(), dim)?)?,
        None => log_p.clone(),
    };
    let smooth = ops::neg(&ops::sum(&spread, Some(&[dim]), false, None)?)?;
    let smooth = ops::where_(&ignored, &Tensor::number(0.0)?, &smooth)?;
    let smooth = match reduction {
        "mean" => {
            let kept = super::creation::cast(&ops::logical_not(&ignored)?, input.dtype())?;
            let factor = match weight {
                Some(w) => {
                    let safe = ops::where_(&ignored, &Tensor::number(0_i64)?, target)?;
                    let picked = ops::index_select(w, 0, &ops::reshape(&safe, &[-1])?)?;
                    ops::mul(&kept, &reshape_to(&picked, target.shape())?)?
                }
                None => kept,
            };
            ops::div(&ops::sum(&smooth, None, false, None)?, &ops::sum(&factor, None, false, None)?, None)?
        }
        _ => reduce(op, smooth, reduction)?,
    };
    let main = ops::mul(&nll, &Tensor::number(1.0 - label_smoothing)?)?;
    ops::add(&main, &smooth, (label_smoothing / classes as f64).into())
}

/// A vector of one entry per class, as a tensor that broadcasts over the class dimension.
fn class_vector(weight: &Tensor, ndim: usize, dim: i64) -> Result<Tensor> {
    let mut shape: Shape = smallvec::smallvec![1; ndim];
    shape[dim as usize] = weight.numel();
    reshape_to(weight, &shape)
}

fn soft_targets(
    log_p: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    reduction: &str,
    label_smoothing: f64,
    dim: i64,
    classes: usize,
) -> Result<Tensor> {
    let smoothed = if label_smoothing > 0.0 {
        let kept = ops::mul(target, &Tensor::number(1.0 - label_smoothing)?)?;
        ops::add(&kept, &Tensor::number(label_smoothing / classes as f64)?, 1.into())?
    } else {
        target.clone()
    };
    let mut product = ops::mul(log_p, &smoothed)?;
    if let Some(w) = weight {
        product = ops::mul(&product, &class_vector(w, log_p.ndim(), dim)?)?;
    }
    let loss = ops::neg(&ops::sum(&product, Some(&[dim]), false, None)?)?;
    if reduction == "mean" {
        let count = loss.numel() as f64;
        return ops::div(&ops::sum(&loss, None, false, None)?, &Tensor::number(count)?, None);
    }
    reduce("cross_entropy", loss, reduction)
}

fn same_shape(op: &'static str, input: &Tensor, target: &Tensor) -> Result<()> {
    if input.shape() == target.shape() {
        return Ok(());
    }
    Err(RusTorchError::shape(
        op,
        format!("target size {:?} must be the same as input size {:?}", target.shape(), input.shape()),
    ))
}

/// The cross-entropy of probabilities.
pub fn binary_cross_entropy(
    input: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    reduction: &str,
) -> Result<Tensor> {
    let op = "binary_cross_entropy";
    same_shape(op, input, target)?;
    let outside = ops::logical_not(&ops::logical_and(
        &ops::ge(&input.detach(), &Tensor::number(0.0)?)?,
        &ops::le(&input.detach(), &Tensor::number(1.0)?)?,
    )?)?;
    if ops::any(&outside, None, false)?.item()?.to_bool() {
        return Err(RusTorchError::argument(
            op,
            "all elements of input should be between 0 and 1; see binary_cross_entropy_with_logits()",
        ));
    }
    let mut loss = ops::bernoulli_cross_entropy(input, target)?;
    if let Some(weight) = weight {
        loss = ops::mul(&loss, weight)?;
    }
    reduce(op, loss, reduction)
}

/// The cross-entropy of each probability with its target, the logarithms no less than -100.
pub fn bernoulli_cross_entropy(input: &Tensor, target: &Tensor) -> Result<Tensor> {
    let floor = Tensor::number(-100.0)?;
    let complement = ops::sub(target, &Tensor::number(1.0)?, 1.into())?;
    let log_p = ops::clamp_min(&ops::log(input)?, &floor)?;
    let log_q = ops::clamp_min(&ops::log1p(&ops::neg(input)?)?, &floor)?;
    ops::sub(&ops::mul(&complement, &log_q)?, &ops::mul(target, &log_p)?, 1.into())
}

/// The cross-entropy of sigmoid(input).
pub fn binary_cross_entropy_with_logits(
    input: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    reduction: &str,
    pos_weight: Option<&Tensor>,
) -> Result<Tensor> {
    let op = "binary_cross_entropy_with_logits";
    same_shape(op, input, target)?;
    let one = Tensor::number(1.0)?;
    // (1 - y) x + (1 + (p - 1) y) log(1 + exp(-x))
    let log_term = ops::neg(&ops::logsigmoid(input)?)?;
    let log_term = match pos_weight {
        Some(p) => {
            let excess = ops::mul(&ops::sub(p, &one, 1.into())?, target)?;
            ops::mul(&ops::add(&excess, &one, 1.into())?, &log_term)?
        }
        None => log_term,
    };
    let complement = ops::add(&ops::neg(target)?, &one, 1.into())?;
    let mut loss = ops::add(&ops::mul(&complement, input)?, &log_term, 1.into())?;
    if let Some(weight) = weight {
        loss = ops::mul(&loss, weight)?;
    }
    reduce(op, loss, reduction)
}

/// The cross-entropy of a linear layer's outputs.
#[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
pub fn linear_cross_entropy(
    input: &Tensor,
    linear_weight: &Tensor,
    target: &Tensor,
    linear_bias: Option<&Tensor>,
    weight: Option<&Tensor>,
    reduction: &str,
    ignore_index: Option<i64>,
    label_smoothing: f64,
) -> Result<Tensor> {
    let op = "linear_cross_entropy";
    let fail = |message: String| Err(RusTorchError::shape(op, message));
    let (inputs, weights) = (input.shape(), linear_weight.shape());
    if inputs.is_empty() || inputs.len() > 2 || weights.len() < 2 || inputs.last() != weights.last() {
        return fail(format!(
            "expected input (N, in) or (in) and linear_weight (C, *, in), got {inputs:?} and {weights:?}"
        ));
    }
    let (outputs, features) = (&weights[..weights.len() - 1], weights[weights.len() - 1]);
    if outputs.len() > 1 && inputs.len() == 1 {
        return fail(format!(
            "linear_weight {weights:?} requires batched input (N, {features}), got {inputs:?}"
        ));
    }
    if let Some(bias) = linear_bias.filter(|bias| bias.shape() != outputs) {
        return fail(format!("expected linear_bias of shape {outputs:?}, got {:?}", bias.shape()));
    }
    let count = volume(outputs);
    let bias = linear_bias.map(|bias| reshape_to(bias, &[count])).transpose()?;
    let logits = ops::linear(input, &reshape_to(linear_weight, &[count, features])?, bias.as_ref())?;
    let mut shape = Shape::from_slice(&inputs[..inputs.len() - 1]);
    shape.extend_from_slice(outputs);
    let logits = reshape_to(&logits, &shape)?;
    if ignore_index.is_some() && target.shape() == logits.shape() {
        return Err(RusTorchError::argument(
            op,
            "ignore_index does not go with a target of class probabilities",
        ));
    }
    ops::cross_entropy(&logits, target, weight, ignore_index.unwrap_or(-100), reduction, label_smoothing)
}
