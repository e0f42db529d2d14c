//! `NAdam`, Adam with Nesterov's momentum (T. Dozat, *Incorporating Nesterov Momentum into Adam*, ICLR 2016).

use rustorch_backend::{Program, Source};
use rustorch_error::Result;
use rustorch_tensor::DType;
use smallvec::smallvec;

use super::program::UpdateRule;
use super::rule::{Constants, Rule, Slots};
use super::{WeightDecay, check_betas, check_not_negative};

/// How `NAdam` steps. The defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NAdam {
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
    /// How fast the momentum rises to its full size.
    pub momentum_decay: f64,
    /// Whether the objective is climbed instead.
    pub maximize: bool,
}

impl Default for NAdam {
    fn default() -> Self {
        NAdam {
            learning_rate: 2e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            decay: WeightDecay::Gradient,
            momentum_decay: 4e-3,
            maximize: false,
        }
    }
}

impl Rule for NAdam {
    const NAME: &'static str = "NAdam";

    fn state(&self) -> Slots {
        smallvec![("exp_avg", 0.0), ("exp_avg_sq", 0.0)]
    }

    fn numbers(&self) -> Slots {
        smallvec![("mu_product", 1.0)]
    }

    fn program(&self, compute: DType) -> Program {
        let mut rule = UpdateRule::default();
        let (parameter, mean, square) = (Source::Input(0), Source::Input(1), Source::Input(2));
        let (share, kept, square_share) = (rule.constant(), rule.constant(), rule.constant());
        let (correction, eps, by_grad, by_mean) =
            (rule.constant(), rule.constant(), rule.constant(), rule.constant());
        let (parameter, grad) =
            rule.decayed(parameter, Source::Input(3), self.maximize, self.weight_decay, self.decay);
        let mean = rule.running_mean(mean, grad, share);
        let square = rule.running_square(square, grad, kept, square_share);
        let corrected = rule.div(square, correction);
        let root = rule.sqrt(corrected);
        let denominator = rule.add(root, eps);
        let direction = rule.div(grad, denominator);
        let updated = rule.scaled_add(parameter, direction, by_grad);
        let direction = rule.div(mean, denominator);
        let updated = rule.scaled_add(updated, direction, by_mean);
        rule.finish(compute, &[updated, mean, square])
    }

    fn constants(&self, step: f64, numbers: &mut [f64]) -> Constants {
        let (beta1, beta2) = self.betas;
        let momentum = |step: f64| beta1 * (1.0 - 0.5 * 0.96_f64.powf(step * self.momentum_decay));
        let (now, next) = (momentum(step), momentum(step + 1.0));
        // As its place in the state, the product is a float32.
        let product = f64::from(numbers[0] as f32 * now as f32);
        numbers[0] = product;
        let mut constants: Constants = smallvec![
            1.0 - beta1,
            beta2,
            1.0 - beta2,
            1.0 - beta2.powf(step),
            self.eps,
            -self.learning_rate * (1.0 - now) / (1.0 - product),
            -self.learning_rate * next / (1.0 - product * next),
        ];
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
        check_not_negative(Self::NAME, "momentum_decay value", self.momentum_decay)?;
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
}
