//! Gradients of norms and distances.

use rustorch_backend::Scalar;
use rustorch_error::Result;

use super::reduction::{along, keep, zero_where};
use crate::operations::creation::cast;
use crate::{Tensor, ops};

/// The quotient; 0 with all its derivatives where the divisor is 0.
fn quotient(value: &Tensor, divisor: &Tensor) -> Result<Tensor> {
    let zero = ops::eq(&divisor.detach(), &Tensor::number(0.0)?)?;
    let safe = ops::where_(&zero, &Tensor::number(1.0)?, divisor)?;
    zero_where(&zero, &ops::div(value, &safe, None)?)
}

/// The gradient of the p-norm: `sgn(x) (|x| / norm)^(p-1) grad`; 0 where that has no limit, as PyTorch's.
pub fn vector_norm_grad(
    grad: &Tensor,
    x: &Tensor,
    norm: &Tensor,
    ord: Scalar,
    dim: Option<&[i64]>,
    keepdim: bool,
) -> Result<Tensor> {
    let p = ord.to_f64();
    let x = &ops::to_dtype(x, Some(grad.dtype()))?;
    let shape = x.shape();
    let (grad, norm) = (keep(grad, shape, dim, keepdim)?, keep(norm, shape, dim, keepdim)?);
    let (zero, one) = (Tensor::number(0.0)?, Tensor::number(1.0)?);
    let is_zero = |t: &Tensor| ops::eq(&t.detach(), &zero);
    let power = |t: &Tensor, exponent: f64| ops::pow(t, &Tensor::number(exponent)?);
    let sign = || ops::sign(x);
    match p {
        0.0 => ops::zeros_like(x, None, None, false),
        1.0 => ops::mul(&sign()?, &grad),
        2.0 => along(x, &norm, &grad),
        p if p.is_infinite() => {
            let size = ops::abs(&x.detach())?;
            let norm = norm.detach();
            let both_nan = ops::logical_and(&ops::isnan(&size)?, &ops::isnan(&norm)?)?;
            let reached = cast(&ops::logical_or(&ops::eq(&size, &norm)?, &both_nan)?, grad.dtype())?;
            let dims = dim.filter(|d| !d.is_empty() && x.ndim() > 0);
            let count = ops::sum(&reached, dims, true, None)?;
            let shared = ops::mul(&ops::div(&reached, &count, None)?, &grad)?;
            ops::mul(&sign()?, &shared)
        }
        p => {
            // Sizes relative to the norm: their powers neither overflow nor vanish.
            let nowhere = is_zero(&norm)?;
            let ratio = ops::div(x, &ops::where_(&nowhere, &one, &norm)?, None)?;
            let grad = zero_where(&nowhere, &grad)?;
            let slope = if p < 1.0 {
                let missing = is_zero(x)?;
                let size = ops::where_(&missing, &one, &ops::abs(&ratio)?)?;
                zero_where(&missing, &ops::mul(&sign()?, &power(&size, p - 1.0)?)?)?
            } else if p < 2.0 {
                ops::mul(&sign()?, &power(&ops::abs(&ratio)?, p - 1.0)?)?
            } else {
                ops::mul(&ratio, &power(&ops::abs(&ratio)?, p - 2.0)?)?
            };
            ops::mul(&slope, &grad)
        }
    }
}

/// The gradient of Euclidean distances by the first rows: `Σ_j (x1_i - x2_j) grad_ij / distance_ij`; 0 at distance 0.
pub fn euclidean_distances_grad(
    grad: &Tensor,
    x1: &Tensor,
    x2: &Tensor,
    distances: &Tensor,
) -> Result<Tensor> {
    let ratio = quotient(grad, distances)?;
    let own = ops::mul(x1, &ops::sum(&ratio, Some(&[-1]), true, None)?)?;
    ops::sub(&own, &ops::matrix_product(&ratio, x2)?, 1.into())
}
