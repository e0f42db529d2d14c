//! Losses that ask for a margin between right and wrong.

use rustorch_error::Result;
use rustorch_tensor::{Tensor, ops};

use super::{Loss, Reduction};

/// `x` where the target is 1, `max(0, margin - x)` where it is -1.
#[derive(Debug, Clone)]
pub struct HingeEmbeddingLoss {
    /// How far apart is far enough.
    pub margin: f64,
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Default for HingeEmbeddingLoss {
    fn default() -> Self {
        HingeEmbeddingLoss { margin: 1.0, reduction: Reduction::default() }
    }
}

impl Loss for HingeEmbeddingLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        ops::hinge_embedding_loss(input, target, self.margin, self.reduction.name())
    }
}

/// `log(1 + exp(-target input))` for targets of 1 and -1.
#[derive(Debug, Clone, Default)]
pub struct SoftMarginLoss {
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Loss for SoftMarginLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        ops::soft_margin_loss(input, target, self.reduction.name())
    }
}

/// The hinge loss of several classes: input `(N, C)` or `(C)`, target `(N)` or `()`.
#[derive(Debug, Clone)]
pub struct MultiMarginLoss {
    /// The power of the hinge, 1 or 2.
    pub p: i64,
    /// How far the right class should be above the others.
    pub margin: f64,
    /// A weight per class.
    pub weight: Option<Tensor>,
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Default for MultiMarginLoss {
    fn default() -> Self {
        MultiMarginLoss { p: 1, margin: 1.0, weight: None, reduction: Reduction::default() }
    }
}

impl Loss for MultiMarginLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        let reduction = self.reduction.name();
        ops::multi_margin_loss(input, target, self.p.into(), self.margin, self.weight.as_ref(), reduction)
    }
}

/// The hinge loss of several classes of which several are right: input and target `(N, C)` or `(C)`.
#[derive(Debug, Clone, Default)]
pub struct MultilabelMarginLoss {
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Loss for MultilabelMarginLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        ops::multilabel_margin_loss(input, target, self.reduction.name())
    }
}

/// The binary cross-entropy of sigmoid(input) with each class's target, averaged over the classes.
#[derive(Debug, Clone, Default)]
pub struct MultilabelSoftMarginLoss {
    /// A weight per class.
    pub weight: Option<Tensor>,
    /// See [`Reduction`].
    pub reduction: Reduction,
}

impl Loss for MultilabelSoftMarginLoss {
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        ops::multilabel_soft_margin_loss(input, target, self.weight.as_ref(), self.reduction.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::{HuberLoss, PoissonNllLoss, SmoothL1Loss};
    use super::*;
    use crate::testing::{assert_close, init, values};

    #[test]
    fn losses_of_a_few_numbers() {
        init();
        let input = Tensor::from_slice(&[2.0, -0.5], &[2]).unwrap();
        let zeros = Tensor::from_slice(&[0.0, 0.0], &[2]).unwrap();
        let signs = Tensor::from_slice(&[1.0, -1.0], &[2]).unwrap();
        let sum = Reduction::Sum;
        let losses: [(Box<dyn Loss>, &Tensor, f64); 5] = [
            (Box::new(HuberLoss { delta: 0.5, reduction: sum }), &zeros, 0.5 * 1.75 + 0.125),
            (Box::new(SmoothL1Loss { beta: 2.0, reduction: sum }), &zeros, 1.0 + 0.0625),
            (Box::new(PoissonNllLoss::default()), &zeros, f64::midpoint(2_f64.exp(), (-0.5_f64).exp())),
            (Box::new(HingeEmbeddingLoss { margin: 1.0, reduction: sum }), &signs, 2.0 + 1.5),
            (
                Box::new(SoftMarginLoss { reduction: sum }),
                &signs,
                (-2_f64).exp().ln_1p() + (-0.5_f64).exp().ln_1p(),
            ),
        ];
        for (loss, target, expected) in losses {
            assert_close(&values(&loss.forward(&input, target).unwrap()), &[expected], 1e-12);
        }
    }

    #[test]
    fn losses_of_classes() {
        init();
        let input = Tensor::from_slice(&[1.0, 0.5, -1.0], &[1, 3]).unwrap();
        let class = Tensor::from_slice(&[1_i64], &[1]).unwrap();
        let hinge = MultiMarginLoss { p: 2, ..MultiMarginLoss::default() };
        assert_close(&values(&hinge.forward(&input, &class).unwrap()), &[1.5 * 1.5 / 3.0], 1e-12);
        let labels = Tensor::from_slice(&[1_i64, -1, 0], &[1, 3]).unwrap();
        let several = MultilabelMarginLoss::default();
        assert_close(&values(&several.forward(&input, &labels).unwrap()), &[1.5 / 3.0], 1e-12);
        let wanted = Tensor::from_slice(&[0.0, 1.0, 0.0], &[1, 3]).unwrap();
        let entropy = MultilabelSoftMarginLoss::default().forward(&input, &wanted).unwrap();
        let expected = (1_f64.exp().ln_1p() + (-0.5_f64).exp().ln_1p() + (-1_f64).exp().ln_1p()) / 3.0;
        assert_close(&values(&entropy), &[expected], 1e-12);
    }
}
