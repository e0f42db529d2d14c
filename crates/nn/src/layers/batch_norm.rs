//! Batch normalisation (S. Ioffe and C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing
//! Internal Covariate Shift*, ICML 2015).

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::autograd::GradMode;
use rustorch_tensor::{DType, Tensor, TensorOptions, ops};

use super::parameters::{Declaration, Handed, Parameters, Role, optional};
use super::{Layer, ParameterizedLayer};
use crate::init;

/// What a [`BatchNorm`] is.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNormConfig {
    /// Channels of the input.
    pub num_features: usize,
    /// Added to the variance.
    pub eps: f64,
    /// Share of a batch in the running statistics; `None` for the plain average of all batches.
    pub momentum: Option<f64>,
    /// Whether each channel has a learned factor.
    pub affine: bool,
    /// Whether each channel has a learned summand too.
    pub bias: bool,
    /// Whether there are running statistics.
    pub track_running_stats: bool,
}

impl BatchNormConfig {
    /// PyTorch's defaults: eps 1e-5, momentum 0.1, learned factors and summands, running statistics.
    pub fn new(num_features: usize) -> Self {
        BatchNormConfig {
            num_features,
            eps: 1e-5,
            momentum: Some(0.1),
            affine: true,
            bias: true,
            track_running_stats: true,
        }
    }
}

/// Normalises each channel of `(N, C, *)`: over the batch in training, by the running statistics otherwise.
///
/// Weight starts at 1, bias at 0, the running mean at 0 and the running variance at 1. The layer is the same for one,
/// two and three spatial dimensions.
#[derive(Debug)]
pub struct BatchNorm {
    config: BatchNormConfig,
    training: bool,
    parameters: Parameters,
}

impl BatchNorm {
    /// A layer with fresh parameters, in training.
    pub fn new(config: BatchNormConfig, options: TensorOptions) -> Result<Self> {
        let mut layer = Self::configuration(config);
        layer.parameters = Parameters::of(&layer, options)?;
        Ok(layer)
    }

    /// A layer without tensors of its own, for [`Self::normalize`] and [`ParameterizedLayer::forward_with`].
    pub fn configuration(config: BatchNormConfig) -> Self {
        BatchNorm { config, training: true, parameters: Parameters::default() }
    }

    /// Sets the running statistics back to those of no batch.
    pub fn reset_running_stats(&self, tensors: Handed<'_>) -> Result<()> {
        let _mode = GradMode::no_grad();
        if let Some(mean) = optional(tensors, 2) {
            ops::zero_(mean)?;
        }
        if let Some(var) = optional(tensors, 3) {
            init::ones_(var)?;
        }
        if let Some(count) = optional(tensors, 4) {
            ops::zero_(count)?;
        }
        Ok(())
    }

    /// As [`ParameterizedLayer::forward_with`], and says whether in training.
    pub fn normalize(&self, tensors: Handed<'_>, input: &Tensor, training: bool) -> Result<Tensor> {
        let [weight, bias, mean, var, batches] = [0, 1, 2, 3, 4].map(|i| optional(tensors, i));
        let tracked = mean.is_some() && var.is_some();
        let mut momentum = self.config.momentum.unwrap_or(0.0);
        if training
            && self.config.track_running_stats
            && let Some(batches) = batches
        {
            let _mode = GradMode::no_grad();
            ops::add_(batches, &Tensor::number(1_i64)?, 1.into())?;
            if self.config.momentum.is_none() {
                momentum = 1.0 / batches.item()?.to_f64();
            }
        }
        // Without running statistics the batch's own serve in both modes.
        let by_batch = training || !tracked;
        let update = training && self.config.track_running_stats;
        let (mean, var) = if update || !by_batch { (mean, var) } else { (None, None) };
        ops::batch_norm(input, mean, var, weight, bias, by_batch, momentum, self.config.eps)
    }
}

impl Layer for BatchNorm {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.parameters.forward(self, input)
    }

    fn visit(&self, prefix: &str, visitor: &mut dyn FnMut(&str, &Tensor, Role)) {
        self.parameters.visit(prefix, visitor);
    }

    fn set_training(&mut self, training: bool) {
        self.training = training;
    }
}

impl ParameterizedLayer for BatchNorm {
    fn declarations(&self) -> Vec<Declaration> {
        let BatchNormConfig { num_features, affine, bias, track_running_stats, .. } = self.config;
        let channels = &[num_features];
        vec![
            Declaration::learned("weight", channels).when(affine),
            Declaration::learned("bias", channels).when(affine && bias),
            Declaration::gathered("running_mean", channels, None).when(track_running_stats),
            Declaration::gathered("running_var", channels, None).when(track_running_stats),
            Declaration::gathered("num_batches_tracked", &[], Some(DType::Int64)).when(track_running_stats),
        ]
    }

    fn initialize(&self, tensors: Handed<'_>) -> Result<()> {
        self.reset_running_stats(tensors)?;
        initialize_to_identity(tensors)
    }

    fn forward_with(&self, tensors: Handed<'_>, input: &Tensor) -> Result<Tensor> {
        if tensors.len() != 5 {
            return Err(RusTorchError::argument(
                "batch_norm",
                format!(
                    "expected weight, bias and three running statistics (or None), got {} tensors",
                    tensors.len()
                ),
            ));
        }
        self.normalize(tensors, input, self.training)
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

/// A factor of 1 and a summand of 0: a normalisation that changes nothing more at first.
pub(super) fn initialize_to_identity(tensors: Handed<'_>) -> Result<()> {
    if let Some(weight) = optional(tensors, 0) {
        init::ones_(weight)?;
    }
    if let Some(bias) = optional(tensors, 1) {
        init::zeros_(bias)?;
    }
    Ok(())
}
