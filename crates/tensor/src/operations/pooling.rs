//! Pooling.

use rustorch_backend::sizes::{padded, reach};
use rustorch_backend::{DType, PoolOp, PoolParams, Shape, checked_numel, checked_product, kernel};
use rustorch_error::{Result, RusTorchError};

use super::contiguity::contiguous;
use super::creation::sizes;
use super::spatial_arguments::per_dimension;
use crate::{Tensor, ops};

struct Window<'a> {
    kernel: &'a [i64],
    stride: &'a [i64],
    padding: &'a [i64],
    dilation: &'a [i64],
}

fn params(name: &'static str, op: PoolOp, spatial: usize, window: &Window<'_>) -> Result<PoolParams> {
    let kernel = per_dimension(name, "kernel_size", window.kernel, spatial, 1, 1)?;
    let stride = if window.stride.is_empty() {
        kernel
    } else {
        per_dimension(name, "stride", window.stride, spatial, 1, 1)?
    };
    let padding = per_dimension(name, "padding", window.padding, spatial, 0, 0)?;
    let dilation = per_dimension(name, "dilation", window.dilation, spatial, 1, 1)?;
    for d in 0..spatial {
        // Half of what a window reaches beyond its first tap, rounded up.
        let half = reach(kernel[d], dilation[d]).map(|reach| reach / 2);
        if half.is_none_or(|half| padding[d] > half) {
            return Err(RusTorchError::argument(
                name,
                format!(
                    "pad should be at most half of effective kernel size, but got pad={}, kernel_size={} and dilation={}",
                    padding[d], kernel[d], dilation[d]
                ),
            ));
        }
    }
    Ok(PoolParams { op, spatial, kernel, stride, padding, dilation })
}

/// Leaves out of a window's numbers what leads nowhere: taps that lie behind the padding wherever the window is, and steps
/// where nothing follows. A dimension of `size` has `count` windows.
fn trim(p: &mut PoolParams, d: usize, size: usize, count: usize) {
    let last = (size + 2 * p.padding[d]).saturating_sub(1);
    p.kernel[d] = p.kernel[d].min(last.div_ceil(p.dilation[d]) + 1);
    if p.kernel[d] == 1 {
        p.dilation[d] = 1;
    }
    if count <= 1 {
        p.stride[d] = 1;
    }
}

/// The number of windows per dimension; with `ceil_mode` the last may stick out, but must start inside.
fn output_shape(name: &'static str, input: &Tensor, p: &mut PoolParams, ceil_mode: bool) -> Result<Shape> {
    let mut shape = Shape::from_slice(&input.shape()[..2]);
    for d in 0..p.spatial {
        let size = input.shape()[d + 2];
        let count = windows(size, p, d, ceil_mode).ok_or_else(|| {
            RusTorchError::shape(
                name,
                format!(
                    "input {:?} is too small for kernel_size {:?} with padding {:?}, or these are no sizes: output size \
                     would be less than 1",
                    input.shape(),
                    &p.kernel[..p.spatial],
                    &p.padding[..p.spatial]
                ),
            )
        })?;
        trim(p, d, size, count);
        shape.push(count);
    }
    Ok(shape)
}

/// How many windows a dimension of `size` has, if any.
fn windows(size: usize, p: &PoolParams, d: usize, ceil_mode: bool) -> Option<usize> {
    let stride = p.stride[d];
    let (padded, reach) = (padded(size, p.padding[d], p.padding[d])?, reach(p.kernel[d], p.dilation[d])?);
    let Some(room) = padded.checked_sub(reach) else {
        // One that starts inside and sticks out, if a step backward from its end is inside.
        return (ceil_mode && size > 0 && reach - padded < stride).then_some(1);
    };
    let more = ceil_mode && room % stride != 0 && (room / stride + 1) * stride < size + p.padding[d];
    (size > 0).then(|| room / stride + 1 + usize::from(more))
}

fn check_input(name: &'static str, input: &Tensor) -> Result<usize> {
    if (3..=5).contains(&input.ndim()) {
        return Ok(input.ndim() - 2);
    }
    Err(RusTorchError::shape(
        name,
        format!("expected (N, C, *spatial) with 1 to 3 spatial dimensions, got {:?}", input.shape()),
    ))
}

/// Max pooling with indices.
pub fn max_pool(
    input: &Tensor,
    kernel_size: &[i64],
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
    ceil_mode: bool,
) -> Result<(Tensor, Tensor)> {
    let spatial = check_input("max_pool", input)?;
    let window = Window { kernel: kernel_size, stride, padding, dilation };
    let mut p = params("max_pool", PoolOp::Max, spatial, &window)?;
    let shape = output_shape("max_pool", input, &mut p, ceil_mode)?;
    let values = Tensor::empty(&shape, input.dtype(), input.device())?;
    let indices = Tensor::empty(&shape, DType::Int64, input.device())?;
    if values.numel() > 0 {
        let input = contiguous(input)?;
        values.backend()?.run(kernel::Pool {
            params: p,
            input: input.operand(),
            output: values.operand(),
            indices: Some(indices.operand()),
        })?;
    }
    Ok((values, indices))
}

/// The gradient of max pooling by its input.
pub fn max_pool_input(grad_output: &Tensor, indices: &Tensor, shape: &[i64]) -> Result<Tensor> {
    let result = Tensor::empty(&sizes("max_pool", shape)?, grad_output.dtype(), grad_output.device())?;
    let spatial = grad_output.ndim() - 2;
    // The indices alone say where gradients go; the window does not matter.
    let p = PoolParams {
        op: PoolOp::Max,
        spatial,
        kernel: [1; 3],
        stride: [1; 3],
        padding: [0; 3],
        dilation: [1; 3],
    };
    if grad_output.numel() == 0 {
        result.backend()?.fill(result.operand(), 0.into())?;
    } else if result.numel() > 0 {
        let grad = contiguous(grad_output)?;
        result.backend()?.run(kernel::PoolGrad {
            params: p,
            grad: grad.operand(),
            indices: Some(indices.operand()),
            grad_input: result.operand(),
        })?;
    }
    Ok(result)
}

/// Average pooling.
pub fn avg_pool(
    input: &Tensor,
    kernel_size: &[i64],
    stride: &[i64],
    padding: &[i64],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: i64,
) -> Result<Tensor> {
    if !input.dtype().is_floating_point() && input.dtype() != DType::Int64 {
        return Err(RusTorchError::dtype(
            "avg_pool",
            format!("not implemented for {}; it takes floating-point tensors and int64", input.dtype()),
        ));
    }
    let spatial = check_input("avg_pool", input)?;
    let window = Window { kernel: kernel_size, stride, padding, dilation: &[1] };
    let mut p = params(
        "avg_pool",
        PoolOp::Average { count_include_pad, divisor_override: divisor },
        spatial,
        &window,
    )?;
    let shape = output_shape("avg_pool", input, &mut p, ceil_mode)?;
    let result = Tensor::empty(&shape, input.dtype(), input.device())?;
    if result.numel() > 0 {
        let input = contiguous(input)?;
        result.backend()?.run(kernel::Pool {
            params: p,
            input: input.operand(),
            output: result.operand(),
            indices: None,
        })?;
    }
    Ok(result)
}

/// The gradient of average pooling by its input.
pub fn avg_pool_input(
    grad_output: &Tensor,
    shape: &[i64],
    kernel_size: &[i64],
    stride: &[i64],
    padding: &[i64],
    count_include_pad: bool,
    divisor: i64,
) -> Result<Tensor> {
    let window = Window { kernel: kernel_size, stride, padding, dilation: &[1] };
    let mut p = params(
        "avg_pool",
        PoolOp::Average { count_include_pad, divisor_override: divisor },
        grad_output.ndim() - 2,
        &window,
    )?;
    let result = Tensor::empty(&sizes("avg_pool", shape)?, grad_output.dtype(), grad_output.device())?;
    for d in 0..p.spatial {
        trim(&mut p, d, result.shape()[d + 2], grad_output.shape()[d + 2]);
    }
    if grad_output.numel() == 0 {
        result.backend()?.fill(result.operand(), 0.into())?;
    } else if result.numel() > 0 {
        let grad = contiguous(grad_output)?;
        result.backend()?.run(kernel::PoolGrad {
            params: p,
            grad: grad.operand(),
            indices: None,
            grad_input: result.operand(),
        })?;
    }
    Ok(result)
}

/// Runs on a batch, or on one example without the batch dimension.
pub(super) fn batched<T>(
    name: &'static str,
    spatial: usize,
    input: &Tensor,
    run: impl FnOnce(&Tensor) -> Result<T>,
    unbatch: impl FnOnce(T) -> Result<T>,
) -> Result<T> {
    if input.ndim() == spatial + 1 {
        return unbatch(run(&ops::unsqueeze(input, 0)?)?);
    }
    if input.ndim() != spatial + 2 {
        return Err(RusTorchError::shape(
            name,
            format!("expected a {}D or {}D input, got {:?}", spatial + 1, spatial + 2, input.shape()),
        ));
    }
    run(input)
}

pub(super) fn drop_batch(t: &Tensor) -> Result<Tensor> {
    ops::squeeze(t, Some(&[0]))
}

macro_rules! max_pool_nd {
    ($($name:ident, $with_indices:ident, $spatial:literal;)*) => {$(
        /// Max pooling; shapes as the name says.
        pub fn $name(
            input: &Tensor,
            kernel_size: &[i64],
            stride: &[i64],
            padding: &[i64],
            dilation: &[i64],
            ceil_mode: bool,
        ) -> Result<Tensor> {
            Ok($with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)?.0)
        }

        /// Max pooling with the flat indices of the maxima.
        pub fn $with_indices(
            input: &Tensor,
            kernel_size: &[i64],
            stride: &[i64],
            padding: &[i64],
            dilation: &[i64],
            ceil_mode: bool,
        ) -> Result<(Tensor, Tensor)> {
            batched(
                stringify!($name),
                $spatial,
                input,
                |x| ops::max_pool(x, kernel_size, stride, padding, dilation, ceil_mode),
                |(values, indices)| Ok((drop_batch(&values)?, drop_batch(&indices)?)),
            )
        }
    )*};
}

max_pool_nd! {
    max_pool1d, max_pool1d_with_indices, 1;
    max_pool2d, max_pool2d_with_indices, 2;
    max_pool3d, max_pool3d_with_indices, 3;
}

fn avg_pool_nd(
    name: &'static str,
    spatial: usize,
    input: &Tensor,
    [kernel_size, stride, padding]: [&[i64]; 3],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: Option<i64>,
) -> Result<Tensor> {
    if divisor_override == Some(0) {
        return Err(RusTorchError::argument(name, "divisor must be not zero"));
    }
    let divisor = divisor_override.unwrap_or(0);
    batched(
        name,
        spatial,
        input,
        |x| ops::avg_pool(x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor),
        |t| drop_batch(&t),
    )
}

/// 1-D average pooling.
pub fn avg_pool1d(
    input: &Tensor,
    kernel_size: &[i64],
    stride: &[i64],
    padding: &[i64],
    ceil_mode: bool,
    count_include_pad: bool,
) -> Result<Tensor> {
    avg_pool_nd("avg_pool1d", 1, input, [kernel_size, stride, padding], ceil_mode, count_include_pad, None)
}

/// 2-D average pooling.
pub fn avg_pool2d(
    input: &Tensor,
    kernel_size: &[i64],
    stride: &[i64],
    padding: &[i64],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: Option<i64>,
) -> Result<Tensor> {
    avg_pool_nd(
        "avg_pool2d",
        2,
        input,
        [kernel_size, stride, padding],
        ceil_mode,
        count_include_pad,
        divisor_override,
    )
}

/// 3-D average pooling.
pub fn avg_pool3d(
    input: &Tensor,
    kernel_size: &[i64],
    stride: &[i64],
    padding: &[i64],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: Option<i64>,
) -> Result<Tensor> {
    avg_pool_nd(
        "avg_pool3d",
        3,
        input,
        [kernel_size, stride, padding],
        ceil_mode,
        count_include_pad,
        divisor_override,
    )
}

/// Averages a dimension into `count` windows of the same size.
fn average_evenly(input: &Tensor, d: usize, count: usize) -> Result<Tensor> {
    let n = input.shape()[d];
    if n == count {
        return Ok(input.clone());
    }
    let mut shape = input.shape().to_vec();
    shape.splice(d..=d, [count, n / count]);
    let split = super::shape_ops::reshape_to(input, &shape)?;
    ops::mean(&split, Some(&[d as i64 + 1]), false, None)
}

/// Averages the last dimensions into windows that cover them: window i spans floor(i n / count) to ceil((i + 1) n / count).
fn adaptive(name: &'static str, spatial: usize, input: &Tensor, output_size: &[i64]) -> Result<Tensor> {
    if input.ndim() != spatial + 1 && input.ndim() != spatial + 2 {
        return Err(RusTorchError::shape(
            name,
            format!("expected a {}D or {}D input, got {:?}", spatial + 1, spatial + 2, input.shape()),
        ));
    }
    let count = per_dimension(name, "output_size", output_size, spatial, 0, 1)?;
    let (lead, given) = input.shape().split_at(input.ndim() - spatial);
    if lead.last() == Some(&0) || given.contains(&0) {
        return Err(RusTorchError::shape(
            name,
            format!("expected an input without empty dimensions beside the batch, got {:?}", input.shape()),
        ));
    }
    let shape: Shape = lead.iter().chain(&count[..spatial]).copied().collect();
    if checked_numel(name, &shape)? == 0 {
        // Nothing is averaged, however many windows there would be.
        let mut none = input.clone();
        for (d, &count) in (lead.len() as i64..).zip(&count[..spatial]) {
            none = super::shape_ops::narrow(&none, d, 0, count.min(1) as i64)?;
        }
        return ops::contiguous(&super::shape_ops::expand_to(&none, &shape)?);
    }
    if given.iter().zip(&count).all(|(n, count)| n.is_multiple_of(*count)) {
        let dims = (lead.len()..).zip(&count[..spatial]);
        return dims
            .into_iter()
            .try_fold(input.clone(), |result, (d, &count)| average_evenly(&result, d, count));
    }
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            name,
            format!("not implemented for {}; it takes floating-point tensors", input.dtype()),
        ));
    }
    // Short: one per dimension.
    let sizes: Vec<i64> = count[..spatial].iter().map(|&n| n as i64).collect();
    let over = |x: &Tensor| ops::interpolate_over(x, "area", &sizes, &[], false, false);
    batched(name, spatial, input, over, |t| drop_batch(&t))
}

/// 1-D adaptive average pooling.
pub fn adaptive_avg_pool1d(input: &Tensor, output_size: &[i64]) -> Result<Tensor> {
    adaptive("adaptive_avg_pool1d", 1, input, output_size)
}

/// 2-D adaptive average pooling.
pub fn adaptive_avg_pool2d(input: &Tensor, output_size: &[i64]) -> Result<Tensor> {
    adaptive("adaptive_avg_pool2d", 2, input, output_size)
}

/// 3-D adaptive average pooling.
pub fn adaptive_avg_pool3d(input: &Tensor, output_size: &[i64]) -> Result<Tensor> {
    adaptive("adaptive_avg_pool3d", 3, input, output_size)
}

/// The norm of each window: the mean of the powers, times the window's size, and the root of that.
fn lp_pool(
    spatial: usize,
    input: &Tensor,
    norm_type: f64,
    kernel_size: &[i64],
    stride: &[i64],
    ceil_mode: bool,
) -> Result<Tensor> {
    const NAMES: [&str; 3] = ["lp_pool1d", "lp_pool2d", "lp_pool3d"];
    let op = NAMES[spatial - 1];
    let size = checked_product(op, &per_dimension(op, "kernel_size", kernel_size, spatial, 1, 1)?)? as f64;
    if norm_type.is_infinite() {
        // The largest size, or the smallest: the limits of the norms.
        let max_pool = [ops::max_pool1d, ops::max_pool2d, ops::max_pool3d][spatial - 1];
        let extreme = |x: &Tensor| max_pool(x, kernel_size, stride, &[0], &[1], ceil_mode);
        let sizes = ops::abs(input)?;
        return if norm_type > 0.0 { extreme(&sizes) } else { ops::neg(&extreme(&ops::neg(&sizes)?)?) };
    }
    if norm_type == 0.0 {
        return Err(RusTorchError::argument(op, "norm_type must not be 0"));
    }
    // Relative to the largest size of a plane, whose power neither overflows nor vanishes.
    let planes = &[-1, -2, -3][..spatial];
    let scale = if input.numel() == 0 || !input.dtype().is_floating_point() {
        Tensor::number(1.0)?
    } else {
        super::norm::power_of_two(&ops::amax(&ops::abs(&input.detach())?, planes, true)?)?
    };
    let powers = ops::pow(&ops::div(input, &scale, None)?, &Tensor::number(norm_type)?)?;
    let means = avg_pool_nd(op, spatial, &powers, [kernel_size, stride, &[0]], ceil_mode, true, None)?;
    let sizes = ops::mul(&ops::sign(&means)?, &ops::relu(&ops::abs(&means)?)?)?;
    let norms = ops::pow(&ops::mul(&sizes, &Tensor::number(size)?)?, &Tensor::number(norm_type.recip())?)?;
    ops::mul(&norms, &scale)
}

macro_rules! lp_pool_nd {
    ($($name:ident, $spatial:literal;)*) => {$(
        /// Norms of windows; shapes as the name says.
        pub fn $name(
            input: &Tensor,
            norm_type: f64,
            kernel_size: &[i64],
            stride: &[i64],
            ceil_mode: bool,
        ) -> Result<Tensor> {
            lp_pool($spatial, input, norm_type, kernel_size, stride, ceil_mode)
        }
    )*};
}

lp_pool_nd! {
    lp_pool1d, 1;
    lp_pool2d, 2;
    lp_pool3d, 3;
}
