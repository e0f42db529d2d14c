//! Adagrad (J. Duchi et al., *Adaptive Subgradient Methods for Online Learning and Stochastic Optimization*, JMLR 2011).

use rustorch_backend::{Program, Source};
use rustorch_error::Result;
use rustorch_tensor::DType;
use smallvec::smallvec;

use super::check_not_negative;
use super::program::UpdateRule;
use super::rule::{Constants, Rule, Slots};

/// How Adagrad steps. The defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adagrad {
    /// Factor of the step.
    pub learning_rate: f64,
    /// How fast the learning rate falls.
    pub learning_rate_decay: f64,
    /// Factor of the parameter that is added to its gradient.
    pub weight_decay: f64,
    /// What the sum of squares starts from.
    pub initial_accumulator_value: f64,
    /// Keeps the denominator away from 0.
    pub eps: f64,
    /// Whether the objective is climbed instead.
    pub maximize: bool,
}

impl Default for Adagrad {
    fn default() -> Self {
        Adagrad {
            learning_rate: 1e-2,
            learning_rate_decay: 0.0,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            eps: 1e-10,
            maximize: false,
        }
    }
}

impl Rule for Adagrad {
    const NAME: &'static str = "Adagrad";

    fn state(&self) -> Slots {
        smallvec![("sum", self.initial_accumulator_value)]
    }

    fn program(&self, compute: DType) -> Program {
        let mut rule = UpdateRule::default();
        let (parameter, sum) = (Source::Input(0), Source::Input(1));
        let (step, eps) = (rule.constant(), rule.constant());
        let grad = rule.gradient(Source::Input(2), parameter, self.maximize, self.weight_decay);
        let square = rule.mul(grad, grad);
        let sum = rule.add(sum, square);
        let root = rule.sqrt(sum);
        let denominator = rule.add(root, eps);
        let direction = rule.div(grad, denominator);
        let updated = rule.scaled_add(parameter, direction, step);
        rule.finish(compute, &[updated, sum])
    }

    fn constants(&self, step: f64, _numbers: &mut [f64]) -> Constants {
        let rate = self.learning_rate / (1.0 + (step - 1.0) * self.learning_rate_decay);
        let mut constants: Constants = smallvec![-rate, self.eps];
        if self.weight_decay != 0.0 {
            constants.push(self.weight_decay);
        }
        constants
    }

    fn check(&self) -> Result<()> {
        check_not_negative(Self::NAME, "learning rate", self.learning_rate)?;
        check_not_negative(Self::NAME, "lr_decay value", self.learning_rate_decay)?;
        check_not_negative(Self::NAME, "weight_decay value", self.weight_decay)?;
        check_not_negative(Self::NAME, "initial_accumulator_value value", self.initial_accumulator_value)?;
        check_not_negative(Self::NAME, "epsilon value", self.eps)?;
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
}
