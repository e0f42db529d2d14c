//! Joining, splitting, repeating and reordering.

use rustorch_backend::sizes::checked_sum;
use rustorch_backend::{Shape, checked_product};
use rustorch_error::{Result, RusTorchError};
use smallvec::smallvec;

use super::views::{diagonal, expand_to, narrow, ravel, reshape_to, select, slice, to_i64};
use crate::operations::contiguity::contiguous_copy;
use crate::operations::creation::sizes;
use crate::{Tensor, ops};

/// Joins tensors along a dimension.
pub fn cat(tensors: &[Tensor], dim: i64) -> Result<Tensor> {
    // PyTorch lets a legacy empty vector join anything.
    let is_legacy_empty = |t: &&Tensor| t.shape() == [0];
    let Some(first) = tensors.iter().find(|t| !is_legacy_empty(t)).or(tensors.first()) else {
        return Err(RusTorchError::argument("cat", "expected a non-empty list of Tensors"));
    };
    if first.ndim() == 0 {
        return Err(RusTorchError::shape(
            "cat",
            "zero-dimensional tensors cannot be concatenated; see stack()",
        ));
    }
    let d = first.dim_index("cat", dim)?;
    let mut shape = Shape::from_slice(first.shape());
    shape[d] = 0;
    for t in tensors {
        if is_legacy_empty(&t) && first.shape() != [0] {
            continue;
        }
        let fits = t.ndim() == shape.len() && (0..shape.len()).all(|i| i == d || t.shape()[i] == shape[i]);
        if !fits {
            return Err(RusTorchError::shape(
                "cat",
                format!(
                    "sizes of tensors must match except in dimension {d}; got {:?} and {:?}",
                    first.shape(),
                    t.shape()
                ),
            ));
        }
        shape[d] = checked_sum("cat", [shape[d], t.shape()[d]])?;
    }
    // Short: one per tensor given, or per dimension.
    let references: Vec<&Tensor> = tensors.iter().collect();
    let result = Tensor::empty(&shape, crate::result_type(&references), first.device())?;
    let mut at = 0;
    for t in tensors {
        if t.ndim() != shape.len() || t.numel() == 0 {
            continue;
        }
        let n = t.shape()[d] as i64;
        let place = slice(&result, d as i64, at, at + n, 1)?;
        t.backend()?.copy(t.operand(), place.operand())?;
        at += n;
    }
    Ok(result)
}

/// Joins tensors along a new dimension.
pub fn stack(tensors: &[Tensor], dim: i64) -> Result<Tensor> {
    let first = tensors
        .first()
        .ok_or_else(|| RusTorchError::argument("stack", "expects a non-empty list of tensors"))?;
    if let Some(other) = tensors.iter().find(|t| t.shape() != first.shape()) {
        return Err(RusTorchError::shape(
            "stack",
            format!(
                "expects each tensor to be equal size, but got {:?} and {:?}",
                first.shape(),
                other.shape()
            ),
        ));
    }
    let at = rustorch_backend::normalize_dim("stack", dim, first.ndim() + 1)? as i64;
    // Short: one per tensor given, or per dimension.
    let raised = tensors.iter().map(|t| ops::unsqueeze(t, at)).collect::<Result<Vec<_>>>()?;
    ops::cat(&raised, at)
}

/// Copies of the tensor along each dimension.
pub fn repeat(input: &Tensor, repeats: &[i64]) -> Result<Tensor> {
    let counts = sizes("repeat", repeats)?;
    let Some(lead) = counts.len().checked_sub(input.ndim()) else {
        return Err(RusTorchError::shape(
            "repeat",
            format!(
                "the number of repeats {repeats:?} cannot be smaller than the number of dimensions of {:?}",
                input.shape()
            ),
        ));
    };
    let mut padded: Shape = smallvec![1; lead];
    padded.extend_from_slice(input.shape());
    // Each size n becomes (count, n): expand the count, then join the two.
    // Short: one per tensor given, or per dimension.
    let paired: Vec<usize> = padded.iter().flat_map(|&n| [1, n]).collect();
    // Short: one per tensor given, or per dimension.
    let expanded: Vec<usize> = padded.iter().zip(&counts).flat_map(|(&n, &c)| [c, n]).collect();
    // Short: one per tensor given, or per dimension.
    let joined: Vec<usize> = padded
        .iter()
        .zip(&counts)
        .map(|(&n, &c)| checked_product("repeat", &[n, c]))
        .collect::<Result<_>>()?;
    let repeated = expand_to(&reshape_to(input, &paired)?, &expanded)?;
    ops::view(&ops::clone(&repeated)?, &to_i64(&joined))
}

/// As `repeat`, with missing leading counts 1.
pub fn tile(input: &Tensor, dims: &[i64]) -> Result<Tensor> {
    // Short: one per tensor given, or per dimension.
    let mut repeats = vec![1; input.ndim().saturating_sub(dims.len())];
    repeats.extend_from_slice(dims);
    repeat(input, &repeats)
}

/// Reverses the order along dimensions.
pub fn flip(input: &Tensor, dims: &[i64]) -> Result<Tensor> {
    let mut layout = input.layout().clone();
    for &dim in dims {
        let d = input.dim_index("flip", dim)?;
        if d < layout.ndim() {
            layout = layout.flip(d);
        }
    }
    contiguous_copy(&input.alias(layout))
}

/// Shifts elements along dimensions, around the end.
pub fn roll(input: &Tensor, shifts: &[i64], dims: Option<&[i64]>) -> Result<Tensor> {
    let Some(dims) = dims.filter(|d| !d.is_empty()) else {
        let [shift] = shifts else {
            return Err(RusTorchError::argument(
                "roll",
                format!("without dims there must be one shift, got {shifts:?}"),
            ));
        };
        let rolled = roll(&ravel(input)?, &[*shift], Some(&[0]))?;
        return reshape_to(&rolled, input.shape());
    };
    if dims.len() != shifts.len() {
        return Err(RusTorchError::argument(
            "roll",
            format!("shifts {shifts:?} and dims {dims:?} must have as many entries"),
        ));
    }
    if input.ndim() == 0 {
        return Err(RusTorchError::index(
            "roll",
            format!("dimension specified as {} but tensor has no dimensions", dims[0]),
        ));
    }
    let mut result = input.clone();
    for (&shift, &dim) in shifts.iter().zip(dims) {
        let d = result.dim_index("roll", dim)? as i64;
        let size = result.shape().get(d as usize).copied().unwrap_or(1) as i64;
        if size > 0 && shift.rem_euclid(size) != 0 {
            let cut = size - shift.rem_euclid(size);
            result = ops::cat(&[narrow(&result, d, cut, size - cut)?, narrow(&result, d, 0, cut)?], d)?;
        }
    }
    if result.is_same(input) { ops::clone(input) } else { Ok(result) }
}

fn triangle(op: &'static str, input: &Tensor, diagonal: i64, lower: bool) -> Result<Tensor> {
    if input.ndim() < 2 {
        return Err(RusTorchError::shape(
            op,
            format!("input tensor must have at least 2 dimensions, got {:?}", input.shape()),
        ));
    }
    let result = contiguous_copy(input)?;
    let (rows, columns) = (input.shape()[input.ndim() - 2] as i64, input.shape()[input.ndim() - 1] as i64);
    // Of what has no elements the rows can be without end.
    for row in 0..if result.numel() == 0 { 0 } else { rows } {
        let line = select(&result, -2, row)?;
        let edge = row.saturating_add(diagonal).saturating_add(i64::from(lower)).clamp(0, columns);
        let (start, end) = if lower { (edge, columns) } else { (0, edge) };
        if start < end {
            let part = slice(&line, -1, start, end, 1)?;
            part.backend()?.fill(part.operand(), 0.into())?;
        }
    }
    Ok(result)
}

/// The lower triangle.
pub fn tril(input: &Tensor, diagonal: i64) -> Result<Tensor> {
    triangle("tril", input, diagonal, true)
}

/// The upper triangle.
pub fn triu(input: &Tensor, diagonal: i64) -> Result<Tensor> {
    triangle("triu", input, diagonal, false)
}

fn scattered(
    op: &'static str,
    src: &Tensor,
    shape: &[i64],
    place: impl FnOnce(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let result = Tensor::empty(&sizes(op, shape)?, src.dtype(), src.device())?;
    result.backend()?.fill(result.operand(), 0.into())?;
    let target = place(&result)?;
    src.backend()?.copy(src.operand(), target.operand())?;
    Ok(result)
}

/// Zeros with `src` at a slice.
pub fn slice_backward(
    src: &Tensor,
    shape: &[i64],
    dim: i64,
    start: i64,
    end: i64,
    step: i64,
) -> Result<Tensor> {
    scattered("slice", src, shape, |zeros| slice(zeros, dim, start, end, step))
}

/// Zeros with `src` on a diagonal.
pub fn diagonal_backward(src: &Tensor, shape: &[i64], offset: i64, dim1: i64, dim2: i64) -> Result<Tensor> {
    scattered("diagonal", src, shape, |zeros| diagonal(zeros, offset, dim1, dim2))
}
