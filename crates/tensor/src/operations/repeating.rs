//! Reversing, turning and repeating.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Device};
use rustorch_error::{Result, RusTorchError};

use super::shape_ops::{expand_to, reshape_to};
use crate::{Tensor, ops};

fn at_least(op: &'static str, input: &Tensor, ndim: usize) -> Result<()> {
    if input.ndim() >= ndim {
        return Ok(());
    }
    Err(RusTorchError::shape(op, format!("input must be >= {ndim}-d, got shape {:?}", input.shape())))
}

/// Reverses the columns.
pub fn fliplr(input: &Tensor) -> Result<Tensor> {
    at_least("fliplr", input, 2)?;
    ops::flip(input, &[1])
}

/// Reverses the rows.
pub fn flipud(input: &Tensor) -> Result<Tensor> {
    at_least("flipud", input, 1)?;
    ops::flip(input, &[0])
}

/// Turns the plane of two dimensions by `k` right angles, from the first towards the second.
pub fn rot90(input: &Tensor, k: i64, dims: &[i64]) -> Result<Tensor> {
    let &[first, second] = dims else {
        return Err(RusTorchError::argument(
            "rot90",
            format!("expected two rotation dims, but got {dims:?}"),
        ));
    };
    at_least("rot90", input, 2)?;
    let (a, b) = (input.dim_index("rot90", first)? as i64, input.dim_index("rot90", second)? as i64);
    if a == b {
        return Err(RusTorchError::argument(
            "rot90",
            format!("expected rotation dims to be different, but got {dims:?}"),
        ));
    }
    match k.rem_euclid(4) {
        1 => ops::transpose(&ops::flip(input, &[b])?, a, b),
        2 => ops::flip(input, &[a, b]),
        3 => ops::transpose(&ops::flip(input, &[a])?, a, b),
        _ => ops::clone(input),
    }
}

/// How often each is repeated, from a tensor of counts; a single count stands for all `length`.
fn counts(repeats: &Tensor, length: usize) -> Result<Scratch<usize>> {
    if !matches!(repeats.dtype(), DType::Int64 | DType::Int32) {
        return Err(RusTorchError::dtype(
            "repeat_interleave",
            format!("repeats must be int64 or int32, got {}", repeats.dtype()),
        ));
    }
    if repeats.ndim() > 1 || (repeats.numel() != 1 && repeats.numel() != length) {
        return Err(RusTorchError::shape(
            "repeat_interleave",
            format!(
                "repeats must be 0-d or a vector of 1 or {length} counts, got shape {:?}",
                repeats.shape()
            ),
        ));
    }
    let counts = super::creation::cast(&repeats.detach(), DType::Int64)?.to_vec::<i64>()?;
    let count_of = |n: i64| {
        usize::try_from(n).map_err(|_| {
            RusTorchError::argument("repeat_interleave", format!("repeats can not be negative, got {n}"))
        })
    };
    if counts.len() == length {
        Scratch::try_collect(counts.into_iter().map(count_of))
    } else {
        Scratch::filled(length, count_of(counts[0])?)
    }
}

fn check_output_size(expected: Option<i64>, size: usize) -> Result<()> {
    match expected {
        Some(expected) if expected != size as i64 => Err(RusTorchError::shape(
            "repeat_interleave",
            format!("output_size is {expected}, but the repeats sum to {size}"),
        )),
        _ => Ok(()),
    }
}

/// Position `i` of `counts`, `counts[i]` times, for each.
fn positions(counts: &[usize], device: Device) -> Result<Tensor> {
    let total = counts.iter().fold(0, |sum: usize, &n| sum.saturating_add(n));
    let mut places = Scratch::with_room(total)?;
    for (i, &n) in counts.iter().enumerate() {
        places.extend(std::iter::repeat_n(i as i64, n))?;
    }
    Tensor::from_slice_on(device, &places, &[places.len()])
}

/// Each position as often as `repeats` says.
pub fn repeat_interleave_positions(repeats: &Tensor, output_size: Option<i64>) -> Result<Tensor> {
    if repeats.ndim() != 1 {
        return Err(RusTorchError::shape(
            "repeat_interleave",
            format!("expects a vector of repeats, got shape {:?}", repeats.shape()),
        ));
    }
    let places = positions(&counts(repeats, repeats.numel())?, repeats.device())?;
    check_output_size(output_size, places.numel())?;
    super::creation::cast(&places, repeats.dtype())
}

/// The dimension to repeat along, of the input, or of its elements in a row.
fn along(input: &Tensor, dim: Option<i64>) -> Result<(Tensor, usize)> {
    let (input, dim) = match dim {
        Some(dim) => (input.clone(), dim),
        None => (ops::reshape(input, &[-1])?, 0),
    };
    let d = input.dim_index("repeat_interleave", dim)?;
    Ok((if input.ndim() == 0 { reshape_to(&input, &[1])? } else { input }, d))
}

/// Each slice of a dimension as often as `repeats` says.
pub fn repeat_interleave_by(
    input: &Tensor,
    repeats: &Tensor,
    dim: Option<i64>,
    output_size: Option<i64>,
) -> Result<Tensor> {
    let (input, d) = along(input, dim)?;
    let places = positions(&counts(repeats, input.shape()[d])?, input.device())?;
    check_output_size(output_size, places.numel())?;
    ops::index_select(&input, d as i64, &places)
}

/// Each slice of a dimension `repeats` times.
pub fn repeat_interleave(
    input: &Tensor,
    repeats: i64,
    dim: Option<i64>,
    output_size: Option<i64>,
) -> Result<Tensor> {
    let repeats = usize::try_from(repeats).map_err(|_| {
        RusTorchError::argument("repeat_interleave", format!("repeats must be non-negative, got {repeats}"))
    })?;
    let (input, d) = along(input, dim)?;
    let mut shape = input.shape().to_vec();
    shape[d] = shape[d].checked_mul(repeats).ok_or_else(|| {
        RusTorchError::argument(
            "repeat_interleave",
            format!("{} slices, {repeats} times each, are too many", shape[d]),
        )
    })?;
    check_output_size(output_size, shape[d])?;
    let mut paired = input.shape().to_vec();
    paired.insert(d + 1, repeats);
    let repeated = expand_to(&ops::unsqueeze(&input, d as i64 + 1)?, &paired)?;
    reshape_to(&ops::clone(&repeated)?, &shape)
}
