//! Sums of products over chosen dimensions.

mod chain;
mod einsum;
mod equation;

pub use chain::{chain_matmul, linalg_multi_dot, matrix_power};
pub use einsum::{einsum, tensordot};

use rustorch_backend::{DType, Shape, checked_product, volume};
use rustorch_error::{Result, RusTorchError};

use super::creation::cast;
use super::linear_algebra::same_dtype;
use super::shape_ops::{expand_to, reshape_to};
use crate::{Tensor, ops};

/// The Kronecker product.
pub fn kron(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    let ndim = input.ndim().max(other.ndim());
    // (…, a, 1) times (…, 1, b) has each pair of elements; the pairs of sizes are then joined.
    let interleaved = |tensor: &Tensor, first: bool| {
        let mut shape = Shape::new();
        for d in 0..ndim {
            let size = (d + tensor.ndim()).checked_sub(ndim).map_or(1, |d| tensor.shape()[d]);
            shape.extend(if first { [size, 1] } else { [1, size] });
        }
        reshape_to(tensor, &shape)
    };
    let product = ops::mul(&interleaved(input, true)?, &interleaved(other, false)?)?;
    let joined = |pair: &[usize]| checked_product("kron", pair);
    let shape = product.shape().chunks(2).map(joined).collect::<Result<Shape>>()?;
    reshape_to(&product, &shape)
}

/// The cross product along the first dimension of size 3, or the one that is given.
pub fn cross(input: &Tensor, other: &Tensor, dim: Option<i64>) -> Result<Tensor> {
    let first = || input.shape().iter().position(|&n| n == 3).map(|d| d as i64);
    let dim = dim.or_else(first).ok_or_else(|| {
        RusTorchError::shape("cross", format!("no dimension of size 3 in input {:?}", input.shape()))
    })?;
    cross_product("cross", input, other, dim)
}

/// The cross product along a dimension.
pub fn linalg_cross(input: &Tensor, other: &Tensor, dim: i64) -> Result<Tensor> {
    cross_product("linalg.cross", input, other, dim)
}

fn cross_product(op: &'static str, input: &Tensor, other: &Tensor, dim: i64) -> Result<Tensor> {
    if input.ndim() != other.ndim() {
        return Err(RusTorchError::shape(
            op,
            format!(
                "inputs must have the same number of dimensions, got {:?} and {:?}",
                input.shape(),
                other.shape()
            ),
        ));
    }
    let d = input.dim_index(op, dim)?;
    if input.ndim() == 0 || input.shape()[d] != 3 || other.shape()[d] != 3 {
        return Err(RusTorchError::shape(
            op,
            format!("dimension {dim} must have size 3, got {:?} and {:?}", input.shape(), other.shape()),
        ));
    }
    // (a × b)_i = a_{i+1} b_{i+2} - a_{i+2} b_{i+1}, indices modulo 3.
    let next = |tensor: &Tensor, by: i64| ops::roll(tensor, &[-by], Some(&[d as i64]));
    let one = ops::mul(&next(input, 1)?, &next(other, 2)?)?;
    let two = ops::mul(&next(input, 2)?, &next(other, 1)?)?;
    ops::sub(&one, &two, 1.into())
}

/// The sums of products along a dimension.
pub fn linalg_vecdot(x: &Tensor, y: &Tensor, dim: i64) -> Result<Tensor> {
    let op = "linalg.vecdot";
    same_dtype(op, x, y)?;
    if x.dtype().is_integral(true) {
        return Err(RusTorchError::dtype(
            op,
            format!("expected floating-point or complex tensors, got {}", x.dtype()),
        ));
    }
    ops::sum(&ops::mul(&ops::conj(x)?, y)?, Some(&[dim]), false, None)
}

/// The diagonals of matrices, as a view.
pub fn linalg_diagonal(a: &Tensor, offset: i64, dim1: i64, dim2: i64) -> Result<Tensor> {
    ops::diagonal(a, offset, dim1, dim2)
}

/// The powers 0 to n - 1 of each element, along a new last dimension.
fn powers(x: &Tensor, n: usize) -> Result<Tensor> {
    let x = if x.dtype().is_integral(true) { &cast(x, DType::Int64)? } else { x };
    let mut shape = Shape::from_slice(x.shape());
    shape.push(1);
    let x = reshape_to(x, &shape)?;
    let ones = ops::ones_like(&x.detach(), None, None, false)?;
    shape[x.ndim() - 1] = n.saturating_sub(1);
    let factors = ops::cat(&[ones, expand_to(&x, &shape)?], -1)?;
    ops::cumprod(&ops::narrow(&factors, -1, 0, n as i64)?, -1, None)
}

/// The Vandermonde matrix of a vector.
pub fn vander(x: &Tensor, n: Option<i64>, increasing: bool) -> Result<Tensor> {
    let [size] = x.shape() else {
        return Err(RusTorchError::shape("vander", format!("x must be a vector, got shape {:?}", x.shape())));
    };
    let n = n.unwrap_or(*size as i64);
    let Ok(count) = usize::try_from(n) else {
        return Err(RusTorchError::argument("vander", format!("N must be non-negative, got {n}")));
    };
    let rising = powers(x, count)?;
    if increasing { Ok(rising) } else { ops::flip(&rising, &[1]) }
}

/// The Vandermonde matrices of the vectors in the last dimension.
pub fn linalg_vander(x: &Tensor, n: Option<i64>) -> Result<Tensor> {
    let x = if x.ndim() == 0 { ops::unsqueeze(x, 0)? } else { x.clone() };
    let n = n.unwrap_or(x.shape()[x.ndim() - 1] as i64);
    if n < 2 {
        return Err(RusTorchError::argument("linalg.vander", format!("N must be greater than 1, got {n}")));
    }
    powers(&x, n as usize)
}

/// `input1 @ weight[o] @ input2 + bias[o]`.
pub fn bilinear(input1: &Tensor, input2: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let op = "bilinear";
    for other in [Some(input2), Some(weight), bias].into_iter().flatten() {
        same_dtype(op, input1, other)?;
    }
    let [out, in1, in2] = *weight.shape() else {
        return Err(RusTorchError::shape(
            op,
            format!("weight must be (out, in1, in2), got {:?}", weight.shape()),
        ));
    };
    let ([lead @ .., n1], [lead2 @ .., n2]) = (input1.shape(), input2.shape()) else {
        return Err(RusTorchError::shape(op, "inputs must be (*, in1) and (*, in2), got a 0-d tensor"));
    };
    if lead != lead2 || *n1 != in1 || *n2 != in2 || bias.is_some_and(|b| b.shape() != [out]) {
        return Err(RusTorchError::shape(
            op,
            format!(
                "inputs {:?} and {:?}, weight {:?} and bias {:?} do not fit; (*, in1), (*, in2), (out, in1, in2) and \
                 (out) would",
                input1.shape(),
                input2.shape(),
                weight.shape(),
                bias.map(Tensor::shape)
            ),
        ));
    }
    let rows = volume(lead);
    // One product for all output features: (rows, in1) times (in1, out · in2).
    let flat = reshape_to(&ops::permute(weight, &[1, 0, 2])?, &[in1, out * in2])?;
    let left = ops::matrix_product(&reshape_to(input1, &[rows, in1])?, &flat)?;
    let right = reshape_to(input2, &[rows, in2, 1])?;
    let product = ops::matrix_product(&reshape_to(&left, &[rows, out, in2])?, &right)?;
    let shape = [lead, &[out]].concat();
    let product = reshape_to(&product, &shape)?;
    bias.map_or(Ok(product.clone()), |bias| ops::add(&product, bias, 1.into()))
}
