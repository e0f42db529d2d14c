//! Gradients of reductions and scans.

use rustorch_backend::{DType, Scalar, volume};
use rustorch_error::Result;

use crate::operations::reduction_ops::{kept_shape, reduced_dims};
use crate::operations::shape_ops::{expand_to, reshape_to};
use crate::operations::statistical::correction_of;
use crate::{Tensor, ops};

fn as_i64(dims: &[usize]) -> Vec<i64> {
    dims.iter().map(|&d| d as i64).collect()
}

/// 0 where the mask is true, else the value.
pub(super) fn zero_where(mask: &Tensor, value: &Tensor) -> Result<Tensor> {
    ops::where_(mask, &Tensor::number(0.0)?, value)
}

/// `x / length * grad`, with length and grad of size 1 over some dimensions; 0 with all its derivatives where the length
/// is 0. The quotient comes first: it is of size 1, whatever the size of x is.
pub(super) fn along(x: &Tensor, length: &Tensor, grad: &Tensor) -> Result<Tensor> {
    let zero = ops::eq(&length.detach(), &Tensor::number(0.0)?)?;
    let length = ops::where_(&zero, &Tensor::number(1.0)?, length)?;
    ops::mul(&ops::div(x, &length, None)?, &zero_where(&zero, grad)?)
}

/// A reduced tensor with its reduced dimensions back, of size 1.
pub(super) fn keep(reduced: &Tensor, shape: &[usize], dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    if keepdim {
        return Ok(reduced.clone());
    }
    let ndim = shape.len();
    let dims: Vec<usize> = match dim.filter(|d| !d.is_empty()) {
        None => (0..ndim).collect(),
        Some(dims) => dims
            .iter()
            .map(|&d| rustorch_backend::normalize_dim("backward", d, ndim))
            .collect::<Result<_>>()?,
    };
    reshape_to(reduced, &kept_shape(shape, &dims))
}

/// The gradient of a sum: the same for each element.
pub fn expand_reduced(grad: &Tensor, shape: &[usize], dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    expand_to(&keep(grad, shape, dim, keepdim)?, shape)
}

/// The gradient of a mean.
pub fn mean_grad(grad: &Tensor, shape: &[usize], dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    let kept = keep(grad, shape, dim, keepdim)?;
    let total = volume(shape);
    let count = total.checked_div(kept.numel()).unwrap_or(1).max(1);
    expand_to(&ops::mul(&kept, &Tensor::number(1.0 / count as f64)?)?, shape)
}

/// The gradient of a product: the product of the others, by prefix and suffix products where the whole is 0 or left the range.
pub fn prod_grad(grad: &Tensor, input: &Tensor, result: &Tensor, dim: i64, keepdim: bool) -> Result<Tensor> {
    let shape = input.shape().to_vec();
    let grad = keep(grad, &shape, Some(&[dim]), keepdim)?;
    if input.ndim() == 0 {
        return Ok(grad);
    }
    // A quotient of the whole and a factor, unless the whole is 0 or not finite: that may be so of no factor.
    let whole = result.detach();
    let lost = ops::logical_or(
        &ops::eq(&whole, &Tensor::number(0_i64)?)?,
        &ops::logical_not(&ops::isfinite(&whole)?)?,
    )?;
    if !ops::any(&lost, None, false)?.item()?.to_bool() {
        let result = keep(result, &shape, Some(&[dim]), keepdim)?;
        return ops::div(&ops::mul(&grad, &result)?, input, None);
    }
    // Exclusive products from both sides: Π_{j<i} x_j · Π_{j>i} x_j.
    let n = shape[input.dim_index("prod", dim)?] as i64;
    let ones = ops::ones_like(&ops::slice(&input.detach(), dim, 0, 1, 1)?, None, None, false)?;
    let before =
        ops::cat(&[ones.clone(), ops::cumprod(&ops::slice(input, dim, 0, n - 1, 1)?, dim, None)?], dim)?;
    let reversed = ops::flip(&ops::slice(input, dim, 1, n, 1)?, &[dim])?;
    let after = ops::cat(&[ops::flip(&ops::cumprod(&reversed, dim, None)?, &[dim])?, ones], dim)?;
    ops::mul(&grad, &ops::mul(&before, &after)?)
}

/// The gradient of amax and amin: shared evenly among the elements that reach the extremum.
pub fn extremum_grad(
    grad: &Tensor,
    input: &Tensor,
    result: &Tensor,
    dim: &[i64],
    keepdim: bool,
) -> Result<Tensor> {
    let shape = input.shape().to_vec();
    let (grad, result) =
        (keep(grad, &shape, Some(dim), keepdim)?, keep(&result.detach(), &shape, Some(dim), keepdim)?);
    let reached = crate::operations::creation::cast(&ops::eq(&input.detach(), &result)?, grad.dtype())?;
    let dims = as_i64(&reduced_dims("amax", input, Some(dim))?);
    let count = if dims.is_empty() { reached.clone() } else { ops::sum(&reached, Some(&dims), true, None)? };
    ops::mul(&reached, &ops::div(&grad, &count, None)?)
}

/// The gradient of one element picked from all: shared evenly among those that are equal to it.
pub fn evenly_distributed_grad(grad: &Tensor, input: &Tensor, result: &Tensor) -> Result<Tensor> {
    let (input, result) = (input.detach(), result.detach());
    let both_nan = ops::logical_and(&ops::isnan(&input)?, &ops::isnan(&result)?)?;
    let equal = ops::logical_or(&ops::eq(&input, &result)?, &both_nan)?;
    let equal = crate::operations::creation::cast(&equal, grad.dtype())?;
    ops::mul(&equal, &ops::div(grad, &ops::sum(&equal, None, false, None)?, None)?)
}

/// The gradient of max and min along a dimension: to the element that was chosen.
pub fn select_reduced_grad(
    grad: &Tensor,
    shape: &[usize],
    indices: &Tensor,
    dim: i64,
    keepdim: bool,
) -> Result<Tensor> {
    let (grad, indices) =
        (keep(grad, shape, Some(&[dim]), keepdim)?, keep(indices, shape, Some(&[dim]), keepdim)?);
    super::scatter_sum_grad(&grad, shape, &indices, dim)
}

/// The sum of the elements from each one to the end.
pub fn reverse_cumsum(grad: &Tensor, dim: i64) -> Result<Tensor> {
    if grad.ndim() == 0 {
        return Ok(grad.clone());
    }
    ops::flip(&ops::cumsum(&ops::flip(grad, &[dim])?, dim, Some(grad.dtype()))?, &[dim])
}

/// The gradient of a cumulative product. Without zeros: `reverse_cumsum(grad * result) / input`. With zeros, element by
/// element, `Σ_{k ≥ i} grad_k Π_{j ≤ k, j ≠ i} x_j`, if that is to be differentiated.
pub fn cumprod_grad(grad: &Tensor, input: &Tensor, result: &Tensor, dim: i64) -> Result<Tensor> {
    if input.ndim() == 0 || input.numel() == 0 {
        return Ok(grad.clone());
    }
    let zeros = ops::any(&ops::eq(&input.detach(), &Tensor::number(0_i64)?)?, None, false)?;
    if !zeros.item()?.to_bool() {
        return ops::div(&reverse_cumsum(&ops::mul(grad, result)?, dim)?, input, None);
    }
    if !crate::autograd::mode::is_enabled() {
        return cumprod_grad_with_zeros(grad, input, result, dim);
    }
    let d = input.dim_index("cumprod", dim)?;
    let n = input.shape()[d] as i64;
    let dim = d as i64;
    let parts = (0..n)
        .map(|i| {
            let one = ops::ones_like(&ops::slice(&input.detach(), dim, i, i + 1, 1)?, None, None, false)?;
            let before = if i == 0 {
                one.clone()
            } else {
                ops::prod_dim(&ops::slice(input, dim, 0, i, 1)?, dim, true, Some(input.dtype()))?
            };
            let rest = ops::cumprod(&ops::slice(input, dim, i + 1, n, 1)?, dim, Some(input.dtype()))?;
            let products = ops::mul(&ops::cat(&[one, rest], dim)?, &before)?;
            ops::sum(&ops::mul(&ops::slice(grad, dim, i, n, 1)?, &products)?, Some(&[dim]), true, None)
        })
        .collect::<Result<Vec<_>>>()?;
    ops::cat(&parts, dim)
}

/// As [`cumprod_grad`], in passes over whole lines: before a line's first 0 as without zeros; at it with 1 in its place;
/// behind it 0, as every product there has that factor.
fn cumprod_grad_with_zeros(grad: &Tensor, input: &Tensor, result: &Tensor, dim: i64) -> Result<Tensor> {
    let (zero, one) = (Tensor::number(0_i64)?, Tensor::number(1_i64)?);
    let is_zero = ops::eq(input, &zero)?;
    let count = ops::cumsum(&is_zero, dim, None)?;
    let first = ops::logical_and(&is_zero, &ops::eq(&count, &one)?)?;
    let without = ops::cumprod(&ops::where_(&first, &one, input)?, dim, Some(input.dtype()))?;
    let at_first = reverse_cumsum(&ops::mul(grad, &without)?, dim)?;
    let before = ops::div(&reverse_cumsum(&ops::mul(grad, result)?, dim)?, input, None)?;
    let behind = ops::where_(&first, &at_first, &zero)?;
    ops::where_(&ops::eq(&count, &zero)?, &before, &behind)
}

/// The gradient of logcumsumexp, `Σ_{k ≥ i} grad_k exp(x_i - result_k)`: positive and negative gradients apart, whose
/// logarithms keep the sums from overflowing.
pub fn logcumsumexp_grad(grad: &Tensor, input: &Tensor, result: &Tensor, dim: i64) -> Result<Tensor> {
    if input.ndim() == 0 || input.numel() == 0 {
        return Ok(grad.clone());
    }
    // The logarithm of 0, but finite: where no gradient of a sign is left, infinities would cancel to NaN in the
    // derivative of this.
    let nothing = Tensor::number(if grad.dtype() == DType::Float16 { -6e4 } else { -1e30 })?;
    let empty = ops::isneginf(&result.detach())?;
    let part = |grad: &Tensor| {
        let positive = ops::gt(&grad.detach(), &Tensor::number(0.0)?)?;
        // The logarithm sees only positive numbers, so that its own derivative is finite.
        let safe = ops::where_(&positive, grad, &Tensor::number(1.0)?)?;
        let logarithm = ops::where_(&positive, &ops::log(&safe)?, &nothing)?;
        // Where all inputs so far are -inf, so is the result: none of them has a share in it.
        let share = ops::where_(&empty, &nothing, &ops::sub(&logarithm, result, 1.into())?)?;
        let terms = ops::flip(&share, &[dim])?;
        let sums = ops::flip(&ops::logcumsumexp(&terms, dim)?, &[dim])?;
        ops::exp(&ops::add(&sums, input, 1.into())?)
    };
    ops::sub(&part(grad)?, &part(&ops::neg(grad)?)?, 1.into())
}

/// `input` less its mean over dimensions, and what the sum of its squares is divided by.
fn centred(
    input: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    correction: Option<Scalar>,
) -> Result<(Tensor, f64)> {
    let dims = reduced_dims("var", input, dim)?;
    let count = volume(dims.iter().map(|&d| input.shape()[d]));
    let divisor = (count as f64 - correction_of("var", unbiased, correction)?).max(0.0);
    let mean =
        if dims.is_empty() { input.clone() } else { ops::mean(input, Some(&as_i64(&dims)), true, None)? };
    Ok((ops::sub(input, &mean, 1.into())?, divisor))
}

/// The gradient of the variance: `2 (x - mean) grad / (n - correction)`.
pub fn var_grad(
    grad: &Tensor,
    input: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    keepdim: bool,
    correction: Option<Scalar>,
) -> Result<Tensor> {
    let (centred, divisor) = centred(input, dim, unbiased, correction)?;
    let grad = keep(grad, input.shape(), dim, keepdim)?;
    ops::mul(&ops::mul(&grad, &Tensor::number(2.0 / divisor)?)?, &centred)
}

/// The gradient of the standard deviation: `(x - mean) / std grad / (n - correction)`; 0 where all elements are equal.
pub fn std_grad(
    grad: &Tensor,
    input: &Tensor,
    std: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    keepdim: bool,
    correction: Option<Scalar>,
) -> Result<Tensor> {
    let (centred, divisor) = centred(input, dim, unbiased, correction)?;
    let (grad, std) = (keep(grad, input.shape(), dim, keepdim)?, keep(std, input.shape(), dim, keepdim)?);
    along(&centred, &std, &ops::mul(&grad, &Tensor::number(1.0 / divisor)?)?)
}
