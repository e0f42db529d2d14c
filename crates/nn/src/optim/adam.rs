//! Adam (D. P. Kingma and J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015), `AMSGrad` (S. J. Reddi et al.,
//! *On the Convergence of Adam and Beyond*, ICLR 2018) and `AdamW` (I. Loshchilov and F. Hutter, *Decoupled Weight Decay
//! Regularization*, ICLR 2019).

use rustorch_backend::{Program, Source};
use rustorch_error::Result;
use rustorch_tensor::DType;
use smallvec::smallvec;

use super::program::UpdateRule;
use super::rule::{Constants, Rule, Slots};
use super::weight_decay::WeightDecay;
use super::{check_betas, check_not_negative};

/// How Adam steps. The defaults are those of PyTorch's Adam; [`Adam::adamw`] has `AdamW`'s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Factor of the step.
    pub learning_rate: f64,
    /// How much of the running mean of the gradient, and of its square, is kept.
    pub betas: (f64, f64),
    /// Added to the denominator.
    pub eps: f64,
    /// Factor of the parameter in its decay.
    pub weight_decay: f64,
    /// What the decay acts on.
    pub decay: WeightDecay,
    /// Whether the denominator is the largest so far (`AMSGrad`).
    pub amsgrad: bool,
    /// Whether the objective is climbed instead.
    pub maximize: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Adam {
            learning_rate: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            decay: WeightDecay::Gradient,
            amsgrad: false,
            maximize: false,
        }
    }
}

impl Adam {
    /// The defaults of PyTorch's `AdamW`.
    pub fn adamw() -> Self {
        Adam { weight_decay: 1e-2, decay: WeightDecay::Decoupled, ..Self::default() }
    }
}

impl Rule for Adam {
    const NAME: &'static str = "Adam";

    fn state(&self) -> Slots {
        let mut state: Slots = smallvec![("exp_avg", 0.0), ("exp_avg_sq", 0.0)];
        if self.amsgrad {
            state.push(("max_exp_avg_sq", 0.0));
        }
        state
    }

    fn program(&self, compute: DType) -> Program {
        let mut rule = UpdateRule::default();
        let (parameter, mean, square) = (Source::Input(0), Source::Input(1), Source::Input(2));
        let grad = Source::Input(if self.amsgrad { 4 } else { 3 });
        let (step, share, kept, square_share) =
            (rule.constant(), rule.constant(), rule.constant(), rule.constant());
        let (correction, eps) = (rule.constant(), rule.constant());
        let (parameter, grad) = rule.decayed(parameter, grad, self.maximize, self.weight_decay, self.decay);
        let mean = rule.running_mean(mean, grad, share);
        let square = rule.running_square(square, grad, kept, square_share);
        let largest = if self.amsgrad { rule.maximum(Source::Input(3), square) } else { square };
        let root = rule.sqrt(largest);
        let corrected = rule.div(root, correction);
        let denominator = rule.add(corrected, eps);
        let direction = rule.div(mean, denominator);
        let updated = rule.scaled_add(parameter, direction, step);
        if self.amsgrad {
            rule.finish(compute, &[updated, mean, square, largest])
        } else {
            rule.finish(compute, &[updated, mean, square])
        }
    }

    fn constants(&self, step: f64, _numbers: &mut [f64]) -> Constants {
        let (beta1, beta2) = self.betas;
        let mut constants: Constants = smallvec![
            -self.learning_rate / (1.0 - beta1.powf(step)),
            1.0 - beta1,
            beta2,
            1.0 - beta2,
            (1.0 - beta2.powf(step)).sqrt(),
            self.eps,
        ];
        if self.weight_decay != 0.0 {
            constants.push(self.decay.factor(self.learning_rate, self.weight_decay));
        }
        constants
    }

    fn check(&self) -> Result<()> {
        check_not_negative(Self::NAME, "learning rate", self.learning_rate)?;
        check_not_negative(Self::NAME, "epsilon value", self.eps)?;
        check_not_negative(Self::NAME, "weight_decay value", self.weight_decay)?;
        check_betas(Self::NAME, self.betas)
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
}
