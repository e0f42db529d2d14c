//! Softmax and its logarithm.

use rustorch_backend::{DType, kernel};
use rustorch_error::{Result, RusTorchError};

use super::creation::cast;
use crate::{Tensor, ops};

fn run(name: &'static str, log: bool, input: &Tensor, dim: i64, dtype: Option<DType>) -> Result<Tensor> {
    let dtype = dtype.unwrap_or(input.dtype());
    if !dtype.is_floating_point() {
        return Err(RusTorchError::dtype(
            name,
            format!("not implemented for {dtype}; it takes floating-point tensors"),
        ));
    }
    let d = input.dim_index(name, dim)?;
    let input = cast(input, dtype)?;
    let output = Tensor::empty(input.shape(), dtype, input.device())?;
    if input.ndim() == 0 {
        let value = input.item()?.to_f64();
        let result = if value.is_nan() || value.is_infinite() { f64::NAN } else { f64::from(u8::from(!log)) };
        output.backend()?.fill(output.operand(), result.into())?;
    } else if output.numel() > 0 {
        output.backend()?.run(kernel::Softmax {
            log,
            input: input.operand(),
            dim: d,
            output: output.operand(),
        })?;
    }
    Ok(output)
}

/// Softmax along a dimension.
pub fn softmax(input: &Tensor, dim: i64, dtype: Option<DType>) -> Result<Tensor> {
    run("softmax", false, input, dim, dtype)
}

/// The logarithm of softmax along a dimension.
pub fn log_softmax(input: &Tensor, dim: i64, dtype: Option<DType>) -> Result<Tensor> {
    run("log_softmax", true, input, dim, dtype)
}

/// The softmax of the negated input.
pub fn softmin(input: &Tensor, dim: i64, dtype: Option<DType>) -> Result<Tensor> {
    ops::softmax(&ops::neg(input)?, dim, dtype)
}
