//! Products added to a tensor: `beta * input + alpha * product`.

use rustorch_backend::{Category, DType, Epilogue, Layout, Operand, Scalar, kernel};
use rustorch_error::{Result, RusTorchError};

use super::super::shape_ops::{expand_to, reshape_to};
use super::{bmm, expect_dims, mm, mv, outer, same_dtype};
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
fn scaled(op: &'static str, argument: &str, tensor: &Tensor, factor: Scalar) -> Result<Tensor> {
    let factor = factor.convert_factor(op, argument, tensor.dtype().compute())?;
    if factor.is_one() { Ok(tensor.clone()) } else { ops::mul(tensor, &Tensor::number(factor)?) }
}

#[cold]
fn input_error(op: &'static str, input: &Tensor, product: &[usize]) -> RusTorchError {
    RusTorchError::shape(op, format!("input of shape {:?} does not broadcast to {product:?}", input.shape()))
}

/// `beta * input + alpha * product`, of the product's shape. PyTorch's rule: with beta 0 the input is not read.
fn accumulate(
    op: &'static str,
    input: &Tensor,
    product: &Tensor,
    beta: Scalar,
    alpha: Scalar,
) -> Result<Tensor> {
    let input = expand_to(input, product.shape()).map_err(|_| input_error(op, input, product.shape()))?;
    let product = scaled(op, "alpha", product, alpha)?;
    if !beta.to_bool() {
        return ignoring(&input, product);
    }
    ops::add(&scaled(op, "beta", &input, beta)?, &product, 1.into())
}

/// The shape of the product of two matrices or two equal batches of them, if they fit.
fn product_shape(mat1: &Tensor, mat2: &Tensor) -> Option<Vec<usize>> {
    match (mat1.shape(), mat2.shape()) {
        ([lead1 @ .., m, k1], [lead2 @ .., k2, n]) if lead1 == lead2 && k1 == k2 => {
            Some([lead1, &[*m, *n]].concat())
        }
        _ => None,
    }
}

/// Floats are multiplied, scaled and added by one kernel, which rounds once; with beta 0 the input is not read.
fn accumulate_product(
    op: &'static str,
    input: &Tensor,
    [mat1, mat2]: [&Tensor; 2],
    beta: Scalar,
    alpha: Scalar,
) -> Result<Tensor> {
    let shape = product_shape(mat1, mat2);
    let real = |factor: Scalar| factor.category() <= Category::Float;
    let Some(shape) = shape.filter(|_| input.dtype().is_floating_point() && real(alpha) && real(beta)) else {
        // The product says what does not fit.
        let multiply = if mat1.ndim() == 3 { bmm } else { mm };
        return accumulate(op, input, &multiply(mat1, mat2)?, beta, alpha);
    };
    same_dtype(op, mat1, mat2)?;
    if input.broadcast_layout(op, &shape).is_err() {
        return Err(input_error(op, input, &shape));
    }
    if !beta.to_bool() {
        let product = ops::scaled_matrix_product(mat1, mat2, alpha)?;
        return ignoring(&expand_to(input, &shape)?, product);
    }
    ops::accumulated_matrix_product(input, mat1, mat2, beta, alpha)
}

/// `alpha * (input @ other)` of matrices that fit.
pub fn scaled_matrix_product(input: &Tensor, other: &Tensor, alpha: Scalar) -> Result<Tensor> {
    let op = "matmul";
    let shape =
        product_shape(input, other).ok_or_else(|| super::shape_error(op, input.shape(), other.shape()))?;
    let output = Tensor::empty(&shape, input.dtype(), input.device())?;
    if output.numel() > 0 {
        let epilogue = Epilogue { alpha: alpha.to_f64(), ..Epilogue::default() };
        output.backend()?.run(kernel::MatrixMultiply {
            a: input.operand(),
            b: other.operand(),
            output: output.operand(),
            epilogue,
        })?;
    }
    Ok(output)
}

/// `beta * input + alpha * (mat1 @ mat2)` of matrices that fit.
pub fn accumulated_matrix_product(
    input: &Tensor,
    mat1: &Tensor,
    mat2: &Tensor,
    beta: Scalar,
    alpha: Scalar,
) -> Result<Tensor> {
    let op = "addmm";
    let shape =
        product_shape(mat1, mat2).ok_or_else(|| super::shape_error(op, mat1.shape(), mat2.shape()))?;
    let output = Tensor::empty(&shape, mat1.dtype(), mat1.device())?;
    if output.numel() == 0 {
        return Ok(output);
    }
    let layout = input.broadcast_layout(op, &shape)?;
    let alpha = alpha.to_f64();
    let backend = output.backend()?;
    // One element per column is a bias, which the kernel adds as it stores.
    let (columns, rows) = layout.strides().split_last().map_or((0, &[][..]), |(last, rows)| (*last, rows));
    let bias = beta.is_one() && rows.iter().all(|&stride| stride == 0);
    let size = [shape[shape.len() - 1]];
    let vector =
        bias.then(|| Layout::new(op, size[..].into(), [columns][..].into(), layout.offset())).transpose()?;
    let epilogue = if let Some(layout) = &vector {
        Epilogue { alpha, beta: 0.0, bias: Some(Operand { layout, ..input.operand() }) }
    } else {
        backend.copy(Operand { layout: &layout, ..input.operand() }, output.operand())?;
        Epilogue { alpha, beta: beta.to_f64(), bias: None }
    };
    backend.run(kernel::MatrixMultiply {
        a: mat1.operand(),
        b: mat2.operand(),
        output: output.operand(),
        epilogue,
    })?;
    Ok(output)
}

/// `beta * input + alpha * (mat1 @ mat2)`.
pub fn addmm(input: &Tensor, mat1: &Tensor, mat2: &Tensor, beta: Scalar, alpha: Scalar) -> Result<Tensor> {
    same_dtype("addmm", input, mat1)?;
    expect_dims("addmm", [(mat1, 2), (mat2, 2)])?;
    accumulate_product("addmm", input, [mat1, mat2], beta, alpha)
}

/// `beta * input + alpha * (mat @ vec)`.
pub fn addmv(input: &Tensor, mat: &Tensor, vec: &Tensor, beta: Scalar, alpha: Scalar) -> Result<Tensor> {
    let op = "addmv";
    same_dtype(op, input, mat)?;
    if !input.dtype().is_floating_point() || input.ndim() > 1 {
        return accumulate(op, input, &mv(mat, vec)?, beta, alpha);
    }
    expect_dims(op, [(mat, 2), (vec, 1)])?;
    let column = if input.ndim() == 1 { ops::unsqueeze(input, 1)? } else { input.clone() };
    let product = accumulate_product(op, &column, [mat, &ops::unsqueeze(vec, 1)?], beta, alpha)?;
    ops::squeeze(&product, Some(&[1]))
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
    accumulate_product(op, input, [&left, &right], beta, alpha)
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
    expect_dims("baddbmm", [(batch1, 3), (batch2, 3)])?;
    accumulate_product("baddbmm", input, [batch1, batch2], beta, alpha)
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
