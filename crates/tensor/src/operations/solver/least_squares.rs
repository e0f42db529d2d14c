//! Pseudo-inverses, ranks, condition numbers and least squares: what singular values tell.

use rustorch_backend::{DType, Scalar};
use rustorch_error::{Result, RusTorchError};

use crate::operations::creation::cast;
use crate::operations::decomposition::{matrix_sizes, square_size, transposed};
use crate::operations::linear_algebra::same_dtype;
use crate::{Tensor, ops};

fn epsilon(dtype: DType) -> f64 {
    if dtype == DType::Float32 { f64::from(f32::EPSILON) } else { f64::EPSILON }
}

/// `max(atol, rtol * largest)` for each matrix, (*, 1). Without tolerances rtol is the larger size times epsilon.
fn tolerance(input: &Tensor, sizes: &Tensor, atol: Option<&Tensor>, rtol: Option<&Tensor>) -> Result<Tensor> {
    let longest = input.shape()[input.ndim() - 2..].iter().max().map_or(0.0, |&n| n as f64);
    let default = Tensor::number(longest * epsilon(input.dtype()))?;
    let zero = Tensor::number(0.0)?;
    let per_matrix = |t: &Tensor| {
        let t = if t.is_wrapped_number() { cast(t, input.dtype())? } else { t.detach() };
        if t.ndim() == 0 { Ok(t) } else { ops::unsqueeze(&t, -1) }
    };
    let relative = match (atol, rtol) {
        (_, Some(rtol)) => per_matrix(rtol)?,
        // An absolute tolerance stands alone, unless it is 0.
        (Some(atol), None) => {
            let given = per_matrix(atol)?;
            ops::where_(&ops::gt(&given, &zero)?, &zero, &cast(&default, input.dtype())?)?
        }
        (None, None) => default,
    };
    let largest = if sizes.shape()[sizes.ndim() - 1] == 0 {
        ops::sum(sizes, Some(&[-1]), true, None)?
    } else {
        ops::amax(sizes, &[-1], true)?
    };
    let limit = ops::mul(&largest, &relative)?;
    match atol {
        Some(atol) => ops::maximum(&limit, &per_matrix(atol)?),
        None => Ok(limit),
    }
}

/// The pseudo-inverse.
pub fn pseudo_inverse(
    input: &Tensor,
    atol: Option<&Tensor>,
    rtol: Option<&Tensor>,
    hermitian: bool,
) -> Result<Tensor> {
    let (left, values, right) = if hermitian {
        square_size("linalg.pinv", input)?;
        let (values, vectors) = ops::linalg_eigh(input, "L")?;
        let turned = transposed(&vectors)?;
        (vectors, values, turned)
    } else {
        ops::linalg_svd(input, false, None)?
    };
    let sizes = ops::abs(&values)?;
    let limit = tolerance(input, &sizes, atol, rtol)?;
    let kept = ops::gt(&sizes, &limit)?;
    let inverted = ops::where_(&kept, &ops::reciprocal(&values)?, &Tensor::number(0.0)?)?;
    let scaled = ops::mul(&transposed(&right)?, &ops::unsqueeze(&inverted, -2)?)?;
    ops::matmul(&scaled, &transposed(&left)?)
}

/// The pseudo-inverse.
pub fn linalg_pinv(
    a: &Tensor,
    atol: Option<&Tensor>,
    rtol: Option<&Tensor>,
    hermitian: bool,
) -> Result<Tensor> {
    matrix_sizes("linalg.pinv", a)?;
    ops::pseudo_inverse(a, atol, rtol, hermitian)
}

/// The pseudo-inverse, the relative tolerance by its older name.
pub fn linalg_pinv_rcond(a: &Tensor, rcond: &Tensor, hermitian: bool) -> Result<Tensor> {
    linalg_pinv(a, None, Some(rcond), hermitian)
}

/// The pseudo-inverse.
pub fn pinverse(input: &Tensor, rcond: f64) -> Result<Tensor> {
    linalg_pinv(input, None, Some(&Tensor::number(rcond)?), false)
}

/// The number of singular values that count.
pub fn linalg_matrix_rank(
    a: &Tensor,
    atol: Option<&Tensor>,
    rtol: Option<&Tensor>,
    hermitian: bool,
) -> Result<Tensor> {
    matrix_sizes("linalg.matrix_rank", a)?;
    let a = &a.detach();
    let values =
        if hermitian { ops::abs(&ops::linalg_eigvalsh(a, "L")?)? } else { ops::linalg_svdvals(a, None)? };
    let limit = tolerance(a, &values, atol, rtol)?;
    ops::sum(&ops::gt(&values, &limit)?, Some(&[-1]), false, None)
}

/// The number of singular values over an absolute tolerance.
pub fn linalg_matrix_rank_tol(a: &Tensor, tol: &Tensor, hermitian: bool) -> Result<Tensor> {
    linalg_matrix_rank(a, Some(tol), Some(&Tensor::number(0.0)?), hermitian)
}

/// `norm(A) * norm(inv(A))`; inf where A is singular.
fn condition(a: &Tensor, norm: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    square_size("linalg.cond", a)?;
    let (inverse, info) = ops::linalg_inv_ex(a, false)?;
    let product = ops::mul(&norm(a)?, &norm(&inverse)?)?;
    let singular = ops::ne(&info, &Tensor::number(0_i64)?)?;
    ops::where_(&singular, &Tensor::number(f64::INFINITY)?, &product)
}

/// The condition number.
pub fn linalg_cond(a: &Tensor, p: Option<Scalar>) -> Result<Tensor> {
    let p = p.unwrap_or(2.into());
    let order = p.real("linalg.cond", "p")?;
    if order.abs() != 2.0 {
        return condition(a, |a| ops::linalg_matrix_norm(a, p, &[-2, -1], false, None));
    }
    let [m, n] = matrix_sizes("linalg.cond", a)?;
    if m.min(n) == 0 {
        return Err(RusTorchError::shape("linalg.cond", format!("got an empty matrix, {m} by {n}")));
    }
    let values = ops::linalg_svdvals(a, None)?;
    let (largest, smallest) = (ops::select(&values, -1, 0)?, ops::select(&values, -1, -1)?);
    if order > 0.0 { ops::div(&largest, &smallest, None) } else { ops::div(&smallest, &largest, None) }
}

/// The condition number in a norm by its name.
pub fn linalg_cond_named(a: &Tensor, p: &str) -> Result<Tensor> {
    condition(a, |a| ops::linalg_matrix_norm_named(a, p, &[-2, -1], false, None))
}

/// Least squares by the pseudo-inverse.
pub fn linalg_lstsq(
    a: &Tensor,
    b: &Tensor,
    rcond: Option<f64>,
    driver: Option<&str>,
) -> Result<(Tensor, Tensor, Tensor, Tensor)> {
    let op = "linalg.lstsq";
    let [m, n] = matrix_sizes(op, a)?;
    same_dtype(op, a, b)?;
    let driver = driver.unwrap_or("gelsy");
    if !["gels", "gelsy", "gelsd", "gelss"].contains(&driver) {
        return Err(RusTorchError::argument(
            op,
            format!("parameter driver should be one of 'gels', 'gelsy', 'gelsd', 'gelss', got '{driver}'"),
        ));
    }
    let vector = b.ndim() + 1 == a.ndim() && *b.shape() == a.shape()[..a.ndim() - 1];
    let columns = if vector { ops::unsqueeze(b, -1)? } else { b.clone() };
    if matrix_sizes(op, &columns)?[0] != m {
        return Err(RusTorchError::shape(
            op,
            format!(
                "A of shape {:?} and B of shape {:?} have different numbers of rows",
                a.shape(),
                b.shape()
            ),
        ));
    }
    let rtol = Tensor::number(rcond.unwrap_or(epsilon(a.dtype()) * m.max(n) as f64))?;
    let inverse = ops::pseudo_inverse(a, None, Some(&rtol), false)?;
    let solution = ops::matmul(&inverse, &columns)?;
    let nothing = |dtype: DType| Tensor::empty(&[0], dtype, a.device());
    let values = ops::linalg_svdvals(&a.detach(), None)?;
    let rank = linalg_matrix_rank(a, None, Some(&rtol), false)?;
    let full_rank = rank.to_vec::<i64>()?.iter().all(|&r| r == n as i64);
    let residuals = if m > n && full_rank && driver != "gelsy" {
        let rest = ops::sub(&ops::matmul(a, &solution)?, &columns, 1.into())?;
        ops::sum(&ops::square(&rest)?, Some(&[-2]), false, None)?
    } else {
        nothing(a.dtype())?
    };
    let rank = if driver == "gels" { nothing(DType::Int64)? } else { rank };
    let values = if matches!(driver, "gelsd" | "gelss") { values } else { nothing(a.dtype())? };
    let solution = if vector { ops::squeeze(&solution, Some(&[-1]))? } else { solution };
    Ok((solution, residuals, rank, values))
}
