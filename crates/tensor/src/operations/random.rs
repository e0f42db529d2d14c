//! Random tensors.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Device, Distribution, kernel};
use rustorch_error::{Result, RusTorchError};

use super::creation::sizes;
use crate::autograd::check_inplace;
use crate::registry::default_device;
use crate::{Generator, MemoryFormat, Tensor, default_dtype, default_generator_of, memory_format, ops};

/// Fills a tensor, without history.
pub(crate) fn fill(tensor: &Tensor, distribution: Distribution, generator: Option<&Generator>) -> Result<()> {
    let key = generator.unwrap_or_else(|| default_generator_of(tensor.device())).advance(tensor.numel());
    if tensor.numel() == 0 {
        return Ok(());
    }
    tensor.backend()?.run(kernel::Random { distribution, key, output: tensor.operand() })
}

fn fresh(
    op: &'static str,
    size: &[i64],
    distribution: Distribution,
    generator: Option<&Generator>,
    dtype: DType,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let tensor = Tensor::empty(&sizes(op, size)?, dtype, device.unwrap_or_else(default_device))?;
    fill(&tensor, distribution, generator)?;
    if requires_grad { tensor.requires_grad_() } else { Ok(tensor) }
}

/// The dtype of floating-point random numbers, or the error that says so.
pub(super) fn float_dtype(op: &'static str, dtype: Option<DType>) -> Result<DType> {
    let dtype = dtype.unwrap_or_else(default_dtype);
    if dtype.is_differentiable() {
        Ok(dtype)
    } else {
        Err(RusTorchError::dtype(
            op,
            format!(
                "not implemented for {dtype}; it gives floating-point and complex tensors, see randint()"
            ),
        ))
    }
}

pub(super) const STANDARD_UNIFORM: Distribution = Distribution::Uniform { low: 0.0, high: 1.0 };
pub(super) const STANDARD_NORMAL: Distribution = Distribution::Normal { mean: 0.0, std: 1.0 };

/// Uniform numbers from [0, 1).
pub fn rand(
    size: &[i64],
    generator: Option<&Generator>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    fresh("rand", size, STANDARD_UNIFORM, generator, float_dtype("rand", dtype)?, device, requires_grad)
}

/// Standard Gaussian numbers.
pub fn randn(
    size: &[i64],
    generator: Option<&Generator>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    fresh("randn", size, STANDARD_NORMAL, generator, float_dtype("randn", dtype)?, device, requires_grad)
}

/// Integers from 0 up to `high`.
pub fn randint_to(
    high: i64,
    size: &[i64],
    generator: Option<&Generator>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    randint_between(0, high, size, generator, dtype, device, requires_grad)
}

/// Integers from `low` up to `high`.
pub fn randint_between(
    low: i64,
    high: i64,
    size: &[i64],
    generator: Option<&Generator>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    if low >= high {
        return Err(RusTorchError::argument(
            "randint",
            format!("random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"),
        ));
    }
    let distribution = Distribution::Integer { low, high };
    fresh("randint", size, distribution, generator, dtype.unwrap_or(DType::Int64), device, requires_grad)
}

/// Integers from 0 up to `high` in another tensor's shape and dtype.
pub fn randint_like_to(
    input: &Tensor,
    high: i64,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    randint_like_between(input, 0, high, dtype, device, requires_grad)
}

/// Integers from `low` up to `high` in another tensor's shape and dtype.
pub fn randint_like_between(
    input: &Tensor,
    low: i64,
    high: i64,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let size: Vec<i64> = input.shape().iter().map(|&n| n as i64).collect();
    let (dtype, device) = (dtype.unwrap_or(input.dtype()), device.unwrap_or(input.device()));
    randint_between(low, high, &size, None, Some(dtype), Some(device), requires_grad)
}

/// The integers from 0 to n - 1 in random order (Fisher and Yates's shuffle).
pub fn randperm(
    n: i64,
    generator: Option<&Generator>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let count = usize::try_from(n)
        .map_err(|_| RusTorchError::argument("randperm", format!("n must be non-negative, got {n}")))?;
    // Shuffled on the CPU, by numbers of the device's own generator.
    let generator = generator.unwrap_or_else(|| default_generator_of(device.unwrap_or_else(default_device)));
    let draws = randint_between(0, i64::MAX, &[n], Some(generator), None, Some(Device::CPU), false)?
        .to_vec::<i64>()?;
    let mut order = Scratch::collect(0..n)?;
    for i in (1..count).rev() {
        // 2^63 draws over at most 2^40 places: the bias of the remainder is below 2^-23.
        order.swap(i, (draws[i] % (i as i64 + 1)) as usize);
    }
    let tensor = super::creation::to_dtype(
        &Tensor::from_slice(&order, &[count])?,
        Some(dtype.unwrap_or(DType::Int64)),
    )?;
    let tensor = super::creation::moved(&tensor, device.unwrap_or_else(default_device))?;
    if requires_grad { tensor.requires_grad_() } else { Ok(tensor) }
}

fn like(
    op: &'static str,
    input: &Tensor,
    distribution: Distribution,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let dtype = float_dtype(op, Some(dtype.unwrap_or(input.dtype())))?;
    let tensor = Tensor::empty(input.shape(), dtype, device.unwrap_or(input.device()))?;
    fill(&tensor, distribution, None)?;
    if requires_grad { tensor.requires_grad_() } else { Ok(tensor) }
}

/// Uniform numbers in another tensor's shape.
pub fn rand_like(
    input: &Tensor,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    like("rand_like", input, STANDARD_UNIFORM, dtype, device, requires_grad)
}

/// Standard Gaussian numbers in another tensor's shape.
pub fn randn_like(
    input: &Tensor,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    like("randn_like", input, STANDARD_NORMAL, dtype, device, requires_grad)
}

/// 1 with the probability that each element gives.
pub fn bernoulli(input: &Tensor, generator: Option<&Generator>) -> Result<Tensor> {
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            "bernoulli",
            format!("expected floating-point probabilities, got {}", input.dtype()),
        ));
    }
    let outside = ops::logical_not(&ops::logical_and(
        &ops::ge(input, &Tensor::number(0.0)?)?,
        &ops::le(input, &Tensor::number(1.0)?)?,
    )?)?;
    if ops::any(&outside, None, false)?.item()?.to_bool() {
        return Err(RusTorchError::argument("bernoulli", "expected probabilities in [0, 1]"));
    }
    let uniform = Tensor::empty(input.shape(), input.dtype().compute(), input.device())?;
    fill(&uniform, STANDARD_UNIFORM, generator)?;
    super::creation::cast(&ops::lt(&uniform, input)?, input.dtype())
}

/// 1 with probability `p`, in another tensor's shape and dtype.
pub fn bernoulli_with(input: &Tensor, p: f64, generator: Option<&Generator>) -> Result<Tensor> {
    check_probability("bernoulli", p)?;
    let output = Tensor::empty(input.shape(), input.dtype(), input.device())?;
    fill(&output, Distribution::Bernoulli { p }, generator)?;
    Ok(output)
}

/// Fills the tensor with 1 with the probability that each element of `p` gives.
pub fn bernoulli_from_(input: &Tensor, p: &Tensor, generator: Option<&Generator>) -> Result<()> {
    let sizes: Vec<i64> = input.shape().iter().map(|&n| n as i64).collect();
    let drawn = ops::bernoulli(&ops::expand(&p.detach(), &sizes)?, generator)?;
    let drawn = super::creation::cast(&drawn, input.dtype())?;
    check_inplace("bernoulli_", input, &[])?;
    crate::autograd::assign("bernoulli_", input, &drawn)
}

fn check_probability(op: &'static str, p: f64) -> Result<()> {
    if (0.0..=1.0).contains(&p) {
        Ok(())
    } else {
        Err(RusTorchError::argument(op, format!("expects p to be in [0, 1], but got p={p}")))
    }
}

/// Overwrites a tensor with random numbers; what was recorded of it before ends here.
pub(super) fn fill_in_place(
    op: &'static str,
    input: &Tensor,
    distribution: Distribution,
    generator: Option<&Generator>,
) -> Result<()> {
    check_inplace(op, input, &[])?;
    if crate::autograd::is_recording(&[input]) {
        let drawn = Tensor::empty(input.shape(), input.dtype(), input.device())?;
        fill(&drawn, distribution, generator)?;
        return crate::autograd::assign(op, input, &drawn);
    }
    fill(input, distribution, generator)?;
    input.storage().bump_version();
    Ok(())
}

/// Fills the tensor with Gaussian numbers.
pub fn normal_(input: &Tensor, mean: f64, std: f64, generator: Option<&Generator>) -> Result<()> {
    if std.is_nan() || std < 0.0 {
        return Err(RusTorchError::argument("normal_", format!("expects std >= 0.0, but found std={std}")));
    }
    float_dtype("normal_", Some(input.dtype()))?;
    fill_in_place("normal_", input, Distribution::Normal { mean, std }, generator)
}

/// Fills the tensor with uniform numbers from [from, to).
pub fn uniform_(input: &Tensor, from: f64, to: f64, generator: Option<&Generator>) -> Result<()> {
    if from.is_nan() || to.is_nan() || from > to {
        return Err(RusTorchError::argument(
            "uniform_",
            format!("expects to return a [from, to) range, but found from={from} > to={to}"),
        ));
    }
    float_dtype("uniform_", Some(input.dtype()))?;
    fill_in_place("uniform_", input, Distribution::Uniform { low: from, high: to }, generator)
}

/// Fills the tensor with 1 with probability `p`, else 0.
pub fn bernoulli_(input: &Tensor, p: f64, generator: Option<&Generator>) -> Result<()> {
    check_probability("bernoulli_", p)?;
    fill_in_place("bernoulli_", input, Distribution::Bernoulli { p }, generator)
}

/// See [`ops::rand_like_as`](crate::ops::rand_like_as).
pub fn rand_like_as(
    input: &Tensor,
    memory_format: Option<MemoryFormat>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let fresh = rand_like(input, dtype, device, requires_grad)?;
    memory_format::laid_out("rand_like", fresh, input, memory_format.unwrap_or(MemoryFormat::Preserve))
}

/// See [`ops::randn_like_as`](crate::ops::randn_like_as).
pub fn randn_like_as(
    input: &Tensor,
    memory_format: Option<MemoryFormat>,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let fresh = randn_like(input, dtype, device, requires_grad)?;
    memory_format::laid_out("randn_like", fresh, input, memory_format.unwrap_or(MemoryFormat::Preserve))
}

/// Draws indices by weight.
pub fn multinomial(
    input: &Tensor,
    num_samples: i64,
    replacement: bool,
    generator: Option<&Generator>,
) -> Result<Tensor> {
    let refuse = |why: String| Err(RusTorchError::argument("multinomial", why));
    if !(1..=2).contains(&input.ndim()) {
        return Err(RusTorchError::shape(
            "multinomial",
            format!("weights must have 1 or 2 dimensions, got shape {:?}", input.shape()),
        ));
    }
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            "multinomial",
            format!("only supports floating-point dtypes for input, got: {}", input.dtype()),
        ));
    }
    let categories = input.shape()[input.ndim() - 1];
    let Some(samples) = usize::try_from(num_samples).ok().filter(|&n| n > 0) else {
        return refuse(format!("cannot sample n_sample <= 0 samples, got {num_samples}"));
    };
    if !replacement && samples > categories {
        return refuse(format!("cannot sample {samples} of {categories} categories without replacement"));
    }
    let mut shape = input.shape().to_vec();
    shape[input.ndim() - 1] = samples;
    if input.numel() == 0 {
        if categories == 0 && shape[0] > 0 {
            return refuse(format!("there are no categories in shape {:?}", input.shape()));
        }
        return Tensor::empty(&shape, DType::Int64, input.device());
    }
    let weights = super::creation::cast(&input.detach(), DType::Float64)?;
    let zero = Tensor::number(0.0)?;
    let valid = ops::logical_and(&ops::isfinite(&weights)?, &ops::ge(&weights, &zero)?)?;
    if !ops::all(&valid, None, false)?.item()?.to_bool() {
        return refuse("probability tensor contains either `inf`, `nan` or element < 0".into());
    }
    let sums = ops::cumsum(&weights, -1, None)?;
    let total = ops::narrow(&sums, -1, categories as i64 - 1, 1)?;
    if !ops::all(&ops::gt(&total, &zero)?, None, false)?.item()?.to_bool() {
        return refuse("invalid multinomial distribution (sum of probabilities <= 0)".into());
    }
    if replacement {
        let draws = Tensor::empty(&shape, DType::Float64, input.device())?;
        fill(&draws, STANDARD_UNIFORM, generator)?;
        // A hair less than the total, which rounding must not reach: the last category may have weight 0.
        let limit = ops::mul(&total, &Tensor::number(1.0 - 2.0 * f64::EPSILON)?)?;
        return ops::searchsorted(&sums, &ops::mul(&draws, &limit)?, false, true, None, None);
    }
    // The largest of weights over exponential draws is a category by its weight; the next ones are draws from the rest.
    let draws = Tensor::empty(input.shape(), DType::Float64, input.device())?;
    fill(&draws, STANDARD_UNIFORM, generator)?;
    let one = Tensor::number(1.0)?;
    let times = ops::neg(&ops::log(&ops::sub(&one, &draws, 1.into())?)?)?;
    let times = ops::clamp_min(&times, &Tensor::number(f64::MIN_POSITIVE)?)?;
    Ok(ops::topk(&ops::div(&weights, &times, None)?, num_samples, -1, true, true)?.1)
}
