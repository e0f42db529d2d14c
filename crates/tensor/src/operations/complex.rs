//! Complex tensors and the parts of their elements.

use rustorch_backend::{DType, Dims, Layout};
use rustorch_error::{Result, RusTorchError};

use crate::{Tensor, ops};

/// The conjugates of real numbers: themselves.
#[allow(clippy::unnecessary_wraps, reason = "the function of a row's column `redirect` gives a Result")]
pub(crate) fn conj_of_reals(input: &Tensor) -> Result<Tensor> {
    Ok(input.clone())
}

/// Parts that a complex tensor can be made of.
fn check_parts(op: &'static str, names: [&str; 2], parts: [&Tensor; 2]) -> Result<()> {
    for (name, part) in names.into_iter().zip(parts) {
        if !matches!(part.dtype(), DType::Float32 | DType::Float64) {
            return Err(RusTorchError::dtype(
                op,
                format!(
                    "expected both inputs to be float32 or float64 tensors, but {name} is {}",
                    part.dtype()
                ),
            ));
        }
    }
    if parts[0].dtype() != parts[1].dtype() {
        return Err(RusTorchError::dtype(
            op,
            format!(
                "expected {} and {} to have the same dtype, but got {} and {}",
                names[0],
                names[1],
                parts[0].dtype(),
                parts[1].dtype()
            ),
        ));
    }
    Ok(())
}

/// A complex tensor of its parts.
pub fn complex(real: &Tensor, imag: &Tensor) -> Result<Tensor> {
    check_parts("complex", ["real", "imag"], [real, imag])?;
    let parts = ops::broadcast_tensors(&[real.clone(), imag.clone()])?;
    ops::view_as_complex(&ops::stack(&parts, -1)?)
}

/// A complex tensor of absolute values and angles.
pub fn polar(abs: &Tensor, angle: &Tensor) -> Result<Tensor> {
    check_parts("polar", ["abs", "angle"], [abs, angle])?;
    complex(&ops::mul(abs, &ops::cos(angle)?)?, &ops::mul(abs, &ops::sin(angle)?)?)
}

/// The parts as a last dimension.
pub fn view_as_real(input: &Tensor) -> Result<Tensor> {
    if !input.dtype().is_complex() {
        return Err(RusTorchError::dtype(
            "view_as_real",
            format!("is only supported for complex tensors, got {}", input.dtype()),
        ));
    }
    Ok(input.alias_as(input.layout().parts("view_as_real")?, input.dtype().to_real()))
}

/// The complex numbers of a last dimension of parts.
pub fn view_as_complex(input: &Tensor) -> Result<Tensor> {
    let dtype = match input.dtype() {
        DType::Float32 => DType::Complex64,
        DType::Float64 => DType::Complex128,
        other => {
            return Err(RusTorchError::dtype(
                "view_as_complex",
                format!("is only supported for float32 and float64 tensors, but got {other}"),
            ));
        }
    };
    let refuse = |what: &str| {
        Err(RusTorchError::shape(
            "view_as_complex",
            format!(
                "tensor must have {what}, got shape {:?}, strides {:?} and offset {}; contiguous() would help with \
                 strides",
                input.shape(),
                input.strides(),
                input.layout().offset()
            ),
        ))
    };
    let layout = input.layout();
    let ([shape @ .., 2], [strides @ .., last]) = (layout.shape(), layout.strides()) else {
        return refuse("a last dimension of size 2");
    };
    if *last != 1 {
        return refuse("a last dimension with stride 1");
    }
    // Along a dimension of one element nobody steps.
    if shape.iter().zip(strides).any(|(&n, s)| n > 1 && s % 2 != 0) {
        return refuse("a stride divisible by 2 for all but the last dimension");
    }
    if !layout.offset().is_multiple_of(2) {
        return refuse("a storage_offset divisible by 2");
    }
    let strides: Dims<isize> = strides.iter().map(|s| s / 2).collect();
    Ok(input.alias_as(Layout::new("view_as_complex", shape.into(), strides, layout.offset() / 2)?, dtype))
}

/// The real parts.
pub fn real(input: &Tensor) -> Result<Tensor> {
    if input.dtype().is_complex() {
        ops::select(&ops::view_as_real(input)?, -1, 0)
    } else {
        Ok(input.clone())
    }
}

/// The imaginary parts.
pub fn imag(input: &Tensor) -> Result<Tensor> {
    if input.dtype().is_complex() {
        return ops::select(&ops::view_as_real(input)?, -1, 1);
    }
    Err(RusTorchError::dtype(
        "imag",
        format!("is not implemented for tensors with non-complex dtypes, got {}", input.dtype()),
    ))
}

/// The conjugates.
pub fn conj(input: &Tensor) -> Result<Tensor> {
    crate::autograd::conjugate(input)
}

/// The tensor itself.
pub fn resolve_conj(input: &Tensor) -> Result<Tensor> {
    Ok(input.clone())
}

/// The tensor itself.
pub fn resolve_neg(input: &Tensor) -> Result<Tensor> {
    Ok(input.clone())
}

/// The conjugate transposes.
pub fn adjoint(input: &Tensor) -> Result<Tensor> {
    if input.ndim() < 2 {
        return Err(RusTorchError::shape(
            "adjoint",
            format!(
                "tensor.adjoint() is only supported on matrices or batches of matrices, got a {}-D tensor",
                input.ndim()
            ),
        ));
    }
    conj(&ops::transpose(input, -2, -1)?)
}
