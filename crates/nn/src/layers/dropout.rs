//! Dropout (N. Srivastava et al., *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*, JMLR 2014).

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Tensor, ops};

use super::Layer;

/// What is dropped, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DropoutKind {
    /// Elements become 0, the rest is scaled by `1 / (1 - p)`.
    #[default]
    Elements,
    /// So do whole channels of `(N, C, *)`.
    Channels,
    /// Elements become SELU's lower limit, and all are scaled and shifted to keep mean 0 and variance 1.
    AlphaElements,
    /// So do whole channels.
    AlphaChannels,
}

/// In training, drops parts of its input with probability `p`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropout {
    kind: DropoutKind,
    p: f64,
    training: bool,
}

impl Dropout {
    /// A layer in training that drops elements.
    pub fn new(p: f64) -> Result<Self> {
        Self::of(DropoutKind::Elements, p)
    }

    /// A layer in training.
    pub fn of(kind: DropoutKind, p: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&p) {
            return Err(RusTorchError::argument(
                "dropout",
                format!("dropout probability has to be between 0 and 1, but got {p}"),
            ));
        }
        Ok(Dropout { kind, p, training: true })
    }
}

impl Layer for Dropout {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let drop = match self.kind {
            DropoutKind::Elements => ops::dropout,
            DropoutKind::Channels => ops::feature_dropout,
            DropoutKind::AlphaElements => ops::alpha_dropout,
            DropoutKind::AlphaChannels => ops::feature_alpha_dropout,
        };
        drop(input, self.p, self.training)
    }

    fn set_training(&mut self, training: bool) {
        self.training = training;
    }
}
