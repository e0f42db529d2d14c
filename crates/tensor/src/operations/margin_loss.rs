//! Losses that ask for a margin between right and wrong.

use rustorch_backend::{DType, Scalar};
use rustorch_error::{Result, RusTorchError};

use super::loss::{check_classes, reduce};
use super::shape_ops::reshape_to;
use crate::{Tensor, ops};

fn difference(input: &Tensor, target: &Tensor) -> Result<Tensor> {
    ops::sub(input, target, 1.into())
}

/// `margin - x`.
fn below(margin: f64, x: &Tensor) -> Result<Tensor> {
    ops::add(&ops::neg(x)?, &Tensor::number(margin)?, 1.into())
}

fn positive_part(x: &Tensor) -> Result<Tensor> {
    ops::clamp_min(x, &Tensor::number(0)?)
}

/// `x` where the target is not `other`, 0 elsewhere.
fn unless(target: &Tensor, other: i64, x: &Tensor) -> Result<Tensor> {
    ops::masked_fill(x, &ops::eq(target, &Tensor::number(other)?)?, &Tensor::number(0)?)
}

/// Small where the target is 1, at least the margin where it is -1.
pub fn hinge_embedding_loss(input: &Tensor, target: &Tensor, margin: f64, reduction: &str) -> Result<Tensor> {
    let shape = super::elementwise::broadcast("hinge_embedding_loss", &[input, target])?;
    let input = super::shape_ops::expand_to(input, &shape)?;
    let far = unless(target, 1, &positive_part(&below(margin, &input)?)?)?;
    reduce("hinge_embedding_loss", ops::add(&far, &unless(target, -1, &input)?, 1.into())?, reduction)
}

/// The first above the second by a margin, or the other way round.
pub fn margin_ranking_loss(
    input1: &Tensor,
    input2: &Tensor,
    target: &Tensor,
    margin: f64,
    reduction: &str,
) -> Result<Tensor> {
    let op = "margin_ranking_loss";
    if input1.ndim() != input2.ndim() || input1.ndim() != target.ndim() {
        return Err(RusTorchError::shape(
            op,
            format!(
                "all input tensors should have the same number of dimensions, but got sizes {:?}, {:?} and {:?}",
                input1.shape(),
                input2.shape(),
                target.shape()
            ),
        ));
    }
    let ahead = ops::mul(target, &difference(input1, input2)?)?;
    reduce(op, positive_part(&below(margin, &ahead)?)?, reduction)
}

/// The logistic loss.
pub fn soft_margin_loss(input: &Tensor, target: &Tensor, reduction: &str) -> Result<Tensor> {
    let loss = ops::neg(&ops::logsigmoid(&ops::mul(target, input)?)?)?;
    reduce("soft_margin_loss", loss, reduction)
}

/// The angle between two vectors.
pub fn cosine_embedding_loss(
    input1: &Tensor,
    input2: &Tensor,
    target: &Tensor,
    margin: f64,
    reduction: &str,
) -> Result<Tensor> {
    let op = "cosine_embedding_loss";
    let dims = target.ndim();
    if dims > 1 || input1.ndim() != dims + 1 || input2.ndim() != dims + 1 {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected a 1-D target with 2-D inputs or a 0-d target with 1-D inputs, got target {:?} and inputs {:?} and {:?}",
                target.shape(),
                input1.shape(),
                input2.shape()
            ),
        ));
    }
    let inner = |a: &Tensor, b: &Tensor| ops::sum(&ops::mul(a, b)?, Some(&[dims as i64]), false, None);
    let tiny = Tensor::number(1e-12)?;
    let (size1, size2) = (
        ops::add(&inner(input1, input1)?, &tiny, 1.into())?,
        ops::add(&inner(input2, input2)?, &tiny, 1.into())?,
    );
    let cosine = ops::div(&inner(input1, input2)?, &ops::sqrt(&ops::mul(&size1, &size2)?)?, None)?;
    let alike = below(1.0, &cosine)?;
    let apart = positive_part(&ops::add(&cosine, &Tensor::number(-margin)?, 1.into())?)?;
    let zero = Tensor::number(0)?;
    let loss = ops::add(
        &ops::where_(&ops::eq(target, &Tensor::number(1)?)?, &alike, &zero)?,
        &ops::where_(&ops::eq(target, &Tensor::number(-1)?)?, &apart, &zero)?,
        1.into(),
    )?;
    reduce(op, loss, reduction)
}

/// The anchor nearer to the positive than to the negative example by a margin.
#[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
pub fn triplet_margin_loss(
    anchor: &Tensor,
    positive: &Tensor,
    negative: &Tensor,
    margin: f64,
    p: f64,
    eps: f64,
    swap: bool,
    reduction: &str,
) -> Result<Tensor> {
    let op = "triplet_margin_loss";
    if margin.is_nan() || margin <= 0.0 {
        return Err(RusTorchError::argument(op, format!("margin must be greater than 0, got {margin}")));
    }
    if anchor.ndim() != positive.ndim() || anchor.ndim() != negative.ndim() {
        return Err(RusTorchError::shape(
            op,
            format!(
                "the anchor, positive, and negative tensors are expected to have the same number of dimensions, but got {}, {} and {}",
                anchor.ndim(),
                positive.ndim(),
                negative.ndim()
            ),
        ));
    }
    let distance = |a: &Tensor, b: &Tensor| {
        let apart = ops::add(&difference(a, b)?, &Tensor::number(eps)?, 1.into())?;
        let dims = [-1];
        let dims = (apart.ndim() > 0).then_some(&dims[..]);
        ops::linalg_vector_norm(&apart, p.into(), dims, false, None)
    };
    let near = distance(anchor, positive)?;
    let mut far = distance(anchor, negative)?;
    if swap {
        far = ops::minimum(&far, &distance(positive, negative)?)?;
    }
    reduce(
        op,
        positive_part(&ops::add(&difference(&near, &far)?, &Tensor::number(margin)?, 1.into())?)?,
        reduction,
    )
}

/// The input as (N, C), or an error.
fn as_rows(op: &'static str, input: &Tensor) -> Result<Tensor> {
    match input.shape() {
        [] => reshape_to(input, &[1, 1]),
        &[classes] if classes > 0 => reshape_to(input, &[1, classes]),
        [_, classes] if *classes > 0 => Ok(input.clone()),
        shape => Err(RusTorchError::shape(
            op,
            format!("expected a non-empty input (C) or (N, C), where N may be 0, got {shape:?}"),
        )),
    }
}

fn require_int64(op: &'static str, target: &Tensor) -> Result<()> {
    if target.dtype() == DType::Int64 {
        return Ok(());
    }
    Err(RusTorchError::dtype(op, format!("expected targets to be int64, got {}", target.dtype())))
}

/// As [`reduce`], but the mean over no samples is 0.
fn reduce_samples(op: &'static str, loss: &Tensor, reduction: &str) -> Result<Tensor> {
    reduce(op, loss.clone(), if loss.numel() == 0 && reduction == "mean" { "sum" } else { reduction })
}

/// The classes as (1, C), to compare with.
fn class_numbers(classes: usize, like: &Tensor) -> Result<Tensor> {
    ops::arange_to((classes as i64).into(), Some(DType::Int64), Some(like.device()), false)
}

/// The hinge loss of several classes (Crammer and Singer, 2001).
pub fn multi_margin_loss(
    input: &Tensor,
    target: &Tensor,
    p: Scalar,
    margin: f64,
    weight: Option<&Tensor>,
    reduction: &str,
) -> Result<Tensor> {
    let op = "multi_margin_loss";
    let p = p.real(op, "p")?;
    if p != 1.0 && p != 2.0 {
        return Err(RusTorchError::argument(op, format!("only p == 1 and p == 2 are supported, got {p}")));
    }
    require_int64(op, target)?;
    let rows = as_rows(op, input)?;
    let (count, classes) = (rows.shape()[0], rows.shape()[1]);
    if target.ndim() > 1 || target.numel() != count {
        return Err(RusTorchError::shape(
            op,
            format!("expected {count} targets for input {:?}, got shape {:?}", input.shape(), target.shape()),
        ));
    }
    if let Some(weight) = weight.filter(|w| w.shape() != [classes]) {
        return Err(RusTorchError::shape(
            op,
            format!("inconsistent weight size, expected {classes} but got {:?}", weight.shape()),
        ));
    }
    check_classes(op, target, classes)?;
    let column = reshape_to(target, &[count, 1])?;
    let right = ops::gather(&rows, 1, &column)?;
    let mut excess = ops::relu(&below(margin, &difference(&right, &rows)?)?)?;
    if p == 2.0 {
        excess = ops::square(&excess)?;
    }
    if let Some(weight) = weight {
        let flat = reshape_to(target, &[count])?;
        excess = ops::mul(&excess, &ops::unsqueeze(&ops::index_select(weight, 0, &flat)?, 1)?)?;
    }
    let own = ops::eq(&class_numbers(classes, input)?, &column)?;
    let others = ops::masked_fill(&excess, &own, &Tensor::number(0)?)?;
    let loss = ops::mean(&others, Some(&[1]), false, None)?;
    reduce_samples(op, &reshape_to(&loss, target.shape())?, reduction)
}

/// The hinge loss of several classes of which several are right.
pub fn multilabel_margin_loss(input: &Tensor, target: &Tensor, reduction: &str) -> Result<Tensor> {
    let op = "multilabel_margin_loss";
    require_int64(op, target)?;
    let rows = as_rows(op, input)?;
    let (count, classes) = (rows.shape()[0], rows.shape()[1]);
    if target.numel() != rows.numel() || (input.ndim() == 2 && target.shape() != input.shape()) {
        return Err(RusTorchError::shape(
            op,
            format!("inconsistent target size: {:?} for input of size {:?}", target.shape(), input.shape()),
        ));
    }
    let target = reshape_to(target, &[count, classes])?;
    if count > 0 {
        let lowest = ops::amin(&target, &[], false)?.item()?.to_i64();
        if lowest < -1 {
            return Err(RusTorchError::index(
                op,
                format!("target {lowest} is out of range: it is a class or -1"),
            ));
        }
    }
    // A row's targets are those before its first -1.
    let listed = ops::ge(&target, &Tensor::number(0)?)?;
    let counted = ops::cumprod(&super::creation::cast(&listed, DType::Int64)?, 1, None)?;
    let counted = ops::ne(&counted, &Tensor::number(0)?)?;
    let safe = ops::masked_fill(&target, &ops::logical_not(&counted)?, &Tensor::number(0)?)?;
    check_classes(op, &safe, classes)?;
    let chosen = ops::logical_and(
        &ops::eq(&ops::unsqueeze(&safe, 2)?, &class_numbers(classes, input)?)?,
        &ops::unsqueeze(&counted, 2)?,
    )?;
    let right = ops::any(&chosen, Some(&[1]), false)?;
    // (N, targets, classes): how far class i is above target j less the margin.
    let scores = ops::unsqueeze(&ops::gather(&rows, 1, &safe)?, 2)?;
    let excess = ops::relu(&below(1.0, &difference(&scores, &ops::unsqueeze(&rows, 1)?)?)?)?;
    let pairs =
        ops::logical_and(&ops::unsqueeze(&counted, 2)?, &ops::logical_not(&ops::unsqueeze(&right, 1)?)?)?;
    let kept = ops::masked_fill(&excess, &ops::logical_not(&pairs)?, &Tensor::number(0)?)?;
    let loss =
        ops::div(&ops::sum(&kept, Some(&[1, 2]), false, None)?, &Tensor::number(classes as f64)?, None)?;
    reduce_samples(op, &if input.ndim() < 2 { reshape_to(&loss, &[])? } else { loss }, reduction)
}

/// The binary cross-entropy of each class.
pub fn multilabel_soft_margin_loss(
    input: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    reduction: &str,
) -> Result<Tensor> {
    let op = "multilabel_soft_margin_loss";
    let positive = ops::mul(target, &ops::logsigmoid(input)?)?;
    let negative = ops::mul(&below(1.0, target)?, &ops::logsigmoid(&ops::neg(input)?)?)?;
    let mut loss = ops::neg(&ops::add(&positive, &negative, 1.into())?)?;
    if let Some(weight) = weight {
        loss = ops::mul(&loss, weight)?;
    }
    if input.ndim() == 0 {
        return Err(RusTorchError::shape(op, "expected input (N, C) or (C), got a 0-d tensor"));
    }
    let classes = *input.shape().last().unwrap_or(&1);
    let total = ops::sum(&loss, Some(&[input.ndim() as i64 - 1]), false, None)?;
    reduce(op, ops::div(&total, &Tensor::number(classes as f64)?, None)?, reduction)
}
