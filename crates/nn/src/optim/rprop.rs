//! Rprop (M. Riedmiller and H. Braun, *A Direct Adaptive Method for Faster Backpropagation Learning*, 1993).

use rustorch_backend::{Program, Source};
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::DType;
use smallvec::smallvec;

use super::check_not_negative;
use super::program::UpdateRule;
use super::rule::{Constants, Rule, Slots};

/// How Rprop steps. The defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rprop {
    /// Factor of the step.
    pub learning_rate: f64,
    /// Factors of the step size where the gradient turned, and where it did not.
    pub etas: (f64, f64),
    /// The smallest and the largest step size.
    pub step_sizes: (f64, f64),
    /// Whether the objective is climbed instead.
    pub maximize: bool,
}

impl Default for Rprop {
    fn default() -> Self {
        Rprop { learning_rate: 1e-2, etas: (0.5, 1.2), step_sizes: (1e-6, 50.0), maximize: false }
    }
}

impl Rule for Rprop {
    const NAME: &'static str = "Rprop";

    fn state(&self) -> Slots {
        smallvec![("prev", 0.0), ("step_size", self.learning_rate)]
    }

    fn program(&self, compute: DType) -> Program {
        let mut rule = UpdateRule::default();
        let (parameter, previous, size) = (Source::Input(0), Source::Input(1), Source::Input(2));
        let (shrink, grow, smallest, largest) =
            (rule.constant(), rule.constant(), rule.constant(), rule.constant());
        let (zero, one, down) = (rule.constant(), rule.constant(), rule.constant());
        let grad = rule.gradient(Source::Input(3), parameter, self.maximize, 0.0);
        let product = rule.mul(grad, previous);
        let (same, turned) = (rule.greater(product, zero), rule.greater(zero, product));
        let factor = rule.select(turned, shrink, one);
        let factor = rule.select(same, grow, factor);
        let size = rule.mul(size, factor);
        let size = rule.clamp(size, smallest, largest);
        // Where the gradient turned there is no step, and the next gradient finds nothing to compare with.
        let grad = rule.select(turned, zero, grad);
        let sign = rule.sign(grad);
        let change = rule.mul(sign, size);
        let updated = rule.scaled_add(parameter, change, down);
        rule.finish(compute, &[updated, grad, size])
    }

    fn constants(&self, _step: f64, _numbers: &mut [f64]) -> Constants {
        let ((shrink, grow), (smallest, largest)) = (self.etas, self.step_sizes);
        smallvec![shrink, grow, smallest, largest, 0.0, 1.0, -1.0]
    }

    fn check(&self) -> Result<()> {
        check_not_negative(Self::NAME, "learning rate", self.learning_rate)?;
        check_etas(self.etas)?;
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
}

/// The step size shrinks where the gradient turns, and grows elsewhere.
fn check_etas((shrink, grow): (f64, f64)) -> Result<()> {
    if shrink > 0.0 && shrink < 1.0 && grow > 1.0 {
        Ok(())
    } else {
        Err(RusTorchError::argument("Rprop", format!("invalid eta values: {shrink}, {grow}")))
    }
}
