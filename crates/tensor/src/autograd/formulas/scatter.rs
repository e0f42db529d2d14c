//! Gradients of scatter and its reductions. `src` may be larger than `index`; what lies outside was not read.

use rustorch_error::{Result, RusTorchError};

use crate::autograd::mode;
use crate::operations::creation::cast;
use crate::operations::shape_ops::reshape_to;
use crate::{Tensor, ops};

/// The part of `src` that an index of shape `shape` reads; both have as many dimensions, or one of them is 0-d.
fn corner(src: &Tensor, shape: &[usize]) -> Result<Tensor> {
    if src.ndim() != shape.len() {
        return reshape_to(src, shape);
    }
    let mut part = src.clone();
    for (d, &size) in shape.iter().enumerate() {
        if part.shape()[d] != size {
            part = ops::slice(&part, d as i64, 0, size as i64, 1)?;
        }
    }
    Ok(part)
}

/// The reverse of [`corner`]: zeros of `shape` with `part` at the beginning of each dimension.
fn widen(part: &Tensor, shape: &[usize]) -> Result<Tensor> {
    if part.ndim() != shape.len() {
        return reshape_to(part, shape);
    }
    let mut whole = part.clone();
    for (d, &size) in shape.iter().enumerate() {
        if whole.shape()[d] != size {
            let mut wider: Vec<i64> = whole.shape().iter().map(|&n| n as i64).collect();
            let end = std::mem::replace(&mut wider[d], size as i64);
            whole = ops::slice_backward(&whole, &wider, d as i64, 0, end, 1)?;
        }
    }
    Ok(whole)
}

/// The gradient where it was scattered from.
pub fn scatter_src_grad(grad: &Tensor, shape: &[usize], dim: i64, index: &Tensor) -> Result<Tensor> {
    if index.numel() == 0 {
        let sizes: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        return ops::zeros(&sizes, Some(grad.dtype()), Some(grad.device()), false);
    }
    widen(&ops::gather(grad, dim, index)?, shape)
}

fn one_where(mask: &Tensor, otherwise: &Tensor) -> Result<Tensor> {
    ops::where_(mask, &Tensor::number(1)?, otherwise)
}

fn is_zero(t: &Tensor) -> Result<Tensor> {
    ops::eq(&t.detach(), &Tensor::number(0)?)
}

/// The gradient of `scatter_prod` by its input: the product of what fell on it.
pub fn scatter_prod_grad_input(
    grad: &Tensor,
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
) -> Result<Tensor> {
    let nonzero = one_where(&is_zero(input)?, input)?;
    ops::div(&ops::mul(grad, &ops::scatter_prod(&nonzero, dim, index, src)?)?, &nonzero, None)
}

/// The gradient of `scatter_prod` by its source: the product of the others. The single zero of a group gets the
/// product without it; the rest get the result divided by themselves, which is 0 where a zero is among the others.
pub fn scatter_prod_grad_src(
    grad: &Tensor,
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
    result: &Tensor,
) -> Result<Tensor> {
    if index.numel() == 0 {
        return scatter_src_grad(grad, src.shape(), dim, index);
    }
    let part = corner(src, index.shape())?;
    let zero = is_zero(&part)?;
    let zeros = ops::zeros_like(&input.detach(), None, None, false)?;
    let per_group = ops::scatter_add(&zeros, dim, index, &cast(&zero, src.dtype())?)?;
    let count = ops::gather(&per_group, dim, index)?;
    let several = ops::any(&ops::gt(&count, &Tensor::number(1)?)?, None, false)?;
    if mode::is_enabled() && several.item()?.to_bool() {
        return Err(RusTorchError::autograd(
            "backward",
            "double backward of scatter_reduce(reduce='prod') is unsupported by src where more than one zero of src is \
             scattered to the same position",
        ));
    }
    let single = ops::logical_and(&zero, &ops::eq(&count, &Tensor::number(1)?)?)?;
    let without = ops::scatter_prod(input, dim, index, &one_where(&single, &part)?)?;
    let of_single = ops::gather(&ops::mul(grad, &without)?, dim, index)?;
    let of_others =
        ops::div(&ops::gather(&ops::mul(grad, result)?, dim, index)?, &one_where(&zero, &part)?, None)?;
    widen(&ops::where_(&single, &of_single, &of_others)?, src.shape())
}

/// Which elements of the input and of the source are their group's extremum, and the gradient's share of each.
fn extremum_shares(
    grad: &Tensor,
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
    include_self: bool,
    result: &Tensor,
) -> Result<[Tensor; 3]> {
    let result = result.detach();
    let mut own = cast(&ops::eq(&input.detach(), &result)?, grad.dtype())?;
    if !include_self {
        own = ops::scatter(&own, dim, index, &Tensor::number(0)?)?;
    }
    let part = corner(&src.detach(), index.shape())?;
    let theirs = cast(&ops::eq(&part, &ops::gather(&result, dim, index)?)?, grad.dtype())?;
    let count = ops::scatter_add(&own, dim, index, &theirs)?;
    Ok([own, theirs, ops::div(grad, &count, None)?])
}

/// The gradient of `scatter_extremum` by its input: shared evenly among all that reach the extremum.
pub fn scatter_extremum_grad_input(
    grad: &Tensor,
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
    include_self: bool,
    result: &Tensor,
) -> Result<Tensor> {
    if index.numel() == 0 {
        return Ok(grad.clone());
    }
    let [own, _, share] = extremum_shares(grad, input, dim, index, src, include_self, result)?;
    ops::mul(&own, &share)
}

/// The gradient of `scatter_extremum` by its source.
pub fn scatter_extremum_grad_src(
    grad: &Tensor,
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
    include_self: bool,
    result: &Tensor,
) -> Result<Tensor> {
    if index.numel() == 0 {
        return scatter_src_grad(grad, src.shape(), dim, index);
    }
    let [_, theirs, share] = extremum_shares(grad, input, dim, index, src, include_self, result)?;
    widen(&ops::mul(&theirs, &ops::gather(&share, dim, index)?)?, src.shape())
}
