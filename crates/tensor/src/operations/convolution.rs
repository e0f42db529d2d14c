//! Convolutions.

use rustorch_backend::{ConvParams, Shape};
use rustorch_error::{Result, RusTorchError};

use super::creation::sizes;
use super::elementwise::contiguous;
use crate::{Tensor, ops};

/// One value per spatial dimension, from one for all or one each.
pub(crate) fn per_dimension(
    op: &'static str,
    name: &str,
    values: &[i64],
    spatial: usize,
    least: i64,
    fill: usize,
) -> Result<[usize; 3]> {
    if (values.len() != 1 && values.len() != spatial) || values.iter().any(|&v| v < least) {
        return Err(RusTorchError::argument(
            op,
            format!("{name} must be one integer >= {least} or {spatial} of them, got {values:?}"),
        ));
    }
    let mut out = [fill; 3];
    for (d, slot) in out.iter_mut().enumerate().take(spatial) {
        *slot = values[if values.len() == 1 { 0 } else { d }] as usize;
    }
    Ok(out)
}

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
    if !first.is_floating_point() {
        return Err(RusTorchError::dtype(
            op,
            format!("not implemented for {first}; it takes floating-point tensors"),
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
    if x[1] != w[1] * p.groups || w[0] % p.groups != 0 {
        return Err(RusTorchError::shape(
            op,
            format!(
                "the input must have weight.shape[1] * groups = {} channels, and the weight's {} outputs must be a \
                 multiple of groups; got {}",
                w[1] * p.groups,
                w[0],
                describe()
            ),
        ));
    }
    let mut shape: Shape = smallvec::smallvec![x[0], w[0]];
    for d in 0..p.spatial {
        let (size, kernel) = (x[d + 2] + 2 * p.padding[d], p.dilation[d] * (w[d + 2].max(1) - 1) + 1);
        if w[d + 2] == 0 || size < kernel {
            return Err(RusTorchError::shape(
                op,
                format!(
                    "the padded input size {size} is smaller than the kernel size {kernel} in dimension {}; {}",
                    d + 2,
                    describe()
                ),
            ));
        }
        shape.push((size - kernel) / p.stride[d] + 1);
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
    let output = Tensor::empty(&shape, input.dtype(), input.device())?;
    if output.numel() > 0 {
        output.backend()?.convolution(
            &p,
            input.operand(),
            weight.operand(),
            bias.map(Tensor::operand),
            output.operand(),
        )?;
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
    let result = Tensor::empty(&sizes(op, shape)?, grad_output.dtype(), grad_output.device())?;
    let grad = contiguous(grad_output)?;
    if grad.numel() == 0 {
        result.backend()?.fill(result.operand(), 0.into())?;
    } else if result.numel() > 0 {
        result.backend()?.convolution_grad_input(&p, grad.operand(), weight.operand(), result.operand())?;
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
        result.backend()?.convolution_grad_weight(&p, grad.operand(), input.operand(), result.operand())?;
    }
    Ok(result)
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
    ($($name:ident, $spatial:literal, $doc:literal;)*) => {$(
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
    )*};
}

conv_nd! {
    conv1d, 1, "1-D convolution.";
    conv2d, 2, "2-D convolution.";
    conv3d, 3, "3-D convolution.";
}
