//! Optimizers whose update of a parameter is one elementwise program over it, its state and its gradient.

use rustorch_backend::Program;
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{DType, Device, Scalar, Tensor};
use smallvec::SmallVec;

use super::program::{Programs, check, run};
use super::{Optimizer, with_gradients};

/// Numbers of one step, in the order in which a program asks for its constants.
pub type Constants = SmallVec<[f64; 8]>;

/// Names with initial values.
pub type Slots = SmallVec<[(&'static str, f64); 4]>;

/// What an optimizer remembers of each parameter, and how a step changes both.
pub trait Rule {
    /// The optimizer's name.
    const NAME: &'static str;

    /// The state tensors of the parameter's shape, and what they hold before the first step.
    fn state(&self) -> Slots;

    /// Numbers of each parameter that change from step to step; beside the count of steps.
    fn numbers(&self) -> Slots {
        Slots::new()
    }

    /// The update. Its inputs are the parameter, the state and the gradient; its outputs replace the parameter and the
    /// state.
    fn program(&self, compute: DType) -> Program;

    /// The constants of the `step`-th step, which is the first for 1. `numbers` change for the next.
    fn constants(&self, step: f64, numbers: &mut [f64]) -> Constants;

    /// Refuses settings that make no sense.
    fn check(&self) -> Result<()>;

    /// The learning rate.
    fn learning_rate(&self) -> f64;

    /// Changes the learning rate.
    fn set_learning_rate(&mut self, learning_rate: f64);
}

/// What is remembered of one parameter.
#[derive(Debug, Clone)]
pub struct RuleState {
    /// The number of steps so far, a 0-d tensor.
    pub step: Tensor,
    /// See [`Rule::numbers`]; 0-d tensors.
    pub numbers: Vec<Tensor>,
    /// See [`Rule::state`].
    pub tensors: Vec<Tensor>,
}

impl RuleState {
    /// The state before a parameter's first step.
    pub fn new(rule: &impl Rule, parameter: &Tensor) -> Result<Self> {
        let number = |value| Tensor::scalar(Scalar::Float(value), DType::Float32, Device::CPU);
        let tensors = rule.state().into_iter().map(|(_, value)| {
            let tensor = Tensor::empty(parameter.shape(), parameter.dtype(), parameter.device())?;
            tensor.backend()?.fill(tensor.operand(), value.into())?;
            Ok(tensor)
        });
        Ok(RuleState {
            step: number(0.0)?,
            numbers: rule.numbers().into_iter().map(|(_, value)| number(value)).collect::<Result<_>>()?,
            tensors: tensors.collect::<Result<_>>()?,
        })
    }
}

fn set(tensor: &Tensor, value: f64) -> Result<()> {
    tensor.backend()?.fill(tensor.operand(), Scalar::Float(value))?;
    tensor.storage().bump_version();
    Ok(())
}

/// One step over parameters, their gradients and their state. The lists have one length.
pub fn rule_step<R: Rule>(
    rule: &R,
    parameters: &[Tensor],
    gradients: &[Tensor],
    states: &[RuleState],
) -> Result<()> {
    if gradients.len() != parameters.len() || states.len() != parameters.len() {
        return Err(RusTorchError::argument(
            R::NAME,
            format!(
                "{} parameters came with {} gradients and {} states",
                parameters.len(),
                gradients.len(),
                states.len()
            ),
        ));
    }
    let mut programs = Programs::new(|compute| rule.program(compute));
    let mut known: Option<(f64, Constants)> = None;
    for ((parameter, grad), state) in parameters.iter().zip(gradients).zip(states) {
        let changed: SmallVec<[&Tensor; 4]> = std::iter::once(parameter).chain(&state.tensors).collect();
        check(R::NAME, parameter, &changed[1..])?;
        check(R::NAME, parameter, &[grad])?;
        let step = state.step.item()?.to_f64() + 1.0;
        let mut numbers =
            state.numbers.iter().map(|n| Ok(n.item()?.to_f64())).collect::<Result<SmallVec<[f64; 2]>>>()?;
        // Nearly always all parameters are at the same step.
        let constants = match known.take() {
            Some((at, constants)) if at == step && numbers.is_empty() => constants,
            _ => rule.constants(step, &mut numbers),
        };
        run(programs.of(parameter.dtype()), &constants, &changed, &[grad])?;
        known = Some((step, constants));
        set(&state.step, step)?;
        for (tensor, value) in state.numbers.iter().zip(numbers) {
            set(tensor, value)?;
        }
    }
    Ok(())
}

/// An optimizer by a [`Rule`] over a list of parameters.
#[derive(Debug)]
pub struct RuleOptimizer<R> {
    parameters: Vec<Tensor>,
    rule: R,
    states: Vec<Option<RuleState>>,
}

impl<R: Rule> RuleOptimizer<R> {
    /// An optimizer of these parameters.
    pub fn new(parameters: Vec<Tensor>, rule: R) -> Result<Self> {
        rule.check()?;
        let states = vec![None; parameters.len()];
        Ok(RuleOptimizer { parameters, rule, states })
    }
}

impl<R: Rule> Optimizer for RuleOptimizer<R> {
    fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    fn step(&mut self) -> Result<()> {
        let active = with_gradients(&self.parameters);
        let mut states = Vec::with_capacity(active.indices.len());
        for (&i, parameter) in active.indices.iter().zip(&active.parameters) {
            let slot = &mut self.states[i];
            states.push(match slot {
                Some(state) => state.clone(),
                None => slot.insert(RuleState::new(&self.rule, parameter)?).clone(),
            });
        }
        rule_step(&self.rule, &active.parameters, &active.gradients, &states)
    }

    fn learning_rate(&self) -> f64 {
        self.rule.learning_rate()
    }

    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        super::check_not_negative(R::NAME, "learning rate", learning_rate)?;
        self.rule.set_learning_rate(learning_rate);
        Ok(())
    }
}
