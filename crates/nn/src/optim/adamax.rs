//! Adamax, the variant of Adam by the infinity norm (D. P. Kingma and J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015).

use rustorch_backend::{Program, Source};
use rustorch_error::Result;
use rustorch_tensor::DType;
use smallvec::smallvec;

use super::program::UpdateRule;
use super::rule::{Constants, Rule, Slots};
use super::{check_betas, check_not_negative};

/// How Adamax steps. The defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adamax {
    /// Factor of the step.
    pub learning_rate: f64,
    /// How much of the running mean of the gradient, and of its size, is kept.
    pub betas: (f64, f64),
    /// Keeps the denominator away from 0.
    pub eps: f64,
    /// Factor of the parameter that is added to its gradient.
    pub weight_decay: f64,
    /// Whether the objective is climbed instead.
    pub maximize: bool,
}

impl Default for Adamax {
    fn default() -> Self {
        Adamax { learning_rate: 2e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, maximize: false }
    }
}

impl Rule for Adamax {
    const NAME: &'static str = "Adamax";

    fn state(&self) -> Slots {
        smallvec![("exp_avg", 0.0), ("exp_inf", 0.0)]
    }

    fn program(&self, compute: DType) -> Program {
        let mut rule = UpdateRule::default();
        let (parameter, mean, largest) = (Source::Input(0), Source::Input(1), Source::Input(2));
        let (step, share, kept, eps) = (rule.constant(), rule.constant(), rule.constant(), rule.constant());
        let grad = rule.gradient(Source::Input(3), parameter, self.maximize, self.weight_decay);
        let mean = rule.running_mean(mean, grad, share);
        let largest = rule.mul(largest, kept);
        let size = rule.abs(grad);
        let size = rule.add(size, eps);
        let largest = rule.maximum(largest, size);
        let direction = rule.div(mean, largest);
        let updated = rule.scaled_add(parameter, direction, step);
        rule.finish(compute, &[updated, mean, largest])
    }

    fn constants(&self, step: f64, _numbers: &mut [f64]) -> Constants {
        let (beta1, beta2) = self.betas;
        let rate = self.learning_rate / (1.0 - beta1.powf(step));
        let mut constants: Constants = smallvec![-rate, 1.0 - beta1, beta2, self.eps];
        if self.weight_decay != 0.0 {
            constants.push(self.weight_decay);
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
