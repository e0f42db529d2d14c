//! Numbers in even steps: `arange`, `linspace`, `logspace`.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{Category, DType, Device, Scalar, kernel};
use rustorch_error::{Result, RusTorchError};

use super::creation::{finish, moved, to_dtype};
use super::numbers::dtype_of;
use crate::registry::default_device;
use crate::{Tensor, default_dtype, ops};

/// The numbers from 0 up to `end`.
pub fn arange_to(
    end: Scalar,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    arange_step(Scalar::Int(0), end, Scalar::Int(1), dtype, device, requires_grad)
}

/// The numbers from `start` up to `end` in steps of `step`.
pub fn arange_step(
    start: Scalar,
    end: Scalar,
    step: Scalar,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let integers = [start, end, step].iter().all(|s| s.category() <= Category::Integer);
    let dtype = dtype.unwrap_or_else(|| if integers { DType::Int64 } else { default_dtype() });
    // As PyTorch: for an integer dtype the ends and the step are truncated first.
    let integers = integers || dtype.is_integral(false);
    let number = |s: Scalar, argument| {
        let real = s.real("arange", argument)?;
        match s {
            // What is not finite is refused below, with the others.
            _ if integers && real.is_finite() => s.convert("arange", argument, DType::Int64),
            Scalar::Complex(..) => Ok(Scalar::Float(real)),
            s => Ok(s),
        }
    };
    let (start, end, step) = (number(start, "start")?, number(end, "end")?, number(step, "step")?);
    let (a, b, s) = (start.to_f64(), end.to_f64(), step.to_f64());
    if s == 0.0 || !s.is_finite() || !a.is_finite() || !b.is_finite() {
        return Err(RusTorchError::argument(
            "arange",
            format!("start {start}, end {end} and step {step} must be finite, and step must not be zero"),
        ));
    }
    if (b - a) * s < 0.0 {
        return Err(RusTorchError::argument(
            "arange",
            format!(
                "upper bound and lower bound inconsistent with step sign: start {start}, end {end}, step {step}"
            ),
        ));
    }
    let count = if integers {
        let span = i128::from(end.to_i64()) - i128::from(start.to_i64());
        let step = i128::from(step.to_i64());
        ((span + step - step.signum()) / step).max(0) as f64
    } else {
        ((b - a) / s).ceil()
    };
    if count > i64::MAX as f64 {
        return Err(RusTorchError::argument("arange", format!("{count} elements are too many")));
    }
    if count > 0.0 && dtype.is_integral(false) {
        // In between lies what fits between the ends; their last one is not `end`.
        start.convert("arange", "start", dtype)?;
        let last = i128::from(start.to_i64()) + (count as i128 - 1) * i128::from(step.to_i64());
        Scalar::Int(last as i64).convert("arange", "end", dtype)?;
    }
    let tensor = Tensor::empty(&[count as usize], dtype, device.unwrap_or_else(default_device))?;
    tensor.backend()?.run(kernel::Arange { start, step, output: tensor.operand() })?;
    finish(tensor, requires_grad)
}

/// `f` of `steps` numbers at equal distances from `start` to `end`, both included; for an integer dtype the ends are
/// truncated first.
fn spaced(
    op: &'static str,
    start: Scalar,
    end: Scalar,
    steps: i64,
    dtype: DType,
    f: impl Fn(f64) -> f64,
) -> Result<Tensor> {
    let n = usize::try_from(steps).map_err(|_| {
        RusTorchError::argument(op, format!("number of steps must be non-negative, got {steps}"))
    })?;
    let end_of = |s: Scalar, argument| Ok(s.convert(op, argument, dtype)?.to_f64());
    let (a, b) = (end_of(start, "start")?, end_of(end, "end")?);
    let step = if n > 1 { (b - a) / (n - 1) as f64 } else { 0.0 };
    // Counted from both ends, so that the last element is exactly `end`.
    let at = |i| if i < n / 2 || n == 1 { a + step * i as f64 } else { b - step * (n - 1 - i) as f64 };
    let values = Scratch::collect((0..n).map(|i| f(at(i))))?;
    if dtype.is_integral(false) {
        // Powers of what fits may not.
        for &value in [values.first(), values.last()].into_iter().flatten() {
            Scalar::Float(value).convert(op, "end", dtype)?;
        }
    }
    to_dtype(&Tensor::from_slice(&values, &[n])?, Some(dtype))
}

/// `steps` numbers at equal distances from `start` to `end`.
pub fn linspace(
    start: Scalar,
    end: Scalar,
    steps: i64,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let complex = [start, end].iter().any(|s| matches!(s, Scalar::Complex(..)));
    let dtype = dtype.or(complex.then(|| dtype_of(Scalar::Complex(0.0, 0.0))));
    if let Some(dtype) = dtype.filter(|d| d.is_complex()) {
        let part = |start: f64, end: f64| {
            linspace(start.into(), end.into(), steps, Some(dtype.to_real()), device, false)
        };
        let imaginary = |s: Scalar| if let Scalar::Complex(_, im) = s { im } else { 0.0 };
        let real = part(start.to_f64(), end.to_f64())?;
        let tensor = ops::complex(&real, &part(imaginary(start), imaginary(end))?)?;
        return finish(tensor, requires_grad);
    }
    if complex {
        return Err(RusTorchError::dtype(
            "linspace",
            "complex ends do not convert to the real dtype that was asked for; complex64 and complex128 work",
        ));
    }
    let tensor = spaced("linspace", start, end, steps, dtype.unwrap_or_else(default_dtype), |x| x)?;
    finish(moved(&tensor, device.unwrap_or_else(default_device))?, requires_grad)
}

/// `base` to the powers of `linspace`.
pub fn logspace(
    start: Scalar,
    end: Scalar,
    steps: i64,
    base: f64,
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
) -> Result<Tensor> {
    let dtype = dtype.unwrap_or_else(default_dtype);
    let tensor = spaced("logspace", start, end, steps, dtype, |x| base.powf(x))?;
    finish(moved(&tensor, device.unwrap_or_else(default_device))?, requires_grad)
}
