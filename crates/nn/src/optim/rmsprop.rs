//! `RMSprop` (G. Hinton, *Neural Networks for Machine Learning*, lecture 6e, 2012), with momentum, and centered
//! (A. Graves, 2013).

use rustorch_backend::{Program, Source};
use rustorch_error::Result;
use rustorch_tensor::DType;
use smallvec::smallvec;

use super::check_not_negative;
use super::program::UpdateRule;
use super::rule::{Constants, Rule, Slots};

/// How `RMSprop` steps. The defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    /// Factor of the step.
    pub learning_rate: f64,
    /// How much of the running means is kept.
    pub alpha: f64,
    /// Keeps the denominator away from 0.
    pub eps: f64,
    /// Factor of the parameter that is added to its gradient.
    pub weight_decay: f64,
    /// How much of the last step is kept.
    pub momentum: f64,
    /// Whether the mean square is taken around the mean.
    pub centered: bool,
    /// Whether the objective is climbed instead.
    pub maximize: bool,
}

impl Default for RmsProp {
    fn default() -> Self {
        RmsProp {
            learning_rate: 1e-2,
            alpha: 0.99,
            eps: 1e-8,
            weight_decay: 0.0,
            momentum: 0.0,
            centered: false,
            maximize: false,
        }
    }
}

impl Rule for RmsProp {
    const NAME: &'static str = "RMSprop";

    fn state(&self) -> Slots {
        let mut slots: Slots = smallvec![("square_avg", 0.0)];
        if self.momentum > 0.0 {
            slots.push(("momentum_buffer", 0.0));
        }
        if self.centered {
            slots.push(("grad_avg", 0.0));
        }
        slots
    }

    fn program(&self, compute: DType) -> Program {
        let mut rule = UpdateRule::default();
        let (parameter, square) = (Source::Input(0), Source::Input(1));
        let has_momentum = self.momentum > 0.0;
        let mean_input = 2 + u8::from(has_momentum);
        let (step, kept, share, eps, momentum) =
            (rule.constant(), rule.constant(), rule.constant(), rule.constant(), rule.constant());
        let grad_input = mean_input + u8::from(self.centered);
        let grad = rule.gradient(Source::Input(grad_input), parameter, self.maximize, self.weight_decay);
        let square = rule.running_square(square, grad, kept, share);
        let mean = self.centered.then(|| rule.running_mean(Source::Input(mean_input), grad, share));
        let spread = match mean {
            Some(mean) => {
                let mean_square = rule.mul(mean, mean);
                rule.sub(square, mean_square)
            }
            None => square,
        };
        let root = rule.sqrt(spread);
        let denominator = rule.add(root, eps);
        let mut direction = rule.div(grad, denominator);
        if has_momentum {
            direction = rule.scaled_add(direction, Source::Input(2), momentum);
        }
        let updated = rule.scaled_add(parameter, direction, step);
        let outputs = [Some(updated), Some(square), has_momentum.then_some(direction), mean];
        let outputs: Vec<Source> = outputs.into_iter().flatten().collect();
        rule.finish(compute, &outputs)
    }

    fn constants(&self, _step: f64, _numbers: &mut [f64]) -> Constants {
        let mut constants: Constants =
            smallvec![-self.learning_rate, self.alpha, 1.0 - self.alpha, self.eps, self.momentum];
        if self.weight_decay != 0.0 {
            constants.push(self.weight_decay);
        }
        constants
    }

    fn check(&self) -> Result<()> {
        check_not_negative(Self::NAME, "learning rate", self.learning_rate)?;
        check_not_negative(Self::NAME, "epsilon value", self.eps)?;
        check_not_negative(Self::NAME, "momentum value", self.momentum)?;
        check_not_negative(Self::NAME, "weight_decay value", self.weight_decay)?;
        check_not_negative(Self::NAME, "alpha value", self.alpha)?;
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
}
