//! Gradients of decompositions: Giles, An extended collection of matrix derivative results for forward and reverse mode
//! algorithmic differentiation; Walter and Lehmann, Algorithmic differentiation of linear algebra functions.

use rustorch_error::{Result, RusTorchError};

use crate::operations::decomposition::{
    eigen_parts, lu_parts, permutations, qr_parts, reorder_rows, svd_parts, transposed,
};
use crate::operations::norm::power_of_two;
use crate::{Tensor, ops};

fn matrix_sizes(shape: &[usize]) -> [usize; 2] {
    [shape[shape.len() - 2], shape[shape.len() - 1]]
}

fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    ops::matmul(a, b)
}

fn sub(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    ops::sub(a, b, 1.into())
}

fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    ops::add(a, b, 1.into())
}

/// `b inv(a)ᵀ`, a triangular.
fn divide_by_transposed(b: &Tensor, a: &Tensor, upper: bool) -> Result<Tensor> {
    transposed(&ops::triangular_solution(a, &transposed(b)?, upper, false)?)
}

/// Matrices with the vectors on their diagonals.
fn diagonal_matrix(values: &Tensor) -> Result<Tensor> {
    let n = values.shape()[values.ndim() - 1] as i64;
    let identity = ops::eye(n, Some(n), Some(values.dtype()), Some(values.device()), false)?;
    ops::mul(&identity, &ops::unsqueeze(values, -1)?)
}

/// The gradient of LU. With `P dA = dL U + L dU` and Φ = L⁻¹ (P dA) U⁻¹, dL is L times Φ's part below the diagonal, and dU the
/// rest of Φ times U; what stands right of U's square or below L's follows from those.
pub fn lu_grad(grad: &Tensor, packed: &Tensor, pivots: &Tensor) -> Result<Tensor> {
    let [m, n] = matrix_sizes(packed.shape());
    let k = m.min(n) as i64;
    let (wide, tall) = (n as i64 - k, m as i64 - k);
    let (lower, upper) = lu_parts(packed)?;
    let grad_lower = ops::tril(&ops::narrow(grad, -1, 0, k)?, -1)?;
    let grad_upper = ops::triu(&ops::narrow(grad, -2, 0, k)?, 0)?;
    let (l, u) = (ops::narrow(&lower, -2, 0, k)?, ops::narrow(&upper, -1, 0, k)?);
    let (grad_l, grad_u) = (ops::narrow(&grad_lower, -2, 0, k)?, ops::narrow(&grad_upper, -1, 0, k)?);
    let turned = transposed(&l)?;
    let mut below = product(&turned, &grad_l)?;
    let mut above = product(&grad_u, &transposed(&u)?)?;
    if wide > 0 {
        let (right, grad_right) = (ops::narrow(&upper, -1, k, wide)?, ops::narrow(&grad_upper, -1, k, wide)?);
        below = sub(&below, &product(&grad_right, &transposed(&right)?)?)?;
    }
    if tall > 0 {
        let (rest, grad_rest) = (ops::narrow(&lower, -2, k, tall)?, ops::narrow(&grad_lower, -2, k, tall)?);
        above = sub(&above, &product(&transposed(&rest)?, &grad_rest)?)?;
    }
    let inner = add(&ops::tril(&below, -1)?, &ops::triu(&above, 0)?)?;
    let square = divide_by_transposed(&ops::triangular_solution(&turned, &inner, true, true)?, &u, true)?;
    let permuted = if wide > 0 {
        let right = ops::triangular_solution(&turned, &ops::narrow(&grad_upper, -1, k, wide)?, true, true)?;
        ops::cat(&[square, right], -1)?
    } else if tall > 0 {
        let rest = divide_by_transposed(&ops::narrow(&grad_lower, -2, k, tall)?, &u, true)?;
        ops::cat(&[square, rest], -2)?
    } else {
        square
    };
    reorder_rows(&permuted, &permutations("backward", pivots, m, true)?)
}

/// The gradient of Cholesky's decomposition: `L⁻ᵀ S L⁻¹ / 2`, S the lower triangle of `Lᵀ grad` mirrored.
pub fn cholesky_grad(grad: &Tensor, lower: &Tensor) -> Result<Tensor> {
    let turned = transposed(lower)?;
    let half = ops::tril(&product(&turned, &ops::tril(grad, 0)?)?, 0)?;
    let mirrored = add(&half, &transposed(&ops::tril(&half, -1)?)?)?;
    let left = ops::triangular_solution(&turned, &mirrored, true, false)?;
    let both = ops::triangular_solution(&turned, &transposed(&left)?, true, false)?;
    ops::mul(&both, &Tensor::number(0.5)?)
}

/// The gradient of `A = Q R` for a square R.
fn square_qr_grad(q: &Tensor, r: &Tensor, grad_q: &Tensor, grad_r: &Tensor) -> Result<Tensor> {
    let inner = sub(&product(r, &transposed(grad_r)?)?, &product(&transposed(grad_q)?, q)?)?;
    let below = ops::tril(&inner, -1)?;
    let mirrored = add(&ops::tril(&inner, 0)?, &transposed(&below)?)?;
    divide_by_transposed(&add(grad_q, &product(q, &mirrored)?)?, r, true)
}

/// The gradient of QR; of a wide matrix its columns beyond the square depend on the others by `Q R`.
pub fn qr_grad(grad: &Tensor, result: &Tensor, shape: &[usize], complete: bool) -> Result<Tensor> {
    let sizes @ [m, n] = matrix_sizes(shape);
    if complete && m > n {
        return Err(RusTorchError::autograd(
            "backward",
            "the QR decomposition is not differentiable when mode='complete' and the matrix has more rows than columns",
        ));
    }
    let (q, r) = qr_parts(result, sizes, complete)?;
    let (grad_q, grad_r) = qr_parts(grad, sizes, complete)?;
    let grad_r = ops::triu(&grad_r, 0)?;
    let (k, wide) = (m.min(n) as i64, n.saturating_sub(m) as i64);
    if wide == 0 {
        return square_qr_grad(&q, &r, &grad_q, &grad_r);
    }
    let (right, grad_right) = (ops::narrow(&r, -1, k, wide)?, ops::narrow(&grad_r, -1, k, wide)?);
    let through = product(&product(&q, &right)?, &transposed(&grad_right)?)?;
    let (square, grad_square) = (ops::narrow(&r, -1, 0, k)?, ops::narrow(&grad_r, -1, 0, k)?);
    let left = square_qr_grad(&q, &square, &add(&grad_q, &through)?, &grad_square)?;
    ops::cat(&[left, product(&q, &grad_right)?], -1)
}

/// `value / (x_j - x_i)` at place i, j; 0 where both are 0, as they are on the diagonal.
fn over_differences(value: &Tensor, x: &Tensor) -> Result<Tensor> {
    let differences = sub(&ops::unsqueeze(x, -2)?, &ops::unsqueeze(x, -1)?)?;
    let zero = Tensor::number(0.0)?;
    let nothing =
        ops::logical_and(&ops::eq(&differences.detach(), &zero)?, &ops::eq(&value.detach(), &zero)?)?;
    let safe = ops::where_(&nothing, &Tensor::number(1.0)?, &differences)?;
    ops::div(value, &safe, None)
}

fn without_diagonal(matrix: &Tensor) -> Result<Tensor> {
    add(&ops::tril(matrix, -1)?, &ops::triu(matrix, 1)?)
}

/// The gradient of the eigenvalues and -vectors of symmetric matrices: the symmetric part of
/// `V (diag(grad w) + (Vᵀ grad V) / (w_j - w_i)) Vᵀ`.
pub fn eigen_grad(grad: &Tensor, result: &Tensor) -> Result<Tensor> {
    // n values and n² entries of vectors.
    let total = result.shape()[result.ndim() - 1];
    let n = (0..=total).find(|n| n * (n + 1) >= total).unwrap_or(0);
    let (values, vectors) = eigen_parts(result, n)?;
    let (grad_values, grad_vectors) = eigen_parts(grad, n)?;
    let turned = transposed(&vectors)?;
    let rotation = without_diagonal(&product(&turned, &grad_vectors)?)?;
    let inner = add(&over_differences(&rotation, &values)?, &diagonal_matrix(&grad_values)?)?;
    // Both triangles stand for one set of numbers: each gets half.
    let whole = product(&product(&vectors, &inner)?, &turned)?;
    ops::mul(&add(&whole, &transposed(&whole)?)?, &Tensor::number(0.5)?)
}

/// The gradient of the singular value decomposition; vectors beyond the first k have none, as they are any completion.
pub fn svd_grad(grad: &Tensor, result: &Tensor, shape: &[usize], full: bool) -> Result<Tensor> {
    let sizes @ [m, n] = matrix_sizes(shape);
    let k = m.min(n) as i64;
    let first = |(u, s, vh): (Tensor, Tensor, Tensor)| -> Result<[Tensor; 3]> {
        Ok([ops::narrow(&u, -1, 0, k)?, s, transposed(&ops::narrow(&vh, -2, 0, k)?)?])
    };
    let [u, s, v] = first(svd_parts(result, sizes, full)?)?;
    let [grad_u, grad_s, grad_v] = first(svd_parts(grad, sizes, full)?)?;
    let (row, column) = (ops::unsqueeze(&s, -2)?, ops::unsqueeze(&s, -1)?);
    // Relative to the largest, whose square may not be a number.
    let scale =
        if s.numel() == 0 { ops::detach(&s)? } else { power_of_two(&ops::amax(&s.detach(), &[-1], true)?)? };
    let squares = ops::square(&ops::div(&s, &scale, None)?)?;
    let scale = ops::unsqueeze(&scale, -1)?;
    let (row_ratio, column_ratio) = (ops::div(&row, &scale, None)?, ops::div(&column, &scale, None)?);
    let rotation = |vectors: &Tensor, grad: &Tensor| {
        let inner = product(&transposed(vectors)?, grad)?;
        let skew = sub(&inner, &transposed(&inner)?)?;
        Ok::<_, RusTorchError>((inner, over_differences(&skew, &squares)?))
    };
    let (inner_u, turn_u) = rotation(&u, &grad_u)?;
    let (inner_v, turn_v) = rotation(&v, &grad_v)?;
    let turned = add(&ops::mul(&turn_u, &row_ratio)?, &ops::mul(&turn_v, &column_ratio)?)?;
    let turned = ops::div(&turned, &scale, None)?;
    let core = add(&turned, &diagonal_matrix(&grad_s)?)?;
    let vh = transposed(&v)?;
    let mut total = product(&product(&u, &core)?, &vh)?;
    if m as i64 > k {
        // What moves U out of its own space.
        let out = ops::div(&sub(&grad_u, &product(&u, &inner_u)?)?, &row, None)?;
        total = add(&total, &product(&out, &vh)?)?;
    }
    if n as i64 > k {
        let out = ops::div(&sub(&grad_v, &product(&v, &inner_v)?)?, &row, None)?;
        total = add(&total, &product(&u, &transposed(&out)?)?)?;
    }
    Ok(total)
}
