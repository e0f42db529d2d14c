//! Gradients of solutions, inverses and determinants.

use rustorch_error::Result;

use crate::operations::decomposition::transposed;
use crate::{Tensor, ops};

/// The gradient of `inv(A) B` by B: `inv(A)ᵀ grad`.
pub fn solution_grad_b(grad: &Tensor, a: &Tensor) -> Result<Tensor> {
    Ok(ops::solution(&transposed(a)?, grad)?.0)
}

/// The gradient of `X = inv(A) B` by A: `-inv(A)ᵀ grad Xᵀ`.
pub fn solution_grad_a(grad: &Tensor, a: &Tensor, x: &Tensor) -> Result<Tensor> {
    ops::neg(&ops::matmul(&solution_grad_b(grad, a)?, &transposed(x)?)?)
}

/// The gradient of a triangular system's solution by its right side.
pub fn triangular_grad_b(grad: &Tensor, a: &Tensor, upper: bool, unit: bool) -> Result<Tensor> {
    ops::triangular_solution(&transposed(a)?, grad, !upper, unit)
}

/// The gradient of a triangular system's solution by the triangle that is read.
pub fn triangular_grad_a(grad: &Tensor, a: &Tensor, x: &Tensor, upper: bool, unit: bool) -> Result<Tensor> {
    let full = ops::neg(&ops::matmul(&triangular_grad_b(grad, a, upper, unit)?, &transposed(x)?)?)?;
    let edge = i64::from(unit);
    if upper { ops::triu(&full, edge) } else { ops::tril(&full, -edge) }
}

/// The gradient of `X = inv(L Lᵀ) B` by L, as if L were full: `(S + Sᵀ) L` with `S = -inv(L Lᵀ) grad Xᵀ`.
pub fn cholesky_solve_grad(grad: &Tensor, factor: &Tensor, x: &Tensor, upper: bool) -> Result<Tensor> {
    let inner = ops::matmul(&ops::cholesky_solve(grad, factor, upper)?, &transposed(x)?)?;
    let both = ops::neg(&ops::add(&inner, &transposed(&inner)?, 1.into())?)?;
    if upper { ops::matmul(factor, &both) } else { ops::matmul(&both, factor) }
}

/// A number per matrix, to multiply the matrices with.
fn per_matrix(values: &Tensor) -> Result<Tensor> {
    ops::unsqueeze(&ops::unsqueeze(values, -1)?, -1)
}

/// The gradient of the determinant: `grad det inv(A)ᵀ`, or where A is singular the matrix of cofactors,
/// `det(U) det(V) U diag(Π_{j≠i} s_j) Vᵀ`.
pub fn det_grad(grad: &Tensor, input: &Tensor, result: &Tensor) -> Result<Tensor> {
    let singular = ops::eq(&result.detach(), &Tensor::number(0.0)?)?;
    if !ops::any(&singular, None, false)?.item()?.to_bool() {
        let (inverse, _) = ops::linalg_inv_ex(input, false)?;
        return ops::mul(&per_matrix(&ops::mul(grad, result)?)?, &transposed(&inverse)?);
    }
    let (u, s, vh) = ops::linalg_svd(input, false, None)?;
    let sign = ops::mul(&ops::det(&u.detach())?, &ops::det(&vh.detach())?)?;
    let whole = ops::prod_dim(&s, -1, true, None)?;
    let ones = ops::ones_like(&whole.detach(), None, None, false)?;
    let others = super::prod_grad(&ones, &s, &whole, -1, true)?;
    let cofactors = ops::matmul(&ops::mul(&u, &ops::unsqueeze(&others, -2)?)?, &vh)?;
    ops::mul(&per_matrix(&ops::mul(grad, &sign)?)?, &cofactors)
}

/// The gradient of the logarithm of the determinant's size: `grad inv(A)ᵀ`.
pub fn log_abs_det_grad(grad: &Tensor, input: &Tensor) -> Result<Tensor> {
    let (inverse, _) = ops::linalg_inv_ex(input, false)?;
    ops::mul(&per_matrix(grad)?, &transposed(&inverse)?)
}

/// The gradient of the pseudo-inverse P: Golub and Pereyra, The differentiation of pseudo-inverses and nonlinear least squares
/// problems whose variables separate, SIAM J. Numer. Anal. 10.
pub fn pinv_grad(grad: &Tensor, input: &Tensor, result: &Tensor) -> Result<Tensor> {
    let (p, pt, gt) = (result, transposed(result)?, transposed(grad)?);
    let product = |factors: [&Tensor; 3]| ops::matmul(&ops::matmul(factors[0], factors[1])?, factors[2]);
    let direct = product([&pt, grad, &pt])?;
    let (left, right) = (product([&gt, p, &pt])?, product([&pt, p, &gt])?);
    let out_left = ops::sub(&left, &product([input, p, &left])?, 1.into())?;
    let out_right = ops::sub(&right, &product([&right, p, input])?, 1.into())?;
    ops::sub(&ops::add(&out_left, &out_right, 1.into())?, &direct, 1.into())
}
