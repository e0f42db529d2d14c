//! Convolutions.

use rustorch_backend::sizes::{padded, reach};
use rustorch_backend::{ConvParams, Shape, checked_product, kernel};
use rustorch_error::{Result, RusTorchError};

use super::contiguity::contiguous;
use super::creation::sizes;
use super::padding::padded_input;
use super::spatial_arguments::per_dimension;
use crate::{Tensor, ops};

fn params(
    op: &'static str,
    spatial: usize,
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
    groups: i64,
) -> Result<ConvParams> {
    Ok(ConvParams {
        spatial,
        stride: per_dimension(op, "stride", stride, spatial, 1, 1)?,
        padding: per_dimension(op, "padding", padding, spatial, 0, 0)?,
        dilation: per_dimension(op, "dilation", dilation, spatial, 1, 1)?,
        groups: usize::try_from(groups)
            .ok()
            .filter(|&g| g > 0)
            .ok_or_else(|| RusTorchError::argument(op, format!("groups must be positive, got {groups}")))?,
    })
}

fn check_dtypes(op: &'static str, tensors: &[&Tensor]) -> Result<()> {
    let first = tensors[0].dtype();
    if !first.is_floating_point() && !first.is_integral(false) {
        return Err(RusTorchError::dtype(
            op,
            format!("not implemented for {first}; it takes floating-point and integer tensors"),
        ));
    }
    if let Some(other) = tensors.iter().find(|t| t.dtype() != first) {
        return Err(RusTorchError::dtype(
            op,
            format!("input type ({first}) and weight or bias type ({}) should be the same", other.dtype()),
        ));
    }
    Ok(())
}

/// The public op of so many spatial dimensions, for errors.
fn name_of(spatial: usize) -> &'static str {
    match spatial {
        1 => "conv1d",
        2 => "conv2d",
        3 => "conv3d",
        _ => "convolution",
    }
}

/// The output's spatial sizes.
fn output_shape(input: &Tensor, weight: &Tensor, p: &ConvParams) -> Result<Shape> {
    let op = name_of(p.spatial);
    let (x, w) = (input.shape(), weight.shape());
    let describe = || format!("input {x:?}, weight {w:?}, groups {}", p.groups);
    let channels = w[1].saturating_mul(p.groups);
    if x[1] != channels || w[0] % p.groups != 0 {
        return Err(RusTorchError::shape(
            op,
            format!(
                "the input must have weight.shape[1] * groups = {channels} channels, and the weight's {} outputs must \
                 be a multiple of groups; got {}",
                w[0],
                describe()
            ),
        ));
    }
    let mut shape: Shape = smallvec::smallvec![x[0], w[0]];
    for d in 0..p.spatial {
        let size = padded(x[d + 2], p.padding[d], p.padding[d]);
        let kernel = reach(w[d + 2], p.dilation[d]);
        let Some(room) = size.zip(kernel).and_then(|(size, kernel)| size.checked_sub(kernel)) else {
            let told = |n: Option<usize>| n.map_or("none that fits memory".into(), |n| n.to_string());
            return Err(RusTorchError::shape(
                op,
                format!(
                    "the padded input size ({}) is smaller than the kernel size ({}) in dimension {}, or not a size; {}, \
                     padding {}, dilation {}",
                    told(size),
                    told(kernel),
                    d + 2,
                    describe(),
                    p.padding[d],
                    p.dilation[d]
                ),
            ));
        };
        shape.push(room / p.stride[d] + 1);
    }
    Ok(shape)
}

/// Cross-correlation.
pub fn convolution(
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
    groups: i64,
) -> Result<Tensor> {
    let op = name_of(input.ndim().saturating_sub(2));
    if !(3..=5).contains(&input.ndim()) || weight.ndim() != input.ndim() {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected input (N, C, *spatial) and weight (C_out, C / groups, *kernel) with 1 to 3 spatial dimensions, \
                 got {:?} and {:?}",
                input.shape(),
                weight.shape()
            ),
        ));
    }
    match bias {
        Some(bias) => check_dtypes(op, &[input, weight, bias])?,
        None => check_dtypes(op, &[input, weight])?,
    }
    let p = params(op, input.ndim() - 2, stride, padding, dilation, groups)?;
    let shape = output_shape(input, weight, &p)?;
    if let Some(bias) = bias
        && bias.shape() != [shape[1]]
    {
        return Err(RusTorchError::shape(
            op,
            format!("bias must have shape [{}], one per output channel, got {:?}", shape[1], bias.shape()),
        ));
    }
    if !input.dtype().is_floating_point() {
        let result =
            super::integer_convolution::forward(input, weight, [stride, padding, dilation], p.groups)?;
        return match bias {
            Some(bias) => add_channels(&result, bias),
            None => Ok(result),
        };
    }
    let output = Tensor::empty(&shape, input.dtype(), input.device())?;
    if output.numel() > 0 {
        output.backend()?.run(kernel::Convolution {
            params: p,
            input: input.operand(),
            weight: weight.operand(),
            bias: bias.map(Tensor::operand),
            output: output.operand(),
        })?;
    }
    Ok(output)
}

/// The gradient of a convolution by its input.
pub fn conv_input(
    grad_output: &Tensor,
    weight: &Tensor,
    shape: &[i64],
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
    groups: i64,
) -> Result<Tensor> {
    let op = "convolution";
    check_dtypes(op, &[grad_output, weight])?;
    let p = params(op, grad_output.ndim() - 2, stride, padding, dilation, groups)?;
    if !grad_output.dtype().is_floating_point() {
        let windows = [stride, padding, dilation];
        return super::integer_convolution::transposed(grad_output, weight, shape, windows, p.groups);
    }
    let result = Tensor::empty(&sizes(op, shape)?, grad_output.dtype(), grad_output.device())?;
    let grad = contiguous(grad_output)?;
    if grad.numel() == 0 {
        result.backend()?.fill(result.operand(), 0.into())?;
    } else if result.numel() > 0 {
        result.backend()?.run(kernel::ConvolutionGradInput {
            params: p,
            grad: grad.operand(),
            weight: weight.operand(),
            grad_input: result.operand(),
        })?;
    }
    Ok(result)
}

/// The gradient of a convolution by its weight.
pub fn conv_weight(
    grad_output: &Tensor,
    input: &Tensor,
    shape: &[i64],
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
    groups: i64,
) -> Result<Tensor> {
    let op = "convolution";
    check_dtypes(op, &[grad_output, input])?;
    let p = params(op, grad_output.ndim() - 2, stride, padding, dilation, groups)?;
    let result = Tensor::empty(&sizes(op, shape)?, grad_output.dtype(), grad_output.device())?;
    let grad = contiguous(grad_output)?;
    if grad.numel() == 0 {
        result.backend()?.fill(result.operand(), 0.into())?;
    } else if result.numel() > 0 {
        result.backend()?.run(kernel::ConvolutionGradWeight {
            params: p,
            grad: grad.operand(),
            input: input.operand(),
            grad_weight: result.operand(),
        })?;
    }
    Ok(result)
}

/// Adds one number per channel, dimension 1.
pub(super) fn add_channels(input: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let mut shape = vec![1; input.ndim()];
    shape[1] = bias.numel();
    ops::add(input, &super::shape_ops::reshape_to(bias, &shape)?, 1.into())
}

/// A convolution of `spatial` dimensions over a batch, or over one example without the batch dimension.
fn conv(
    op: &'static str,
    spatial: usize,
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    [stride, padding, dilation]: [&[i64]; 3],
    groups: i64,
) -> Result<Tensor> {
    let single = input.ndim() == spatial + 1;
    if (!single && input.ndim() != spatial + 2) || weight.ndim() != spatial + 2 {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected a {}D (unbatched) or {}D (batched) input and a {}D weight, got input {:?} and weight {:?}",
                spatial + 1,
                spatial + 2,
                spatial + 2,
                input.shape(),
                weight.shape()
            ),
        ));
    }
    let batched = if single { ops::unsqueeze(input, 0)? } else { input.clone() };
    let result = ops::convolution(&batched, weight, bias, stride, padding, dilation, groups)?;
    if single { ops::squeeze(&result, Some(&[0])) } else { Ok(result) }
}

macro_rules! conv_nd {
    ($($name:ident, $padded:ident, $spatial:literal, $doc:literal;)*) => {$(
        #[doc = $doc]
        pub fn $name(
            input: &Tensor,
            weight: &Tensor,
            bias: Option<&Tensor>,
            stride: &[i64],
            padding: &[i64],
            dilation: &[i64],
            groups: i64,
        ) -> Result<Tensor> {
            conv(stringify!($name), $spatial, input, weight, bias, [stride, padding, dilation], groups)
        }

        #[doc = $doc]
        #[doc = "The padding is `valid` or `same`."]
        pub fn $padded(
            input: &Tensor,
            weight: &Tensor,
            bias: Option<&Tensor>,
            stride: &[i64],
            padding: &str,
            dilation: &[i64],
            groups: i64,
        ) -> Result<Tensor> {
            let op = stringify!($name);
            let (input, padding) = padded_input(op, $spatial, input, weight, [stride, dilation], padding)?;
            conv(op, $spatial, &input, weight, bias, [stride, &padding, dilation], groups)
        }
    )*};
}

conv_nd! {
    conv1d, conv1d_padding, 1, "1-D convolution.";
    conv2d, conv2d_padding, 2, "2-D convolution.";
    conv3d, conv3d_padding, 3, "3-D convolution.";
}

/// The sizes of a transposed convolution's output, before anything is cropped, and the output padding.
fn transposed_sizes(
    op: &'static str,
    input: &[usize],
    kernel: &[usize],
    p: &ConvParams,
    output_padding: &[i64],
) -> Result<(Vec<i64>, [usize; 3])> {
    let extra = per_dimension(op, "output_padding", output_padding, p.spatial, 0, 0)?;
    let mut full = Vec::new();
    for d in 0..p.spatial {
        let (stride, dilation) = (p.stride[d], p.dilation[d]);
        if extra[d] >= stride.max(dilation) {
            return Err(RusTorchError::argument(
                op,
                format!(
                    "output padding must be smaller than either stride or dilation, but got output_padding={}, stride={stride} \
                     and dilation={dilation} in spatial dimension {d}",
                    extra[d]
                ),
            ));
        }
        // Numbers of 64 bits each: no sum of their products leaves 128.
        let wide = |n: usize| n as i128;
        let size = (wide(input[d]) - 1) * wide(stride) + wide(dilation) * (wide(kernel[d]) - 1) + 1;
        let cropped = size - 2 * wide(p.padding[d]) + wide(extra[d]);
        let fits = size <= wide(isize::MAX as usize) && cropped <= wide(isize::MAX as usize);
        if input[d] == 0 || kernel[d] == 0 || cropped < 1 || !fits {
            return Err(RusTorchError::shape(
                op,
                format!(
                    "spatial dimension {d} of size {} with a kernel of {}, stride {stride}, padding {} and dilation {dilation} \
                     would give the size {cropped}: output size is too {}",
                    input[d],
                    kernel[d],
                    p.padding[d],
                    if fits { "small" } else { "large" }
                ),
            ));
        }
        full.push(size as i64);
    }
    Ok((full, extra))
}

/// A transposed convolution: the gradient of a convolution by its input, as a function of its own.
fn conv_transpose(
    op: &'static str,
    spatial: usize,
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    [stride, padding, output_padding, dilation]: [&[i64]; 4],
    groups: i64,
) -> Result<Tensor> {
    if input.ndim() == spatial + 1 {
        let batch = ops::unsqueeze(input, 0)?;
        let sizes = [stride, padding, output_padding, dilation];
        let result = conv_transpose(op, spatial, &batch, weight, bias, sizes, groups)?;
        return ops::squeeze(&result, Some(&[0]));
    }
    let describe = || format!("input {:?}, weight {:?}, groups {groups}", input.shape(), weight.shape());
    if input.ndim() != spatial + 2 || weight.ndim() != spatial + 2 {
        return Err(RusTorchError::shape(
            op,
            format!(
                "expected a {}D (unbatched) or {}D (batched) input and a {}D weight, got {}",
                spatial + 1,
                spatial + 2,
                spatial + 2,
                describe()
            ),
        ));
    }
    check_dtypes(op, &[input, weight])?;
    let p = params(op, spatial, stride, padding, dilation, groups)?;
    let channels = checked_product(op, &[weight.shape()[1], p.groups])?;
    if input.shape()[1] != weight.shape()[0] || !weight.shape()[0].is_multiple_of(p.groups) {
        return Err(RusTorchError::shape(
            op,
            format!(
                "the input must have weight.shape[0] = {} channels, a multiple of groups; got {}",
                weight.shape()[0],
                describe()
            ),
        ));
    }
    if let Some(bias) = bias {
        check_dtypes(op, &[input, bias])?;
        if bias.shape() != [channels] {
            return Err(RusTorchError::shape(
                op,
                format!("bias must have shape [{channels}], one per output channel, got {:?}", bias.shape()),
            ));
        }
    }
    let (full, extra) = transposed_sizes(op, &input.shape()[2..], &weight.shape()[2..], &p, output_padding)?;
    let mut shape = vec![input.shape()[0] as i64, channels as i64];
    let cropped = |d: usize| full[d] - 2 * p.padding[d] as i64 + extra[d] as i64;
    let result = if (0..spatial).all(|d| extra[d] < p.stride[d] && cropped(d) > extra[d] as i64) {
        shape.extend((0..spatial).map(cropped));
        ops::conv_input(input, weight, &shape, stride, padding, dilation, groups)?
    } else {
        // An output padding as large as the stride is not what any convolution leaves over: cropped by a pad.
        shape.extend_from_slice(&full);
        let whole = ops::conv_input(input, weight, &shape, stride, &[0], dilation, groups)?;
        let crop = |d: usize| [-(p.padding[d] as i64), extra[d] as i64 - p.padding[d] as i64];
        let pad: Vec<i64> = (0..spatial).rev().flat_map(crop).collect();
        ops::constant_pad_nd(&whole, &pad, 0.into())?
    };
    match bias {
        Some(bias) => add_channels(&result, bias),
        None => Ok(result),
    }
}

macro_rules! conv_transpose_nd {
    ($($name:ident, $spatial:literal, $doc:literal;)*) => {$(
        #[doc = $doc]
        #[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
        pub fn $name(
            input: &Tensor,
            weight: &Tensor,
            bias: Option<&Tensor>,
            stride: &[i64],
            padding: &[i64],
            output_padding: &[i64],
            groups: i64,
            dilation: &[i64],
        ) -> Result<Tensor> {
            let sizes = [stride, padding, output_padding, dilation];
            conv_transpose(stringify!($name), $spatial, input, weight, bias, sizes, groups)
        }
    )*};
}

conv_transpose_nd! {
    conv_transpose1d, 1, "1-D transposed convolution.";
    conv_transpose2d, 2, "2-D transposed convolution.";
    conv_transpose3d, 3, "3-D transposed convolution.";
}
