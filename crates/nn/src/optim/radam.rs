//! `RAdam` (L. Liu et al., *On the Variance of the Adaptive Learning Rate and Beyond*, ICLR 2020).

use rustorch_backend::{Program, Source};
use rustorch_error::Result;
use rustorch_tensor::DType;
use smallvec::smallvec;

use super::program::UpdateRule;
use super::rule::{Constants, Rule, Slots};
use super::{WeightDecay, check_betas, check_not_negative};

/// How `RAdam` steps. The defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RAdam {
    /// Factor of the step.
    pub learning_rate: f64,
    /// How much of the running mean of the gradient, and of its size, is kept.
    pub betas: (f64, f64),
    /// Keeps the denominator away from 0.
    pub eps: f64,
    /// Factor of the parameter that is added to its gradient.
    pub weight_decay: f64,
    /// What the decay acts on.
    pub decay: WeightDecay,
    /// Whether the objective is climbed instead.
    pub maximize: bool,
}

impl Default for RAdam {
    fn default() -> Self {
        RAdam {
            learning_rate: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            decay: WeightDecay::Gradient,
            maximize: false,
        }
    }
}

impl Rule for RAdam {
    const NAME: &'static str = "RAdam";

    fn state(&self) -> Slots {
        smallvec![("exp_avg", 0.0), ("exp_avg_sq", 0.0)]
    }

    fn program(&self, compute: DType) -> Program {
        let mut rule = UpdateRule::default();
        let (parameter, mean, square) = (Source::Input(0), Source::Input(1), Source::Input(2));
        let (share, kept, square_share, eps) =
            (rule.constant(), rule.constant(), rule.constant(), rule.constant());
        let (plain, adaptive) = (rule.constant(), rule.constant());
        let (parameter, grad) =
            rule.decayed(parameter, Source::Input(3), self.maximize, self.weight_decay, self.decay);
        let mean = rule.running_mean(mean, grad, share);
        let square = rule.running_square(square, grad, kept, square_share);
        let root = rule.sqrt(square);
        let denominator = rule.add(root, eps);
        let factor = rule.div(adaptive, denominator);
        let factor = rule.add(factor, plain);
        let updated = rule.scaled_add(parameter, mean, factor);
        rule.finish(compute, &[updated, mean, square])
    }

    fn constants(&self, step: f64, _numbers: &mut [f64]) -> Constants {
        let (beta1, beta2) = self.betas;
        let (left1, left2) = (1.0 - beta1.powf(step), 1.0 - beta2.powf(step));
        let longest = 2.0 / (1.0 - beta2) - 1.0;
        let length = longest - 2.0 * step * beta2.powf(step) / left2;
        let rate = -self.learning_rate / left1;
        // While the mean square rests on few gradients, the step does without it.
        let (plain, adaptive) = if length > 5.0 {
            let rectified =
                (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length);
            (0.0, rate * rectified.sqrt() * left2.sqrt())
        } else {
            (rate, 0.0)
        };
        let mut constants: Constants = smallvec![1.0 - beta1, beta2, 1.0 - beta2, self.eps, plain, adaptive];
        if self.weight_decay != 0.0 {
            constants.push(self.decay.factor(self.learning_rate, self.weight_decay));
        }
        constants
    }

    fn check(&self) -> Result<()> {
        check_not_negative(Self::NAME, "learning rate", self.learning_rate)?;
        check_not_negative(Self::NAME, "epsilon value", self.eps)?;
        check_betas(Self::NAME, self.betas)?;
        check_not_negative(Self::NAME, "weight_decay value", self.weight_decay)?;
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
}
