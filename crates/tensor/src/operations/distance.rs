//! Distances and similarities of vectors.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, broadcast_shapes};
use rustorch_error::{Result, RusTorchError};

use super::elementwise::broadcast;
use super::linear_algebra::same_dtype;
use super::shape_ops::expand_to;
use crate::autograd::GradMode;
use crate::{Tensor, ops, result_type};

fn check(op: &'static str, p: f64, inputs: &[&Tensor]) -> Result<()> {
    if p.is_nan() || p < 0.0 {
        return Err(RusTorchError::argument(
            op,
            format!("only non-negative p values are supported, got {p}"),
        ));
    }
    if let Some(input) = inputs.iter().find(|t| !t.dtype().is_floating_point()) {
        return Err(RusTorchError::dtype(
            op,
            format!("only floating-point dtypes work, got {}", input.dtype()),
        ));
    }
    Ok(())
}

/// From this many rows on, Euclidean distances are computed by a matrix product unless told otherwise.
const PRODUCT_FROM: usize = 25;

/// The distances between all rows.
pub fn cdist(x1: &Tensor, x2: &Tensor, p: f64, compute_mode: &str) -> Result<Tensor> {
    let op = "cdist";
    check(op, p, &[x1, x2])?;
    same_dtype(op, x1, x2)?;
    let ([batch1 @ .., rows1, m1], [batch2 @ .., rows2, m2]) = (x1.shape(), x2.shape()) else {
        return Err(RusTorchError::shape(
            op,
            format!("both must have at least 2 dimensions, got {:?} and {:?}", x1.shape(), x2.shape()),
        ));
    };
    if m1 != m2 {
        return Err(RusTorchError::shape(
            op,
            format!("the last sizes must be equal, got {:?} and {:?}", x1.shape(), x2.shape()),
        ));
    }
    let by_product = match compute_mode {
        "use_mm_for_euclid_dist_if_necessary" => *rows1 > PRODUCT_FROM || *rows2 > PRODUCT_FROM,
        "use_mm_for_euclid_dist" => true,
        "donot_use_mm_for_euclid_dist" => false,
        other => {
            return Err(RusTorchError::argument(
                op,
                format!("{other} is not a valid value for compute_mode"),
            ));
        }
    };
    let batch = broadcast_shapes(op, [batch1, batch2])?;
    let full = |tensor: &Tensor, rows: usize| expand_to(tensor, &[&batch[..], &[rows, *m1]].concat());
    let (x1, x2) = (full(x1, *rows1)?, full(x2, *rows2)?);
    if p == 2.0 {
        return ops::euclidean_distances(&x1, &x2, by_product);
    }
    ops::linalg_vector_norm(&differences(&x1, &x2)?, p.into(), Some(&[-1]), false, None)
}

/// All differences of a row of one and a row of the other: (*, p, r, m).
fn differences(x1: &Tensor, x2: &Tensor) -> Result<Tensor> {
    ops::sub(&ops::unsqueeze(x1, -2)?, &ops::unsqueeze(x2, -3)?, 1.into())
}

/// The Euclidean distances between all rows.
pub fn euclidean_distances(x1: &Tensor, x2: &Tensor, by_product: bool) -> Result<Tensor> {
    if !by_product {
        return ops::linalg_vector_norm(&differences(x1, x2)?, 2.into(), Some(&[-1]), false, None);
    }
    // Sizes relative to the largest, so that squares neither overflow nor vanish.
    let size = |x: &Tensor| ops::amax(&ops::abs(x)?, &[-2, -1], true);
    let scale = if x1.numel() == 0 || x2.numel() == 0 {
        Tensor::number(1.0)?
    } else {
        super::norm::power_of_two(&ops::maximum(&size(x1)?, &size(x2)?)?)?
    };
    let (x1, x2) = (&ops::div(x1, &scale, None)?, &ops::div(x2, &scale, None)?);
    // |a - b|² = |a|² + |b|² - 2 a·b
    let squares = |x: &Tensor| ops::sum(&ops::square(x)?, Some(&[-1]), true, None);
    let product = ops::matrix_product(x1, &ops::transpose(x2, -2, -1)?)?;
    let lengths = ops::add(&squares(x1)?, &ops::transpose(&squares(x2)?, -2, -1)?, 1.into())?;
    let squared = ops::sub(&lengths, &product, 2.into())?;
    ops::mul(&ops::sqrt(&ops::clamp_min(&squared, &Tensor::number(0.0)?)?)?, &scale)
}

/// The distances between all pairs of rows.
pub fn pdist(input: &Tensor, p: f64) -> Result<Tensor> {
    let op = "pdist";
    check(op, p, &[input])?;
    let [rows, _] = *input.shape() else {
        return Err(RusTorchError::shape(op, format!("only supports 2D tensors, got {:?}", input.shape())));
    };
    let pick = |columns: fn(i64, i64) -> i64| {
        let mut indices = Scratch::with_room(rows.saturating_mul(rows.saturating_sub(1)) / 2)?;
        for i in 0..rows as i64 {
            indices.extend((i + 1..rows as i64).map(|j| columns(i, j)))?;
        }
        let index = Tensor::from_slice_on(input.device(), &indices, &[indices.len()])?;
        ops::index_select(input, 0, &index)
    };
    let first = pick(|i, _| i)?;
    let second = pick(|_, j| j)?;
    ops::linalg_vector_norm(&ops::sub(&first, &second, 1.into())?, p.into(), Some(&[-1]), false, None)
}

/// The norms of `x1 - x2 + eps`.
pub fn pairwise_distance(x1: &Tensor, x2: &Tensor, p: f64, eps: f64, keepdim: bool) -> Result<Tensor> {
    let shifted = ops::add(&ops::sub(x1, x2, 1.into())?, &Tensor::number(eps)?, 1.into())?;
    ops::linalg_vector_norm(&shifted, p.into(), Some(&[-1]), keepdim, None)
}

/// The cosine of the angle between vectors.
pub fn cosine_similarity(x1: &Tensor, x2: &Tensor, dim: i64, eps: f64) -> Result<Tensor> {
    let op = "cosine_similarity";
    let dtype: DType = result_type(&[x1, x2]);
    if !dtype.is_floating_point() {
        return Err(RusTorchError::dtype(op, format!("expected floating-point tensors, got {dtype}")));
    }
    let shape = broadcast(op, &[x1, x2])?;
    let unit = |x: &Tensor| {
        let x = expand_to(&ops::to_dtype(x, Some(dtype))?, &shape)?;
        let norm = ops::clone(&ops::linalg_vector_norm(&x, 2.into(), Some(&[dim]), true, None)?)?;
        {
            // As PyTorch: the lower limit is no part of the derivative.
            let _mode = GradMode::no_grad();
            ops::clamp_min_(&norm, &Tensor::number(eps)?)?;
        }
        ops::div(&x, &norm, None)
    };
    ops::sum(&ops::mul(&unit(x1)?, &unit(x2)?)?, Some(&[dim]), false, None)
}
