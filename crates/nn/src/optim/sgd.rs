//! Stochastic gradient descent, with momentum (I. Sutskever et al., *On the importance of initialization and momentum
//! in deep learning*, ICML 2013, in PyTorch's variant).

use rustorch_backend::{Program, Source};
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{DType, Tensor};

use super::program::{Programs, UpdateRule, check, run};
use super::{Optimizer, check_not_negative};

/// How [`Sgd`] steps. The defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdOptions {
    /// Factor of the step.
    pub learning_rate: f64,
    /// How much of the last step is kept.
    pub momentum: f64,
    /// How much of the gradient is left out of the momentum.
    pub dampening: f64,
    /// Factor of the parameter that is added to its gradient.
    pub weight_decay: f64,
    /// Whether the step looks ahead (Nesterov).
    pub nesterov: bool,
    /// Whether the objective is climbed instead.
    pub maximize: bool,
}

impl Default for SgdOptions {
    fn default() -> Self {
        SgdOptions {
            learning_rate: 1e-3,
            momentum: 0.0,
            dampening: 0.0,
            weight_decay: 0.0,
            nesterov: false,
            maximize: false,
        }
    }
}

impl SgdOptions {
    fn check(&self) -> Result<()> {
        check_not_negative("SGD", "learning rate", self.learning_rate)?;
        check_not_negative("SGD", "momentum value", self.momentum)?;
        check_not_negative("SGD", "weight_decay value", self.weight_decay)?;
        if self.nesterov && (self.momentum <= 0.0 || self.dampening != 0.0) {
            return Err(RusTorchError::argument(
                "SGD",
                "Nesterov momentum requires a momentum and zero dampening",
            ));
        }
        Ok(())
    }

    /// The update with the inputs parameter, gradient; or parameter, momentum buffer, gradient.
    fn program(&self, compute: DType, has_buffer: bool) -> Program {
        let mut rule = UpdateRule::default();
        let parameter = Source::Input(0);
        let step = rule.constant();
        let mut grad = Source::Input(if has_buffer { 2 } else { 1 });
        if self.maximize {
            grad = rule.neg(grad);
        }
        if self.weight_decay != 0.0 {
            let decay = rule.constant();
            grad = rule.scaled_add(grad, parameter, decay);
        }
        if !has_buffer {
            let updated = rule.scaled_add(parameter, grad, step);
            return rule.finish(compute, &[updated]);
        }
        let momentum = rule.constant();
        let share = rule.constant();
        let kept = rule.mul(Source::Input(1), momentum);
        let buffer = rule.scaled_add(kept, grad, share);
        let direction = if self.nesterov { rule.scaled_add(grad, buffer, momentum) } else { buffer };
        let updated = rule.scaled_add(parameter, direction, step);
        rule.finish(compute, &[updated, buffer])
    }

    /// The constants in the order in which [`Self::program`] asks for them. `share` is the gradient's in the momentum.
    fn constants(&self, has_buffer: bool, share: f64) -> smallvec::SmallVec<[f64; 4]> {
        let mut constants = smallvec::smallvec![-self.learning_rate];
        if self.weight_decay != 0.0 {
            constants.push(self.weight_decay);
        }
        if has_buffer {
            constants.extend([self.momentum, share]);
        }
        constants
    }
}

/// One step of SGD over parameters, their gradients and their momentum buffers.
///
/// With `momentum`, a parameter's first step makes its buffer. The lists have one length.
pub fn sgd_step(
    options: &SgdOptions,
    parameters: &[Tensor],
    gradients: &[Tensor],
    buffers: &mut [Option<Tensor>],
) -> Result<()> {
    let has_buffer = options.momentum != 0.0;
    if gradients.len() != parameters.len() || buffers.len() != parameters.len() {
        return Err(RusTorchError::argument(
            "SGD",
            format!(
                "{} parameters came with {} gradients and {} momentum buffers",
                parameters.len(),
                gradients.len(),
                buffers.len()
            ),
        ));
    }
    let mut programs = Programs::new(|compute| options.program(compute, has_buffer));
    let constants = options.constants(has_buffer, 1.0 - options.dampening);
    for ((parameter, grad), slot) in parameters.iter().zip(gradients).zip(buffers) {
        check("SGD", parameter, &[grad])?;
        let program = programs.of(parameter.dtype());
        if !has_buffer {
            run(program, &constants, &[parameter], &[grad])?;
        } else if let Some(buffer) = slot {
            check("SGD", parameter, &[buffer])?;
            run(program, &constants, &[parameter, buffer], &[grad])?;
        } else {
            // The first buffer is the gradient itself, whatever the dampening.
            let buffer = zeros_like(parameter)?;
            let first = options.constants(true, 1.0);
            run(program, &first, &[parameter, &buffer], &[grad])?;
            *slot = Some(buffer);
        }
    }
    Ok(())
}

/// State that starts at zero, laid out as its parameter: without history even where the caller records.
fn zeros_like(parameter: &Tensor) -> Result<Tensor> {
    let zeros = Tensor::empty(parameter.shape(), parameter.dtype(), parameter.device())?;
    zeros.backend()?.fill(zeros.operand(), 0.into())?;
    Ok(zeros)
}

/// Stochastic gradient descent over a list of parameters.
#[derive(Debug)]
pub struct Sgd {
    parameters: Vec<Tensor>,
    options: SgdOptions,
    buffers: Vec<Option<Tensor>>,
}

impl Sgd {
    /// An optimizer of these parameters.
    pub fn new(parameters: Vec<Tensor>, options: SgdOptions) -> Result<Self> {
        options.check()?;
        let buffers = vec![None; parameters.len()];
        Ok(Sgd { parameters, options, buffers })
    }
}

impl Optimizer for Sgd {
    fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    fn step(&mut self) -> Result<()> {
        let active = super::with_gradients(&self.parameters);
        let mut buffers: Vec<_> = active.indices.iter().map(|&i| self.buffers[i].take()).collect();
        let outcome = sgd_step(&self.options, &active.parameters, &active.gradients, &mut buffers);
        for (i, buffer) in active.indices.into_iter().zip(buffers) {
            self.buffers[i] = buffer;
        }
        outcome
    }

    fn learning_rate(&self) -> f64 {
        self.options.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        check_not_negative("SGD", "learning rate", learning_rate)?;
        self.options.learning_rate = learning_rate;
        Ok(())
    }
}
