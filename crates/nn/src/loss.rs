//! Losses: how far what a network says is from what was wanted.

mod margin;
mod regression;

use std::fmt::Debug;

use rustorch_error::Result;
use rustorch_tensor::{Tensor, ops};

pub use margin::{
    HingeEmbeddingLoss, MultiMarginLoss, MultilabelMarginLoss, MultilabelSoftMarginLoss, SoftMarginLoss,
};
pub use regression::{HuberLoss, PoissonNllLoss, SmoothL1Loss};

/// What becomes of the elements of a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reduction {
    /// They stay.
    None,
    /// Their mean; with class weights, weighted.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

impl Reduction {
    /// PyTorch's name.
    pub const fn name(self) -> &'static str {
        match self {
            Reduction::None => "none",
            Reduction::Mean => "mean",
            Reduction::Sum => "sum",
        }
    }
}

/// A measure of distance between an input and its target.
pub trait Loss: Debug + Send + Sync {
    /// The loss of `input`, given what was wanted.
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor>;
}

/// The squared difference.
#[derive(Debug, Clone, Default)]
pub struct MseLoss {
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Loss for MseLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        ops::mse_loss(input, target, self.reduction.name(), None)
    }
}

/// The absolute difference.
#[derive(Debug, Clone, Default)]
pub struct L1Loss {
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Loss for L1Loss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        ops::l1_loss(input, target, self.reduction.name(), None)
    }
}

/// Which class index counts as none at all, unless told otherwise.
const IGNORE_INDEX: i64 = -100;

/// The cross-entropy of logits `(N, C, *)` with class indices `(N, *)` or class probabilities.
#[derive(Debug, Clone)]
pub struct CrossEntropyLoss {
    /// A weight per class.
    pub weight: Option<Tensor>,
    /// Targets that do not count.
    pub ignore_index: i64,
    /// See [`Reduction`].
    pub reduction: Reduction,
    /// How much of the target is spread over all classes.
    pub label_smoothing: f64,
}

impl Default for CrossEntropyLoss {
    fn default() -> Self {
        let reduction = Reduction::default();
        CrossEntropyLoss { weight: None, ignore_index: IGNORE_INDEX, reduction, label_smoothing: 0.0 }
    }
}

impl Loss for CrossEntropyLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        let reduction = self.reduction.name();
        ops::cross_entropy(
            input,
            target,
            self.weight.as_ref(),
            self.ignore_index,
            reduction,
            self.label_smoothing,
        )
    }
}

/// The negative log-likelihood: log-probabilities `(N, C, *)` and class indices `(N, *)`.
#[derive(Debug, Clone)]
pub struct NllLoss {
    /// A weight per class.
    pub weight: Option<Tensor>,
    /// Targets that do not count.
    pub ignore_index: i64,
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Default for NllLoss {
    fn default() -> Self {
        NllLoss { weight: None, ignore_index: IGNORE_INDEX, reduction: Reduction::default() }
    }
}

impl Loss for NllLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        ops::nll_loss(input, target, self.weight.as_ref(), self.ignore_index, self.reduction.name())
    }
}

/// The cross-entropy of probabilities with targets in [0, 1].
#[derive(Debug, Clone, Default)]
pub struct BceLoss {
    /// A weight per element, broadcast.
    pub weight: Option<Tensor>,
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Loss for BceLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        ops::binary_cross_entropy(input, target, self.weight.as_ref(), self.reduction.name())
    }
}

/// The cross-entropy of sigmoid(input) with targets in [0, 1], without overflow.
#[derive(Debug, Clone, Default)]
pub struct BceWithLogitsLoss {
    /// A weight per element, broadcast.
    pub weight: Option<Tensor>,
    /// A weight of the positive targets, broadcast.
    pub pos_weight: Option<Tensor>,
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Loss for BceWithLogitsLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        let (weight, pos_weight) = (self.weight.as_ref(), self.pos_weight.as_ref());
        ops::binary_cross_entropy_with_logits(input, target, weight, self.reduction.name(), pos_weight)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::{assert_close, init, sample, values};

    #[test]
    fn cross_entropy_is_log_softmax_at_the_target() {
        init();
        let logits = sample(&[3, 4], 0.3);
        let target = Tensor::from_slice(&[2_i64, IGNORE_INDEX, 0], &[3]).unwrap();
        let x = values(&logits);
        let lost = |row: usize, class: usize| {
            let row = &x[row * 4..row * 4 + 4];
            row.iter().map(|v| v.exp()).sum::<f64>().ln() - row[class]
        };
        let loss = CrossEntropyLoss::default().forward(&logits, &target).unwrap();
        assert_close(&values(&loss), &[f64::midpoint(lost(0, 2), lost(2, 0))], 1e-12);
        let nll = NllLoss { reduction: Reduction::None, ..NllLoss::default() };
        let each = nll.forward(&ops::log_softmax(&logits, 1, None).unwrap(), &target).unwrap();
        assert_close(&values(&each), &[lost(0, 2), 0.0, lost(2, 0)], 1e-12);
    }

    #[test]
    fn differences() {
        init();
        let (a, b) = (sample(&[2, 3], 0.0), sample(&[2, 3], 1.0));
        let pairs: Vec<(f64, f64)> = values(&a).into_iter().zip(values(&b)).collect();
        let squared: f64 = pairs.iter().map(|(x, y)| (x - y).powi(2)).sum();
        let absolute: f64 = pairs.iter().map(|(x, y)| (x - y).abs()).sum();
        let mse = MseLoss { reduction: Reduction::Sum }.forward(&a, &b).unwrap();
        assert_close(&values(&mse), &[squared], 1e-12);
        assert_close(&values(&L1Loss::default().forward(&a, &b).unwrap()), &[absolute / 6.0], 1e-12);
    }

    #[test]
    fn binary_cross_entropies_agree() {
        init();
        let (logits, target) =
            (sample(&[5], 0.0), Tensor::from_slice(&[0.0, 1.0, 0.5, 1.0, 0.0], &[5]).unwrap());
        let with_logits = BceWithLogitsLoss::default().forward(&logits, &target).unwrap();
        let plain = BceLoss::default().forward(&ops::sigmoid(&logits).unwrap(), &target).unwrap();
        let expected: f64 = values(&logits)
            .iter()
            .zip(values(&target))
            .map(|(x, t)| t * (1.0 + (-x).exp()).ln() + (1.0 - t) * (1.0 + x.exp()).ln())
            .sum::<f64>()
            / 5.0;
        assert_close(&values(&with_logits), &[expected], 1e-12);
        assert_close(&values(&plain), &[expected], 1e-12);
    }
}
