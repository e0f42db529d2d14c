//! Cutting a tensor into views.

use rustorch_backend::DType;
use rustorch_backend::memory::gathered;
use rustorch_error::{Result, RusTorchError};

use crate::{Tensor, ops};

/// The dimension to cut, and its size.
fn cut(op: &'static str, input: &Tensor, dim: i64) -> Result<(i64, i64)> {
    if input.ndim() == 0 {
        return Err(RusTorchError::shape(
            op,
            "expects at least a 1-dimensional tensor, got a 0-dimensional one",
        ));
    }
    let d = input.dim_index(op, dim)?;
    Ok((d as i64, input.shape()[d] as i64))
}

/// Cuts a dimension into pieces of `split_size`; the last may be smaller.
pub fn split(input: &Tensor, split_size: i64, dim: i64) -> Result<Vec<Tensor>> {
    let (d, size) = cut("split", input, dim)?;
    if split_size < 0 || (split_size == 0 && size != 0) {
        return Err(RusTorchError::argument(
            "split",
            format!(
                "expects split_size to be positive, but got {split_size} for dimension {d} of size {size}"
            ),
        ));
    }
    if size == 0 {
        return Ok(vec![ops::narrow(input, d, 0, 0)?]);
    }
    let piece = split_size.min(size);
    let piece_at = |i: i64| ops::narrow(input, d, i * piece, piece.min(size - i * piece));
    gathered((0..=(size - 1) / piece).map(piece_at))
}

/// Cuts a dimension into pieces of the given sizes.
pub fn split_with_sizes(input: &Tensor, split_sizes: &[i64], dim: i64) -> Result<Vec<Tensor>> {
    let (d, size) = cut("split_with_sizes", input, dim)?;
    if split_sizes.iter().any(|&n| n < 0)
        || split_sizes.iter().try_fold(0i64, |sum, &n| sum.checked_add(n)) != Some(size)
    {
        return Err(RusTorchError::shape(
            "split_with_sizes",
            format!(
                "expects split_sizes to have only non-negative entries that sum to {size}, the size of dimension {d}, \
                 but got {split_sizes:?}"
            ),
        ));
    }
    let mut end = 0;
    gathered(split_sizes.iter().map(|&n| {
        end += n;
        ops::narrow(input, d, end - n, n)
    }))
}

/// As [`split_with_sizes`].
pub fn split_sections(input: &Tensor, sections: &[i64], dim: i64) -> Result<Vec<Tensor>> {
    split_with_sizes(input, sections, dim)
}

/// Cuts a dimension into at most `chunks` pieces.
pub fn chunk(input: &Tensor, chunks: i64, dim: i64) -> Result<Vec<Tensor>> {
    if chunks <= 0 {
        return Err(RusTorchError::argument(
            "chunk",
            format!("expects `chunks` to be greater than 0, got {chunks}"),
        ));
    }
    let (d, size) = cut("chunk", input, dim)?;
    if size == 0 {
        // As many empty pieces as asked for: a size of 0 says nothing about their number.
        return gathered((0..chunks).map(|_| ops::narrow(input, d, 0, 0)));
    }
    split(input, (size - 1) / chunks + 1, d)
}

/// The slices along a dimension.
pub fn unbind(input: &Tensor, dim: i64) -> Result<Vec<Tensor>> {
    let (d, size) = cut("unbind", input, dim)?;
    gathered((0..size).map(|i| ops::select(input, d, i)))
}

/// Cuts a dimension into `sections` pieces whose sizes differ by at most one, the larger first.
pub fn tensor_split(input: &Tensor, sections: i64, dim: i64) -> Result<Vec<Tensor>> {
    let (d, size) = cut("tensor_split", input, dim)?;
    if sections <= 0 {
        return Err(RusTorchError::argument(
            "tensor_split",
            format!("number of sections must be larger than 0, got {sections}"),
        ));
    }
    let (least, larger) = (size / sections, size % sections);
    let section = |i: i64| ops::narrow(input, d, i * least + i.min(larger), least + i64::from(i < larger));
    gathered((0..sections).map(section))
}

/// Cuts a dimension before each of `indices`, as Python's slices count them.
pub fn tensor_split_at(input: &Tensor, indices: &[i64], dim: i64) -> Result<Vec<Tensor>> {
    let (d, size) = cut("tensor_split", input, dim)?;
    let mut start = 0;
    gathered(indices.iter().chain([&size]).map(|&end| {
        let part = ops::slice(input, d, start, end, 1);
        start = end;
        part
    }))
}

/// As [`tensor_split`] with a number, as [`tensor_split_at`] with a vector.
pub fn tensor_split_by(input: &Tensor, tensor_indices_or_sections: &Tensor, dim: i64) -> Result<Vec<Tensor>> {
    let at = tensor_indices_or_sections;
    if at.dtype() != DType::Int64 {
        return Err(RusTorchError::dtype(
            "tensor_split",
            format!("expected tensor_indices_or_sections to be int64, but got {}", at.dtype()),
        ));
    }
    match at.ndim() {
        0 => tensor_split(input, at.item()?.to_i64(), dim),
        1 => tensor_split_at(input, &at.to_vec::<i64>()?, dim),
        _ => Err(RusTorchError::shape(
            "tensor_split",
            format!("expected tensor_indices_or_sections to be 0-d or 1-d, but got {:?}", at.shape()),
        )),
    }
}

/// Fails where a tensor has too few dimensions for hsplit, vsplit or dsplit.
fn at_least(op: &'static str, input: &Tensor, ndim: usize) -> Result<()> {
    if input.ndim() < ndim {
        return Err(RusTorchError::shape(
            op,
            format!("requires a tensor with at least {ndim} dimensions, but got shape {:?}", input.shape()),
        ));
    }
    Ok(())
}

/// What hsplit cuts: the second dimension, or a vector's only one.
fn columns(input: &Tensor) -> Result<i64> {
    at_least("hsplit", input, 1)?;
    Ok(i64::from(input.ndim() > 1))
}

fn split_evenly(op: &'static str, input: &Tensor, sections: i64, dim: i64) -> Result<Vec<Tensor>> {
    let size = input.shape()[dim as usize] as i64;
    if sections <= 0 || size % sections != 0 {
        return Err(RusTorchError::argument(
            op,
            format!(
                "dimension {dim} of size {size} is not divisible into {sections} sections; see tensor_split()"
            ),
        ));
    }
    tensor_split(input, sections, dim)
}

/// Cuts the columns (of a vector the elements) into `sections` equal pieces.
pub fn hsplit(input: &Tensor, sections: i64) -> Result<Vec<Tensor>> {
    split_evenly("hsplit", input, sections, columns(input)?)
}

/// Cuts the columns (of a vector the elements) before each of `indices`.
pub fn hsplit_at(input: &Tensor, indices: &[i64]) -> Result<Vec<Tensor>> {
    tensor_split_at(input, indices, columns(input)?)
}

/// Cuts the rows into `sections` equal pieces.
pub fn vsplit(input: &Tensor, sections: i64) -> Result<Vec<Tensor>> {
    at_least("vsplit", input, 2)?;
    split_evenly("vsplit", input, sections, 0)
}

/// Cuts the rows before each of `indices`.
pub fn vsplit_at(input: &Tensor, indices: &[i64]) -> Result<Vec<Tensor>> {
    at_least("vsplit", input, 2)?;
    tensor_split_at(input, indices, 0)
}

/// Cuts the third dimension into `sections` equal pieces.
pub fn dsplit(input: &Tensor, sections: i64) -> Result<Vec<Tensor>> {
    at_least("dsplit", input, 3)?;
    split_evenly("dsplit", input, sections, 2)
}

/// Cuts the third dimension before each of `indices`.
pub fn dsplit_at(input: &Tensor, indices: &[i64]) -> Result<Vec<Tensor>> {
    at_least("dsplit", input, 3)?;
    tensor_split_at(input, indices, 2)
}
