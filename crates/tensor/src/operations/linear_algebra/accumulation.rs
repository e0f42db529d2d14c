//! Products added to a tensor: `beta * input + alpha * product`.

use rustorch_backend::{Category, DType, Scalar};
use rustorch_error::{Result, RusTorchError};

use super::super::shape_ops::{expand_to, reshape_to};
use super::{bmm, mm, mv, outer, same_dtype};
use crate::{Tensor, ops, result_type};

/// `result`, which does not depend on `input` but gives it a gradient of 0 where it wants one.
pub(in crate::operations) fn ignoring(input: &Tensor, result: Tensor) -> Result<Tensor> {
    if !crate::autograd::is_recording(&[input]) {
        return Ok(result);
    }
    let everywhere = ops::ones_like(&input.detach(), Some(DType::Bool), None, false)?;
    ops::where_(&everywhere, &result, input)
}

/// The tensor times a factor, which is taken in the tensor's dtype: 2.5 is 2 for integers.
fn scaled(tensor: &Tensor, factor: Scalar) -> Result<Tensor> {
    let factor = match tensor.dtype() {
        DType::Bool => Scalar::Bool(factor.to_bool()),
        dtype if dtype.is_integral(false) => Scalar::Int(factor.to_i64()),
        _ => factor,
    };
    if factor.is_one() { Ok(tensor.clone()) } else { ops::mul(tensor, &Tensor::number(factor)?) }
}

/// `beta * input + alpha * product`, of the product's shape. PyTorch's rule: with beta 0 the input is not read.
fn accumulate(
    op: &'static str,
    input: &Tensor,
    product: &Tensor,
    beta: Scalar,
    alpha: Scalar,
) -> Result<Tensor> {
    let input = expand_to(input, product.shape()).map_err(|_| {
        RusTorchError::shape(
            op,
            format!("input of shape {:?} does not broadcast to {:?}", input.shape(), product.shape()),
        )
    })?;
    let product = scaled(product, alpha)?;
    if !beta.to_bool() {
        return ignoring(&input, product);
    }
    ops::add(&scaled(&input, beta)?, &product, 1.into())
}

/// `beta * input + alpha * (mat1 @ mat2)`.
pub fn addmm(input: &Tensor, mat1: &Tensor, mat2: &Tensor, beta: Scalar, alpha: Scalar) -> Result<Tensor> {
    same_dtype("addmm", input, mat1)?;
    accumulate("addmm", input, &mm(mat1, mat2)?, beta, alpha)
}

/// `beta * input + alpha * (mat @ vec)`.
pub fn addmv(input: &Tensor, mat: &Tensor, vec: &Tensor, beta: Scalar, alpha: Scalar) -> Result<Tensor> {
    same_dtype("addmv", input, mat)?;
    accumulate("addmv", input, &mv(mat, vec)?, beta, alpha)
}

/// `beta * input + alpha * outer(vec1, vec2)`.
pub fn addr(input: &Tensor, vec1: &Tensor, vec2: &Tensor, beta: Scalar, alpha: Scalar) -> Result<Tensor> {
    let op = "addr";
    let dtype = result_type(&[input, vec1, vec2]);
    for (name, factor) in [("beta", beta), ("alpha", alpha)] {
        if dtype.is_integral(true) && factor.category() > Category::Integer {
            return Err(RusTorchError::dtype(
                op,
                format!("for {dtype} tensors argument {name} must be an integer, got {factor}"),
            ));
        }
    }
    let product = ops::to_dtype(&outer(vec1, vec2)?, Some(dtype))?;
    accumulate(op, &ops::to_dtype(input, Some(dtype))?, &product, beta, alpha)
}

/// `beta * input + alpha * Σ_b batch1[b] @ batch2[b]`.
pub fn addbmm(
    input: &Tensor,
    batch1: &Tensor,
    batch2: &Tensor,
    beta: Scalar,
    alpha: Scalar,
) -> Result<Tensor> {
    let op = "addbmm";
    same_dtype(op, input, batch1)?;
    let ([b, m, k], [b2, k2, n]) = (batch1.shape(), batch2.shape()) else {
        return Err(batch_error(op, batch1, batch2));
    };
    if b != b2 || k != k2 {
        return Err(batch_error(op, batch1, batch2));
    }
    // The batch is one more dimension to sum over: (m, b k) times (b k, n).
    let left = reshape_to(&ops::transpose(batch1, 0, 1)?, &[*m, b * k])?;
    let right = reshape_to(batch2, &[b * k, *n])?;
    accumulate(op, input, &mm(&left, &right)?, beta, alpha)
}

/// `beta * input + alpha * bmm(batch1, batch2)`.
pub fn baddbmm(
    input: &Tensor,
    batch1: &Tensor,
    batch2: &Tensor,
    beta: Scalar,
    alpha: Scalar,
) -> Result<Tensor> {
    same_dtype("baddbmm", input, batch1)?;
    accumulate("baddbmm", input, &bmm(batch1, batch2)?, beta, alpha)
}

#[cold]
fn batch_error(op: &'static str, batch1: &Tensor, batch2: &Tensor) -> RusTorchError {
    RusTorchError::shape(
        op,
        format!(
            "batches must be (b, m, k) and (b, k, n), but have shapes {:?} and {:?}",
            batch1.shape(),
            batch2.shape()
        ),
    )
}
