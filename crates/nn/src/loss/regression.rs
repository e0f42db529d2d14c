//! Losses of numbers.

use rustorch_error::Result;
use rustorch_tensor::{Tensor, ops};

use super::{Loss, Reduction};

/// Half the squared difference up to `delta`, `delta (|difference| - delta / 2)` beyond.
#[derive(Debug, Clone)]
pub struct HuberLoss {
    /// Where the parabola ends.
    pub delta: f64,
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Default for HuberLoss {
    fn default() -> Self {
        HuberLoss { delta: 1.0, reduction: Reduction::default() }
    }
}

impl Loss for HuberLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        ops::huber_loss(input, target, self.reduction.name(), self.delta, None)
    }
}

/// The squared difference over `2 beta` up to `beta`, `|difference| - beta / 2` beyond.
#[derive(Debug, Clone)]
pub struct SmoothL1Loss {
    /// Where the parabola ends.
    pub beta: f64,
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Default for SmoothL1Loss {
    fn default() -> Self {
        SmoothL1Loss { beta: 1.0, reduction: Reduction::default() }
    }
}

impl Loss for SmoothL1Loss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        ops::smooth_l1_loss(input, target, self.reduction.name(), self.beta)
    }
}

/// The negative log-likelihood of counts under Poisson distributions.
#[derive(Debug, Clone)]
pub struct PoissonNllLoss {
    /// Whether the inputs are logarithms of rates.
    pub log_input: bool,
    /// Whether Stirling's approximation of `log(target!)` is added.
    pub full: bool,
    /// Added to rates before their logarithm is taken.
    pub eps: f64,
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Default for PoissonNllLoss {
    fn default() -> Self {
        PoissonNllLoss { log_input: true, full: false, eps: 1e-8, reduction: Reduction::default() }
    }
}

impl Loss for PoissonNllLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        ops::poisson_nll_loss(input, target, self.log_input, self.full, self.eps, self.reduction.name())
    }
}
