//! Transposed convolutions: one implementation for one, two and three spatial dimensions.

use rustorch_backend::volume;
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Tensor, TensorOptions, ops};

use super::linear::initialize_by_fan_in;
use super::parameters::{Declaration, Handed, Parameters, Role, optional, required};
use super::{Layer, ParameterizedLayer};

/// What a [`ConvTranspose`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConvTransposeConfig<const D: usize> {
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Sizes of the window.
    pub kernel_size: [usize; D],
    /// Steps of the window in the output.
    pub stride: [usize; D],
    /// What is cropped at both ends of the output.
    pub padding: [usize; D],
    /// What is added at the end of the output; smaller than the stride or the dilation.
    pub output_padding: [usize; D],
    /// Distances between the window's taps.
    pub dilation: [usize; D],
    /// The number of independent groups of channels; divides both channel counts.
    pub groups: usize,
    /// Whether a vector is added.
    pub bias: bool,
}

impl<const D: usize> ConvTransposeConfig<D> {
    /// Stride, dilation and groups 1, no padding, with a bias.
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: [usize; D]) -> Self {
        ConvTransposeConfig {
            in_channels,
            out_channels,
            kernel_size,
            stride: [1; D],
            padding: [0; D],
            output_padding: [0; D],
            dilation: [1; D],
            groups: 1,
            bias: true,
        }
    }
}

/// The transpose of a convolution over `D` spatial dimensions: each input adds the window, times itself, to the output.
///
/// Weight `(in_channels, out_channels / groups, *kernel_size)` and bias `(out_channels)` start uniform within
/// `±1/√(out_channels / groups · kernel)`.
#[derive(Debug)]
pub struct ConvTranspose<const D: usize> {
    config: ConvTransposeConfig<D>,
    parameters: Parameters,
}

impl<const D: usize> ConvTranspose<D> {
    /// A layer with fresh parameters.
    pub fn new(config: ConvTransposeConfig<D>, options: TensorOptions) -> Result<Self> {
        let mut layer = Self::configuration(config)?;
        layer.parameters = Parameters::of(&layer, options)?;
        Ok(layer)
    }

    /// A layer without tensors of its own, for [`ParameterizedLayer::forward_with`].
    pub fn configuration(config: ConvTransposeConfig<D>) -> Result<Self> {
        let groups = config.groups;
        if groups == 0
            || !config.in_channels.is_multiple_of(groups)
            || !config.out_channels.is_multiple_of(groups)
        {
            return Err(RusTorchError::argument(
                "conv_transpose",
                format!(
                    "in_channels {} and out_channels {} must be divisible by groups, which is {groups}",
                    config.in_channels, config.out_channels
                ),
            ));
        }
        Ok(ConvTranspose { config, parameters: Parameters::default() })
    }
}

impl<const D: usize> Layer for ConvTranspose<D> {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.parameters.forward(self, input)
    }

    fn visit(&self, prefix: &str, visitor: &mut dyn FnMut(&str, &Tensor, Role)) {
        self.parameters.visit(prefix, visitor);
    }
}

impl<const D: usize> ParameterizedLayer for ConvTranspose<D> {
    fn declarations(&self) -> Vec<Declaration> {
        let config = &self.config;
        let mut shape = vec![config.in_channels, config.out_channels / config.groups];
        shape.extend(config.kernel_size);
        vec![
            Declaration::learned("weight", &shape),
            Declaration::learned("bias", &[config.out_channels]).when(config.bias),
        ]
    }

    fn initialize(&self, tensors: Handed<'_>) -> Result<()> {
        let taps = volume(&self.config.kernel_size);
        initialize_by_fan_in(tensors, self.config.out_channels / self.config.groups * taps)
    }

    fn forward_with(&self, tensors: Handed<'_>, input: &Tensor) -> Result<Tensor> {
        let op = "conv_transpose";
        let run = match D {
            1 => ops::conv_transpose1d,
            2 => ops::conv_transpose2d,
            3 => ops::conv_transpose3d,
            _ => {
                return Err(RusTorchError::argument(
                    op,
                    format!("there are 1 to 3 spatial dimensions, not {D}"),
                ));
            }
        };
        let config = &self.config;
        let numbers = |sizes: [usize; D]| sizes.map(|n| n as i64);
        run(
            input,
            required(op, tensors, 0, "weight")?,
            optional(tensors, 1),
            &numbers(config.stride),
            &numbers(config.padding),
            &numbers(config.output_padding),
            config.groups as i64,
            &numbers(config.dilation),
        )
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::init;

    #[test]
    fn the_output_is_what_a_convolution_would_shrink_to_the_input() {
        init();
        let config = ConvTransposeConfig {
            stride: [2, 3],
            padding: [1, 0],
            output_padding: [1, 2],
            groups: 2,
            ..ConvTransposeConfig::new(4, 6, [3, 2])
        };
        let layer = ConvTranspose::new(config, TensorOptions::default()).unwrap();
        assert_eq!(layer.parameters().get("weight").unwrap().shape(), [4, 3, 3, 2]);
        let input = ops::zeros(&[2, 4, 5, 3], None, None, false).unwrap();
        assert_eq!(layer.forward(&input).unwrap().shape(), [2, 6, 10, 10]);
        let uneven = ConvTransposeConfig { groups: 3, ..ConvTransposeConfig::new(4, 6, [3]) };
        assert!(ConvTranspose::configuration(uneven).is_err());
    }
}
