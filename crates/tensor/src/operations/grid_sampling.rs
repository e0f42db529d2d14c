//! Sampling an image at the points of a grid.
//!
//! A point's value is a weighted sum of pixels, the same pixels and weights in every channel. The weights are made of
//! ops, from which the grid gets its gradient; the sums are a kernel whose derivatives are its siblings.

use rustorch_backend::{DType, Shape, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use super::contiguity::contiguous;
use super::creation::{cast, sizes};
use super::shape_ops::{expand_to, reshape_to};
use crate::{Tensor, ops};

fn number(value: f64) -> Result<Tensor> {
    Tensor::number(value)
}

fn check_sums(input: &[usize], index: &Tensor, weight: &[usize]) -> Result<()> {
    let fits =
        input.len() == 3 && index.ndim() == 3 && index.shape()[0] == input[0] && index.shape() == weight;
    if fits && index.dtype() == DType::Int64 {
        return Ok(());
    }
    Err(RusTorchError::shape(
        "weighted_gather",
        format!(
            "expected input (N, C, S), int64 index (N, P, T) and weight (N, P, T), got {input:?}, {} {:?} and {weight:?}",
            index.dtype(),
            index.shape()
        ),
    ))
}

/// Weighted sums of picked elements.
pub fn weighted_gather(input: &Tensor, index: &Tensor, weight: &Tensor) -> Result<Tensor> {
    check_sums(input.shape(), index, weight.shape())?;
    let shape = [input.shape()[0], input.shape()[1], index.shape()[1]];
    let output = Tensor::empty(&shape, input.dtype(), input.device())?;
    if output.numel() > 0 {
        let (input, index, weight) = (contiguous(input)?, contiguous(index)?, contiguous(weight)?);
        output.backend()?.run(kernel::WeightedGather {
            input: input.operand(),
            index: index.operand(),
            weight: weight.operand(),
            output: output.operand(),
        })?;
    }
    Ok(output)
}

/// The gradient of [`weighted_gather`] by its input.
pub fn weighted_gather_input(
    grad_output: &Tensor,
    shape: &[i64],
    index: &Tensor,
    weight: &Tensor,
) -> Result<Tensor> {
    let shape = sizes("weighted_gather", shape)?;
    check_sums(&shape, index, weight.shape())?;
    let output = Tensor::empty(&shape, grad_output.dtype(), grad_output.device())?;
    if output.numel() > 0 {
        let (grad, index, weight) = (contiguous(grad_output)?, contiguous(index)?, contiguous(weight)?);
        output.backend()?.run(kernel::WeightedGatherGradInput {
            grad: grad.operand(),
            index: index.operand(),
            weight: weight.operand(),
            grad_input: output.operand(),
        })?;
    }
    Ok(output)
}

/// The gradient of [`weighted_gather`] by its weight.
pub fn weighted_gather_weight(grad_output: &Tensor, input: &Tensor, index: &Tensor) -> Result<Tensor> {
    check_sums(input.shape(), index, index.shape())?;
    let output = Tensor::empty(index.shape(), input.dtype(), input.device())?;
    if output.numel() > 0 {
        let (grad, input, index) = (contiguous(grad_output)?, contiguous(input)?, contiguous(index)?);
        output.backend()?.run(kernel::WeightedGatherGradWeight {
            grad: grad.operand(),
            input: input.operand(),
            index: index.operand(),
            grad_weight: output.operand(),
        })?;
    }
    Ok(output)
}

/// What lies beyond the edge.
#[derive(Clone, Copy, PartialEq)]
enum Beyond {
    Zeros,
    Border,
    Reflection,
}

/// How positions along one dimension are found and kept inside.
#[derive(Clone, Copy)]
struct Axis {
    size: usize,
    beyond: Beyond,
    align_corners: bool,
}

impl Axis {
    /// From [-1, 1] to pixels.
    fn unnormalize(self, grid: &Tensor) -> Result<Tensor> {
        let size = self.size as f64;
        let (factor, shift) = if self.align_corners {
            ((size - 1.0) / 2.0, (size - 1.0) / 2.0)
        } else {
            (size / 2.0, (size - 1.0) / 2.0)
        };
        ops::add(&ops::mul(grid, &number(factor)?)?, &number(shift)?, 1.into())
    }

    /// The position inside the image that stands for one beyond it; the same for `zeros`, which has none.
    fn inside(self, position: &Tensor) -> Result<Tensor> {
        let last = self.size as f64 - 1.0;
        let position = match self.beyond {
            Beyond::Zeros => return Ok(position.clone()),
            Beyond::Border => position.clone(),
            Beyond::Reflection => self.reflect(position)?,
        };
        // What is clamped, or at the very edge, has no gradient.
        let (low, high) = (number(0.0)?, number(last)?);
        let between = ops::logical_and(&ops::gt(&position, &low)?, &ops::lt(&position, &high)?)?;
        let edge = ops::minimum(&ops::maximum(&position.detach(), &low)?, &high)?;
        ops::where_(&between, &position, &edge)
    }

    /// Reflects at the centers, or the outer sides, of the first and last pixel, as often as it takes.
    fn reflect(self, position: &Tensor) -> Result<Tensor> {
        let (low, span) =
            if self.align_corners { (0.0, self.size as f64 - 1.0) } else { (-0.5, self.size as f64) };
        if span == 0.0 {
            return ops::mul(position, &number(0.0)?);
        }
        let distance = ops::sub(position, &number(low)?, 1.into())?;
        let before = ops::lt(&distance, &number(0.0)?)?;
        let distance = ops::where_(&before, &ops::neg(&distance)?, &distance)?;
        let flips = ops::floor(&ops::div(&distance.detach(), &number(span)?, None)?)?;
        let rest = ops::sub(&distance, &ops::mul(&flips, &number(span)?)?, 1.into())?;
        let odd = ops::remainder(&flips, &number(2.0)?)?;
        // rest where even, span - rest where odd.
        let sign = ops::sub(&number(1.0)?, &ops::mul(&odd, &number(2.0)?)?, 1.into())?;
        let turned = ops::add(&ops::mul(&rest, &sign)?, &ops::mul(&odd, &number(span)?)?, 1.into())?;
        ops::add(&turned, &number(low)?, 1.into())
    }

    /// The taps of each point along this dimension: pixels (as floats) and weights.
    fn taps(self, grid: &Tensor, mode: &str) -> Result<Vec<(Tensor, Tensor)>> {
        let position = self.unnormalize(grid)?;
        if mode == "bicubic" {
            // The taps, not the point, are kept inside.
            let first = ops::floor(&position.detach())?;
            let t = ops::sub(&position, &first, 1.into())?;
            return (0..4)
                .map(|k| {
                    let pixel = ops::add(&first, &number(f64::from(k) - 1.0)?, 1.into())?;
                    Ok((self.inside(&pixel)?, cubic_weight(&t, k)?))
                })
                // Short: one per neighbour, or per dimension.
                .collect();
        }
        let position = self.inside(&position)?;
        if mode == "nearest" {
            // All of the weight wherever the point is: a gradient of zeros.
            let always = Tensor::scalar(true.into(), DType::Bool, grid.device())?;
            let weight = ops::where_(&always, &number(1.0)?, &position)?;
            return Ok(vec![(ops::round(&position.detach(), 0)?, weight)]);
        }
        let first = ops::floor(&position.detach())?;
        let second = ops::add(&first, &number(1.0)?, 1.into())?;
        let from_first = ops::sub(&position, &first, 1.into())?;
        let to_second = ops::sub(&second, &position, 1.into())?;
        Ok(vec![(first, to_second), (second, from_first)])
    }
}

/// The weight of tap `k` of cubic convolution with a = -3/4, for points `t` behind the second tap.
fn cubic_weight(t: &Tensor, k: i32) -> Result<Tensor> {
    const A: f64 = -0.75;
    // The distance to the tap, and the kernel's coefficients at that distance.
    let distance = match k {
        0 => ops::add(t, &number(1.0)?, 1.into())?,
        1 => t.clone(),
        _ => ops::sub(&number(f64::from(k) - 1.0)?, t, 1.into())?,
    };
    let coefficients =
        if k == 1 || k == 2 { [A + 2.0, -(A + 3.0), 0.0, 1.0] } else { [A, -5.0 * A, 8.0 * A, -4.0 * A] };
    let mut weight = number(coefficients[0])?;
    for &coefficient in &coefficients[1..] {
        weight = ops::add(&ops::mul(&weight, &distance)?, &number(coefficient)?, 1.into())?;
    }
    Ok(weight)
}

/// A pixel of each point: its flat index, whether it exists, and its weight.
struct Tap {
    pixel: Tensor,
    here: Tensor,
    weight: Tensor,
}

/// All combinations of the taps along each dimension.
fn combine(axes: &[(Axis, Vec<(Tensor, Tensor)>)]) -> Result<Vec<Tap>> {
    let mut combined: Vec<Tap> = Vec::new();
    for (axis, taps) in axes {
        let (low, high) = (number(0.0)?, number(axis.size as f64 - 1.0)?);
        let size = Tensor::number(axis.size as i64)?;
        let mut next = Vec::new();
        for (position, weight) in taps {
            // NaN is nowhere.
            let here = ops::logical_and(&ops::ge(position, &low)?, &ops::le(position, &high)?)?;
            let pixel = cast(&ops::where_(&here, position, &low)?, DType::Int64)?;
            if combined.is_empty() {
                next.push(Tap { pixel, here, weight: weight.clone() });
                continue;
            }
            for before in &combined {
                next.push(Tap {
                    pixel: ops::add(&ops::mul(&before.pixel, &size)?, &pixel, 1.into())?,
                    here: ops::logical_and(&before.here, &here)?,
                    weight: ops::mul(&before.weight, weight)?,
                });
            }
        }
        combined = next;
    }
    Ok(combined)
}

/// An image at the points of a grid.
pub fn grid_sample(
    input: &Tensor,
    grid: &Tensor,
    mode: &str,
    padding_mode: &str,
    align_corners: Option<bool>,
) -> Result<Tensor> {
    let op = "grid_sample";
    if !matches!(mode, "bilinear" | "nearest" | "bicubic") {
        return Err(RusTorchError::argument(
            op,
            format!("expected mode to be 'bilinear', 'nearest' or 'bicubic', but got '{mode}'"),
        ));
    }
    let beyond = match padding_mode {
        "zeros" => Beyond::Zeros,
        "border" => Beyond::Border,
        "reflection" => Beyond::Reflection,
        _ => {
            return Err(RusTorchError::argument(
                op,
                format!(
                    "expected padding_mode to be 'zeros', 'border' or 'reflection', but got '{padding_mode}'"
                ),
            ));
        }
    };
    let spatial = input.ndim().saturating_sub(2);
    let fits = matches!(spatial, 2 | 3)
        && grid.ndim() == spatial + 2
        && grid.shape()[0] == input.shape()[0]
        && grid.shape()[spatial + 1] == spatial
        && !input.shape()[2..].contains(&0);
    if !fits {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected input (N, C, H, W) and grid (N, H_out, W_out, 2), or one dimension more of both and 3, with \
                 non-empty spatial dimensions; got {:?} and {:?}",
                input.shape(),
                grid.shape()
            ),
        ));
    }
    if mode == "bicubic" && spatial == 3 {
        return Err(RusTorchError::argument(op, "bicubic interpolation only supports 4D input"));
    }
    if !input.dtype().is_floating_point() || input.dtype() != grid.dtype() {
        return Err(RusTorchError::dtype(
            op,
            format!(
                "expected input and grid to have the same floating-point dtype, but input has {} and grid has {}",
                input.dtype(),
                grid.dtype()
            ),
        ));
    }
    let (batch, channels) = (input.shape()[0], input.shape()[1]);
    let points = volume(&grid.shape()[1..=spatial]);
    let plane = volume(&input.shape()[2..]);
    let flat_grid = reshape_to(grid, &[batch, points, spatial])?;
    let axes = (0..spatial)
        .map(|d| {
            let axis =
                Axis { size: input.shape()[d + 2], beyond, align_corners: align_corners.unwrap_or(false) };
            // The grid names the last dimension first.
            let along = ops::select(&flat_grid, 2, (spatial - 1 - d) as i64)?;
            Ok((axis, axis.taps(&along, mode)?))
        })
        // Short: one per neighbour, or per dimension.
        .collect::<Result<Vec<_>>>()?;
    let taps = combine(&axes)?;
    let nowhere = Tensor::number(-1)?;
    let pixels: Vec<_> =
        taps.iter().map(|tap| ops::where_(&tap.here, &tap.pixel, &nowhere)).collect::<Result<_>>()?;
    // Short: one per neighbour, or per dimension.
    let weights: Vec<_> = taps.into_iter().map(|tap| tap.weight).collect();
    let (index, weight) = (ops::stack(&pixels, 2)?, ops::stack(&weights, 2)?);
    let flat = reshape_to(input, &[batch, channels, plane])?;
    let values = ops::weighted_gather(&flat, &index, &weight)?;
    let mut shape = Shape::from_slice(&[batch, channels]);
    shape.extend_from_slice(&grid.shape()[1..=spatial]);
    reshape_to(&values, &shape)
}

/// The points of a dimension in [-1, 1].
fn points(size: usize, align_corners: bool, like: &Tensor) -> Result<Tensor> {
    let (dtype, device) = (Some(like.dtype()), Some(like.device()));
    if size <= 1 {
        return ops::zeros(&[size as i64], dtype, device, false);
    }
    let n = size as f64;
    let edge = if align_corners { 1.0 } else { (n - 1.0) / n };
    ops::linspace((-edge).into(), edge.into(), size as i64, dtype, device, false)
}

/// The grid that an affine map makes of an image's points.
pub fn affine_grid(theta: &Tensor, size: &[i64], align_corners: Option<bool>) -> Result<Tensor> {
    let op = "affine_grid";
    if !theta.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            op,
            format!("expected theta to have floating point type, but got {}", theta.dtype()),
        ));
    }
    let spatial = size.len().saturating_sub(2);
    let sizes = sizes(op, size)?;
    let fits = matches!(spatial, 2 | 3) && theta.shape() == [sizes[0], spatial, spatial + 1];
    if !fits || sizes.contains(&0) {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected theta (N, 2, 3) with a positive size (N, C, H, W), or (N, 3, 4) with (N, C, D, H, W); got {:?} and \
                 {size:?}",
                theta.shape()
            ),
        ));
    }
    let shape = &sizes[2..];
    // Short: one per neighbour, or per dimension.
    let mut columns = Vec::with_capacity(spatial + 1);
    for d in (0..spatial).rev() {
        let mut along = vec![1; spatial];
        along[d] = shape[d];
        let axis = reshape_to(&points(shape[d], align_corners.unwrap_or(false), theta)?, &along)?;
        columns.push(expand_to(&axis, shape)?);
    }
    columns.push(ops::ones(&size[2..], Some(theta.dtype()), Some(theta.device()), false)?);
    let count = volume(shape);
    let base = reshape_to(&ops::stack(&columns, spatial as i64)?, &[count, spatial + 1])?;
    let grid = ops::matmul(&base, &ops::transpose(theta, 1, 2)?)?;
    let mut shape = Shape::from_slice(&[sizes[0]]);
    shape.extend_from_slice(&sizes[2..]);
    shape.push(spatial);
    reshape_to(&grid, &shape)
}
