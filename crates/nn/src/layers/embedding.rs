//! The table of vectors.

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::autograd::GradMode;
use rustorch_tensor::{Tensor, TensorOptions, ops};

use super::parameters::{Declaration, Handed, Parameters, Role, optional, required};
use super::{Layer, ParameterizedLayer};
use crate::init;

/// What an [`Embedding`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingConfig {
    /// Rows of the table.
    pub num_embeddings: usize,
    /// Columns of the table.
    pub embedding_dim: usize,
    /// The row that stays zero and gets no gradient.
    pub padding_idx: Option<usize>,
}

impl EmbeddingConfig {
    /// Without a padding row.
    pub fn new(num_embeddings: usize, embedding_dim: usize) -> Self {
        EmbeddingConfig { num_embeddings, embedding_dim, padding_idx: None }
    }
}

/// The rows of a learned table that integer indices name: `(*)` to `(*, embedding_dim)`.
///
/// Weight `(num_embeddings, embedding_dim)` starts standard Gaussian, its padding row at 0.
#[derive(Debug)]
pub struct Embedding {
    config: EmbeddingConfig,
    parameters: Parameters,
}

impl Embedding {
    /// A layer with a fresh table.
    pub fn new(config: EmbeddingConfig, options: TensorOptions) -> Result<Self> {
        let mut layer = Self::configuration(config)?;
        layer.parameters = Parameters::of(&layer, options)?;
        Ok(layer)
    }

    /// A layer without tensors of its own, for [`ParameterizedLayer::forward_with`].
    pub fn configuration(config: EmbeddingConfig) -> Result<Self> {
        if config.padding_idx.is_some_and(|row| row >= config.num_embeddings) {
            return Err(RusTorchError::argument("embedding", "padding_idx must be within num_embeddings"));
        }
        Ok(Embedding { config, parameters: Parameters::default() })
    }
}

impl Layer for Embedding {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        self.parameters.forward(self, input)
    }

    fn visit(&self, prefix: &str, visitor: &mut dyn FnMut(&str, &Tensor, Role)) {
        self.parameters.visit(prefix, visitor);
    }
}

impl ParameterizedLayer for Embedding {
    fn declarations(&self) -> Vec<Declaration> {
        vec![Declaration::learned("weight", &[self.config.num_embeddings, self.config.embedding_dim])]
    }

    fn initialize(&self, tensors: Handed<'_>) -> Result<()> {
        let Some(weight) = optional(tensors, 0) else { return Ok(()) };
        init::normal_(weight, 0.0, 1.0, None)?;
        if let Some(row) = self.config.padding_idx {
            let _mode = GradMode::no_grad();
            ops::zero_(&ops::select(weight, 0, row as i64)?)?;
        }
        Ok(())
    }

    fn forward_with(&self, tensors: Handed<'_>, input: &Tensor) -> Result<Tensor> {
        let padding = self.config.padding_idx.map_or(-1, |row| row as i64);
        ops::embedding(required("embedding", tensors, 0, "weight")?, input, padding, false, false)
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}
