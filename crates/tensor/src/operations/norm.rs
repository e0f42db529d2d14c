//! Norms of vectors and matrices.

use rustorch_backend::{DType, Dims, ElementwiseOp, Instruction, Program, ReduceOp, Scalar, Source};
use rustorch_error::{Result, RusTorchError};
use smallvec::smallvec;

use super::creation::cast;
use super::elementwise::run_program;
use super::reduction_ops::{drop_dims, reduce, reduced_dims};
use crate::{Tensor, ops};

/// The input in the dtype in which a norm is asked for.
fn in_dtype(op: &'static str, input: &Tensor, dtype: Option<DType>) -> Result<Tensor> {
    let out = dtype.unwrap_or(input.dtype());
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            op,
            format!("expected a floating point tensor as input, got {}", input.dtype()),
        ));
    }
    if !out.is_floating_point() || out.promote(input.dtype()) != out {
        return Err(RusTorchError::dtype(
            op,
            format!("dtype {out} cannot hold the norm of a tensor of {}", input.dtype()),
        ));
    }
    ops::to_dtype(input, Some(out))
}

/// The p-norm; None means 2.
pub fn norm(
    input: &Tensor,
    p: Option<Scalar>,
    dim: Option<&[i64]>,
    keepdim: bool,
    dtype: Option<DType>,
) -> Result<Tensor> {
    ops::linalg_vector_norm(input, p.unwrap_or(2.into()), dim, keepdim, dtype)
}

/// The Frobenius norm of everything, or a norm of matrices by its name.
pub fn norm_named(
    input: &Tensor,
    p: &str,
    dim: Option<&[i64]>,
    keepdim: bool,
    dtype: Option<DType>,
) -> Result<Tensor> {
    if p == "fro" && dim.is_none_or(|d| d.len() <= 2) {
        return ops::linalg_vector_norm(input, 2.into(), dim, keepdim, dtype);
    }
    let all: Vec<i64> = (0..input.ndim() as i64).collect();
    ops::linalg_matrix_norm_named(input, p, dim.unwrap_or(&all), keepdim, dtype)
}

/// The norm of vectors of complex numbers: that of their absolute values.
pub(crate) fn complex_vector_norm(
    x: &Tensor,
    ord: Scalar,
    dim: Option<&[i64]>,
    keepdim: bool,
    dtype: Option<DType>,
) -> Result<Tensor> {
    ops::linalg_vector_norm(&ops::abs(x)?, ord, dim, keepdim, dtype.map(DType::to_real))
}

/// The p-norm of vectors.
pub fn linalg_vector_norm(
    x: &Tensor,
    ord: Scalar,
    dim: Option<&[i64]>,
    keepdim: bool,
    dtype: Option<DType>,
) -> Result<Tensor> {
    let op = "linalg.vector_norm";
    let x = in_dtype(op, x, dtype)?;
    let out = x.dtype();
    let dims = reduced_dims(op, &x, dim)?;
    let p = ord.real(op, "ord")?;
    let empty = dims.iter().any(|&d| x.shape()[d] == 0);
    if empty && (p < 0.0 || p == f64::INFINITY) {
        return Err(RusTorchError::shape(
            op,
            format!(
                "cannot compute the {ord} norm of an empty tensor, shape {:?}: the operation has no identity",
                x.shape()
            ),
        ));
    }
    // Half precisions sum in float32 and are rounded once.
    let dtype = out.compute();
    let x = cast(&x, dtype)?;
    let reduced = |by: ReduceOp, pre: ElementwiseOp| {
        reduce(by, Some(&Program::single(pre, dtype)), &x, &dims, dtype, keepdim)
    };
    let result = match p {
        2.0 => reduce(ReduceOp::Norm, None, &x, &dims, dtype, keepdim)?,
        1.0 => reduced(ReduceOp::Sum, ElementwiseOp::Abs)?,
        f64::INFINITY => reduced(ReduceOp::Max, ElementwiseOp::Abs)?,
        f64::NEG_INFINITY => reduced(ReduceOp::Min, ElementwiseOp::Abs)?,
        0.0 => {
            let counted = cast(&ops::ne(&x, &Tensor::number(0.0)?)?, dtype)?;
            reduce(ReduceOp::Sum, None, &counted, &dims, dtype, keepdim)?
        }
        p => power_norm(&x, p, &dims, keepdim)?,
    };
    cast(&result, out)
}

/// The norm of an order other than 0, 1, 2 and infinity: powers of sizes relative to the one that counts most, so that
/// they neither overflow nor vanish.
fn power_norm(x: &Tensor, p: f64, dims: &[usize], keepdim: bool) -> Result<Tensor> {
    let dtype = x.dtype();
    let extreme = if p > 0.0 { ReduceOp::Max } else { ReduceOp::Min };
    let size =
        |by: ReduceOp| reduce(by, Some(&Program::single(ElementwiseOp::Abs, dtype)), x, dims, dtype, true);
    if x.numel() == 0 {
        return reduce(ReduceOp::Sum, None, x, dims, dtype, keepdim);
    }
    let scale = power_of_two(&size(extreme)?)?;
    let program = Program {
        compute: dtype,
        instructions: vec![
            Instruction::new(ElementwiseOp::Abs, &[Source::Input(0)]),
            Instruction::new(ElementwiseOp::Div, &[Source::Register(0), Source::Input(1)]),
            Instruction::new(ElementwiseOp::Pow, &[Source::Register(1), Source::Constant(0)]),
        ]
        .into(),
        constants: smallvec![Scalar::Float(p)],
        outputs: smallvec![Source::Register(2)],
    };
    let terms = Tensor::empty(x.shape(), dtype, x.device())?;
    run_program(&program, &[x, &scale], &terms)?;
    let sum = reduce(ReduceOp::Sum, None, &terms, dims, dtype, true)?;
    let norm = ops::mul(&ops::pow(&sum, &Tensor::number(1.0 / p)?)?, &scale)?;
    Ok(drop_dims(norm, dims, keepdim))
}

/// The power of two below each size (or near it, at the ends of the dtype's range), so that what is divided by it is
/// exact; without history.
pub(crate) fn power_of_two(size: &Tensor) -> Result<Tensor> {
    let dtype = size.dtype();
    // Of infinities and NaN, 1: what is divided stays what it is.
    let (least, most) = if dtype == DType::Float64 { (-1022.0, 1023.0) } else { (-126.0, 127.0) };
    let program = Program {
        compute: dtype,
        instructions: vec![
            Instruction::new(ElementwiseOp::FrexpExponent, &[Source::Input(0)]),
            Instruction::new(ElementwiseOp::Maximum, &[Source::Register(0), Source::Constant(0)]),
            Instruction::new(ElementwiseOp::Minimum, &[Source::Register(1), Source::Constant(1)]),
            Instruction::new(ElementwiseOp::Exp2, &[Source::Register(2)]),
            Instruction::new(ElementwiseOp::Isfinite, &[Source::Input(0)]),
            Instruction::new(
                ElementwiseOp::Select,
                &[Source::Register(4), Source::Register(3), Source::Constant(2)],
            ),
        ]
        .into(),
        constants: smallvec![Scalar::Float(least), Scalar::Float(most), Scalar::Float(1.0)],
        outputs: smallvec![Source::Register(5)],
    };
    let result = Tensor::empty(size.shape(), dtype, size.device())?;
    run_program(&program, &[size], &result)?;
    Ok(result)
}

/// The two dimensions of the matrices, from 0.
fn matrix_dims(op: &'static str, input: &Tensor, dim: &[i64]) -> Result<[usize; 2]> {
    let &[first, second] = dim else {
        return Err(RusTorchError::shape(op, format!("dim must be two dimensions, got {dim:?}")));
    };
    if input.ndim() < 2 {
        return Err(RusTorchError::shape(
            op,
            format!("A must have at least 2 dimensions, got shape {:?}", input.shape()),
        ));
    }
    let dims = [input.dim_index(op, first)?, input.dim_index(op, second)?];
    if dims[0] == dims[1] {
        return Err(RusTorchError::argument(op, format!("dims must be different, got {dim:?}")));
    }
    Ok(dims)
}

/// A norm of matrices by its order.
pub fn linalg_matrix_norm(
    a: &Tensor,
    ord: Scalar,
    dim: &[i64],
    keepdim: bool,
    dtype: Option<DType>,
) -> Result<Tensor> {
    let op = "linalg.matrix_norm";
    let dims = matrix_dims(op, a, dim)?;
    let p = ord.real(op, "ord")?;
    if p.abs() == 2.0 {
        return by_singular_values(&in_dtype(op, a, dtype)?, dims, keepdim, |values| {
            if p > 0.0 { ops::amax(values, &[-1], false) } else { ops::amin(values, &[-1], false) }
        });
    }
    let along = match p.abs() {
        1.0 => dims,
        f64::INFINITY => [dims[1], dims[0]],
        _ => {
            return Err(RusTorchError::argument(
                op,
                format!("order {ord} is not supported; 1, -1, 2, -2, inf, -inf, 'fro' and 'nuc' are"),
            ));
        }
    };
    let a = in_dtype(op, a, dtype)?;
    let sums = ops::linalg_vector_norm(&a, 1.into(), Some(&[along[0] as i64]), true, None)?;
    let extreme = if p > 0.0 {
        ops::amax(&sums, &[along[1] as i64], true)?
    } else {
        ops::amin(&sums, &[along[1] as i64], true)?
    };
    without(&extreme, dims, keepdim)
}

fn without(kept: &Tensor, dims: [usize; 2], keepdim: bool) -> Result<Tensor> {
    if keepdim { Ok(kept.clone()) } else { ops::squeeze(kept, Some(&dims.map(|d| d as i64))) }
}

/// A norm that is a function of the singular values.
fn by_singular_values(
    a: &Tensor,
    dims: [usize; 2],
    keepdim: bool,
    norm: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let matrices = ops::movedim(a, &dims.map(|d| d as i64), &[-2, -1])?;
    let mut result = norm(&ops::linalg_svdvals(&matrices, None)?)?;
    if keepdim {
        for d in [dims[0].min(dims[1]), dims[0].max(dims[1])] {
            result = ops::unsqueeze(&result, d as i64)?;
        }
    }
    Ok(result)
}

/// A norm of matrices by its name.
pub fn linalg_matrix_norm_named(
    a: &Tensor,
    ord: &str,
    dim: &[i64],
    keepdim: bool,
    dtype: Option<DType>,
) -> Result<Tensor> {
    let op = "linalg.matrix_norm";
    let dims = matrix_dims(op, a, dim)?;
    match ord {
        "nuc" => by_singular_values(&in_dtype(op, a, dtype)?, dims, keepdim, |values| {
            ops::sum(values, Some(&[-1]), false, None)
        }),
        "fro" => ops::linalg_vector_norm(a, 2.into(), Some(dim), keepdim, dtype),
        other => {
            Err(RusTorchError::argument(op, format!("order '{other}' is not supported; 'fro' and 'nuc' are")))
        }
    }
}

/// The norm of vectors or of matrices.
pub fn linalg_norm(
    a: &Tensor,
    ord: Option<Scalar>,
    dim: Option<&[i64]>,
    keepdim: bool,
    dtype: Option<DType>,
) -> Result<Tensor> {
    let matrix = match (ord, dim) {
        (None, _) => false,
        (Some(_), Some(dim)) => dim.len() == 2,
        (Some(_), None) => default_is_matrix("linalg.norm", a)?,
    };
    if let Some(dim) = dim.filter(|d| !matches!(d.len(), 1 | 2)) {
        return Err(RusTorchError::argument(
            "linalg.norm",
            format!("if dim is specified, it must be of length 1 or 2, got {dim:?}"),
        ));
    }
    match ord {
        Some(ord) if matrix => ops::linalg_matrix_norm(a, ord, dim.unwrap_or(&[0, 1]), keepdim, dtype),
        _ => ops::linalg_vector_norm(a, ord.unwrap_or(2.into()), dim, keepdim, dtype),
    }
}

/// Without dimensions, an order is one of a vector or of a matrix, by what is given.
fn default_is_matrix(op: &'static str, a: &Tensor) -> Result<bool> {
    match a.ndim() {
        1 => Ok(false),
        2 => Ok(true),
        _ => Err(RusTorchError::shape(
            op,
            format!("if ord is given without dim, the input must be 1D or 2D, got shape {:?}", a.shape()),
        )),
    }
}

/// A norm of matrices by its name.
pub fn linalg_norm_named(
    a: &Tensor,
    ord: &str,
    dim: Option<&[i64]>,
    keepdim: bool,
    dtype: Option<DType>,
) -> Result<Tensor> {
    ops::linalg_matrix_norm_named(a, ord, dim.unwrap_or(&[0, 1]), keepdim, dtype)
}

/// The input divided by its norm.
pub fn normalize(input: &Tensor, p: Scalar, dim: &[i64], eps: f64) -> Result<Tensor> {
    let dims: Dims<i64> = dim.into();
    let norm = ops::linalg_vector_norm(input, p, Some(&dims), true, None)?;
    ops::div(input, &ops::clamp_min(&norm, &Tensor::number(eps)?)?, None)
}
