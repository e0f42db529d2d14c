//! Optimizers.
//!
//! The update of a parameter is one elementwise program that runs in place, in a single pass over memory: no
//! temporaries, however long the formula. [`sgd_step`] and [`rule_step`] are the updates themselves, over lists of
//! tensors; [`Sgd`] and [`RuleOptimizer`] keep the parameters and their state.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod asgd;
mod nadam;
mod program;
mod radam;
mod rmsprop;
mod rprop;
mod rule;
mod sgd;
mod weight_decay;

#[cfg(test)]
mod tests;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use asgd::AveragedSgd;
pub use nadam::NAdam;
pub use radam::RAdam;
pub use rmsprop::RmsProp;
pub use rprop::Rprop;
pub use rule::{Constants, Rule, RuleOptimizer, RuleState, Slots, rule_step};
pub use sgd::{Sgd, SgdOptions, sgd_step};
pub use weight_decay::WeightDecay;

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::Tensor;

/// Moves parameters down their gradients.
pub trait Optimizer {
    /// What is optimized.
    fn parameters(&self) -> &[Tensor];

    /// Moves every parameter that has a gradient one step.
    fn step(&mut self) -> Result<()>;

    /// The learning rate.
    fn learning_rate(&self) -> f64;

    /// Changes the learning rate from the next step on.
    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()>;

    /// Forgets the gradients.
    fn zero_grad(&self) -> Result<()> {
        self.parameters().iter().try_for_each(|parameter| parameter.set_grad(None))
    }
}

/// Refuses an option that is negative or not a number; PyTorch's text.
fn check_not_negative(op: &'static str, name: &str, value: f64) -> Result<()> {
    if value >= 0.0 { Ok(()) } else { Err(RusTorchError::argument(op, format!("invalid {name}: {value}"))) }
}

/// Refuses a setting that is not a share.
fn check_unit(op: &'static str, name: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        Ok(())
    } else {
        Err(RusTorchError::argument(op, format!("invalid {name}: {value}")))
    }
}

/// Refuses shares of running means that keep nothing new.
fn check_betas(op: &'static str, betas: (f64, f64)) -> Result<()> {
    for (i, beta) in [betas.0, betas.1].into_iter().enumerate() {
        if !(0.0..1.0).contains(&beta) {
            return Err(RusTorchError::argument(op, format!("invalid beta parameter at index {i}: {beta}")));
        }
    }
    Ok(())
}

/// The parameters that have a gradient, where they stand in the list, and the gradients.
struct Active {
    indices: Vec<usize>,
    parameters: Vec<Tensor>,
    gradients: Vec<Tensor>,
}

fn with_gradients(parameters: &[Tensor]) -> Active {
    let mut active = Active { indices: Vec::new(), parameters: Vec::new(), gradients: Vec::new() };
    for (i, parameter) in parameters.iter().enumerate() {
        if let Some(grad) = parameter.grad() {
            active.indices.push(i);
            active.parameters.push(parameter.clone());
            active.gradients.push(grad);
        }
    }
    active
}
