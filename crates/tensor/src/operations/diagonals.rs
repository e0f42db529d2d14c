//! Diagonals and triangles of matrices.

use std::ops::Range;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Device, Scalar};
use rustorch_error::{Result, RusTorchError};

use crate::registry::default_device;
use crate::{Tensor, ops};

/// The matrix with a vector on its diagonal, or the diagonal of a matrix; a copy.
pub fn diag(input: &Tensor, diagonal: i64) -> Result<Tensor> {
    match input.ndim() {
        1 => ops::diag_embed(input, diagonal, -2, -1),
        2 => ops::clone(&ops::diagonal(input, diagonal, 0, 1)?),
        n => Err(RusTorchError::shape("diag", format!("supports 1D or 2D tensors, got {n}D"))),
    }
}

/// Matrices with the last dimension on their diagonals.
pub fn diag_embed(input: &Tensor, offset: i64, dim1: i64, dim2: i64) -> Result<Tensor> {
    let ndim = input.ndim() + 1;
    let at = |dim| rustorch_backend::normalize_dim("diag_embed", dim, ndim.max(2));
    let (a, b) = (at(dim1)?, at(dim2)?);
    let Some((&length, rest)) = input.shape().split_last() else {
        return Err(RusTorchError::index(
            "diag_embed",
            "expects at least a 1-dimensional tensor, got a 0-dimensional one",
        ));
    };
    if a == b {
        return Err(RusTorchError::argument(
            "diag_embed",
            format!("diagonal dimensions cannot be identical: {dim1}, {dim2}"),
        ));
    }
    let side = (length as i64).saturating_add(offset.saturating_abs());
    let mut rest = rest.iter().map(|&n| n as i64);
    let shape: Vec<i64> =
        // Short: one per dimension.
        (0..ndim).map(|d| if d == a || d == b { side } else { rest.next().unwrap_or(1) }).collect();
    ops::diagonal_backward(input, &shape, offset, a as i64, b as i64)
}

/// The matrix with all elements on its diagonal.
pub fn diagflat(input: &Tensor, offset: i64) -> Result<Tensor> {
    ops::diag_embed(&ops::reshape(input, &[-1])?, offset, -2, -1)
}

/// The sum of a matrix's diagonal.
pub fn trace(input: &Tensor) -> Result<Tensor> {
    if input.ndim() != 2 {
        return Err(RusTorchError::shape(
            "trace",
            format!("expected a matrix, but got shape {:?}", input.shape()),
        ));
    }
    if input.dtype() == DType::Bool {
        return Err(RusTorchError::dtype("trace", "not implemented for bool; it takes numbers"));
    }
    ops::sum(&ops::diagonal(input, 0, 0, 1)?, None, false, None)
}

/// Writes a number on the diagonal; with `wrap` a tall matrix gets another diagonal below each one, a row apart.
pub fn fill_diagonal_(input: &Tensor, fill_value: Scalar, wrap: bool) -> Result<()> {
    let fill_value = &Tensor::number(fill_value.convert("fill_diagonal_", "fill_value", input.dtype())?)?;
    let (shape, strides) = (input.shape(), input.strides());
    if shape.len() < 2 {
        return Err(RusTorchError::shape(
            "fill_diagonal_",
            format!("expects at least 2 dimensions, got shape {shape:?}"),
        ));
    }
    if shape.len() > 2 {
        if shape.iter().any(|&n| n != shape[0]) {
            return Err(RusTorchError::shape(
                "fill_diagonal_",
                format!("all dimensions of input must be of equal length, got {shape:?}"),
            ));
        }
        let step: isize = strides.iter().sum();
        let diagonal = ops::as_strided(input, &[shape[0] as i64], &[step as i64], None)?;
        return ops::fill_(&diagonal, fill_value);
    }
    let (rows, columns) = (shape[0] as i64, shape[1] as i64);
    ops::fill_(&ops::diagonal(input, 0, 0, 1)?, fill_value)?;
    let mut top = columns + 1;
    while wrap && top < rows {
        let below = ops::slice(input, 0, top, rows, 1)?;
        ops::fill_(&ops::diagonal(&below, 0, 0, 1)?, fill_value)?;
        top += columns + 1;
    }
    Ok(())
}

fn triangle_indices(
    op: &'static str,
    [row, col]: [i64; 2],
    dtype: Option<DType>,
    device: Option<Device>,
    rows: Range<i64>,
    columns: impl Fn(i64) -> Range<i64>,
    count: i128,
) -> Result<Tensor> {
    if row < 0 || col < 0 {
        return Err(RusTorchError::argument(
            op,
            format!("row and col must be non-negative, got row={row} and col={col}"),
        ));
    }
    let dtype = dtype.unwrap_or(DType::Int64);
    if !matches!(dtype, DType::Int64 | DType::Int32) {
        return Err(RusTorchError::dtype(
            op,
            format!("not implemented for {dtype}; it gives int64 or int32"),
        ));
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    // Every one of the rows has a column, unless there is none at all; then the rows can be without end.
    let rows = if count == 0 { 0..0 } else { rows };
    let mut values = Scratch::with_room(count.saturating_mul(2))?;
    for r in rows.clone() {
        values.extend(columns(r).map(|_| r))?;
    }
    for r in rows {
        values.extend(columns(r))?;
    }
    let indices = super::creation::to_dtype(&Tensor::from_slice(&values, &[2, count])?, Some(dtype))?;
    super::creation::moved(&indices, device.unwrap_or_else(default_device))
}

/// How many places (r, c) of a matrix there are with `c <= r + offset`.
fn lower_count(row: i64, col: i64, offset: i64) -> i128 {
    let (row, col, offset) = (i128::from(row), i128::from(col), i128::from(offset));
    // Rows before the first one have none, those from the last one on all.
    let first = (-offset).clamp(0, row.max(0));
    let last = (col - offset - 1).clamp(first, row.max(first));
    (last - first) * (first + last + 2 * offset + 1) / 2 + (row - last) * col
}

/// The coordinates of the lower triangle, row by row.
pub fn tril_indices(
    row: i64,
    col: i64,
    offset: i64,
    dtype: Option<DType>,
    device: Option<Device>,
) -> Result<Tensor> {
    let columns = |r: i64| 0..r.saturating_add(offset).saturating_add(1).clamp(0, col);
    let rows = offset.saturating_neg().max(0)..row;
    triangle_indices("tril_indices", [row, col], dtype, device, rows, columns, lower_count(row, col, offset))
}

/// The coordinates of the upper triangle, row by row.
pub fn triu_indices(
    row: i64,
    col: i64,
    offset: i64,
    dtype: Option<DType>,
    device: Option<Device>,
) -> Result<Tensor> {
    let columns = |r: i64| r.saturating_add(offset).clamp(0, col)..col;
    let rows = 0..row.min(col.saturating_sub(offset));
    let lower = lower_count(row, col, offset.saturating_sub(1));
    let count = i128::from(row) * i128::from(col) - lower;
    triangle_indices("triu_indices", [row, col], dtype, device, rows, columns, count)
}
