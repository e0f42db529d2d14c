//! Statistics by order: medians, quantiles, the most frequent value.

use rustorch_backend::{DType, Scalar};
use rustorch_error::{Result, RusTorchError};

use super::creation::cast;
use super::reduction_ops::kept_shape;
use super::shape_ops::reshape_to;
use super::sorting::{kth_smallest, ordered_numbers, reduced_line, without};
use crate::placement::travelled;
use crate::{Tensor, ops};

fn has_nan(input: &Tensor) -> Result<bool> {
    if !input.dtype().is_floating_point() || input.numel() == 0 {
        return Ok(false);
    }
    Ok(ops::any(&ops::isnan(input)?, None, false)?.item()?.to_bool())
}

/// The median of a flat tensor, without an index.
fn median_of(op: &'static str, input: &Tensor, ignore_nan: bool) -> Result<Tensor> {
    ordered_numbers(op, input)?;
    let flat = ops::reshape(&input.detach(), &[-1])?;
    if flat.numel() == 0 {
        // As PyTorch: NaN, which an integer cannot be.
        let nothing = if input.dtype().is_floating_point() { f64::NAN.into() } else { Scalar::Int(i64::MIN) };
        return Tensor::scalar(nothing, input.dtype(), input.device());
    }
    Ok(median_along(&flat, 0, flat.numel(), false, ignore_nan)?.0)
}

/// The median of all elements.
pub fn median_all(input: &Tensor) -> Result<Tensor> {
    median_of("median", input, false)
}

/// The median of the elements that are not NaN.
pub fn nanmedian_all(input: &Tensor) -> Result<Tensor> {
    median_of("nanmedian", input, true)
}

fn median_along(
    input: &Tensor,
    d: usize,
    size: usize,
    keepdim: bool,
    ignore_nan: bool,
) -> Result<(Tensor, Tensor)> {
    if !has_nan(input)? {
        let (values, indices) = kth_smallest(input, size.div_ceil(2), d)?;
        return Ok(without(values, indices, d, keepdim));
    }
    if input.ndim() == 0 {
        return Ok((ops::clone(input)?, Tensor::scalar(0.into(), DType::Int64, input.device())?));
    }
    let dim = d as i64;
    let (sorted, places) = ops::sort(input, dim, false, true)?;
    // NaN stand last, so that the number of others says where their middle is, and where the first NaN is.
    let numbers = ops::sum(&ops::eq(input, input)?, Some(&[dim]), true, None)?;
    let rank = |count: &Tensor| {
        let before = ops::sub(count, &Tensor::number(1_i64)?, 1.into())?;
        ops::clamp_min(&before, &Tensor::number(0_i64)?)
    };
    let middle = ops::div(&rank(&numbers)?, &Tensor::number(2_i64)?, Some("floor"))?;
    let rank = if ignore_nan {
        middle
    } else {
        ops::where_(&ops::lt(&numbers, &Tensor::number(size as i64)?)?, &numbers, &middle)?
    };
    Ok(without(ops::gather(&sorted, dim, &rank)?, ops::gather(&places, dim, &rank)?, d, keepdim))
}

/// The median along a dimension, and its index.
pub fn median_dim(input: &Tensor, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
    ordered_numbers("median", input)?;
    let (d, size) = reduced_line("median", input, dim)?;
    median_along(input, d, size, keepdim, false)
}

/// The median along a dimension of the elements that are not NaN, and its index.
pub fn nanmedian_dim(input: &Tensor, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
    ordered_numbers("nanmedian", input)?;
    let (d, size) = reduced_line("nanmedian", input, dim)?;
    median_along(input, d, size, keepdim, true)
}

/// The most frequent value along a dimension, and the index of its last occurrence.
pub fn mode(input: &Tensor, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
    let (d, size) = reduced_line("mode", input, dim)?;
    if input.ndim() == 0 {
        return Ok((ops::clone(input)?, Tensor::scalar(0.into(), DType::Int64, input.device())?));
    }
    let dim = d as i64;
    // As PyTorch, NaN come first: no two are equal, so one is the mode only where no value occurs twice.
    let places = if input.dtype().is_floating_point() {
        ops::argsort(&ops::neg(input)?, dim, true, true)?
    } else {
        ops::argsort(input, dim, false, true)?
    };
    let sorted = ops::gather(input, dim, &places)?;
    let changes = ops::ne(
        &ops::narrow(&sorted, dim, 1, size as i64 - 1)?,
        &ops::narrow(&sorted, dim, 0, size as i64 - 1)?,
    )?;
    let mut line = vec![1; input.ndim()];
    line[d] = size;
    let position =
        reshape_to(&ops::arange_to(Scalar::Int(size as i64), None, Some(input.device()), false)?, &line)?;
    let zero = Tensor::number(0_i64)?;
    let starts = ops::where_(&changes, &ops::narrow(&position, dim, 1, size as i64 - 1)?, &zero)?;
    let first = ops::zeros_like(&ops::narrow(&places, dim, 0, 1)?, None, None, false)?;
    let starts = ops::cummax(&ops::cat(&[first, starts], dim)?, dim)?.0;
    let longest = ops::argmax(&ops::sub(&position, &starts, 1.into())?, Some(dim), true)?;
    Ok(without(ops::gather(&sorted, dim, &longest)?, ops::gather(&places, dim, &longest)?, d, keepdim))
}

/// How a quantile between two elements follows from them.
#[derive(Clone, Copy, PartialEq)]
enum Interpolation {
    Linear,
    Lower,
    Higher,
    Midpoint,
    Nearest,
}

impl Interpolation {
    fn parse(op: &'static str, name: &str) -> Result<Self> {
        Ok(match name {
            "linear" => Interpolation::Linear,
            "lower" => Interpolation::Lower,
            "higher" => Interpolation::Higher,
            "midpoint" => Interpolation::Midpoint,
            "nearest" => Interpolation::Nearest,
            other => {
                return Err(RusTorchError::argument(
                    op,
                    format!(
                        "interpolation must be one of linear, lower, higher, midpoint or nearest, but got {other}"
                    ),
                ));
            }
        })
    }
}

/// `q` in the input's dtype, once everything about it and the input is known to be right.
fn checked_q(op: &'static str, input: &Tensor, q: &Tensor) -> Result<Tensor> {
    if input.numel() == 0 {
        return Err(RusTorchError::argument(
            op,
            format!("input tensor must be non-empty, got shape {:?}", input.shape()),
        ));
    }
    if !matches!(input.dtype(), DType::Float32 | DType::Float64) {
        return Err(RusTorchError::dtype(
            op,
            format!("input tensor must be either float32 or float64, got {}", input.dtype()),
        ));
    }
    if q.ndim() > 1 {
        return Err(RusTorchError::shape(
            op,
            format!("q must be a scalar or 1D tensor, got shape {:?}", q.shape()),
        ));
    }
    if !q.is_wrapped_number() && q.dtype() != input.dtype() {
        return Err(RusTorchError::dtype(
            op,
            format!(
                "q tensor must be same dtype as the input tensor, got {} and {}",
                q.dtype(),
                input.dtype()
            ),
        ));
    }
    let (low, high) = (Tensor::number(0.0)?, Tensor::number(1.0)?);
    let inside = ops::logical_and(&ops::ge(q, &low)?, &ops::le(q, &high)?)?;
    if !ops::all(&inside, None, false)?.item()?.to_bool() {
        let values = cast(&ops::reshape(&q.detach(), &[-1])?, DType::Float64)?.to_vec::<f64>()?;
        return Err(RusTorchError::argument(op, format!("q must be in the range [0, 1] but got {values:?}")));
    }
    cast(&travelled(op, q, input.device())?, input.dtype())
}

fn quantile_of(
    op: &'static str,
    input: &Tensor,
    q: &Tensor,
    dim: Option<i64>,
    keepdim: bool,
    interpolation: &str,
    ignore_nan: bool,
) -> Result<Tensor> {
    let interpolation = Interpolation::parse(op, interpolation)?;
    let q_shape = q.shape().to_vec();
    let q = checked_q(op, input, q)?;
    let q = ops::reshape(&q, &[-1])?;
    let d = dim.map(|dim| input.dim_index(op, dim)).transpose()?;
    let lines = match d {
        Some(d) if input.ndim() > 0 => ops::movedim(input, &[d as i64], &[-1])?,
        _ => ops::reshape(input, &[-1])?,
    };
    let sorted = ops::sort(&lines, -1, false, true)?.0;
    let size = lines.shape()[lines.ndim() - 1] as f64;
    let one = Tensor::number(1.0)?;
    let ranks = if ignore_nan {
        let numbers = ops::sum(&ops::eq(&lines, &lines)?, Some(&[-1]), true, Some(input.dtype()))?;
        ops::mul(&q, &ops::clamp_min(&ops::sub(&numbers, &one, 1.into())?, &Tensor::number(0.0)?)?)?
    } else {
        // NaN stand last, and the last is then every quantile.
        let last = Tensor::number(size - 1.0)?;
        let any_nan = ops::isnan(&ops::narrow(&sorted.detach(), -1, size as i64 - 1, 1)?)?;
        ops::where_(&any_nan, &last, &ops::mul(&q, &last)?)?
    };
    let ranks = match interpolation {
        Interpolation::Lower => ops::floor(&ranks)?,
        Interpolation::Higher => ops::ceil(&ranks)?,
        Interpolation::Nearest => ops::round(&ranks, 0)?,
        Interpolation::Linear | Interpolation::Midpoint => ranks,
    };
    let at = |ranks: &Tensor| ops::gather(&sorted, -1, &cast(&ranks.detach(), DType::Int64)?);
    let below = at(&ranks)?;
    let values = match interpolation {
        Interpolation::Linear => {
            let weight = ops::sub(&ranks, &ops::floor(&ranks.detach())?, 1.into())?;
            ops::lerp(&below, &at(&ops::ceil(&ranks)?)?, &weight)?
        }
        Interpolation::Midpoint => ops::lerp(&below, &at(&ops::ceil(&ranks)?)?, &Tensor::number(0.5)?)?,
        _ => below,
    };
    let mut shape = q_shape;
    let values = ops::movedim(&values, &[-1], &[0])?;
    match d {
        Some(d) if keepdim => shape.extend(kept_shape(input.shape(), &[d])),
        None if keepdim => shape.extend(vec![1; input.ndim()]),
        _ => shape.extend(&values.shape()[1..]),
    }
    reshape_to(&values, &shape)
}

/// Quantiles of all elements or along a dimension.
pub fn quantile(
    input: &Tensor,
    q: &Tensor,
    dim: Option<i64>,
    keepdim: bool,
    interpolation: &str,
) -> Result<Tensor> {
    quantile_of("quantile", input, q, dim, keepdim, interpolation, false)
}

/// Quantiles of the elements that are not NaN.
pub fn nanquantile(
    input: &Tensor,
    q: &Tensor,
    dim: Option<i64>,
    keepdim: bool,
    interpolation: &str,
) -> Result<Tensor> {
    quantile_of("nanquantile", input, q, dim, keepdim, interpolation, true)
}
