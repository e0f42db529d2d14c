//! Convolutions: by the vendor's library where it has them, else by this crate's kernels.

use rustorch_backend::{ConvParams, Operand, kernel};
use rustorch_error::{Result, RusTorchError};

use super::conv::{self, Geometry, OP};
use crate::device::Device;
use crate::vendor_library::{Convolution, ConvolutionPart, float32_matmul_precision};

/// Whether shapes and dtypes fit each other.
fn check(
    params: &ConvParams,
    [input, weight, output]: [Operand<'_>; 3],
    bias: Option<Operand<'_>>,
) -> Result<()> {
    let g = Geometry::new(params, input, weight, output)?;
    if let Some(bias) =
        bias.filter(|b| b.dtype != output.dtype || *b.layout.shape() != [g.groups * g.filters])
    {
        return Err(RusTorchError::unsupported(
            OP,
            format!("a bias {:?} of {}", bias.layout.shape(), bias.dtype),
        ));
    }
    Ok(())
}

/// Asks the library.
fn by_library<'a>(
    device: &dyn Device,
    part: ConvolutionPart,
    params: &'a ConvParams,
    [input, weight, output]: [Operand<'a>; 3],
    bias: Option<Operand<'a>>,
) -> Result<bool> {
    check(params, [input, weight, output], bias)?;
    let precision = float32_matmul_precision();
    device.library_convolution(&Convolution { part, params, input, weight, output, bias, precision })
}

pub(crate) fn convolution(device: &dyn Device, kernel: &kernel::Convolution<Operand<'_>>) -> Result<()> {
    let &kernel::Convolution { ref params, input, weight, bias, output } = kernel;
    if by_library(device, ConvolutionPart::Forward, params, [input, weight, output], bias)? {
        return Ok(());
    }
    conv::convolution(device, kernel)
}

pub(crate) fn convolution_grad_input(
    device: &dyn Device,
    kernel: &kernel::ConvolutionGradInput<Operand<'_>>,
) -> Result<()> {
    let &kernel::ConvolutionGradInput { ref params, grad, weight, grad_input } = kernel;
    if by_library(device, ConvolutionPart::GradInput, params, [grad_input, weight, grad], None)? {
        return Ok(());
    }
    conv::convolution_grad_input(device, kernel)
}

pub(crate) fn convolution_grad_weight(
    device: &dyn Device,
    kernel: &kernel::ConvolutionGradWeight<Operand<'_>>,
) -> Result<()> {
    let &kernel::ConvolutionGradWeight { ref params, grad, input, grad_weight } = kernel;
    if by_library(device, ConvolutionPart::GradWeight, params, [input, grad_weight, grad], None)? {
        return Ok(());
    }
    conv::convolution_grad_weight(device, kernel)
}
