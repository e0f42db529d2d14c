//! The linear layer.

use rustorch_error::Result;
use rustorch_tensor::{Tensor, TensorOptions, ops};

use super::parameters::{Declaration, Handed, Parameters, Role, optional, required};
use super::{Layer, ParameterizedLayer};
use crate::init;

/// What a [`Linear`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinearConfig {
    /// Size of the last dimension of the input.
    pub in_features: usize,
    /// Size of the last dimension of the output.
    pub out_features: usize,
    /// Whether a vector is added.
    pub bias: bool,
}

impl LinearConfig {
    /// With a bias.
    pub fn new(in_features: usize, out_features: usize) -> Self {
        LinearConfig { in_features, out_features, bias: true }
    }
}

/// `input @ weightᵀ + bias`: `(…, in_features)` to `(…, out_features)`.
///
/// Weight `(out_features, in_features)` and bias `(out_features)` start uniform within `±1/√in_features`.
#[derive(Debug)]
pub struct Linear {
    config: LinearConfig,
    parameters: Parameters,
}

impl Linear {
    /// A layer with fresh parameters.
    pub fn new(config: LinearConfig, options: TensorOptions) -> Result<Self> {
        let mut layer = Self::configuration(config);
        layer.parameters = Parameters::of(&layer, options)?;
        Ok(layer)
    }

    /// A layer without tensors of its own, for [`ParameterizedLayer::forward_with`].
    pub fn configuration(config: LinearConfig) -> Self {
        Linear { config, parameters: Parameters::default() }
    }
}

impl Layer for Linear {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.parameters.forward(self, input)
    }

    fn visit(&self, prefix: &str, visitor: &mut dyn FnMut(&str, &Tensor, Role)) {
        self.parameters.visit(prefix, visitor);
    }
}

impl ParameterizedLayer for Linear {
    fn declarations(&self) -> Vec<Declaration> {
        let LinearConfig { in_features, out_features, bias } = self.config;
        vec![
            Declaration::learned("weight", &[out_features, in_features]),
            Declaration::learned("bias", &[out_features]).when(bias),
        ]
    }

    fn initialize(&self, tensors: Handed<'_>) -> Result<()> {
        initialize_by_fan_in(tensors, self.config.in_features)
    }

    fn forward_with(&self, tensors: Handed<'_>, input: &Tensor) -> Result<Tensor> {
        ops::linear(input, required("linear", tensors, 0, "weight")?, optional(tensors, 1))
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

/// PyTorch's initial values of linear and convolutional layers: `kaiming_uniform_` with slope √5 for the weight, which is
/// uniform within `±1/√fan_in`, and the same range for the bias.
pub(super) fn initialize_by_fan_in(tensors: Handed<'_>, fan_in: usize) -> Result<()> {
    if let Some(weight) = optional(tensors, 0) {
        init::kaiming_uniform_(weight, 5.0_f64.sqrt(), init::FanMode::In, "leaky_relu", None)?;
    }
    if let Some(bias) = optional(tensors, 1) {
        let bound = if fan_in > 0 { 1.0 / (fan_in as f64).sqrt() } else { 0.0 };
        init::uniform_(bias, -bound, bound, None)?;
    }
    Ok(())
}
