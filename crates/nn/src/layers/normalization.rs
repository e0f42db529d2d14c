//! Normalisations of each sample by itself: layer norm (J. L. Ba et al., *Layer Normalization*, 2016) and group norm
//! (Y. Wu and K. He, *Group Normalization*, ECCV 2018), RMS norm (B. Zhang and R. Sennrich, *Root Mean Square Layer
//! Normalization*, `NeurIPS` 2019).

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Tensor, TensorOptions, ops};

use super::batch_norm::initialize_to_identity;
use super::parameters::{Declaration, Handed, Parameters, Role, optional};
use super::{Layer, ParameterizedLayer};

/// What a [`LayerNorm`] is.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNormConfig {
    /// Sizes of the trailing dimensions that are normalised together.
    pub normalized_shape: Vec<usize>,
    /// Added to the variance.
    pub eps: f64,
    /// Whether each element has a learned factor.
    pub elementwise_affine: bool,
    /// Whether each element has a learned summand too.
    pub bias: bool,
}

impl LayerNormConfig {
    /// PyTorch's defaults: eps 1e-5, learned factors and summands.
    pub fn new(normalized_shape: Vec<usize>) -> Self {
        LayerNormConfig { normalized_shape, eps: 1e-5, elementwise_affine: true, bias: true }
    }
}

/// Normalises the trailing dimensions of each sample; weight (1 at first) and bias (0) have their shape.
#[derive(Debug)]
pub struct LayerNorm {
    config: LayerNormConfig,
    shape: Vec<i64>,
    parameters: Parameters,
}

impl LayerNorm {
    /// A layer with fresh parameters.
    pub fn new(config: LayerNormConfig, options: TensorOptions) -> Result<Self> {
        let mut layer = Self::configuration(config);
        layer.parameters = Parameters::of(&layer, options)?;
        Ok(layer)
    }

    /// A layer without tensors of its own, for [`ParameterizedLayer::forward_with`].
    pub fn configuration(config: LayerNormConfig) -> Self {
        let shape = config.normalized_shape.iter().map(|&n| n as i64).collect();
        LayerNorm { config, shape, parameters: Parameters::default() }
    }
}

impl Layer for LayerNorm {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.parameters.forward(self, input)
    }

    fn visit(&self, prefix: &str, visitor: &mut dyn FnMut(&str, &Tensor, Role)) {
        self.parameters.visit(prefix, visitor);
    }
}

impl ParameterizedLayer for LayerNorm {
    fn declarations(&self) -> Vec<Declaration> {
        let LayerNormConfig { normalized_shape, elementwise_affine, bias, .. } = &self.config;
        vec![
            Declaration::learned("weight", normalized_shape).when(*elementwise_affine),
            Declaration::learned("bias", normalized_shape).when(*elementwise_affine && *bias),
        ]
    }

    fn initialize(&self, tensors: Handed<'_>) -> Result<()> {
        initialize_to_identity(tensors)
    }

    fn forward_with(&self, tensors: Handed<'_>, input: &Tensor) -> Result<Tensor> {
        ops::layer_norm(input, &self.shape, optional(tensors, 0), optional(tensors, 1), self.config.eps)
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

/// What an [`RmsNorm`] is.
#[derive(Debug, Clone, PartialEq)]
pub struct RmsNormConfig {
    /// Sizes of the trailing dimensions that are normalised together.
    pub normalized_shape: Vec<usize>,
    /// Added to the mean square; the dtype's epsilon if there is none.
    pub eps: Option<f64>,
    /// Whether each element has a learned factor.
    pub elementwise_affine: bool,
}

/// Divides the trailing dimensions of each sample by their root mean square; the weight (1 at first) has their shape.
#[derive(Debug)]
pub struct RmsNorm {
    config: RmsNormConfig,
    shape: Vec<i64>,
    parameters: Parameters,
}

impl RmsNorm {
    /// A layer with fresh parameters.
    pub fn new(config: RmsNormConfig, options: TensorOptions) -> Result<Self> {
        let mut layer = Self::configuration(config);
        layer.parameters = Parameters::of(&layer, options)?;
        Ok(layer)
    }

    /// A layer without tensors of its own, for [`ParameterizedLayer::forward_with`].
    pub fn configuration(config: RmsNormConfig) -> Self {
        let shape = config.normalized_shape.iter().map(|&n| n as i64).collect();
        RmsNorm { config, shape, parameters: Parameters::default() }
    }
}

impl Layer for RmsNorm {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.parameters.forward(self, input)
    }

    fn visit(&self, prefix: &str, visitor: &mut dyn FnMut(&str, &Tensor, Role)) {
        self.parameters.visit(prefix, visitor);
    }
}

impl ParameterizedLayer for RmsNorm {
    fn declarations(&self) -> Vec<Declaration> {
        let RmsNormConfig { normalized_shape, elementwise_affine, .. } = &self.config;
        vec![Declaration::learned("weight", normalized_shape).when(*elementwise_affine)]
    }

    fn initialize(&self, tensors: Handed<'_>) -> Result<()> {
        initialize_to_identity(tensors)
    }

    fn forward_with(&self, tensors: Handed<'_>, input: &Tensor) -> Result<Tensor> {
        ops::rms_norm(input, &self.shape, optional(tensors, 0), self.config.eps)
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

/// What a [`GroupNorm`] is.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupNormConfig {
    /// How many groups the channels form; divides `num_channels`.
    pub num_groups: usize,
    /// Channels of the input.
    pub num_channels: usize,
    /// Added to the variance.
    pub eps: f64,
    /// Whether each channel has a learned factor.
    pub affine: bool,
    /// Whether each channel has a learned summand too.
    pub bias: bool,
}

impl GroupNormConfig {
    /// PyTorch's defaults: eps 1e-5, learned factors and summands.
    pub fn new(num_groups: usize, num_channels: usize) -> Self {
        GroupNormConfig { num_groups, num_channels, eps: 1e-5, affine: true, bias: true }
    }
}

/// Normalises each group of channels of each sample of `(N, C, *)`; weight (1 at first) and bias (0) are per channel.
#[derive(Debug)]
pub struct GroupNorm {
    config: GroupNormConfig,
    parameters: Parameters,
}

impl GroupNorm {
    /// A layer with fresh parameters.
    pub fn new(config: GroupNormConfig, options: TensorOptions) -> Result<Self> {
        let mut layer = Self::configuration(config)?;
        layer.parameters = Parameters::of(&layer, options)?;
        Ok(layer)
    }

    /// A layer without tensors of its own, for [`ParameterizedLayer::forward_with`].
    pub fn configuration(config: GroupNormConfig) -> Result<Self> {
        if config.num_groups == 0 || !config.num_channels.is_multiple_of(config.num_groups) {
            return Err(RusTorchError::argument(
                "group_norm",
                format!(
                    "num_channels ({}) must be divisible by num_groups ({})",
                    config.num_channels, config.num_groups
                ),
            ));
        }
        Ok(GroupNorm { config, parameters: Parameters::default() })
    }
}

impl Layer for GroupNorm {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.parameters.forward(self, input)
    }

    fn visit(&self, prefix: &str, visitor: &mut dyn FnMut(&str, &Tensor, Role)) {
        self.parameters.visit(prefix, visitor);
    }
}

impl ParameterizedLayer for GroupNorm {
    fn declarations(&self) -> Vec<Declaration> {
        let channels = &[self.config.num_channels];
        vec![
            Declaration::learned("weight", channels).when(self.config.affine),
            Declaration::learned("bias", channels).when(self.config.affine && self.config.bias),
        ]
    }

    fn initialize(&self, tensors: Handed<'_>) -> Result<()> {
        initialize_to_identity(tensors)
    }

    fn forward_with(&self, tensors: Handed<'_>, input: &Tensor) -> Result<Tensor> {
        let groups = self.config.num_groups as i64;
        ops::group_norm(input, groups, optional(tensors, 0), optional(tensors, 1), self.config.eps)
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}
