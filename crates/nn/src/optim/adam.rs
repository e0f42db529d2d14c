//! Adam (D. P. Kingma and J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015), `AMSGrad` (S. J. Reddi et al.,
//! *On the Convergence of Adam and Beyond*, ICLR 2018) and `AdamW` (I. Loshchilov and F. Hutter, *Decoupled Weight Decay
//! Regularization*, ICLR 2019).

use rustorch_backend::{Program, Source};
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{DType, Device, Scalar, Tensor};
use smallvec::{SmallVec, smallvec};

use super::program::{Programs, UpdateRule, check, run};
use super::sgd::zeros_like;
use super::{Optimizer, check_betas, check_not_negative};

/// What weight decay acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightDecay {
    /// The gradient: Adam.
    Gradient,
    /// The parameter itself: `AdamW`.
    Decoupled,
}

impl WeightDecay {
    /// The constant that a program takes for the decay.
    pub(super) fn factor(self, learning_rate: f64, weight_decay: f64) -> f64 {
        match self {
            WeightDecay::Gradient => weight_decay,
            WeightDecay::Decoupled => 1.0 - learning_rate * weight_decay,
        }
    }
}

/// How [`Adam`] steps. The defaults are those of PyTorch's Adam; [`AdamOptions::adamw`] has `AdamW`'s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamOptions {
    /// Factor of the step.
    pub learning_rate: f64,
    /// How much of the running mean of the gradient, and of its square, is kept.
    pub betas: (f64, f64),
    /// Added to the denominator.
    pub eps: f64,
    /// Factor of the parameter in its decay.
    pub weight_decay: f64,
    /// What the decay acts on.
    pub decay: WeightDecay,
    /// Whether the denominator is the largest so far (`AMSGrad`).
    pub amsgrad: bool,
    /// Whether the objective is climbed instead.
    pub maximize: bool,
}

impl Default for AdamOptions {
    fn default() -> Self {
        AdamOptions {
            learning_rate: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            decay: WeightDecay::Gradient,
            amsgrad: false,
            maximize: false,
        }
    }
}

impl AdamOptions {
    /// The defaults of PyTorch's `AdamW`.
    pub fn adamw() -> Self {
        AdamOptions { weight_decay: 1e-2, decay: WeightDecay::Decoupled, ..Self::default() }
    }

    fn check(&self) -> Result<()> {
        check_not_negative("Adam", "learning rate", self.learning_rate)?;
        check_not_negative("Adam", "epsilon value", self.eps)?;
        check_not_negative("Adam", "weight_decay value", self.weight_decay)?;
        check_betas("Adam", self.betas)
    }

    /// The update of parameter, mean, mean square (and the largest of it) by the gradient, the last input.
    fn program(&self, compute: DType) -> Program {
        let mut rule = UpdateRule::default();
        let mut parameter = Source::Input(0);
        let (mean, square) = (Source::Input(1), Source::Input(2));
        let mut grad = Source::Input(if self.amsgrad { 4 } else { 3 });
        let step = rule.constant();
        let mean_share = rule.constant();
        let square_kept = rule.constant();
        let square_share = rule.constant();
        let correction = rule.constant();
        let eps = rule.constant();
        if self.maximize {
            grad = rule.neg(grad);
        }
        if self.weight_decay != 0.0 {
            let decay = rule.constant();
            match self.decay {
                WeightDecay::Gradient => grad = rule.scaled_add(grad, parameter, decay),
                WeightDecay::Decoupled => parameter = rule.mul(parameter, decay),
            }
        }
        let difference = rule.sub(grad, mean);
        let mean = rule.scaled_add(mean, difference, mean_share);
        let kept = rule.mul(square, square_kept);
        let grad_square = rule.mul(grad, grad);
        let square = rule.scaled_add(kept, grad_square, square_share);
        let largest = if self.amsgrad { rule.maximum(Source::Input(3), square) } else { square };
        let root = rule.sqrt(largest);
        let corrected = rule.div(root, correction);
        let denominator = rule.add(corrected, eps);
        let direction = rule.div(mean, denominator);
        let updated = rule.scaled_add(parameter, direction, step);
        if self.amsgrad {
            rule.finish(compute, &[updated, mean, square, largest])
        } else {
            rule.finish(compute, &[updated, mean, square])
        }
    }

    /// The constants of the `step`-th step, in the order in which [`Self::program`] asks for them.
    fn constants(&self, step: f64) -> SmallVec<[f64; 8]> {
        let (beta1, beta2) = self.betas;
        let mut constants = smallvec![
            -self.learning_rate / (1.0 - beta1.powf(step)),
            1.0 - beta1,
            beta2,
            1.0 - beta2,
            (1.0 - beta2.powf(step)).sqrt(),
            self.eps,
        ];
        if self.weight_decay != 0.0 {
            constants.push(self.decay.factor(self.learning_rate, self.weight_decay));
        }
        constants
    }
}

/// What Adam remembers of one parameter.
#[derive(Debug, Clone)]
pub struct AdamState {
    /// The number of steps so far, a 0-d tensor.
    pub step: Tensor,
    /// The running mean of the gradient.
    pub exp_avg: Tensor,
    /// The running mean of its square.
    pub exp_avg_sq: Tensor,
    /// The largest running mean of the square so far; with `amsgrad` alone.
    pub max_exp_avg_sq: Option<Tensor>,
}

impl AdamState {
    /// The state before a parameter's first step.
    pub fn new(parameter: &Tensor, amsgrad: bool) -> Result<Self> {
        Ok(AdamState {
            step: Tensor::scalar(Scalar::Float(0.0), DType::Float32, Device::CPU)?,
            exp_avg: zeros_like(parameter)?,
            exp_avg_sq: zeros_like(parameter)?,
            max_exp_avg_sq: amsgrad.then(|| zeros_like(parameter)).transpose()?,
        })
    }

    /// Counts one more step, and gives the count.
    fn advance(&self) -> Result<f64> {
        let count = self.step.item()?.to_f64() + 1.0;
        self.step.backend()?.fill(self.step.operand(), Scalar::Float(count))?;
        self.step.storage().bump_version();
        Ok(count)
    }
}

/// One step of Adam or `AdamW` over parameters, their gradients and their state. The lists have one length.
pub fn adam_step(
    options: &AdamOptions,
    parameters: &[Tensor],
    gradients: &[Tensor],
    states: &[AdamState],
) -> Result<()> {
    if gradients.len() != parameters.len() || states.len() != parameters.len() {
        return Err(RusTorchError::argument(
            "Adam",
            format!(
                "{} parameters came with {} gradients and {} states",
                parameters.len(),
                gradients.len(),
                states.len()
            ),
        ));
    }
    let mut programs = Programs::new(|compute| options.program(compute));
    let mut constants = (f64::NAN, SmallVec::new());
    for ((parameter, grad), state) in parameters.iter().zip(gradients).zip(states) {
        let mut changed: SmallVec<[&Tensor; 4]> = smallvec![parameter, &state.exp_avg, &state.exp_avg_sq];
        if options.amsgrad {
            changed.push(state.max_exp_avg_sq.as_ref().ok_or_else(|| {
                RusTorchError::argument(
                    "Adam",
                    "amsgrad needs the state max_exp_avg_sq, which this parameter lacks",
                )
            })?);
        }
        check("Adam", parameter, &changed[1..])?;
        check("Adam", parameter, &[grad])?;
        let step = state.advance()?;
        // Nearly always all parameters are at the same step.
        if constants.0 != step {
            constants = (step, options.constants(step));
        }
        run(programs.of(parameter.dtype()), &constants.1, &changed, &[grad])?;
    }
    Ok(())
}

/// Adam or `AdamW` over a list of parameters.
#[derive(Debug)]
pub struct Adam {
    parameters: Vec<Tensor>,
    options: AdamOptions,
    states: Vec<Option<AdamState>>,
}

impl Adam {
    /// An optimizer of these parameters.
    pub fn new(parameters: Vec<Tensor>, options: AdamOptions) -> Result<Self> {
        options.check()?;
        let states = vec![None; parameters.len()];
        Ok(Adam { parameters, options, states })
    }
}

impl Optimizer for Adam {
    fn parameters(&self) -> &[Tensor] {
        &self.parameters
    }

    fn step(&mut self) -> Result<()> {
        let active = super::with_gradients(&self.parameters);
        let mut states = Vec::with_capacity(active.indices.len());
        for (&i, parameter) in active.indices.iter().zip(&active.parameters) {
            let slot = &mut self.states[i];
            states.push(match slot {
                Some(state) => state.clone(),
                None => slot.insert(AdamState::new(parameter, self.options.amsgrad)?).clone(),
            });
        }
        adam_step(&self.options, &active.parameters, &active.gradients, &states)
    }

    fn learning_rate(&self) -> f64 {
        self.options.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        check_not_negative("Adam", "learning rate", learning_rate)?;
        self.options.learning_rate = learning_rate;
        Ok(())
    }
}
