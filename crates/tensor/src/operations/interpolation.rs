//! Interpolation.
//!
//! Every mode is a linear map along each spatial dimension, so its gradient is the transposed map and the
//! gradient of that the map itself.

use std::ops::Range;
use std::sync::Arc;

use rustorch_backend::{DType, DimensionMap, Shape, kernel};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use super::contiguity::contiguous;
use super::creation::{cast, sizes};
use crate::{Tensor, ops};

/// The map of each spatial dimension.
type Maps = Arc<[DimensionMap]>;

/// What one output is the sum of: inputs and their weights.
type Taps = SmallVec<[(usize, f64); 2]>;

/// A type in which positions are computed: the input's precision decides where a source index is rounded.
trait Position: Copy {
    fn of(value: f64) -> Self;
    fn times(self, other: Self) -> Self;
    fn get(self) -> f64;
}

macro_rules! position {
    ($($T:ty),*) => {$(
        impl Position for $T {
            fn of(value: f64) -> Self {
                value as $T
            }
            fn times(self, other: Self) -> Self {
                self * other
            }
            fn get(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}
position!(f32, f64);

/// One dimension: its sizes, and how many inputs an output step is.
#[derive(Clone, Copy)]
struct Axis {
    input: usize,
    output: usize,
    step: f64,
    align_corners: bool,
}

impl Axis {
    fn new(input: usize, output: usize, scale: f64, align_corners: bool) -> Self {
        let step = if align_corners {
            if output > 1 { (input - 1) as f64 / (output - 1) as f64 } else { 0.0 }
        } else if scale > 0.0 {
            scale.recip()
        } else {
            input as f64 / output as f64
        };
        Axis { input, output, step, align_corners }
    }

    fn clamp(&self, position: i64) -> usize {
        position.clamp(0, self.input as i64 - 1) as usize
    }

    /// Where the center of an output lies among the inputs.
    fn source<P: Position>(&self, output: usize) -> f64 {
        let step = P::of(self.step);
        if self.align_corners {
            step.times(P::of(output as f64)).get()
        } else {
            P::of(step.times(P::of(output as f64 + 0.5)).get() - 0.5).get()
        }
    }

    fn nearest<P: Position>(&self, shift: f64) -> Result<DimensionMap> {
        let step = P::of(self.step);
        let positions =
            (0..self.output).map(|o| self.clamp(step.times(P::of(o as f64 + shift)).get().floor() as i64));
        DimensionMap::selection(self.input, positions)
    }

    fn linear<P: Position>(&self) -> Result<DimensionMap> {
        DimensionMap::weighted(
            self.input,
            (0..self.output).map(|o| {
                if self.input == self.output {
                    return Taps::from_slice(&[(o, 1.0)]);
                }
                let source = self.source::<P>(o).max(0.0);
                let first = self.clamp(source.floor() as i64);
                let weight = P::of(source - first as f64).get().clamp(0.0, 1.0);
                Taps::from([(first, P::of(1.0 - weight).get()), ((first + 1).min(self.input - 1), weight)])
            }),
        )
    }

    fn cubic<P: Position>(&self) -> Result<DimensionMap> {
        DimensionMap::weighted(
            self.input,
            (0..self.output).map(|o| {
                let source = self.source::<P>(o);
                let first = source.floor();
                let weights = cubic_weights(source - first);
                std::array::from_fn::<_, 4, _>(|k| (self.clamp(first as i64 - 1 + k as i64), weights[k]))
            }),
        )
    }

    /// The mean of a window that covers its share of the inputs.
    fn area(&self) -> Result<DimensionMap> {
        DimensionMap::weighted(
            self.input,
            (0..self.output).map(|o| {
                let window = share(o, self.input, self.output);
                let weight = (window.len() as f64).recip();
                window.map(move |i| (i, weight))
            }),
        )
    }

    /// A filter that is widened when the image shrinks, so that every input counts.
    fn antialiased(&self, filter: fn(f64) -> f64, half_width: f64) -> Result<DimensionMap> {
        let widen = self.step.max(1.0);
        DimensionMap::weighted(
            self.input,
            (0..self.output).map(|o| {
                let center = self.step * (o as f64 + 0.5);
                let support = half_width * widen;
                let start = ((center - support + 0.5) as i64).max(0) as usize;
                let end = ((center + support + 0.5) as i64).clamp(0, self.input as i64) as usize;
                let weight = move |i: usize| filter((i as f64 - center + 0.5) / widen);
                let total: f64 = (start..end).map(weight).sum();
                let share = if total == 0.0 { 0.0 } else { total.recip() };
                (start..end).map(move |i| (i, weight(i) * share))
            }),
        )
    }
}

/// Which of `inputs` fall to an output of `outputs`: from floor(i n / count) to ceil((i + 1) n / count).
pub(super) fn share(output: usize, inputs: usize, outputs: usize) -> Range<usize> {
    let (inputs, outputs, output) = (inputs as u128, outputs as u128, output as u128);
    (output * inputs / outputs) as usize..((output + 1) * inputs).div_ceil(outputs) as usize
}

/// The four weights of cubic convolution with a = -3/4, for a point `t` behind the second.
pub(super) fn cubic_weights(t: f64) -> [f64; 4] {
    let (near, far) = (|x: f64| cubic_near(x, -0.75), |x: f64| cubic_far(x, -0.75));
    [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)]
}

/// The cubic kernel up to a distance of 1.
fn cubic_near(x: f64, a: f64) -> f64 {
    ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
}

/// The cubic kernel at a distance from 1 to 2.
fn cubic_far(x: f64, a: f64) -> f64 {
    ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// The cubic kernel with a = -1/2, which antialiasing uses.
fn cubic(x: f64) -> f64 {
    match x.abs() {
        x if x < 1.0 => cubic_near(x, -0.5),
        x if x < 2.0 => cubic_far(x, -0.5),
        _ => 0.0,
    }
}

/// The map of each spatial dimension.
fn maps<P: Position>(
    mode: &str,
    input: &[usize],
    output: &[usize],
    scales: &[f64],
    align_corners: bool,
    antialias: bool,
) -> Result<Maps> {
    let axes =
        input.iter().zip(output).enumerate().map(|(d, (&from, &to))| {
            Axis::new(from, to, scales.get(d).copied().unwrap_or(0.0), align_corners)
        });
    axes.map(|axis| match (mode, antialias) {
        ("nearest", _) => axis.nearest::<P>(0.0),
        ("nearest-exact", _) => axis.nearest::<P>(0.5),
        ("area", _) => axis.area(),
        ("linear", false) => axis.linear::<P>(),
        ("linear", true) => axis.antialiased(triangle, 1.0),
        (_, false) => axis.cubic::<P>(),
        (_, true) => axis.antialiased(cubic, 2.0),
    })
    .collect()
}

fn maps_for(
    dtype: DType,
    mode: &str,
    input: &[usize],
    output: &[usize],
    scales: &[f64],
    align_corners: bool,
    antialias: bool,
) -> Result<Maps> {
    let build = if dtype == DType::Float64 { maps::<f64> } else { maps::<f32> };
    build(mode, input, output, scales, align_corners, antialias)
}

/// Interpolation along each spatial dimension.
pub fn interpolate_over(
    input: &Tensor,
    mode: &str,
    size: &[i64],
    scales: &[f64],
    align_corners: bool,
    antialias: bool,
) -> Result<Tensor> {
    let op = "interpolate";
    let size = sizes(op, size)?;
    if input.ndim() != size.len() + 2 || input.shape()[1..].contains(&0) || size.contains(&0) {
        return Err(RusTorchError::shape(
            op,
            format!("input and output sizes should be greater than 0, got {:?} to {size:?}", input.shape()),
        ));
    }
    let mut shape = Shape::from_slice(&input.shape()[..2]);
    shape.extend_from_slice(&size);
    // Memory that cannot be had is missed before the tables are made, which may be as long.
    let output = Tensor::empty(&shape, input.dtype(), input.device())?;
    if output.numel() > 0 {
        let input = contiguous(input)?;
        let spatial = &input.shape()[2..];
        let maps = maps_for(input.dtype(), mode, spatial, &size, scales, align_corners, antialias)?;
        output.backend()?.run(kernel::Resample { maps, input: input.operand(), output: output.operand() })?;
    }
    Ok(output)
}

/// The gradient of [`interpolate_over`] by its input.
pub fn interpolate_input(
    grad_output: &Tensor,
    shape: &[i64],
    mode: &str,
    scales: &[f64],
    align_corners: bool,
    antialias: bool,
) -> Result<Tensor> {
    let shape = sizes("interpolate", shape)?;
    let size = &grad_output.shape()[2..];
    let dtype = grad_output.dtype();
    let output = Tensor::empty(&shape, dtype, grad_output.device())?;
    if output.numel() > 0 {
        let grad = contiguous(grad_output)?;
        let maps = maps_for(dtype, mode, &shape[2..], size, scales, align_corners, antialias)?
            .iter()
            .map(DimensionMap::transposed)
            .collect::<Result<Maps>>()?;
        output.backend()?.run(kernel::Resample { maps, input: grad.operand(), output: output.operand() })?;
    }
    Ok(output)
}

/// The sizes of the result, and the scales that positions are computed with.
fn target(
    spatial: &[usize],
    size: Option<&[i64]>,
    scale_factor: Option<&[f64]>,
    recompute: bool,
) -> Result<(Vec<i64>, Vec<f64>)> {
    let op = "interpolate";
    let fail = |message: String| Err(RusTorchError::argument(op, message));
    let count = spatial.len();
    match (size, scale_factor) {
        (Some(_), Some(_)) => fail("only one of size or scale_factor should be defined".into()),
        (None, None) => fail("either size or scale_factor should be defined".into()),
        (Some(_), None) if recompute => {
            fail("recompute_scale_factor is not meaningful with an explicit size".into())
        }
        (Some(size), None) if size.len() == 1 || size.len() == count => {
            // Short: one per dimension.
            Ok(((0..count).map(|d| size[if size.len() == 1 { 0 } else { d }]).collect(), Vec::new()))
        }
        (None, Some(scales)) if scales.len() == 1 || scales.len() == count => {
            let scales: Vec<f64> =
                // Short: one per dimension.
                (0..count).map(|d| scales[if scales.len() == 1 { 0 } else { d }]).collect();
            let size = spatial.iter().zip(&scales).map(|(&n, &s)| (n as f64 * s).floor() as i64).collect();
            Ok((size, if recompute { Vec::new() } else { scales }))
        }
        _ => fail(format!(
            "size and scale_factor have one number, or one for each of the {count} spatial dimensions; got {size:?} and \
             {scale_factor:?}"
        )),
    }
}

/// Interpolation of bytes, which are rounded after each dimension, the last one first.
fn bytes(
    input: &Tensor,
    along: &str,
    size: &[i64],
    scales: &[f64],
    align_corners: bool,
    antialias: bool,
) -> Result<Tensor> {
    let (half, low, high) = (Tensor::number(0.5)?, Tensor::number(0.0)?, Tensor::number(255.0)?);
    let mut image = cast(input, DType::Float32)?;
    for d in (0..size.len()).rev() {
        let mut sizes: Vec<i64> = image.shape()[2..].iter().map(|&n| n as i64).collect();
        let mut factors = vec![0.0; size.len()];
        sizes[d] = size[d];
        factors[d] = scales.get(d).copied().unwrap_or(0.0);
        let smooth = ops::interpolate_over(&image, along, &sizes, &factors, align_corners, antialias)?;
        // Cubic weights may leave the range.
        let rounded = ops::floor(&ops::add(&smooth, &half, 1.into())?)?;
        image = ops::minimum(&ops::maximum(&rounded, &low)?, &high)?;
    }
    cast(&image, DType::UInt8)
}

/// An image at another size.
pub fn interpolate(
    input: &Tensor,
    size: Option<&[i64]>,
    scale_factor: Option<&[f64]>,
    mode: &str,
    align_corners: Option<bool>,
    recompute_scale_factor: Option<bool>,
    antialias: bool,
) -> Result<Tensor> {
    let op = "interpolate";
    if !(3..=5).contains(&input.ndim()) {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected a 3D, 4D or 5D input (N, C, *spatial), got a {}D one; there are 1 to 3 spatial dimensions",
                input.ndim()
            ),
        ));
    }
    let spatial = &input.shape()[2..];
    let along = match (mode, spatial.len()) {
        ("nearest" | "nearest-exact" | "area", _) => mode,
        ("linear", 1) | ("bilinear", 2) | ("trilinear", 3) => "linear",
        ("bicubic", 2) => "cubic",
        ("linear" | "bilinear" | "trilinear" | "bicubic", dimensions) => {
            return Err(RusTorchError::argument(
                op,
                format!(
                    "mode '{mode}' does not fit an input with {dimensions} spatial dimensions; linear is for one, bilinear \
                     and bicubic for two, trilinear for three"
                ),
            ));
        }
        _ => {
            return Err(RusTorchError::argument(
                op,
                format!(
                    "unknown mode '{mode}'; there are nearest, nearest-exact, linear, bilinear, bicubic, trilinear and area"
                ),
            ));
        }
    };
    let smooth = matches!(along, "linear" | "cubic");
    if !smooth && align_corners.is_some() {
        return Err(RusTorchError::argument(
            op,
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear",
        ));
    }
    if antialias && !(smooth && spatial.len() == 2) {
        return Err(RusTorchError::argument(
            op,
            "anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input",
        ));
    }
    let recompute = recompute_scale_factor.unwrap_or(false);
    let (size, scales) = target(spatial, size, scale_factor, recompute)?;
    if mode == "area" {
        return match spatial.len() {
            1 => ops::adaptive_avg_pool1d(input, &size),
            2 => ops::adaptive_avg_pool2d(input, &size),
            _ => ops::adaptive_avg_pool3d(input, &size),
        };
    }
    let align_corners = align_corners.unwrap_or(false);
    match input.dtype() {
        DType::UInt8 if smooth => bytes(input, along, &size, &scales, align_corners, antialias),
        dtype if dtype.is_floating_point() || dtype == DType::UInt8 => {
            ops::interpolate_over(input, along, &size, &scales, align_corners, antialias)
        }
        dtype => Err(RusTorchError::dtype(
            op,
            format!("not implemented for {dtype}; it takes floating-point tensors and uint8"),
        )),
    }
}
