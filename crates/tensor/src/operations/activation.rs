//! Activations that check their arguments, draw random slopes, or are made of other ops.

use rustorch_backend::{Distribution, Shape};
use rustorch_error::{Result, RusTorchError};

use super::random::fill;
use super::shape_ops::reshape_to;
use crate::autograd::GradMode;
use crate::{Generator, Tensor, ops};

/// `gelu` with an approximation.
pub(crate) fn gelu_approximate(input: &Tensor, approximate: &str) -> Result<Tensor> {
    match approximate {
        "tanh" => ops::gelu_tanh(input),
        other => Err(RusTorchError::argument(
            "gelu",
            format!("approximate argument must be either 'none' or 'tanh', got '{other}'"),
        )),
    }
}

/// Refuses dtypes that are not floating point.
fn require_float(op: &'static str, input: &Tensor) -> Result<()> {
    if input.dtype().is_floating_point() {
        return Ok(());
    }
    Err(RusTorchError::dtype(
        op,
        format!("not implemented for {}; it takes floating-point tensors", input.dtype()),
    ))
}

/// The elements moved toward 0.
pub fn softshrink(input: &Tensor, lambd: f64) -> Result<Tensor> {
    if lambd.is_nan() || lambd < 0.0 {
        return Err(RusTorchError::argument(
            "softshrink",
            format!("lambda must be greater or equal to 0, but found to be {lambd}"),
        ));
    }
    ops::shrink(input, lambd)
}

/// One half of a dimension times the sigmoid of the other (Dauphin and others, 2016).
pub fn glu(input: &Tensor, dim: i64) -> Result<Tensor> {
    require_float("glu", input)?;
    if input.ndim() == 0 {
        return Err(RusTorchError::shape("glu", "a 0-d tensor has no dimension to halve"));
    }
    let d = input.dim_index("glu", dim)?;
    let size = input.shape()[d];
    if !size.is_multiple_of(2) {
        return Err(RusTorchError::shape(
            "glu",
            format!("halving dimension must be even, but dimension {d} is size {size}"),
        ));
    }
    let half = (size / 2) as i64;
    let gate = ops::sigmoid(&ops::narrow(input, dim, half, half)?)?;
    ops::mul(&ops::narrow(input, dim, 0, half)?, &gate)
}

/// A leaky rectifier with learnt slopes (He and others, 2015).
pub fn prelu(input: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let op = "prelu";
    require_float(op, input)?;
    if input.dtype() != weight.dtype() {
        return Err(RusTorchError::dtype(
            op,
            format!(
                "type promotion is not supported: input is {}, weight {}; convert one of them",
                input.dtype(),
                weight.dtype()
            ),
        ));
    }
    if weight.ndim() > 1 {
        return Err(RusTorchError::shape(
            op,
            format!("expected weight to be a scalar or 1D tensor, but got {:?}", weight.shape()),
        ));
    }
    if weight.numel() == 1 {
        return ops::leaky_slope(input, &reshape_to(weight, &[])?);
    }
    let channels = match input.shape() {
        [] => return Err(RusTorchError::shape(op, "a 0-d input takes one weight only")),
        [_] => 1,
        [_, channels, ..] => *channels,
    };
    if weight.numel() != channels {
        return Err(RusTorchError::shape(
            op,
            format!(
                "mismatch of parameter numbers and input channel size: {} weights for {channels} channels",
                weight.numel()
            ),
        ));
    }
    let mut shape: Shape = smallvec::smallvec![1; input.ndim()];
    shape[1] = channels;
    ops::leaky_slope(input, &reshape_to(weight, &shape)?)
}

/// A leaky rectifier with random slopes (Xu and others, 2015).
pub fn rrelu(
    input: &Tensor,
    lower: f64,
    upper: f64,
    training: bool,
    generator: Option<&Generator>,
) -> Result<Tensor> {
    let op = "rrelu";
    require_float(op, input)?;
    if !(lower.is_finite() && upper.is_finite() && lower <= upper) {
        return Err(RusTorchError::argument(
            op,
            format!("expected finite bounds with lower <= upper, got lower={lower} and upper={upper}"),
        ));
    }
    if !training {
        return ops::leaky_relu(input, f64::midpoint(lower, upper));
    }
    let slopes = Tensor::empty(input.shape(), input.dtype(), input.device())?;
    fill(&slopes, Distribution::Uniform { low: lower, high: upper }, generator)?;
    ops::leaky_slope(input, &slopes)
}

/// A sample of a distribution over one-hot vectors, relaxed so that it has a gradient (Jang and others, 2016).
pub fn gumbel_softmax(logits: &Tensor, tau: f64, hard: bool, _eps: f64, dim: i64) -> Result<Tensor> {
    require_float("gumbel_softmax", logits)?;
    let noise = {
        let _mode = GradMode::no_grad();
        let uniform = Tensor::empty(logits.shape(), logits.dtype().compute(), logits.device())?;
        fill(&uniform, Distribution::Uniform { low: 0.0, high: 1.0 }, None)?;
        // Exponential numbers; the least positive float keeps their logarithm finite.
        let exponential = ops::neg(&ops::log1p(&ops::neg(&uniform)?)?)?;
        let exponential = ops::clamp_min(&exponential, &Tensor::number(f64::from(f32::MIN_POSITIVE))?)?;
        super::creation::cast(&ops::neg(&ops::log(&exponential)?)?, logits.dtype())?
    };
    let perturbed = ops::div(&ops::add(logits, &noise, 1.into())?, &Tensor::number(tau)?, None)?;
    let soft = ops::softmax(&perturbed, dim, None)?;
    if !hard {
        return Ok(soft);
    }
    let plain = soft.detach();
    let best = ops::argmax(&plain, Some(dim), true)?;
    let zeros = ops::mul(&plain, &Tensor::number(0.0)?)?;
    let one_hot = ops::scatter(&zeros, dim, &best, &Tensor::number(1.0)?)?;
    // The value of the one-hot vector with the gradient of the soft one.
    ops::add(&ops::sub(&one_hot, &plain, 1.into())?, &soft, 1.into())
}
