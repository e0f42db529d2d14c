//! Adaptive and fractional max pooling, and unpooling.

use std::ops::Range;
use std::sync::Arc;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Shape, checked_product, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use super::contiguity::contiguous;
use super::interpolation::share;
use super::pooling::{batched, drop_batch};
use super::shape_ops::reshape_to;
use super::spatial_arguments::per_dimension;
use crate::{Tensor, ops};

/// The windows along each spatial dimension.
type Regions = Arc<[Scratch<Range<usize>>]>;

/// A pair of tensors without their batch dimension.
fn drop_both((values, indices): (Tensor, Tensor)) -> Result<(Tensor, Tensor)> {
    Ok((drop_batch(&values)?, drop_batch(&indices)?))
}

/// Pools the windows that `regions` gives for each spatial dimension; it is asked once there is memory for the results.
fn pool_regions(
    input: &Tensor,
    sizes: &[usize],
    regions: impl Fn(usize) -> Result<Scratch<Range<usize>>>,
) -> Result<(Tensor, Tensor)> {
    let mut shape = Shape::from_slice(&input.shape()[..2]);
    shape.extend_from_slice(sizes);
    let values = Tensor::empty(&shape, input.dtype(), input.device())?;
    let indices = Tensor::empty(&shape, DType::Int64, input.device())?;
    if values.numel() > 0 {
        let input = contiguous(input)?;
        let regions = (0..sizes.len()).map(regions).collect::<Result<Regions>>()?;
        values.backend()?.run(kernel::MaxPoolRegions {
            regions,
            input: input.operand(),
            output: values.operand(),
            indices: indices.operand(),
        })?;
    }
    Ok((values, indices))
}

/// Refuses what PyTorch does: dtypes that are not floating point, and empty dimensions beside the batch.
fn check(op: &'static str, input: &Tensor) -> Result<()> {
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            op,
            format!("not implemented for {}; it takes floating-point tensors", input.dtype()),
        ));
    }
    if input.ndim() < 3 || input.shape()[1..].contains(&0) {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected (N, C, *spatial) without empty dimensions beside the batch, got {:?}",
                input.shape()
            ),
        ));
    }
    Ok(())
}

/// The largest elements of windows that cover the input: window i spans floor(i n / count) to ceil((i + 1) n / count).
pub fn adaptive_max_pool(input: &Tensor, output_size: &[i64]) -> Result<(Tensor, Tensor)> {
    let op = "adaptive_max_pool";
    check(op, input)?;
    let spatial = input.ndim() - 2;
    let counts = per_dimension(op, "output_size", output_size, spatial, 0, 1)?;
    pool_regions(input, &counts[..spatial], |d| {
        Scratch::collect((0..counts[d]).map(|i| share(i, input.shape()[d + 2], counts[d])))
    })
}

macro_rules! adaptive_max_pool_nd {
    ($($name:ident, $spatial:literal;)*) => {$(
        /// Adaptive max pooling; shapes as the name says.
        pub fn $name(input: &Tensor, output_size: &[i64]) -> Result<(Tensor, Tensor)> {
            let run = |x: &Tensor| ops::adaptive_max_pool(x, output_size);
            batched(stringify!($name), $spatial, input, run, drop_both)
        }
    )*};
}

adaptive_max_pool_nd! {
    adaptive_max_pool1d, 1;
    adaptive_max_pool2d, 2;
    adaptive_max_pool3d, 3;
}

/// Where windows begin: steps of about the same size, shifted by the sample, and the last window at the end.
fn starts(
    sample: f64,
    single: bool,
    size: usize,
    count: usize,
    window: usize,
) -> impl Iterator<Item = usize> {
    let (last, steps) = (size - window, count.max(2) - 1);
    // In the input's precision, so that the same samples give PyTorch's windows.
    let place = move |i: usize| {
        if single {
            let (alpha, sample) = (last as f32 / steps as f32, sample as f32);
            ((i as f32 + sample) * alpha) as usize - (sample * alpha) as usize
        } else {
            let alpha = last as f64 / steps as f64;
            ((i as f64 + sample) * alpha) as usize - (sample * alpha) as usize
        }
    };
    (0..count).map(move |i| if i + 1 == count { last } else { place(i).min(last) })
}

/// Max pooling of windows that begin where samples say.
pub fn fractional_max_pool(
    input: &Tensor,
    kernel_size: &[i64],
    output_size: &[i64],
    samples: &Tensor,
) -> Result<(Tensor, Tensor)> {
    let op = "fractional_max_pool";
    check(op, input)?;
    let spatial = input.ndim() - 2;
    let kernel = per_dimension(op, "kernel_size", kernel_size, spatial, 1, 1)?;
    let counts = per_dimension(op, "output_size", output_size, spatial, 1, 1)?;
    for d in 0..spatial {
        let room = (input.shape()[d + 2] + 1).checked_sub(counts[d]);
        if room.is_none_or(|room| kernel[d] > room) {
            return Err(RusTorchError::shape(
                op,
                format!(
                    "pool size {} and output size {} are too large for dimension {} of {:?}",
                    kernel[d],
                    counts[d],
                    d + 2,
                    input.shape()
                ),
            ));
        }
    }
    let (batch, channels) = (input.shape()[0], input.shape()[1]);
    if samples.shape() != [batch, channels, spatial] {
        return Err(RusTorchError::shape(
            op,
            format!("expected samples of shape {:?}, got {:?}", [batch, channels, spatial], samples.shape()),
        ));
    }
    let values = samples.to_vec::<f64>()?;
    if let Some(bad) = values.iter().find(|v| !(0.0..=1.0).contains(*v)) {
        return Err(RusTorchError::argument(op, format!("samples must be in [0, 1), got {bad}")));
    }
    let single = input.dtype() != DType::Float64;
    pool_regions(input, &counts[..spatial], |d| {
        // PyTorch takes the samples of two dimensions in the order W, H; of three, as they come.
        let column = if spatial == 2 { 1 - d } else { d };
        let (size, window) = (input.shape()[d + 2], kernel[d]);
        let starts = values
            .chunks_exact(spatial)
            .flat_map(|sample| starts(sample[column], single, size, counts[d], window));
        Scratch::collect(starts.map(|start| start..start + window))
    })
}

fn fractional(
    op: &'static str,
    spatial: usize,
    input: &Tensor,
    kernel_size: &[i64],
    output_size: Option<&[i64]>,
    output_ratio: Option<&[f64]>,
    samples: Option<&Tensor>,
) -> Result<(Tensor, Tensor)> {
    let lead = input.ndim().saturating_sub(spatial);
    let size: Vec<i64> = match (output_size, output_ratio) {
        (Some(size), _) => size.to_vec(),
        (None, Some(ratio)) if ratio.len() == 1 || ratio.len() == spatial => input.shape()[lead..]
            .iter()
            .enumerate()
            .map(|(d, &n)| (n as f64 * ratio[if ratio.len() == 1 { 0 } else { d }]) as i64)
            // Short: one per dimension.
            .collect(),
        (None, Some(ratio)) => {
            return Err(RusTorchError::argument(
                op,
                format!("output_ratio must be one number or {spatial} of them, got {ratio:?}"),
            ));
        }
        (None, None) => {
            return Err(RusTorchError::argument(
                op,
                "requires specifying either an output_size or an output_ratio",
            ));
        }
    };
    let run = |x: &Tensor| {
        let samples = if let Some(samples) = samples {
            samples.clone()
        } else {
            let shape = [x.shape()[0] as i64, x.shape()[1] as i64, spatial as i64];
            ops::rand(&shape, None, Some(DType::Float64), Some(x.device()), false)?
        };
        ops::fractional_max_pool(x, kernel_size, &size, &samples)
    };
    batched(op, spatial, input, run, drop_both)
}

macro_rules! fractional_max_pool_nd {
    ($($name:ident, $spatial:literal;)*) => {$(
        /// Fractional max pooling; shapes as the name says.
        pub fn $name(
            input: &Tensor,
            kernel_size: &[i64],
            output_size: Option<&[i64]>,
            output_ratio: Option<&[f64]>,
            samples: Option<&Tensor>,
        ) -> Result<(Tensor, Tensor)> {
            fractional(stringify!($name), $spatial, input, kernel_size, output_size, output_ratio, samples)
        }
    )*};
}

fractional_max_pool_nd! {
    fractional_max_pool2d_with_indices, 2;
    fractional_max_pool3d_with_indices, 3;
}

/// The spatial sizes that unpooling gives.
fn unpooled(
    op: &'static str,
    input: &[usize],
    spatial: usize,
    [kernel, stride, padding]: [&[i64]; 3],
    output_size: Option<&[i64]>,
) -> Result<Vec<usize>> {
    let kernel = per_dimension(op, "kernel_size", kernel, spatial, 1, 1)?;
    let stride = if stride.is_empty() { kernel } else { per_dimension(op, "stride", stride, spatial, 1, 1)? };
    let padding = per_dimension(op, "padding", padding, spatial, 0, 0)?;
    let sizes = &input[input.len() - spatial..];
    // Numbers of 64 bits each: no sum of their products leaves 128.
    let wide = |n: usize| n as i128;
    let default = |d: usize| (wide(sizes[d]) - 1) * wide(stride[d]) + wide(kernel[d]) - 2 * wide(padding[d]);
    let given = |size: &[i64]| size.iter().map(|&n| i128::from(n)).collect();
    let wanted: Vec<i128> = match output_size {
        None => (0..spatial).map(default).collect(),
        Some(size) if size.len() == spatial => given(size),
        Some(size) if size.len() == spatial + 2 => given(&size[2..]),
        Some(size) => {
            return Err(RusTorchError::shape(
                op,
                format!("output_size should have {spatial} or {} numbers, got {size:?}", spatial + 2),
            ));
        }
    };
    wanted
        .iter()
        .enumerate()
        .map(|(d, &size)| {
            let near = (size - default(d)).abs() < wide(stride[d]);
            usize::try_from(size).ok().filter(|&size| near && size > 0).ok_or_else(|| {
                RusTorchError::shape(
                    op,
                    format!(
                        "size {size} of spatial dimension {d} must be positive and within a stride of {} of {}",
                        stride[d],
                        default(d)
                    ),
                )
            })
        })
        // Short: one per dimension.
        .collect()
}

fn unpool(
    op: &'static str,
    spatial: usize,
    input: &Tensor,
    indices: &Tensor,
    windows: [&[i64]; 3],
    output_size: Option<&[i64]>,
) -> Result<Tensor> {
    if input.ndim() != spatial + 1 && input.ndim() != spatial + 2 {
        return Err(RusTorchError::shape(
            op,
            format!("expected a {}D or {}D input, got {:?}", spatial + 1, spatial + 2, input.shape()),
        ));
    }
    if indices.dtype() != DType::Int64 {
        return Err(RusTorchError::dtype(
            op,
            format!("elements in indices should be type int64 but got {}", indices.dtype()),
        ));
    }
    if indices.shape() != input.shape() {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected shape of indices to be that of the input {:?}, but got {:?}",
                input.shape(),
                indices.shape()
            ),
        ));
    }
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(op, format!("not implemented for {}", input.dtype())));
    }
    let sizes = unpooled(op, input.shape(), spatial, windows, output_size)?;
    let lead = &input.shape()[..input.ndim() - spatial];
    let (planes, pooled) = (volume(lead), volume(&input.shape()[lead.len()..]));
    let plane = checked_product(op, &sizes)?;
    let zeros = ops::zeros(&[planes as i64, plane as i64], Some(input.dtype()), Some(input.device()), false)?;
    let flat = reshape_to(indices, &[planes, pooled])?;
    let filled = ops::scatter(&zeros, 1, &flat, &reshape_to(input, &[planes, pooled])?)?;
    reshape_to(&filled, &[lead, &sizes].concat())
}

macro_rules! max_unpool_nd {
    ($($name:ident, $spatial:literal;)*) => {$(
        /// The way back from max pooling; shapes as the name says.
        pub fn $name(
            input: &Tensor,
            indices: &Tensor,
            kernel_size: &[i64],
            stride: &[i64],
            padding: &[i64],
            output_size: Option<&[i64]>,
        ) -> Result<Tensor> {
            unpool(stringify!($name), $spatial, input, indices, [kernel_size, stride, padding], output_size)
        }
    )*};
}

max_unpool_nd! {
    max_unpool1d, 1;
    max_unpool2d, 2;
    max_unpool3d, 3;
}
