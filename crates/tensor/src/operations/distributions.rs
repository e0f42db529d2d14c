//! Random numbers from distributions whose parameters are given.
//!
//! Continuous ones are transforms of uniform or Gaussian numbers in float64, so that their tails reach far whatever the
//! dtype; counts have a kernel of their own.

use rustorch_backend::{DType, Device, Distribution, Sampler, kernel};
use rustorch_error::{Result, RusTorchError};

use super::creation::{cast, sizes};
use super::elementwise::broadcast;
use super::random::{STANDARD_NORMAL, STANDARD_UNIFORM, fill, fill_in_place, float_dtype};
use crate::autograd::{assign, check_inplace};
use crate::registry::default_device;
use crate::{Generator, Tensor, default_generator_of, ops};

fn check_std(std: f64) -> Result<()> {
    if std >= 0.0 {
        Ok(())
    } else {
        Err(RusTorchError::argument("normal", format!("expects std >= 0.0, but found std {std}")))
    }
}

/// Standard Gaussian numbers of a tensor's dtype and device.
fn gaussian(like: &Tensor, shape: &[usize], generator: Option<&Generator>) -> Result<Tensor> {
    let drawn = Tensor::empty(shape, float_dtype("normal", Some(like.dtype()))?, like.device())?;
    fill(&drawn, STANDARD_NORMAL, generator)?;
    Ok(drawn)
}

fn scaled(drawn: &Tensor, mean: &Tensor, std: &Tensor) -> Result<Tensor> {
    if ops::any(&ops::lt(std, &Tensor::number(0.0)?)?, None, false)?.item()?.to_bool() {
        return Err(RusTorchError::argument("normal", "expects all elements of std >= 0.0"));
    }
    cast(&ops::add(&ops::mul(drawn, std)?, mean, 1.into())?, drawn.dtype())
}

/// Gaussian numbers, each with a mean and standard deviation of its own.
pub fn normal(mean: &Tensor, std: &Tensor, generator: Option<&Generator>) -> Result<Tensor> {
    let shape = broadcast("normal", &[mean, std])?;
    scaled(&gaussian(mean, &shape, generator)?, mean, std)
}

/// Gaussian numbers, each with a mean of its own.
pub fn normal_around(mean: &Tensor, std: f64, generator: Option<&Generator>) -> Result<Tensor> {
    check_std(std)?;
    scaled(&gaussian(mean, mean.shape(), generator)?, mean, &Tensor::number(std)?)
}

/// Gaussian numbers, each with a standard deviation of its own.
pub fn normal_spread(mean: f64, std: &Tensor, generator: Option<&Generator>) -> Result<Tensor> {
    scaled(&gaussian(std, std.shape(), generator)?, &Tensor::number(mean)?, std)
}

/// Gaussian numbers of one mean and standard deviation.
pub fn normal_of_size(
    mean: f64,
    std: f64,
    size: &[i64],
    generator: Option<&Generator>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    check_std(std)?;
    let dtype = float_dtype("normal", dtype)?;
    let tensor = Tensor::empty(&sizes("normal", size)?, dtype, device.unwrap_or_else(default_device))?;
    fill(&tensor, Distribution::Normal { mean, std }, generator)?;
    if requires_grad { tensor.requires_grad_() } else { Ok(tensor) }
}

/// Counts in the dtype of the parameters.
fn counts(
    sampler: Sampler,
    parameters: &[&Tensor],
    shape: &[usize],
    generator: Option<&Generator>,
) -> Result<Tensor> {
    let wide = parameters
        .iter()
        // Short: one per parameter.
        .map(|p| ops::expand(&cast(p, DType::Float64)?, &shape.iter().map(|&n| n as i64).collect::<Vec<_>>()))
        // Short: one per parameter.
        .collect::<Result<Vec<_>>>()?;
    let output = Tensor::empty(shape, DType::Float64, parameters[0].device())?;
    let key = generator.unwrap_or_else(|| default_generator_of(output.device())).advance(output.numel());
    if output.numel() > 0 {
        // Short: one per parameter.
        let operands: Vec<_> = wide.iter().map(Tensor::operand).collect();
        output.backend()?.run(kernel::Sample {
            sampler,
            key,
            parameters: kernel::List::from_slice(&operands),
            output: output.operand(),
        })?;
    }
    cast(&output, parameters[0].dtype())
}

/// Counts from Poisson's distribution.
pub fn poisson(input: &Tensor, generator: Option<&Generator>) -> Result<Tensor> {
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            "poisson",
            format!("expected floating-point expectations, got {}", input.dtype()),
        ));
    }
    let usable = ops::ge(input, &Tensor::number(0.0)?)?;
    if !ops::all(&usable, None, false)?.item()?.to_bool() {
        return Err(RusTorchError::argument("poisson", "invalid rate, expected rates to be non-negative"));
    }
    counts(Sampler::Poisson, &[input], input.shape(), generator)
}

/// How many trials succeed.
pub fn binomial(count: &Tensor, prob: &Tensor, generator: Option<&Generator>) -> Result<Tensor> {
    if !count.dtype().is_floating_point() || count.dtype() != prob.dtype() {
        return Err(RusTorchError::dtype(
            "binomial",
            format!(
                "count and prob must be of one floating-point dtype, got {} and {}",
                count.dtype(),
                prob.dtype()
            ),
        ));
    }
    let shape = broadcast("binomial", &[count, prob])?;
    counts(Sampler::Binomial, &[count, prob], &shape, generator)
}

/// Numbers of `distribution` in float64 for an in-place op, made into others and written into the tensor.
fn transform(
    op: &'static str,
    input: &Tensor,
    distribution: Distribution,
    generator: Option<&Generator>,
    change: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<()> {
    check_inplace(op, input, &[])?;
    let drawn = Tensor::empty(input.shape(), DType::Float64, input.device())?;
    fill(&drawn, distribution, generator)?;
    assign(op, input, &cast(&change(&drawn)?, input.dtype())?)
}

/// Refuses a dtype or parameter that a continuous distribution does not have.
fn continuous(op: &'static str, input: &Tensor, name: &str, value: f64) -> Result<()> {
    float_dtype(op, Some(input.dtype()))?;
    if value > 0.0 {
        return Ok(());
    }
    Err(RusTorchError::argument(op, format!("expects {name} > 0.0, but found {name}={value}")))
}

/// Fills the tensor with numbers from the exponential distribution.
pub fn exponential_(input: &Tensor, lambd: f64, generator: Option<&Generator>) -> Result<()> {
    continuous("exponential_", input, "lambda", lambd)?;
    transform("exponential_", input, STANDARD_UNIFORM, generator, |u| {
        // -log(1 - u), where 0 becomes half of the smallest other number.
        let positive = ops::clamp_min(u, &Tensor::number(f64::EPSILON / 4.0)?)?;
        ops::div(&ops::log1p(&ops::neg(&positive)?)?, &Tensor::number(-lambd)?, None)
    })
}

/// Fills the tensor with numbers from Cauchy's distribution.
pub fn cauchy_(input: &Tensor, median: f64, sigma: f64, generator: Option<&Generator>) -> Result<()> {
    continuous("cauchy_", input, "sigma", sigma)?;
    transform("cauchy_", input, STANDARD_UNIFORM, generator, |u| {
        let half = Tensor::number(0.5)?;
        let angle = ops::mul(&ops::sub(u, &half, 1.into())?, &Tensor::number(std::f64::consts::PI)?)?;
        ops::add(&Tensor::number(median)?, &ops::tan(&angle)?, sigma.into())
    })
}

/// Fills the tensor with numbers whose logarithms are Gaussian.
pub fn log_normal_(input: &Tensor, mean: f64, std: f64, generator: Option<&Generator>) -> Result<()> {
    continuous("log_normal_", input, "std", std)?;
    transform("log_normal_", input, Distribution::Normal { mean, std }, generator, ops::exp)
}

/// Fills the tensor with the number of the first trial that succeeds.
pub fn geometric_(input: &Tensor, p: f64, generator: Option<&Generator>) -> Result<()> {
    if !(p > 0.0 && p < 1.0) {
        return Err(RusTorchError::argument(
            "geometric_",
            format!("expects p to be in (0, 1), but got p={p}"),
        ));
    }
    if input.dtype() == DType::Bool || input.dtype().is_complex() {
        return Err(RusTorchError::dtype(
            "geometric_",
            format!("not implemented for {}; it takes integer and floating-point tensors", input.dtype()),
        ));
    }
    transform("geometric_", input, STANDARD_UNIFORM, generator, |u| {
        let failures = Tensor::number((-p).ln_1p())?;
        let trials = ops::ceil(&ops::div(&ops::log1p(&ops::neg(u)?)?, &failures, None)?)?;
        ops::clamp_min(&trials, &Tensor::number(1.0)?)
    })
}

/// The largest whole number up to which the dtype has all.
fn largest(dtype: DType) -> i64 {
    match dtype {
        DType::Bool => 1,
        DType::UInt8 => i64::from(u8::MAX),
        DType::Int8 => i64::from(i8::MAX),
        DType::Int16 => i64::from(i16::MAX),
        DType::Int32 => i64::from(i32::MAX),
        DType::Float16 => 1 << 11,
        DType::BFloat16 => 1 << 8,
        DType::Float32 => 1 << 24,
        DType::Float64 => 1 << 53,
        _ => i64::MAX,
    }
}

/// Fills with whole numbers of `[low, high)`.
fn whole(input: &Tensor, low: i64, high: i64, generator: Option<&Generator>) -> Result<()> {
    if low >= high {
        return Err(RusTorchError::argument(
            "random_",
            format!("expects 'from' to be less than 'to', but got from={low} >= to={high}"),
        ));
    }
    let dtype = input.dtype();
    if dtype.is_integral(true) {
        let least = match dtype {
            DType::Bool | DType::UInt8 => 0,
            _ => -largest(dtype) - 1,
        };
        for (name, value) in [("from", low), ("to - 1", high - 1)] {
            if !(least..=largest(dtype)).contains(&value) {
                return Err(RusTorchError::argument(
                    "random_",
                    format!("{name} is out of bounds for {dtype}, got {value}"),
                ));
            }
        }
    }
    fill_in_place("random_", input, Distribution::Integer { low, high }, generator)
}

/// Fills the tensor with whole numbers of its dtype.
pub fn random_any_(input: &Tensor, generator: Option<&Generator>) -> Result<()> {
    // Of 64 bits the very last number is never drawn.
    whole(input, 0, largest(input.dtype()).saturating_add(1), generator)
}

/// Fills the tensor with whole numbers from 0 up to `to`.
pub fn random_to_(input: &Tensor, to: i64, generator: Option<&Generator>) -> Result<()> {
    whole(input, 0, to, generator)
}

/// Fills the tensor with whole numbers from `from` up to `to`.
pub fn random_between_(
    input: &Tensor,
    from: i64,
    to: Option<i64>,
    generator: Option<&Generator>,
) -> Result<()> {
    whole(input, from, to.unwrap_or_else(|| largest(input.dtype()).saturating_add(1)), generator)
}
