//! Sorting and selecting by order.

use rustorch_backend::{DType, kernel};
use rustorch_error::{Result, RusTorchError};

use super::contiguity::contiguous_copy;
use super::reduction_ops::drop_dims;
use crate::{Tensor, ops};

fn refuse_complex(op: &'static str, input: &Tensor) -> Result<()> {
    if input.dtype().is_complex() {
        return Err(RusTorchError::dtype(
            op,
            format!("complex numbers have no order; got {}, and every real dtype works", input.dtype()),
        ));
    }
    Ok(())
}

/// Fails unless the dtype is one of numbers with an order.
pub(crate) fn ordered_numbers(op: &'static str, input: &Tensor) -> Result<()> {
    if input.dtype() == DType::Bool {
        return Err(RusTorchError::dtype(
            op,
            "not implemented for bool; it takes integer and floating-point tensors, see to()",
        ));
    }
    refuse_complex(op, input)
}

/// The lines along `dim` in order and their elements' former places, without history.
fn sorted(
    op: &'static str,
    input: &Tensor,
    dim: i64,
    descending: bool,
    with_values: bool,
) -> Result<(Option<Tensor>, Tensor)> {
    refuse_complex(op, input)?;
    let d = input.dim_index(op, dim)?;
    let indices = Tensor::empty(input.shape(), DType::Int64, input.device())?;
    let values =
        with_values.then(|| Tensor::empty(input.shape(), input.dtype(), input.device())).transpose()?;
    if input.numel() > 0 {
        let operand = values.as_ref().map(Tensor::operand);
        input.backend()?.run(kernel::Sort {
            input: input.operand(),
            dim: d,
            descending,
            values: operand,
            indices: indices.operand(),
        })?;
    }
    Ok((values, indices))
}

fn no_values(op: &'static str) -> RusTorchError {
    RusTorchError::unsupported(op, "the backend gave no values")
}

/// The elements along a dimension in order, and where each of them was. The kernel's sort is always stable.
pub fn sort(input: &Tensor, dim: i64, descending: bool, _stable: bool) -> Result<(Tensor, Tensor)> {
    let (values, indices) = sorted("sort", input, dim, descending, true)?;
    Ok((values.ok_or_else(|| no_values("sort"))?, indices))
}

/// The indices that sort the elements along a dimension.
pub fn argsort(input: &Tensor, dim: i64, descending: bool, _stable: bool) -> Result<Tensor> {
    Ok(sorted("argsort", input, dim, descending, false)?.1)
}

/// The elements along the first dimension in order.
pub fn msort(input: &Tensor) -> Result<Tensor> {
    Ok(ops::sort(input, 0, false, true)?.0)
}

/// The `k` extreme elements along `d`; the `k`-th stands last, and so do its values.
fn selected(input: &Tensor, k: usize, d: usize, largest: bool, in_order: bool) -> Result<(Tensor, Tensor)> {
    let mut shape = input.shape().to_vec();
    if let Some(size) = shape.get_mut(d) {
        *size = k;
    }
    let values = Tensor::empty(&shape, input.dtype(), input.device())?;
    let indices = Tensor::empty(&shape, DType::Int64, input.device())?;
    if values.numel() > 0 {
        let operand = Some(values.operand());
        input.backend()?.run(kernel::TopK {
            input: input.operand(),
            dim: d,
            largest,
            sorted: in_order,
            values: operand,
            indices: indices.operand(),
        })?;
    }
    Ok((values, indices))
}

/// The `k` largest or smallest elements along a dimension, and their indices.
pub fn topk(input: &Tensor, k: i64, dim: i64, largest: bool, in_order: bool) -> Result<(Tensor, Tensor)> {
    ordered_numbers("topk", input)?;
    let d = input.dim_index("topk", dim)?;
    let size = input.shape().get(d).copied().unwrap_or(1);
    match usize::try_from(k) {
        Ok(k) if k <= size => selected(input, k, d, largest, in_order),
        _ => Err(RusTorchError::index(
            "topk",
            format!("selected index k out of range: k is {k}, and dimension {d} has {size} elements"),
        )),
    }
}

/// The `k`-th smallest element along `d` (from 1) and its index, kept as a dimension of size 1.
pub(super) fn kth_smallest(input: &Tensor, k: usize, d: usize) -> Result<(Tensor, Tensor)> {
    let (values, indices) = selected(input, k, d, false, false)?;
    if input.ndim() == 0 {
        return Ok((values, indices));
    }
    let (dim, last) = (d as i64, k as i64 - 1);
    let last_of = |t: &Tensor| contiguous_copy(&ops::narrow(t, dim, last, 1)?);
    Ok((last_of(&values)?, last_of(&indices)?))
}

/// The `k`-th smallest element along a dimension, counted from 1, and its index.
pub fn kthvalue(input: &Tensor, k: i64, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
    ordered_numbers("kthvalue", input)?;
    let (d, size) = reduced_line("kthvalue", input, dim)?;
    let k = usize::try_from(k).ok().filter(|k| (1..=size).contains(k)).ok_or_else(|| {
        RusTorchError::index(
            "kthvalue",
            format!(
                "selected number k out of range for dimension {d}: k is {k}, and k from 1 to {size} work"
            ),
        )
    })?;
    let (values, indices) = kth_smallest(input, k, d)?;
    Ok(without(values, indices, d, keepdim))
}

/// A dimension that is about to be reduced and its size, which is not 0.
pub(super) fn reduced_line(op: &'static str, input: &Tensor, dim: i64) -> Result<(usize, usize)> {
    let d = input.dim_index(op, dim)?;
    let size = input.shape().get(d).copied().unwrap_or(1);
    if size == 0 {
        return Err(RusTorchError::index(
            op,
            format!("expected reduction dim {d} to have non-zero size, got shape {:?}", input.shape()),
        ));
    }
    Ok((d, size))
}

/// Values and indices without the dimension of size 1 that was reduced, unless it is kept.
pub(super) fn without(values: Tensor, indices: Tensor, d: usize, keepdim: bool) -> (Tensor, Tensor) {
    if values.ndim() == 0 {
        return (values, indices);
    }
    (drop_dims(values, &[d], keepdim), drop_dims(indices, &[d], keepdim))
}
