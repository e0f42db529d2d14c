//! Differences, numerical derivatives and integrals.

use rustorch_backend::{DType, Scalar};
use rustorch_error::{Result, RusTorchError};

use super::shape_ops::reshape_to;
use crate::{Tensor, ops};

fn sub(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    ops::sub(a, b, 1.into())
}

fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    ops::add(a, b, 1.into())
}

/// The elements along a dimension but the last, and but the first.
fn neighbours(input: &Tensor, dim: i64, size: usize) -> Result<(Tensor, Tensor)> {
    let pairs = size.saturating_sub(1) as i64;
    Ok((ops::narrow(input, dim, 0, pairs)?, ops::narrow(input, dim, size.min(1) as i64, pairs)?))
}

/// The differences of neighbours, `n` times over.
pub fn diff(
    input: &Tensor,
    n: i64,
    dim: i64,
    prepend: Option<&Tensor>,
    append: Option<&Tensor>,
) -> Result<Tensor> {
    if input.ndim() == 0 {
        return Err(RusTorchError::shape("diff", "expects input to be at least one-dimensional"));
    }
    let d = input.dim_index("diff", dim)?;
    if n < 0 {
        return Err(RusTorchError::argument("diff", format!("order must be non-negative but got {n}")));
    }
    for piece in [prepend, append].into_iter().flatten() {
        let fits = piece.ndim() == input.ndim()
            && (0..input.ndim()).all(|i| i == d || piece.shape()[i] == input.shape()[i]);
        if !fits {
            return Err(RusTorchError::shape(
                "diff",
                format!(
                    "expects prepend or append to have the input's shape {:?} apart from dimension {d}, got {:?}",
                    input.shape(),
                    piece.shape()
                ),
            ));
        }
    }
    if n == 0 {
        // As PyTorch, without what would be joined on.
        return ops::clone(input);
    }
    let dim = d as i64;
    let mut result = if prepend.is_some() || append.is_some() {
        // Short: one per dimension.
        let pieces: Vec<Tensor> = [prepend, Some(input), append].into_iter().flatten().cloned().collect();
        ops::cat(&pieces, dim)?
    } else {
        input.clone()
    };
    // Nothing is left after as many differences as there are elements.
    for _ in 0..n.min(result.shape()[d] as i64) {
        let (left, right) = neighbours(&result, dim, result.shape()[d])?;
        result = if result.dtype() == DType::Bool { ops::ne(&right, &left)? } else { sub(&right, &left)? };
    }
    Ok(result)
}

/// The dimensions to differentiate along.
fn gradient_dims(input: &Tensor, dim: Option<&[i64]>, edge_order: i64) -> Result<Vec<usize>> {
    if !matches!(edge_order, 1 | 2) {
        return Err(RusTorchError::argument(
            "gradient",
            format!("only supports edge_order=1 and edge_order=2, got {edge_order}"),
        ));
    }
    let dims: Vec<usize> = match dim {
        None => (0..input.ndim()).collect(),
        Some(dims) => dims.iter().map(|&d| input.dim_index("gradient", d)).collect::<Result<_>>()?,
    };
    for (i, &d) in dims.iter().enumerate() {
        if dims[..i].contains(&d) {
            return Err(RusTorchError::argument(
                "gradient",
                format!("dim {d} appears multiple times in the list of dims"),
            ));
        }
        if input.shape().get(d).is_none_or(|&size| (size as i64) < edge_order + 1) {
            return Err(RusTorchError::shape(
                "gradient",
                format!(
                    "expected each dimension size to be at least edge_order+1 = {}, got shape {:?}",
                    edge_order + 1,
                    input.shape()
                ),
            ));
        }
    }
    Ok(dims)
}

#[cold]
fn lengths_error(spacing: usize, dims: usize) -> RusTorchError {
    RusTorchError::argument(
        "gradient",
        format!(
            "expected spacing to be unspecified, a scalar or its spacing and dim arguments to have the same length, \
             but got a spacing argument of length {spacing} and a dim argument of length {dims}"
        ),
    )
}

/// `n` elements along a dimension from `start`, which counts from the end where it is negative.
fn part(input: &Tensor, d: usize, start: i64, n: i64) -> Result<Tensor> {
    let size = input.shape()[d] as i64;
    ops::narrow(input, d as i64, if start < 0 { size + start } else { start }, n)
}

fn scaled(input: &Tensor, factor: f64) -> Result<Tensor> {
    ops::mul(input, &Tensor::number(factor)?)
}

/// The derivative along one dimension of samples at equal distances.
fn along_uniform(input: &Tensor, d: usize, spacing: Scalar, edge_order: i64) -> Result<Tensor> {
    let (step, inner) = (spacing.real("gradient", "spacing")?, input.shape()[d] as i64 - 2);
    let centre = sub(&part(input, d, 2, inner)?, &part(input, d, 0, inner)?)?;
    let (first, last) = if edge_order == 1 {
        let end = |a: i64, b: i64| scaled(&sub(&part(input, d, b, 1)?, &part(input, d, a, 1)?)?, 2.0);
        (end(0, 1)?, end(-2, -1)?)
    } else {
        // Twice the derivative, as the centre's differences are.
        let end = |a: i64, b: i64, c: i64, sign: f64| {
            let outer =
                add(&scaled(&part(input, d, a, 1)?, -3.0 * sign)?, &scaled(&part(input, d, c, 1)?, -sign)?)?;
            add(&outer, &scaled(&part(input, d, b, 1)?, 4.0 * sign)?)
        };
        (end(0, 1, 2, 1.0)?, end(-1, -2, -3, -1.0)?)
    };
    ops::div(&ops::cat(&[first, centre, last], d as i64)?, &Tensor::number(2.0 * step)?, None)
}

/// The derivative along one dimension of samples at given coordinates.
fn along_coordinates(input: &Tensor, d: usize, coordinates: &Tensor, edge_order: i64) -> Result<Tensor> {
    let size = input.shape()[d];
    if coordinates.ndim() != 1 || coordinates.numel() != size {
        return Err(RusTorchError::shape(
            "gradient",
            format!(
                "expected a coordinate for each of the {size} samples along dimension {d}, got shape {:?}",
                coordinates.shape()
            ),
        ));
    }
    let mut line = vec![1; input.ndim()];
    line[d] = size;
    let coordinates = reshape_to(coordinates, &line)?;
    let (left, right) = neighbours(&coordinates, d as i64, size)?;
    let steps = sub(&right, &left)?;
    let inner = size as i64 - 2;
    // Weights of the derivative at the middle of three samples, `before` and `after` apart.
    let centre = {
        let (before, after) = (part(&steps, d, 0, inner)?, part(&steps, d, 1, inner)?);
        let both = add(&before, &after)?;
        let a = ops::div(&ops::neg(&after)?, &ops::mul(&before, &both)?, None)?;
        let b = ops::div(&sub(&after, &before)?, &ops::mul(&before, &after)?, None)?;
        let c = ops::div(&before, &ops::mul(&after, &both)?, None)?;
        let outer =
            add(&ops::mul(&a, &part(input, d, 0, inner)?)?, &ops::mul(&c, &part(input, d, 2, inner)?)?)?;
        add(&outer, &ops::mul(&b, &part(input, d, 1, inner)?)?)?
    };
    let end = |near: i64, next: i64, far: i64, step: i64, next_step: i64, sign: f64| -> Result<Tensor> {
        let step = part(&steps, d, step, 1)?;
        if edge_order == 1 {
            let difference = sub(&part(input, d, next, 1)?, &part(input, d, near, 1)?)?;
            return ops::div(&scaled(&difference, sign)?, &step, None);
        }
        let next_step = part(&steps, d, next_step, 1)?;
        let both = add(&step, &next_step)?;
        let a = ops::div(&ops::neg(&add(&step, &both)?)?, &ops::mul(&step, &both)?, None)?;
        let b = ops::div(&both, &ops::mul(&step, &next_step)?, None)?;
        let c = ops::div(&ops::neg(&step)?, &ops::mul(&next_step, &both)?, None)?;
        let outer = add(&ops::mul(&a, &part(input, d, near, 1)?)?, &ops::mul(&c, &part(input, d, far, 1)?)?)?;
        scaled(&add(&outer, &ops::mul(&b, &part(input, d, next, 1)?)?)?, sign)
    };
    let (first, last) = (end(0, 1, 2, 0, 1, 1.0)?, end(-1, -2, -3, -1, -2, -1.0)?);
    ops::cat(&[first, centre, last], d as i64)
}

/// The derivatives of samples at equal distances, the same along every dimension.
pub fn gradient_uniform(
    input: &Tensor,
    spacing: Option<Scalar>,
    dim: Option<&[i64]>,
    edge_order: i64,
) -> Result<Vec<Tensor>> {
    let spacing = spacing.unwrap_or(Scalar::Int(1));
    let dims = gradient_dims(input, dim, edge_order)?;
    // Short: one per dimension.
    dims.into_iter().map(|d| along_uniform(input, d, spacing, edge_order)).collect()
}

/// The derivatives of samples at equal distances, one for each dimension.
pub fn gradient_spaced(
    input: &Tensor,
    spacing: &[f64],
    dim: Option<&[i64]>,
    edge_order: i64,
) -> Result<Vec<Tensor>> {
    let dims = gradient_dims(input, dim, edge_order)?;
    if spacing.len() != dims.len() {
        return Err(lengths_error(spacing.len(), dims.len()));
    }
    // Short: one per dimension.
    dims.into_iter().zip(spacing).map(|(d, &s)| along_uniform(input, d, s.into(), edge_order)).collect()
}

/// The derivatives of samples at given coordinates.
pub fn gradient_coordinates(
    input: &Tensor,
    spacing: &[Tensor],
    dim: Option<&[i64]>,
    edge_order: i64,
) -> Result<Vec<Tensor>> {
    let dims = gradient_dims(input, dim, edge_order)?;
    if spacing.len() != dims.len() {
        return Err(lengths_error(spacing.len(), dims.len()));
    }
    // Short: one per dimension.
    dims.into_iter().zip(spacing).map(|(d, c)| along_coordinates(input, d, c, edge_order)).collect()
}

/// Twice the area between each two neighbouring samples, and the dimension.
fn twice_areas(op: &'static str, y: &Tensor, x: Option<&Tensor>, dim: i64) -> Result<(Tensor, i64)> {
    if y.dtype() == DType::Bool || x.is_some_and(|x| x.dtype() == DType::Bool) {
        return Err(RusTorchError::dtype(op, "received a bool input, but bool is not supported; see to()"));
    }
    if y.ndim() == 0 {
        return Err(RusTorchError::index(
            op,
            format!("dimension specified as {dim} but tensor has no dimensions"),
        ));
    }
    let d = y.dim_index(op, dim)?;
    let size = y.shape()[d];
    let (left, right) = neighbours(y, d as i64, size)?;
    let sums = add(&left, &right)?;
    let Some(x) = x else { return Ok((sums, d as i64)) };
    let (x, along) = if x.ndim() == 1 {
        let mut line = vec![1; y.ndim()];
        line[d] = x.numel();
        (reshape_to(x, &line)?, d)
    } else if x.ndim() == y.ndim() {
        (x.clone(), d)
    } else {
        return Err(RusTorchError::shape(
            op,
            format!("expected x of one dimension or as many as y, got {:?} and {:?}", x.shape(), y.shape()),
        ));
    };
    if x.shape()[along] != size {
        return Err(RusTorchError::shape(
            op,
            format!(
                "there must be one `x` value for each of the {size} sample points, got shape {:?}",
                x.shape()
            ),
        ));
    }
    let (left, right) = neighbours(&x, along as i64, size)?;
    Ok((ops::mul(&sums, &sub(&right, &left)?)?, d as i64))
}

fn halved(twice: &Tensor, dx: Option<Scalar>) -> Result<Tensor> {
    let scaled = match dx {
        Some(dx) if !dx.is_one() => &ops::mul(twice, &Tensor::number(dx)?)?,
        _ => twice,
    };
    ops::div(scaled, &Tensor::number(2.0)?, None)
}

/// The integral of samples at `x`.
pub fn trapezoid_x(y: &Tensor, x: &Tensor, dim: i64) -> Result<Tensor> {
    let (areas, dim) = twice_areas("trapezoid", y, Some(x), dim)?;
    halved(&ops::sum(&areas, Some(&[dim]), false, None)?, None)
}

/// The integral of samples `dx` apart.
pub fn trapezoid_dx(y: &Tensor, dx: Scalar, dim: i64) -> Result<Tensor> {
    let (areas, dim) = twice_areas("trapezoid", y, None, dim)?;
    halved(&ops::sum(&areas, Some(&[dim]), false, None)?, Some(dx))
}

/// The integrals up to each of the samples at `x`.
pub fn cumulative_trapezoid_x(y: &Tensor, x: &Tensor, dim: i64) -> Result<Tensor> {
    let (areas, dim) = twice_areas("cumulative_trapezoid", y, Some(x), dim)?;
    halved(&ops::cumsum(&areas, dim, None)?, None)
}

/// The integrals up to each of the samples that are `dx` apart.
pub fn cumulative_trapezoid_dx(y: &Tensor, dx: Scalar, dim: i64) -> Result<Tensor> {
    let (areas, dim) = twice_areas("cumulative_trapezoid", y, None, dim)?;
    halved(&ops::cumsum(&areas, dim, None)?, Some(dx))
}
