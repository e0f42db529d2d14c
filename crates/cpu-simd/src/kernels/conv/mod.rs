//! Convolution over one to three spatial dimensions, and its gradients, as implicit matrix products.
//!
//! Images are copied once into padded planes, one per residue of the stride ([`planes`]), in which every tap of the
//! kernel is a shifted view. So the matrix that a convolution multiplies by is never built: the microkernels read its
//! rows from the planes through a table of offsets ([`implicit`]).

mod forward;
mod grad_input;
mod grad_weight;
mod implicit;
mod planes;
#[cfg(test)]
mod tests;

pub use rustorch_backend::volume;
use rustorch_backend::{ConvParams, DType, Operand, kernel};
use rustorch_error::{Result, RusTorchError};

use super::dense::{ComputeType, Dense, fill_contiguous, unsupported};
use super::matmul::tables::Gemm;
pub use forward::forward;
pub use grad_input::grad_input;
pub use grad_weight::grad_weight;

const OP: &str = "convolution";

/// A convolution's sizes, always with three spatial dimensions: those that are missing have size 1.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// Images.
    pub batch: usize,
    /// Independent channel groups.
    pub groups: usize,
    /// Input channels per group.
    pub channels: usize,
    /// Output channels per group.
    pub filters: usize,
    /// Sizes of the input's planes.
    pub input: [usize; 3],
    /// Sizes of the kernel.
    pub kernel: [usize; 3],
    /// Sizes of the output's planes.
    pub output: [usize; 3],
    /// Steps of the window.
    pub stride: [usize; 3],
    /// Zeros at both ends.
    pub padding: [usize; 3],
    /// Distances between taps.
    pub dilation: [usize; 3],
}

impl Geometry {
    /// From the shapes of input, weight and output, which are checked against each other.
    pub fn new(params: &ConvParams, input: &[usize], weight: &[usize], output: &[usize]) -> Result<Self> {
        let fail = || {
            let message =
                format!("input {input:?}, weight {weight:?}, output {output:?} do not fit {params:?}");
            RusTorchError::shape(OP, message)
        };
        let spatial = params.spatial;
        let lengths = [input, weight, output].map(<[usize]>::len);
        if !(1..=3).contains(&spatial) || lengths != [spatial + 2; 3] || params.groups == 0 {
            return Err(fail());
        }
        let sizes = |shape: &[usize], fill| {
            let mut all = [fill; 3];
            all[3 - spatial..].copy_from_slice(&shape[..spatial]);
            all
        };
        let geometry = Geometry {
            batch: input[0],
            groups: params.groups,
            channels: weight[1],
            filters: weight[0] / params.groups,
            input: sizes(&input[2..], 1),
            kernel: sizes(&weight[2..], 1),
            output: sizes(&output[2..], 1),
            stride: sizes(&params.stride, 1),
            padding: sizes(&params.padding, 0),
            dilation: sizes(&params.dilation, 1),
        };
        let fits = output[0] == geometry.batch
            && input[1] == geometry.groups * geometry.channels
            && weight[0] == geometry.groups * geometry.filters
            && output[1] == weight[0]
            && (0..3).all(|d| {
                let reach = geometry.dilation[d] * geometry.kernel[d].saturating_sub(1) + 1;
                let padded = geometry.input[d] + 2 * geometry.padding[d];
                geometry.kernel[d] > 0
                    && geometry.stride[d] > 0
                    && geometry.dilation[d] > 0
                    && padded >= reach
                    && (padded - reach) / geometry.stride[d] + 1 == geometry.output[d]
            });
        if fits { Ok(geometry) } else { Err(fail()) }
    }

    /// Multiply-adds of one image and group.
    pub fn work(&self) -> usize {
        volume([self.filters, self.channels, volume(self.kernel), volume(self.output)])
    }

    /// Elements of one group's input planes, output planes and weight.
    pub fn group_sizes(&self) -> (usize, usize, usize) {
        let weight = self.filters * self.channels * volume(self.kernel);
        (self.channels * volume(self.input), self.filters * volume(self.output), weight)
    }
}

macro_rules! by_dtype {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            DType::Float32 | DType::Float16 | DType::BFloat16 => {
                type $T = f32;
                $body
            }
            DType::Float64 => {
                type $T = f64;
                $body
            }
            dtype => Err(unsupported(OP, dtype)),
        }
    };
}

/// Cross-correlates `(N, C_in, *in)` with `(C_out, C_in / groups, *kernel)` into `(N, C_out, *out)` and adds the bias,
/// one element per output channel. Half precisions are computed in float32 and rounded once.
pub fn convolution(kernel: &kernel::Convolution<Operand<'_>>) -> Result<()> {
    let &kernel::Convolution { ref params, input, weight, bias, output } = kernel;
    let geometry = Geometry::new(params, input.layout.shape(), weight.layout.shape(), output.layout.shape())?;
    if let Some(shape) =
        bias.map(|bias| bias.layout.shape()).filter(|shape| **shape != [weight.layout.shape()[0]])
    {
        return Err(RusTorchError::shape(
            OP,
            format!("bias {shape:?} does not fit weight {:?}", weight.layout.shape()),
        ));
    }
    by_dtype!(output.dtype, T => {
        let (input, weight) = (Dense::<T>::contiguous(OP, input)?, Dense::<T>::contiguous(OP, weight)?);
        let bias = bias.map(|bias| Dense::<T>::contiguous(OP, bias)).transpose()?;
        let bias = bias.as_ref().map_or(std::ptr::null(), Dense::as_ptr);
        fill_contiguous(OP, output, |output| {
            // SAFETY: the operands are valid for the shapes, which fit each other.
            unsafe { forward(&geometry, input.as_ptr(), weight.as_ptr(), bias, output, <T as Gemm>::kernels()) }
        })
    })
}

/// The gradient of [`convolution`] by its input, from the gradient of its output; also the transposed convolution.
pub fn convolution_grad_input(kernel: &kernel::ConvolutionGradInput<Operand<'_>>) -> Result<()> {
    let &kernel::ConvolutionGradInput { ref params, grad, weight, grad_input: input_grad } = kernel;
    let geometry =
        Geometry::new(params, input_grad.layout.shape(), weight.layout.shape(), grad.layout.shape())?;
    by_dtype!(input_grad.dtype, T => {
        let (grad, weight) = (Dense::<T>::contiguous(OP, grad)?, Dense::<T>::contiguous(OP, weight)?);
        fill_contiguous(OP, input_grad, |output| {
            // SAFETY: the operands are valid for the shapes, which fit each other.
            unsafe { grad_input(&geometry, grad.as_ptr(), weight.as_ptr(), output, <T as Gemm>::kernels()) }
        })
    })
}

/// The gradient of [`convolution`] by its weight, from the gradient of its output.
pub fn convolution_grad_weight(kernel: &kernel::ConvolutionGradWeight<Operand<'_>>) -> Result<()> {
    let &kernel::ConvolutionGradWeight { ref params, grad, input, grad_weight: weight_grad } = kernel;
    let geometry =
        Geometry::new(params, input.layout.shape(), weight_grad.layout.shape(), grad.layout.shape())?;
    by_dtype!(weight_grad.dtype, T => {
        let (grad, input) = (Dense::<T>::contiguous(OP, grad)?, Dense::<T>::contiguous(OP, input)?);
        fill_contiguous(OP, weight_grad, |output| {
            // SAFETY: the operands are valid for the shapes, which fit each other.
            unsafe { grad_weight(&geometry, grad.as_ptr(), input.as_ptr(), output, <T as Gemm>::kernels()) }
        })
    })
}

/// What the kernels of this folder compute in.
pub trait Element: ComputeType + Gemm {}
impl<T: ComputeType + Gemm> Element for T {}
