//! The exponential of matrices.

use rustorch_error::Result;

use super::identity_like;
use crate::operations::decomposition::square_size;
use crate::{Tensor, ops};

/// Padé's approximant of degree 13, and the norm up to which it is exact to float64: Higham, The scaling and squaring method
/// for the matrix exponential revisited, SIAM J. Matrix Anal. Appl. 26. The coefficients are divided by the first.
const DEGREE: usize = 13;
const REACH: f64 = 5.371_920_351_148_152;

/// `(2p - j)! p! / ((2p)! (p - j)! j!)` for the degree p.
fn coefficients() -> [f64; DEGREE + 1] {
    let mut values = [1.0; DEGREE + 1];
    for j in 1..=DEGREE {
        let steps = (DEGREE + 1 - j) as f64 / ((2 * DEGREE + 1 - j) * j) as f64;
        values[j] = values[j - 1] * steps;
    }
    values
}

/// The exponential.
pub fn matrix_exp(input: &Tensor) -> Result<Tensor> {
    square_size("linalg.matrix_exp", input)?;
    if input.numel() == 0 {
        return ops::clone(input);
    }
    let sums = ops::sum(&ops::abs(&input.detach())?, Some(&[-2]), false, None)?;
    let norm = ops::amax(&sums, &[], false)?.item()?.to_f64();
    let squarings = if norm.is_finite() && norm > REACH { (norm / REACH).log2().ceil() } else { 0.0 };
    let a = ops::mul(input, &Tensor::number((-squarings).exp2())?)?;
    let c = coefficients();
    let identity = identity_like(input)?;
    let a2 = ops::matmul(&a, &a)?;
    let a4 = ops::matmul(&a2, &a2)?;
    let a6 = ops::matmul(&a4, &a2)?;
    // Σ c_{2i + odd} A^{2i}, the upper half by way of A⁶.
    let even_powers = |odd: usize| {
        let combine = |terms: &[(usize, &Tensor)]| {
            let mut sum: Option<Tensor> = None;
            for &(power, matrix) in terms {
                let term = ops::mul(matrix, &Tensor::number(c[power + odd])?)?;
                sum = Some(match sum {
                    Some(sum) => ops::add(&sum, &term, 1.into())?,
                    None => term,
                });
            }
            sum.map_or_else(|| ops::clone(&identity), Ok)
        };
        let high = combine(&[(8, &a2), (10, &a4), (12, &a6)])?;
        let low = combine(&[(0, &identity), (2, &a2), (4, &a4), (6, &a6)])?;
        ops::add(&ops::matmul(&a6, &high)?, &low, 1.into())
    };
    let odd = ops::matmul(&a, &even_powers(1)?)?;
    let even = even_powers(0)?;
    let (quotient, _) = ops::solution(&ops::sub(&even, &odd, 1.into())?, &ops::add(&even, &odd, 1.into())?)?;
    let mut result = quotient;
    for _ in 0..squarings as u32 {
        result = ops::matmul(&result, &result)?;
    }
    Ok(result)
}
