//! Copies in which the elements or slices that an index or a mask names are replaced.

use rustorch_backend::{DType, broadcast_shapes};
use rustorch_error::{Result, RusTorchError};

use super::creation::filling;
use super::indexing::{check_mask, mask_indices, negative, raise};
use super::shape_ops::{expand_to, movedim, reshape_to};
use crate::{Tensor, ops};

pub use super::indexing::{index_put, index_put_, index_write};

fn same_dtype(op: &'static str, input: &Tensor, source: &Tensor) -> Result<()> {
    if input.dtype() == source.dtype() {
        return Ok(());
    }
    Err(RusTorchError::dtype(
        op,
        format!(
            "input and source are expected to have the same dtype, but got {} and {}",
            input.dtype(),
            source.dtype()
        ),
    ))
}

/// An index of slices: an int64 vector.
fn slices(op: &'static str, index: &Tensor) -> Result<Tensor> {
    if index.dtype() != DType::Int64 {
        return Err(RusTorchError::dtype(op, format!("expected an int64 index, got {}", index.dtype())));
    }
    if index.ndim() > 1 {
        return Err(RusTorchError::shape(
            op,
            format!("index is supposed to be a vector, got {:?}", index.shape()),
        ));
    }
    raise(index)
}

/// A copy with `values`, of which the dimension `d` is the first, written at `index` of dimension `d`.
fn write_slices(input: &Tensor, d: usize, index: Tensor, values: &Tensor) -> Result<Tensor> {
    if input.ndim() == 0 {
        return reshape_to(&ops::index_write(&ops::reshape(input, &[1])?, &[index], values, false)?, &[]);
    }
    let written = ops::index_write(&movedim(input, &[d as i64], &[0])?, &[index], values, false)?;
    ops::contiguous(&movedim(&written, &[0], &[d as i64])?)
}

/// A copy with a value in the slices that `index` names.
pub fn index_fill(input: &Tensor, dim: i64, index: &Tensor, value: &Tensor) -> Result<Tensor> {
    if value.ndim() != 0 {
        return Err(RusTorchError::shape(
            "index_fill",
            format!("only supports a 0-dimensional value tensor, but got one of shape {:?}", value.shape()),
        ));
    }
    let d = input.dim_index("index_fill", dim)?;
    let index = slices("index_fill", index)?;
    let mut shape = vec![1; input.ndim()];
    let size = input.shape().get(d).copied().unwrap_or(1);
    if let Some(own) = shape.get_mut(d) {
        *own = size;
    }
    // A mask, so that the value's gradient counts a slice that is named twice once.
    let none = ops::zeros(&[size as i64], Some(DType::Bool), Some(input.device()), false)?;
    let named = ops::index_write(&none, &[index], &Tensor::number(true)?, false)?;
    let value = filling("index_fill", "value", value, input.dtype())?;
    ops::where_(&reshape_to(&named, &shape)?, &value, input)
}

/// A copy with the slices of `source` in the places that `index` names.
pub fn index_copy(input: &Tensor, dim: i64, index: &Tensor, source: &Tensor) -> Result<Tensor> {
    const OP: &str = "index_copy";
    let d = input.dim_index(OP, dim)?;
    let index = slices(OP, index)?;
    same_dtype(OP, input, source)?;
    let mut expected = input.shape().to_vec();
    if let Some(size) = expected.get_mut(d) {
        *size = index.numel();
    }
    // A 0-d tensor is one slice of one element.
    let scalar =
        source.ndim() <= 1 && source.numel() == index.numel() && (input.ndim() == 0 || expected.len() == 1);
    if source.shape() != expected && !scalar {
        return Err(RusTorchError::shape(
            OP,
            format!(
                "source must have shape {expected:?}, the input's with index's length at dimension {d}, got {:?}",
                source.shape()
            ),
        ));
    }
    if let Some(low) = negative(&index)? {
        let size = input.shape().get(d).copied().unwrap_or(1);
        return Err(RusTorchError::index(
            OP,
            format!("index {low} is out of bounds for dimension {d} with size {size}"),
        ));
    }
    let source = if scalar { ops::reshape(source, &[-1])? } else { movedim(source, &[d as i64], &[0])? };
    write_slices(input, d, index, &source)
}

/// A copy with the elements of `source` at flat, row-major positions.
pub fn put(input: &Tensor, index: &Tensor, source: &Tensor, accumulate: bool) -> Result<Tensor> {
    same_dtype("put", input, source)?;
    if index.dtype() != DType::Int64 {
        return Err(RusTorchError::dtype("put", format!("expected an int64 index, got {}", index.dtype())));
    }
    if index.numel() != source.numel() {
        return Err(RusTorchError::shape(
            "put",
            format!(
                "expected source and index to have the same number of elements, but got {} and {}",
                source.numel(),
                index.numel()
            ),
        ));
    }
    let flat = |t: &Tensor| ops::reshape(t, &[-1]);
    let written = ops::index_write(&flat(input)?, &[flat(&index.detach())?], &flat(source)?, accumulate)?;
    reshape_to(&written, input.shape())
}

/// A copy with the elements of `source`, in their order, where the mask holds.
pub fn masked_scatter(input: &Tensor, mask: &Tensor, source: &Tensor) -> Result<Tensor> {
    const OP: &str = "masked_scatter";
    same_dtype(OP, input, source)?;
    check_mask(OP, mask)?;
    let shape = broadcast_shapes(OP, [input.shape(), mask.shape()])?;
    let flat = |t: &Tensor| ops::reshape(&expand_to(t, &shape)?, &[-1]);
    let places = mask_indices(&flat(&mask.detach())?)?;
    let count = places[0].numel();
    if source.numel() < count {
        return Err(RusTorchError::shape(
            OP,
            format!("the mask holds at {count} places, but source has only {} elements", source.numel()),
        ));
    }
    let values = ops::slice(&ops::reshape(source, &[-1])?, 0, 0, count as i64, 1)?;
    reshape_to(&ops::index_write(&flat(input)?, &places, &values, false)?, &shape)
}
