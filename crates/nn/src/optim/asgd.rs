//! Averaged stochastic gradient descent (B. T. Polyak and A. B. Juditsky, *Acceleration of Stochastic Approximation by Averaging*, 1992).

use rustorch_backend::{Program, Source};
use rustorch_error::Result;
use rustorch_tensor::DType;
use smallvec::smallvec;

use super::check_not_negative;
use super::program::UpdateRule;
use super::rule::{Constants, Rule, Slots};

/// How ASGD steps. The defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AveragedSgd {
    /// Factor of the step.
    pub learning_rate: f64,
    /// How much of the parameter decays per step.
    pub lambd: f64,
    /// The power by which the learning rate falls.
    pub alpha: f64,
    /// The step from which the average is taken.
    pub t0: f64,
    /// Factor of the parameter that is added to its gradient.
    pub weight_decay: f64,
    /// Whether the objective is climbed instead.
    pub maximize: bool,
}

impl Default for AveragedSgd {
    fn default() -> Self {
        AveragedSgd {
            learning_rate: 1e-2,
            lambd: 1e-4,
            alpha: 0.75,
            t0: 1e6,
            weight_decay: 0.0,
            maximize: false,
        }
    }
}

impl Rule for AveragedSgd {
    const NAME: &'static str = "ASGD";

    fn state(&self) -> Slots {
        smallvec![("ax", 0.0)]
    }

    fn numbers(&self) -> Slots {
        smallvec![("eta", self.learning_rate), ("mu", 1.0)]
    }

    fn program(&self, compute: DType) -> Program {
        let mut rule = UpdateRule::default();
        let (parameter, average) = (Source::Input(0), Source::Input(1));
        let (kept, step, share) = (rule.constant(), rule.constant(), rule.constant());
        let grad = rule.gradient(Source::Input(2), parameter, self.maximize, self.weight_decay);
        let decayed = rule.mul(parameter, kept);
        let updated = rule.scaled_add(decayed, grad, step);
        let average = rule.lerp(average, updated, share);
        rule.finish(compute, &[updated, average])
    }

    fn constants(&self, step: f64, numbers: &mut [f64]) -> Constants {
        let (eta, mu) = (numbers[0], numbers[1]);
        let mut constants: Constants = smallvec![1.0 - self.lambd * eta, -eta, mu];
        // As their places in the state, both are float32.
        let single = |x: f64| f64::from(x as f32);
        let falling = self.learning_rate / (1.0 + self.lambd * self.learning_rate * step).powf(self.alpha);
        numbers[0] = single(falling);
        numbers[1] = single(1.0 / (step - self.t0).max(1.0));
        if self.weight_decay != 0.0 {
            constants.push(self.weight_decay);
        }
        constants
    }

    fn check(&self) -> Result<()> {
        check_not_negative(Self::NAME, "learning rate", self.learning_rate)?;
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
