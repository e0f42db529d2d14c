//! Copies in which one view is replaced: what writing through the view would leave behind.

use rustorch_backend::Layout;
use rustorch_error::{Result, RusTorchError};

use super::contiguity::contiguous_copy;
use super::creation::sizes;
use super::shape_ops::{diagonal, reshape_to, select, slice};
use crate::{Tensor, ops};

fn replaced(
    op: &'static str,
    input: &Tensor,
    src: &Tensor,
    view: impl FnOnce(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let result = contiguous_copy(input)?;
    let place = view(&result)?;
    if src.shape() != place.shape() {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected src to have the shape of the part that it replaces, {:?}, got {:?}",
                place.shape(),
                src.shape()
            ),
        ));
    }
    src.backend()?.copy(src.operand(), place.operand())?;
    Ok(result)
}

/// A copy with `src` in place of the slice at one index of a dimension.
pub fn select_scatter(input: &Tensor, src: &Tensor, dim: i64, index: i64) -> Result<Tensor> {
    replaced("select_scatter", input, src, |t| select(t, dim, index))
}

/// A copy with `src` in place of a slice.
pub fn slice_scatter(
    input: &Tensor,
    src: &Tensor,
    dim: i64,
    start: Option<i64>,
    end: Option<i64>,
    step: i64,
) -> Result<Tensor> {
    replaced("slice_scatter", input, src, |t| {
        slice(t, dim, start.unwrap_or(0), end.unwrap_or(i64::MAX), step)
    })
}

/// A copy with `src` in place of a diagonal.
pub fn diagonal_scatter(input: &Tensor, src: &Tensor, offset: i64, dim1: i64, dim2: i64) -> Result<Tensor> {
    replaced("diagonal_scatter", input, src, |t| diagonal(t, offset, dim1, dim2))
}

/// A copy with `src` where `as_strided` with the same arguments would see it.
pub fn as_strided_scatter(
    input: &Tensor,
    src: &Tensor,
    size: &[i64],
    stride: &[i64],
    storage_offset: Option<i64>,
) -> Result<Tensor> {
    const OP: &str = "as_strided_scatter";
    let shape = sizes(OP, size)?;
    if src.shape() != shape.as_slice() {
        return Err(RusTorchError::shape(
            OP,
            format!("expected src to have the shape {size:?} of the view, got {:?}", src.shape()),
        ));
    }
    let offset = storage_offset.unwrap_or(input.layout().offset() as i64);
    if stride.len() != size.len() || stride.iter().any(|&s| s < 0) || offset < 0 {
        return Err(RusTorchError::argument(
            OP,
            format!(
                "size {size:?} needs as many strides, none negative, and storage_offset must not be negative; got \
                 strides {stride:?} and offset {offset}"
            ),
        ));
    }
    let view = Layout::new(
        "as_strided_scatter",
        shape,
        stride.iter().map(|&s| s as isize).collect(),
        offset as usize,
    )?;
    let outside = || {
        RusTorchError::shape(
            OP,
            format!(
                "size {size:?}, stride {stride:?} and offset {offset} reach elements that the input does not have"
            ),
        )
    };
    // For each place of the storage the position, in row-major order, of the input's element that lies there.
    let Some((_, last)) = input.layout().span() else {
        return if src.numel() == 0 { ops::clone(input) } else { Err(outside()) };
    };
    if view.span().is_some_and(|(_, high)| high > last) {
        return Err(outside());
    }
    let positions = ops::full(&[last as i64 + 1], (-1).into(), None, Some(input.device()), false)?;
    let numbers = ops::arange_to((input.numel() as i64).into(), None, Some(input.device()), false)?;
    let numbers = reshape_to(&numbers, input.shape())?;
    input.backend()?.copy(numbers.operand(), positions.alias(input.layout().clone()).operand())?;
    let places = contiguous_copy(&positions.alias(view))?;
    let lowest = if places.numel() > 0 { ops::amin(&places, &[], false)?.item()?.to_i64() } else { 0 };
    if lowest < 0 {
        return Err(outside());
    }
    ops::as_strided_write(input, src, &places)
}

/// A copy with `src` at these places of the flattened input.
pub fn as_strided_write(input: &Tensor, src: &Tensor, places: &Tensor) -> Result<Tensor> {
    let flat = ops::index_write(&ops::reshape(input, &[-1])?, std::slice::from_ref(places), src, false)?;
    reshape_to(&flat, input.shape())
}
