//! Convolutional layers: one implementation for one, two and three spatial dimensions.

use rustorch_backend::volume;
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Tensor, TensorOptions, ops};

use super::linear::initialize_by_fan_in;
use super::parameters::{Declaration, Handed, Parameters, Role, optional, required};
use super::{ConvolutionLayer, Layer, ParameterizedLayer};
use crate::functional::{Padding, PaddingMode, convolution};

/// What a [`Conv`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvConfig<const D: usize> {
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Sizes of the window.
    pub kernel_size: [usize; D],
    /// Steps of the window.
    pub stride: [usize; D],
    /// How much is added around the input.
    pub padding: Padding,
    /// What is added around the input.
    pub padding_mode: PaddingMode,
    /// Distances between the window's taps.
    pub dilation: [usize; D],
    /// The number of independent groups of channels; divides both channel counts.
    pub groups: usize,
    /// Whether a vector is added.
    pub bias: bool,
}

impl<const D: usize> ConvConfig<D> {
    /// Stride, dilation and groups 1, no padding, with a bias.
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: [usize; D]) -> Self {
        ConvConfig {
            in_channels,
            out_channels,
            kernel_size,
            stride: [1; D],
            padding: Padding::Valid,
            padding_mode: PaddingMode::Zeros,
            dilation: [1; D],
            groups: 1,
            bias: true,
        }
    }

    /// With so many zeros at both ends of every spatial dimension.
    pub fn padding(mut self, zeros: usize) -> Self {
        self.padding = Padding::Explicit(vec![zeros as i64; D]);
        self
    }

    /// With the same step in every spatial dimension.
    pub fn stride(mut self, stride: usize) -> Self {
        self.stride = [stride; D];
        self
    }

    fn check(&self) -> Result<()> {
        let fail = |message: &str| Err(RusTorchError::argument("conv", message));
        if self.groups == 0 {
            return fail("groups must be a positive integer");
        }
        if !self.in_channels.is_multiple_of(self.groups) {
            return fail("in_channels must be divisible by groups");
        }
        if !self.out_channels.is_multiple_of(self.groups) {
            return fail("out_channels must be divisible by groups");
        }
        if self.padding == Padding::Same && self.stride.iter().any(|&s| s != 1) {
            return fail("padding='same' is not supported for strided convolutions");
        }
        Ok(())
    }
}

/// Cross-correlation of `(N, in_channels, *spatial)` with a learned window, over `D` spatial dimensions.
///
/// Weight `(out_channels, in_channels / groups, *kernel_size)` and bias `(out_channels)` start uniform within
/// `±1/√fan_in`.
#[derive(Debug)]
pub struct Conv<const D: usize> {
    config: ConvConfig<D>,
    // The op's form of the configuration, so that a call converts nothing.
    stride: [i64; D],
    dilation: [i64; D],
    parameters: Parameters,
}

/// Over (N, C, L).
pub type Conv1d = Conv<1>;
/// Over (N, C, H, W).
pub type Conv2d = Conv<2>;
/// Over (N, C, D, H, W).
pub type Conv3d = Conv<3>;

impl<const D: usize> Conv<D> {
    /// A layer with fresh parameters.
    pub fn new(config: ConvConfig<D>, options: TensorOptions) -> Result<Self> {
        let mut layer = Self::configuration(config)?;
        layer.parameters = Parameters::of(&layer, options)?;
        Ok(layer)
    }

    /// A layer without tensors of its own, for [`ParameterizedLayer::forward_with`].
    pub fn configuration(config: ConvConfig<D>) -> Result<Self> {
        config.check()?;
        let (stride, dilation) = (config.stride.map(|n| n as i64), config.dilation.map(|n| n as i64));
        Ok(Conv { config, stride, dilation, parameters: Parameters::default() })
    }

    fn fan_in(&self) -> usize {
        self.config.in_channels / self.config.groups * volume(&self.config.kernel_size)
    }
}

impl<const D: usize> Layer for Conv<D> {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.parameters.forward(self, input)
    }

    fn visit(&self, prefix: &str, visitor: &mut dyn FnMut(&str, &Tensor, Role)) {
        self.parameters.visit(prefix, visitor);
    }
}

impl<const D: usize> ParameterizedLayer for Conv<D> {
    fn declarations(&self) -> Vec<Declaration> {
        let config = &self.config;
        let mut shape = vec![config.out_channels, config.in_channels / config.groups];
        shape.extend(config.kernel_size);
        vec![
            Declaration::learned("weight", &shape),
            Declaration::learned("bias", &[config.out_channels]).when(config.bias),
        ]
    }

    fn initialize(&self, tensors: Handed<'_>) -> Result<()> {
        initialize_by_fan_in(tensors, self.fan_in())
    }

    fn forward_with(&self, tensors: Handed<'_>, input: &Tensor) -> Result<Tensor> {
        let weight = required("conv", tensors, 0, "weight")?;
        let (bias, groups) = (optional(tensors, 1), self.config.groups as i64);
        let run = |input: &Tensor, padding: &Padding| {
            convolution(input, weight, bias, &self.stride, padding, &self.dilation, groups)
        };
        let Some(mode) = self.config.padding_mode.name() else {
            return run(input, &self.config.padding);
        };
        // `pad` begins with the last dimension.
        let amounts = self.config.padding.amounts(&self.config.kernel_size, &self.config.dilation)?;
        let pad: Vec<i64> = amounts.iter().rev().flat_map(|&(before, after)| [before, after]).collect();
        run(&ops::pad(input, &pad, mode, None)?, &Padding::Valid)
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

impl<const D: usize> ConvolutionLayer for Conv<D> {
    fn kernel_size(&self) -> &[usize] {
        &self.config.kernel_size
    }

    fn stride(&self) -> &[usize] {
        &self.config.stride
    }

    fn dilation(&self) -> &[usize] {
        &self.config.dilation
    }

    fn groups(&self) -> usize {
        self.config.groups
    }

    fn output_size(&self, input: &[usize]) -> Result<Vec<usize>> {
        if input.len() != D {
            return Err(RusTorchError::shape("conv", format!("expected {D} spatial sizes, got {input:?}")));
        }
        let padding = self.config.padding.amounts(&self.config.kernel_size, &self.config.dilation)?;
        (0..D)
            .map(|d| {
                let reach = self.dilation[d] * (self.config.kernel_size[d] as i64 - 1) + 1;
                let room = input[d] as i64 + padding[d].0 + padding[d].1 - reach;
                if room < 0 {
                    return Err(RusTorchError::shape(
                        "conv",
                        format!("the window reaches over {reach} elements, more than the padded input {input:?} has"),
                    ));
                }
                Ok((room / self.stride[d] + 1) as usize)
            })
            .collect()
    }
}
