//! Adadelta (M. D. Zeiler, *ADADELTA: An Adaptive Learning Rate Method*, 2012).

use rustorch_backend::{Program, Source};
use rustorch_error::Result;
use rustorch_tensor::DType;
use smallvec::smallvec;

use super::check_not_negative;
use super::program::UpdateRule;
use super::rule::{Constants, Rule, Slots};

/// How Adadelta steps. The defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adadelta {
    /// Factor of the step.
    pub learning_rate: f64,
    /// How much of the running means is kept.
    pub rho: f64,
    /// Keeps the denominator away from 0.
    pub eps: f64,
    /// Factor of the parameter that is added to its gradient.
    pub weight_decay: f64,
    /// Whether the objective is climbed instead.
    pub maximize: bool,
}

impl Default for Adadelta {
    fn default() -> Self {
        Adadelta { learning_rate: 1.0, rho: 0.9, eps: 1e-6, weight_decay: 0.0, maximize: false }
    }
}

impl Rule for Adadelta {
    const NAME: &'static str = "Adadelta";

    fn state(&self) -> Slots {
        smallvec![("square_avg", 0.0), ("acc_delta", 0.0)]
    }

    fn program(&self, compute: DType) -> Program {
        let mut rule = UpdateRule::default();
        let (parameter, square, delta) = (Source::Input(0), Source::Input(1), Source::Input(2));
        let (step, kept, share, eps) = (rule.constant(), rule.constant(), rule.constant(), rule.constant());
        let grad = rule.gradient(Source::Input(3), parameter, self.maximize, self.weight_decay);
        let square = rule.running_square(square, grad, kept, share);
        let denominator = rule.add(square, eps);
        let denominator = rule.sqrt(denominator);
        let numerator = rule.add(delta, eps);
        let numerator = rule.sqrt(numerator);
        let ratio = rule.div(numerator, denominator);
        let direction = rule.mul(ratio, grad);
        let delta = rule.running_square(delta, direction, kept, share);
        let updated = rule.scaled_add(parameter, direction, step);
        rule.finish(compute, &[updated, square, delta])
    }

    fn constants(&self, _step: f64, _numbers: &mut [f64]) -> Constants {
        let mut constants: Constants = smallvec![-self.learning_rate, self.rho, 1.0 - self.rho, self.eps];
        if self.weight_decay != 0.0 {
            constants.push(self.weight_decay);
        }
        constants
    }

    fn check(&self) -> Result<()> {
        check_not_negative(Self::NAME, "learning rate", self.learning_rate)?;
        super::check_unit(Self::NAME, "rho value", self.rho)?;
        check_not_negative(Self::NAME, "epsilon value", self.eps)?;
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
