//! Statistics.

use rustorch_backend::{DType, Scalar, dims_from_slice, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use super::norm::power_of_two;
use super::reduction_ops::{drop_dims, kept_shape, reduced_dims};
use super::shape_ops::reshape_to;
use crate::{Tensor, ops};

/// The number that the count is lowered by.
pub(crate) fn correction_of(op: &'static str, unbiased: bool, correction: Option<Scalar>) -> Result<f64> {
    correction.map_or(Ok(if unbiased { 1.0 } else { 0.0 }), |given| given.real(op, "correction"))
}

/// The variance over dimensions of a tensor of floats, or with `root` the standard deviation.
fn spread(
    op: &'static str,
    root: bool,
    input: &Tensor,
    dim: Option<&[i64]>,
    keepdim: bool,
    correction: f64,
) -> Result<Tensor> {
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            op,
            format!("std and var only support floating point and complex dtypes, got {}", input.dtype()),
        ));
    }
    let dims = reduced_dims(op, input, dim)?;
    let count = volume(dims.iter().map(|&d| input.shape()[d]));
    let shape = kept_shape(input.shape(), &dims);
    let result = Tensor::empty(&shape, input.dtype(), input.device())?;
    if count == 0 {
        result.backend()?.fill(result.operand(), f64::NAN.into())?;
    } else if result.numel() > 0 {
        let mean = Tensor::empty(&shape, input.dtype().compute(), input.device())?;
        let divisor = (count as f64 - correction).max(0.0);
        let outputs = (mean.operand(), result.operand());
        input.backend()?.run(kernel::Moments {
            input: input.operand(),
            dims: dims_from_slice(&dims),
            divisor,
            root,
            mean: outputs.0,
            spread: outputs.1,
        })?;
    }
    Ok(drop_dims(result, &dims, keepdim))
}

/// The variance over dimensions.
pub fn var(
    input: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    keepdim: bool,
    correction: Option<Scalar>,
) -> Result<Tensor> {
    if input.dtype().is_complex() {
        let part = |part: Result<Tensor>| ops::var(&part?, dim, unbiased, keepdim, correction);
        return ops::add(&part(ops::real(input))?, &part(ops::imag(input))?, 1.into());
    }
    spread("var", false, input, dim, keepdim, correction_of("var", unbiased, correction)?)
}

/// The standard deviation over dimensions.
pub fn std(
    input: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    keepdim: bool,
    correction: Option<Scalar>,
) -> Result<Tensor> {
    spread("std", true, input, dim, keepdim, correction_of("std", unbiased, correction)?)
}

/// The standard deviation of complex numbers: the length of those of their parts.
pub(crate) fn complex_std(
    input: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    keepdim: bool,
    correction: Option<Scalar>,
) -> Result<Tensor> {
    let part = |part: Result<Tensor>| ops::std(&part?, dim, unbiased, keepdim, correction);
    let parts = ops::stack(&[part(ops::real(input))?, part(ops::imag(input))?], -1)?;
    ops::linalg_vector_norm(&parts, 2.into(), Some(&[-1]), false, None)
}

/// Variance and mean over dimensions.
pub fn var_mean(
    input: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    keepdim: bool,
    correction: Option<Scalar>,
) -> Result<(Tensor, Tensor)> {
    Ok((ops::var(input, dim, unbiased, keepdim, correction)?, ops::mean(input, dim, keepdim, None)?))
}

/// Standard deviation and mean over dimensions.
pub fn std_mean(
    input: &Tensor,
    dim: Option<&[i64]>,
    unbiased: bool,
    keepdim: bool,
    correction: Option<Scalar>,
) -> Result<(Tensor, Tensor)> {
    Ok((ops::std(input, dim, unbiased, keepdim, correction)?, ops::mean(input, dim, keepdim, None)?))
}

/// The variance over all elements.
pub fn var_all(input: &Tensor, unbiased: bool) -> Result<Tensor> {
    ops::var(input, None, unbiased, false, None)
}

/// The standard deviation over all elements.
pub fn std_all(input: &Tensor, unbiased: bool) -> Result<Tensor> {
    ops::std(input, None, unbiased, false, None)
}

/// Variance and mean over all elements.
pub fn var_mean_all(input: &Tensor, unbiased: bool) -> Result<(Tensor, Tensor)> {
    var_mean(input, None, unbiased, false, None)
}

/// Standard deviation and mean over all elements.
pub fn std_mean_all(input: &Tensor, unbiased: bool) -> Result<(Tensor, Tensor)> {
    std_mean(input, None, unbiased, false, None)
}

/// Fails unless there is one weight per observation, none of them negative.
fn check_weights(
    name: &str,
    weights: &Tensor,
    observations: usize,
    right_dtype: bool,
    kind: &str,
) -> Result<()> {
    if weights.ndim() > 1 || weights.numel() != observations {
        return Err(RusTorchError::shape(
            "cov",
            format!(
                "expected {name} to be one for each of {observations} observations, got {:?}",
                weights.shape()
            ),
        ));
    }
    if !right_dtype {
        return Err(RusTorchError::dtype(
            "cov",
            format!("expected {name} to have {kind} dtype but got {name} with {} dtype", weights.dtype()),
        ));
    }
    let negative = ops::lt(&weights.detach(), &Tensor::number(0_i64)?)?;
    if ops::any(&negative, None, false)?.item()?.to_bool() {
        return Err(RusTorchError::argument("cov", format!("{name} cannot be negative")));
    }
    Ok(())
}

/// The covariance matrix of the rows.
pub fn cov(
    input: &Tensor,
    correction: i64,
    fweights: Option<&Tensor>,
    aweights: Option<&Tensor>,
) -> Result<Tensor> {
    if input.ndim() > 2 {
        return Err(RusTorchError::shape(
            "cov",
            format!(
                "expected input to have two or fewer dimensions but got an input with {} dimensions",
                input.ndim()
            ),
        ));
    }
    if input.dtype() == DType::Bool {
        return Err(RusTorchError::dtype("cov", "bool dtype is not supported for input; see to()"));
    }
    let rows = if input.ndim() < 2 { reshape_to(input, &[1, input.numel()])? } else { input.clone() };
    let observations = rows.shape()[1];
    if let Some(f) = fweights {
        check_weights("fweights", f, observations, f.dtype().is_integral(false), "integral")?;
    }
    if let Some(a) = aweights {
        check_weights("aweights", a, observations, a.dtype().is_floating_point(), "floating point")?;
    }
    let weights = match (fweights, aweights) {
        (Some(f), Some(a)) => Some(ops::mul(f, a)?),
        (one, other) => one.or(other).cloned(),
    };
    let weights = weights.map(|w| reshape_to(&w, &[observations])).transpose()?;
    let correction = Tensor::number(correction)?;
    let (total, weighted) = match &weights {
        Some(w) => (ops::sum(w, None, false, None)?, ops::mul(&rows, w)?),
        None => (Tensor::number(observations as i64)?, rows.clone()),
    };
    let mean = ops::div(&ops::sum(&weighted, Some(&[1]), true, None)?, &total, None)?;
    let divisor = match (&weights, aweights) {
        (Some(w), Some(a)) => {
            let share = ops::sum(&ops::mul(w, &reshape_to(a, &[observations])?)?, None, false, None)?;
            let share = ops::div(&ops::mul(&share, &correction)?, &total, None)?;
            ops::sub(&total, &share, 1.into())?
        }
        _ => ops::sub(&total, &correction, 1.into())?,
    };
    let divisor = ops::clamp_min(&divisor, &Tensor::number(0_i64)?)?;
    let centred = ops::sub(&rows, &mean, 1.into())?;
    let scaled = match &weights {
        Some(w) => ops::mul(&centred, w)?,
        None => centred.clone(),
    };
    let scaled = super::creation::cast(&scaled, centred.dtype())?;
    let products = ops::matmul(&centred, &ops::conj(&ops::transpose(&scaled, 0, 1)?)?)?;
    ops::squeeze(&ops::div(&products, &divisor, None)?, None)
}

/// The correlation coefficients of the rows.
pub fn corrcoef(input: &Tensor) -> Result<Tensor> {
    if input.ndim() > 2 {
        return Err(RusTorchError::shape(
            "corrcoef",
            format!(
                "expected input to have two or fewer dimensions but got an input with {} dimensions",
                input.ndim()
            ),
        ));
    }
    // Coefficients do not depend on the rows' sizes; their squares may be too large or too small.
    let input = &if input.dtype().is_differentiable() && input.numel() > 0 {
        let size = ops::amax(&ops::abs(&input.detach())?, &[-1], true)?;
        ops::div(input, &power_of_two(&size)?, None)?
    } else {
        input.clone()
    };
    let covariance = cov(input, 1, None, None)?;
    if covariance.ndim() == 0 {
        return ops::div(&covariance, &covariance, None);
    }
    let deviation = ops::sqrt(&ops::real(&ops::diagonal(&covariance, 0, 0, 1)?)?)?;
    let by_column = ops::div(&covariance, &ops::unsqueeze(&deviation, 1)?, None)?;
    let coefficients = ops::div(&by_column, &deviation, None)?;
    let (low, high) = (Tensor::number(-1.0)?, Tensor::number(1.0)?);
    let within = |part: &Tensor| ops::clamp(part, Some(&low), Some(&high));
    if coefficients.dtype().is_complex() {
        return ops::complex(&within(&ops::real(&coefficients)?)?, &within(&ops::imag(&coefficients)?)?);
    }
    within(&coefficients)
}
