//! Gradients of softmax and of normalisation.

use rustorch_backend::{ElementwiseOp, Instruction, Operand, Source, dims_from_slice, kernel};
use rustorch_error::Result;
use smallvec::SmallVec;

use crate::autograd::fused;
use crate::autograd::{Origin, mode};
use crate::operations::normalization::root_mean_square;
use crate::operations::reduction_ops::reduced_dims;
use crate::{Tensor, ops};

fn softmax_kernel(log: bool, grad: &Tensor, result: &Tensor, dim: i64) -> Result<Tensor> {
    let d = result.dim_index("softmax", dim)?;
    let output = Tensor::empty(result.shape(), result.dtype(), result.device())?;
    if output.numel() > 0 {
        output.backend()?.run(kernel::SoftmaxGrad {
            log,
            grad: grad.operand(),
            result: result.operand(),
            dim: d,
            output: output.operand(),
        })?;
    }
    Ok(output)
}

/// `y (g - Σ g y)`.
pub fn softmax_grad(grad: &Tensor, result: &Tensor, dim: i64) -> Result<Tensor> {
    if result.ndim() == 0 {
        return ops::mul(grad, &Tensor::number(0.0)?);
    }
    if !mode::is_enabled() {
        return softmax_kernel(false, grad, result, dim);
    }
    let inner = ops::sum(&ops::mul(grad, result)?, Some(&[dim]), true, None)?;
    ops::mul(result, &ops::sub(grad, &inner, 1.into())?)
}

/// `g - exp(y) Σ g`.
pub fn log_softmax_grad(grad: &Tensor, result: &Tensor, dim: i64) -> Result<Tensor> {
    if result.ndim() == 0 {
        return ops::mul(grad, &Tensor::number(0.0)?);
    }
    if !mode::is_enabled() {
        return softmax_kernel(true, grad, result, dim);
    }
    let total = ops::sum(grad, Some(&[dim]), true, None)?;
    ops::sub(grad, &ops::mul(&ops::exp(result)?, &total)?, 1.into())
}

fn dims_of(input: &Tensor, dims: &[i64]) -> Result<Vec<i64>> {
    Ok(reduced_dims("normalize_over", input, Some(dims))?.iter().map(|&d| d as i64).collect())
}

/// `(x - mean) * rstd` and `rstd` as differentiable functions of x.
fn normalized(input: &Tensor, dims: &[i64], eps: f64) -> Result<(Tensor, Tensor)> {
    let mean = ops::mean(input, Some(dims), true, None)?;
    let centered = ops::sub(input, &mean, 1.into())?;
    let deviation = root_mean_square(&centered, dims, eps)?;
    Ok((ops::div(&centered, &deviation, None)?, ops::reciprocal(&deviation)?))
}

/// The gradient of normalisation by its input: `rstd (h - mean(h) - x̂ mean(h x̂))` with `h = g w`.
pub fn normalize_grad_input(
    grad: &Tensor,
    input: &Tensor,
    weight: Option<&Tensor>,
    mean: &Tensor,
    rstd: &Tensor,
    dims: &[i64],
    eps: f64,
) -> Result<Tensor> {
    let dims = dims_of(input, dims)?;
    if mode::is_enabled() {
        let (x, rstd) = normalized(input, &dims, eps)?;
        let h = match weight {
            Some(weight) => ops::mul(grad, weight)?,
            None => grad.clone(),
        };
        let along = ops::mul(&x, &ops::mean(&ops::mul(&h, &x)?, Some(&dims), true, None)?)?;
        let rest =
            ops::sub(&ops::sub(&h, &ops::mean(&h, Some(&dims), true, None)?, 1.into())?, &along, 1.into())?;
        return ops::mul(&rstd, &rest);
    }
    let output = Tensor::empty(input.shape(), input.dtype(), input.device())?;
    if output.numel() == 0 {
        return Ok(output);
    }
    let dims: Vec<usize> = dims.iter().map(|&d| d as usize).collect();
    let layout = weight.map(|w| w.broadcast_layout("normalize_over", input.shape())).transpose()?;
    output.backend()?.run(kernel::NormalizeGrad {
        grad: grad.operand(),
        input: input.operand(),
        dims: dims_from_slice(&dims),
        weight: weight.zip(layout.as_ref()).map(|(w, layout)| Operand { layout, ..w.operand() }),
        mean: mean.operand(),
        rstd: rstd.operand(),
        grad_input: output.operand(),
    })?;
    Ok(output)
}

/// `(input - mean) * rstd * grad` over grad, input, mean, rstd.
static NORMALIZED_PRODUCT: [Instruction; 3] = [
    Instruction::new(ElementwiseOp::Sub, &[Source::Input(1), Source::Input(2)]),
    Instruction::new(ElementwiseOp::Mul, &[Source::Register(0), Source::Input(3)]),
    Instruction::new(ElementwiseOp::Mul, &[Source::Register(1), Source::Input(0)]),
];

/// The gradient of normalisation by its weight, before broadcast dimensions are summed: `g x̂`.
pub fn normalize_grad_weight(
    grad: &Tensor,
    input: &Tensor,
    mean: &Tensor,
    rstd: &Tensor,
    dims: &[i64],
    eps: f64,
) -> Result<Tensor> {
    if mode::is_enabled() {
        let (x, _) = normalized(input, &dims_of(input, dims)?, eps)?;
        return ops::mul(grad, &x);
    }
    fused::run(&NORMALIZED_PRODUCT, SmallVec::new(), &[grad, input, mean, rstd], &Origin::of(input))
}
