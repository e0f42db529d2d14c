//! Dropout (N. Srivastava et al., *Dropout: A Simple Way to Prevent Neural Networks from Overfitting*, JMLR 2014).

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Tensor, ops};

use super::Layer;

/// In training, zeroes elements with probability `p` and scales the rest by `1 / (1 - p)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropout {
    p: f64,
    training: bool,
}

impl Dropout {
    /// A layer in training.
    pub fn new(p: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&p) {
            return Err(RusTorchError::argument(
                "dropout",
                format!("dropout probability has to be between 0 and 1, but got {p}"),
            ));
        }
        Ok(Dropout { p, training: true })
    }
}

impl Layer for Dropout {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        ops::dropout(input, self.p, self.training)
    }

    fn set_training(&mut self, training: bool) {
        self.training = training;
    }
}
