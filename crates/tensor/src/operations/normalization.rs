//! Normalisation.

use rustorch_backend::{
    DType, ElementwiseOp, Instruction, Operand, Scalar, Source, dims_from_slice, kernel, volume,
};
use rustorch_error::{Result, RusTorchError};

use super::creation::cast;
use super::reduction_ops::{kept_shape, reduced_dims};
use super::shape_ops::reshape_to;
use crate::autograd::Origin;
use crate::autograd::fused;
use crate::{Tensor, ops};

/// Normalises over dimensions; gives the result, the means and the reciprocal standard deviations.
pub fn normalize_over(
    input: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    dims: &[i64],
    eps: f64,
) -> Result<(Tensor, Tensor, Tensor)> {
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            "normalize_over",
            format!("not implemented for {}; it takes floating-point tensors", input.dtype()),
        ));
    }
    let dims = reduced_dims("normalize_over", input, Some(dims))?;
    let statistics = kept_shape(input.shape(), &dims);
    let result = Tensor::empty(input.shape(), input.dtype(), input.device())?;
    let mean = Tensor::empty(&statistics, input.dtype().compute(), input.device())?;
    let rstd = Tensor::empty(&statistics, input.dtype().compute(), input.device())?;
    if result.numel() == 0 {
        mean.backend()?.fill(mean.operand(), 0.into())?;
        rstd.backend()?.fill(rstd.operand(), 0.into())?;
        return Ok((result, mean, rstd));
    }
    let layout =
        |t: Option<&Tensor>| t.map(|t| t.broadcast_layout("normalize_over", input.shape())).transpose();
    let (weight_layout, bias_layout) = (layout(weight)?, layout(bias)?);
    result.backend()?.run(kernel::Normalize {
        input: input.operand(),
        dims: dims_from_slice(&dims),
        eps,
        weight: weight.zip(weight_layout.as_ref()).map(|(t, layout)| Operand { layout, ..t.operand() }),
        bias: bias.zip(bias_layout.as_ref()).map(|(t, layout)| Operand { layout, ..t.operand() }),
        output: result.operand(),
        mean: mean.operand(),
        rstd: rstd.operand(),
    })?;
    Ok((result, mean, rstd))
}

/// The trailing dimensions that a normalised shape names; the parameters have that shape.
fn trailing_dims(
    op: &'static str,
    input: &Tensor,
    normalized_shape: &[i64],
    parameters: &[(&str, Option<&Tensor>)],
) -> Result<Vec<i64>> {
    let n = normalized_shape.len();
    let wanted = super::creation::sizes(op, normalized_shape)?;
    let fits = n > 0 && n <= input.ndim() && input.shape()[input.ndim() - n..] == wanted[..];
    if !fits {
        return Err(RusTorchError::shape(
            op,
            format!(
                "given normalized_shape={normalized_shape:?}, expected input with shape [*, {normalized_shape:?}], but got input of size {:?}",
                input.shape()
            ),
        ));
    }
    for &(name, t) in parameters {
        if let Some(t) = t
            && t.shape() != wanted.as_slice()
        {
            return Err(RusTorchError::shape(
                op,
                format!(
                    "expected {name} to be of same shape as normalized_shape, but got {:?} and {normalized_shape:?}",
                    t.shape()
                ),
            ));
        }
    }
    // Short: one per dimension.
    Ok((1..=n as i64).map(|d| -d).collect())
}

/// Normalises the trailing dimensions.
pub fn layer_norm(
    input: &Tensor,
    normalized_shape: &[i64],
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<Tensor> {
    let dims = trailing_dims("layer_norm", input, normalized_shape, &[("weight", weight), ("bias", bias)])?;
    Ok(ops::normalize_over(input, weight, bias, &dims, eps)?.0)
}

/// A vector of one entry per channel, as a tensor that broadcasts over (N, C, *).
fn per_channel(
    op: &'static str,
    name: &str,
    t: Option<&Tensor>,
    channels: usize,
    shape: &[usize],
) -> Result<Option<Tensor>> {
    let Some(t) = t else { return Ok(None) };
    if t.shape() != [channels] {
        return Err(RusTorchError::shape(
            op,
            format!("{name} should contain {channels} elements, one per channel, not shape {:?}", t.shape()),
        ));
    }
    reshape_to(t, shape).map(Some)
}

/// Normalises groups of channels.
pub fn group_norm(
    input: &Tensor,
    num_groups: i64,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<Tensor> {
    let op = "group_norm";
    let channels = *input.shape().get(1).ok_or_else(|| {
        RusTorchError::shape(op, format!("expected at least 2 dimensions (N, C, *), got {:?}", input.shape()))
    })?;
    let groups = usize::try_from(num_groups).ok().filter(|&g| g > 0 && channels % g == 0).ok_or_else(|| {
        RusTorchError::argument(
            op,
            format!("expected number of channels in input to be divisible by num_groups, but got {channels} channels and num_groups={num_groups}"),
        )
    })?;
    // (N, C, *) becomes (N, G, C / G, *), the channel parameters (G, C / G, 1…).
    let mut split = vec![input.shape()[0], groups, channels / groups];
    split.extend_from_slice(&input.shape()[2..]);
    let mut affine = vec![groups, channels / groups];
    affine.resize(split.len() - 1, 1);
    let weight = per_channel(op, "weight", weight, channels, &affine)?;
    let bias = per_channel(op, "bias", bias, channels, &affine)?;
    // Short: one per dimension.
    let dims: Vec<i64> = (2..split.len() as i64).collect();
    let grouped = reshape_to(input, &split)?;
    let (result, ..) = ops::normalize_over(&grouped, weight.as_ref(), bias.as_ref(), &dims, eps)?;
    reshape_to(&result, input.shape())
}

/// Moves a running statistic towards a new one.
fn update_running(running: &Tensor, statistic: &Tensor, channels: usize, momentum: f64) -> Result<()> {
    let statistic = reshape_to(statistic, &[channels])?;
    let momentum = Tensor::number(momentum)?;
    if running.dtype() == statistic.dtype() {
        return ops::lerp_(running, &statistic, &momentum);
    }
    // In the statistic's precision, and rounded once.
    let moved = ops::lerp(&cast(running, statistic.dtype())?, &statistic, &momentum)?;
    ops::copy_(running, &moved, false)
}

/// `max(1 / rstd² - eps, 0) * factor` over rstd, with 0, eps and the factor as constants.
static VARIANCE: [Instruction; 5] = [
    Instruction::new(ElementwiseOp::Reciprocal, &[Source::Input(0)]),
    Instruction::new(ElementwiseOp::Mul, &[Source::Register(0), Source::Register(0)]),
    Instruction::new(ElementwiseOp::Sub, &[Source::Register(1), Source::Constant(1)]),
    Instruction::new(ElementwiseOp::Maximum, &[Source::Register(2), Source::Constant(0)]),
    Instruction::new(ElementwiseOp::Mul, &[Source::Register(3), Source::Constant(2)]),
];

/// var = 1 / rstd² - eps, times count / (count - 1).
fn unbiased_variance(rstd: &Tensor, eps: f64, count: usize) -> Result<Tensor> {
    let correction = count as f64 / (count as f64 - 1.0);
    let constants = [0.0, eps, correction].map(Scalar::Float).into_iter().collect();
    fused::run(&VARIANCE, constants, &[rstd], &Origin::of(rstd))
}

/// Normalises each channel over the batch, or by running statistics.
#[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
pub fn batch_norm(
    input: &Tensor,
    running_mean: Option<&Tensor>,
    running_var: Option<&Tensor>,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    training: bool,
    momentum: f64,
    eps: f64,
) -> Result<Tensor> {
    let op = "batch_norm";
    if input.shape() == [0] {
        return ops::clone(input);
    }
    let channels = *input.shape().get(1).ok_or_else(|| {
        RusTorchError::shape(op, format!("expected at least 2 dimensions (N, C, *), got {:?}", input.shape()))
    })?;
    let mut shape = vec![1; input.ndim()];
    shape[1] = channels;
    let weight = per_channel(op, "weight", weight, channels, &shape)?;
    let bias = per_channel(op, "bias", bias, channels, &shape)?;
    if !training {
        let (Some(mean), Some(var)) = (
            per_channel(op, "running_mean", running_mean, channels, &shape)?,
            per_channel(op, "running_var", running_var, channels, &shape)?,
        ) else {
            return Err(RusTorchError::argument(
                op,
                "expected running_mean and running_var to be defined when training=False",
            ));
        };
        // Half precisions are computed in float32 and rounded once.
        let wide = |t: &Tensor| cast(t, t.dtype().compute());
        let (mean, var) = (wide(&mean)?, wide(&var)?);
        let rstd = ops::rsqrt(&ops::add(&var, &Tensor::number(eps)?, 1.into())?)?;
        let scale = match &weight {
            Some(weight) => ops::mul(&rstd, &wide(weight)?)?,
            None => rstd,
        };
        // x * scale + (bias - mean * scale): one pass over x after a few over channels.
        let shifted = ops::neg(&ops::mul(&mean, &scale)?)?;
        let shift = match &bias {
            Some(bias) => ops::add(&wide(bias)?, &shifted, 1.into())?,
            None => shifted,
        };
        return cast(&ops::addcmul(&shift, input, &scale, 1.into())?, input.dtype());
    }
    let count = input.numel() / channels.max(1);
    if count == 0 {
        return ops::clone(input);
    }
    if count == 1 {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected more than 1 value per channel when training, got input size {:?}",
                input.shape()
            ),
        ));
    }
    let dims: Vec<i64> = (0..input.ndim() as i64).filter(|&d| d != 1).collect();
    let (result, mean, rstd) = ops::normalize_over(input, weight.as_ref(), bias.as_ref(), &dims, eps)?;
    let _mode = crate::autograd::GradMode::no_grad();
    if let Some(running) = running_mean {
        update_running(running, &mean.detach(), channels, momentum)?;
    }
    if let Some(running) = running_var {
        update_running(running, &unbiased_variance(&rstd, eps, count)?, channels, momentum)?;
    }
    Ok(result)
}

/// Normalises each channel of each example.
#[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
pub fn instance_norm(
    input: &Tensor,
    running_mean: Option<&Tensor>,
    running_var: Option<&Tensor>,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    use_input_stats: bool,
    momentum: f64,
    eps: f64,
) -> Result<Tensor> {
    let op = "instance_norm";
    let channels = *input.shape().get(1).ok_or_else(|| {
        RusTorchError::shape(op, format!("expected at least 2 dimensions (N, C, *), got {:?}", input.shape()))
    })?;
    if !use_input_stats {
        if running_mean.is_none() || running_var.is_none() {
            return Err(RusTorchError::argument(
                op,
                "expected running_mean and running_var to be defined when use_input_stats is false",
            ));
        }
        return batch_norm(input, running_mean, running_var, weight, bias, false, momentum, eps);
    }
    let count = volume(&input.shape()[2..]);
    if count == 1 {
        return Err(RusTorchError::shape(
            op,
            format!("expected more than 1 spatial element when training, got input size {:?}", input.shape()),
        ));
    }
    if input.numel() == 0 {
        return ops::clone(input);
    }
    let mut shape = vec![1; input.ndim()];
    shape[1] = channels;
    let weight = per_channel(op, "weight", weight, channels, &shape)?;
    let bias = per_channel(op, "bias", bias, channels, &shape)?;
    // Short: one per dimension.
    let dims: Vec<i64> = (2..input.ndim() as i64).collect();
    let (result, mean, rstd) = ops::normalize_over(input, weight.as_ref(), bias.as_ref(), &dims, eps)?;
    let _mode = crate::autograd::GradMode::no_grad();
    // The mean over the examples of what each says of a channel.
    let channel_mean = |statistic: &Tensor| {
        let split = reshape_to(&statistic.detach(), &[input.shape()[0], channels])?;
        ops::mean(&split, Some(&[0]), false, None)
    };
    if let Some(running) = running_mean {
        update_running(running, &channel_mean(&mean)?, channels, momentum)?;
    }
    if let Some(running) = running_var {
        update_running(running, &channel_mean(&unbiased_variance(&rstd, eps, count)?)?, channels, momentum)?;
    }
    Ok(result)
}

/// `sqrt(mean(x²) + eps)` over dimensions, without the squares, which may be too large or too small.
pub(crate) fn root_mean_square(x: &Tensor, dims: &[i64], eps: f64) -> Result<Tensor> {
    let norm = ops::linalg_vector_norm(x, 2.into(), Some(dims), true, None)?;
    let count = x.numel() / norm.numel().max(1);
    let root = ops::mul(&norm, &Tensor::number(1.0 / (count as f64).sqrt())?)?;
    if eps == 0.0 {
        return Ok(root);
    }
    let shift = Tensor::number(eps.abs().sqrt())?;
    if eps > 0.0 {
        return ops::hypot(&root, &shift);
    }
    let (below, above) = (ops::sub(&root, &shift, 1.into())?, ops::add(&root, &shift, 1.into())?);
    ops::mul(&ops::sqrt(&below)?, &ops::sqrt(&above)?)
}

/// Divides by the root mean square of the trailing dimensions.
pub fn rms_norm(
    input: &Tensor,
    normalized_shape: &[i64],
    weight: Option<&Tensor>,
    eps: Option<f64>,
) -> Result<Tensor> {
    let op = "rms_norm";
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            op,
            format!("not implemented for {}; it takes floating-point tensors", input.dtype()),
        ));
    }
    let dims = trailing_dims(op, input, normalized_shape, &[("weight", weight)])?;
    // That of the precision of the computation, also for half precisions.
    let eps = eps.unwrap_or(if input.dtype() == DType::Float64 { f64::EPSILON } else { f32::EPSILON.into() });
    let mut result = ops::div(input, &root_mean_square(input, &dims, eps)?, None)?;
    if let Some(weight) = weight {
        result = ops::mul(&result, weight)?;
    }
    cast(&result, input.dtype())
}

/// Divides by a power of the mean square of neighbouring channels.
pub fn local_response_norm(input: &Tensor, size: i64, alpha: f64, beta: f64, k: f64) -> Result<Tensor> {
    let op = "local_response_norm";
    if input.ndim() < 3 {
        return Err(RusTorchError::shape(
            op,
            format!("expected 3D or higher dimensionality input (got {} dimensions)", input.ndim()),
        ));
    }
    if size < 1 {
        return Err(RusTorchError::argument(op, format!("size must be positive, got {size}")));
    }
    if input.numel() == 0 {
        return ops::clone(input);
    }
    // Sizes relative to the largest of the channels at a place (at least 1, unless k is 0), whose squares neither overflow
    // nor vanish: with x = s u, x / (k + a x²)^b is x / s^b / s^b / (k / s² + a u²)^b.
    // Integers are what they are.
    let scale = if input.dtype().is_floating_point() {
        let scale = super::norm::power_of_two(&ops::amax(&ops::abs(&input.detach())?, &[1], true)?)?;
        Some(if k == 0.0 { scale } else { ops::clamp_min(&scale, &Tensor::number(1.0)?)? })
    } else {
        None
    };
    let over = |value: &Tensor, scale: &Option<Tensor>| match scale {
        Some(scale) => ops::div(value, scale, None),
        None => Ok(value.clone()),
    };
    let relative = over(input, &scale)?;
    // Channels as the height of an image of one channel: a window of them is a window of rows.
    let (batch, channels) = (input.shape()[0], input.shape()[1]);
    let squares =
        reshape_to(&ops::square(&relative)?, &[batch, 1, channels, input.numel() / batch / channels])?;
    let padded = ops::constant_pad_nd(&squares, &[0, 0, size / 2, (size - 1) / 2], 0.into())?;
    let means = ops::avg_pool2d(&padded, &[size, 1], &[1], &[0], false, true, None)?;
    let scaled = ops::mul(&reshape_to(&means, input.shape())?, &Tensor::number(alpha)?)?;
    let beta = Tensor::number(beta)?;
    let shift = over(&over(&Tensor::number(k)?, &scale)?, &scale)?;
    let divisor = ops::pow(&ops::add(&scaled, &shift, 1.into())?, &beta)?;
    let root = scale.map(|scale| ops::pow(&scale, &beta)).transpose()?;
    ops::div(&over(&over(input, &root)?, &root)?, &divisor, None)
}
