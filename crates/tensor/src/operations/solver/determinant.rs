//! Determinants.

use rustorch_backend::DType;
use rustorch_error::Result;

use crate::operations::creation::cast;
use crate::operations::decomposition::square_size;
use crate::{Tensor, ops};

/// The diagonal of U, and the sign of the permutation, 1 or -1.
fn diagonal_and_sign(op: &'static str, input: &Tensor) -> Result<(Tensor, Tensor)> {
    let n = square_size(op, input)? as i64;
    let (packed, pivots, _) = ops::lu_decomposition(input, true)?;
    // Each real exchange turns the sign.
    let own = ops::arange_step(
        1.into(),
        (n + 1).into(),
        1.into(),
        Some(DType::Int32),
        Some(input.device()),
        false,
    )?;
    let exchanged = cast(&ops::ne(&pivots, &own)?, input.dtype())?;
    let factors = ops::sub(&Tensor::number(1.0)?, &exchanged, 2.into())?;
    let sign = ops::prod_dim(&cast(&factors, input.dtype())?, -1, false, None)?;
    Ok((ops::diagonal(&packed, 0, -2, -1)?, sign))
}

/// The determinant.
pub fn det(input: &Tensor) -> Result<Tensor> {
    let (diagonal, sign) = diagonal_and_sign("linalg.det", input)?;
    ops::mul(&ops::prod_dim(&diagonal, -1, false, None)?, &sign)
}

/// The logarithm of the determinant's size, and its sign.
pub fn log_abs_det(input: &Tensor) -> Result<(Tensor, Tensor)> {
    let (diagonal, sign) = diagonal_and_sign("linalg.slogdet", input)?;
    let size = ops::sum(&ops::log(&ops::abs(&diagonal)?)?, Some(&[-1]), false, None)?;
    let signs = ops::prod_dim(&ops::sign(&diagonal)?, -1, false, None)?;
    Ok((size, ops::mul(&sign, &signs)?))
}

/// The determinant's sign, and the logarithm of its size.
pub fn slogdet(input: &Tensor) -> Result<(Tensor, Tensor)> {
    let (size, sign) = ops::log_abs_det(input)?;
    Ok((sign, size))
}

/// The logarithm of the determinant.
pub fn logdet(input: &Tensor) -> Result<Tensor> {
    let (sign, size) = slogdet(input)?;
    let negative = ops::lt(&sign.detach(), &Tensor::number(0.0)?)?;
    ops::where_(&negative, &Tensor::number(f64::NAN)?, &size)
}
