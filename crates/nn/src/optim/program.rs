//! Writing an update rule as a straight-line program, and running it over a parameter in place.

use rustorch_backend::{ElementwiseOp, Instruction, Operand, Program, Source};
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{DType, Scalar, Tensor};
use smallvec::SmallVec;

use super::weight_decay::WeightDecay;

/// Collects the instructions of an update rule.
#[derive(Default)]
pub(super) struct UpdateRule {
    instructions: Vec<Instruction>,
    constants: u8,
}

impl UpdateRule {
    /// The next constant; its value is given when the rule runs.
    pub(super) fn constant(&mut self) -> Source {
        self.constants += 1;
        Source::Constant(self.constants - 1)
    }

    fn push(&mut self, op: ElementwiseOp, arguments: &[Source]) -> Source {
        self.instructions.push(Instruction::new(op, arguments));
        Source::Register(self.instructions.len() as u8 - 1)
    }

    pub(super) fn neg(&mut self, x: Source) -> Source {
        self.push(ElementwiseOp::Neg, &[x])
    }

    pub(super) fn mul(&mut self, x: Source, y: Source) -> Source {
        self.push(ElementwiseOp::Mul, &[x, y])
    }

    pub(super) fn div(&mut self, x: Source, y: Source) -> Source {
        self.push(ElementwiseOp::Div, &[x, y])
    }

    pub(super) fn add(&mut self, x: Source, y: Source) -> Source {
        self.push(ElementwiseOp::Add, &[x, y])
    }

    /// `x + factor * y`.
    pub(super) fn scaled_add(&mut self, x: Source, y: Source, factor: Source) -> Source {
        self.push(ElementwiseOp::ScaledAdd, &[x, y, factor])
    }

    pub(super) fn sub(&mut self, x: Source, y: Source) -> Source {
        self.push(ElementwiseOp::Sub, &[x, y])
    }

    pub(super) fn sqrt(&mut self, x: Source) -> Source {
        self.push(ElementwiseOp::Sqrt, &[x])
    }

    pub(super) fn maximum(&mut self, x: Source, y: Source) -> Source {
        self.push(ElementwiseOp::Maximum, &[x, y])
    }

    pub(super) fn abs(&mut self, x: Source) -> Source {
        self.push(ElementwiseOp::Abs, &[x])
    }

    pub(super) fn sign(&mut self, x: Source) -> Source {
        self.push(ElementwiseOp::Sign, &[x])
    }

    /// Whether `x > y`, for [`Self::select`].
    pub(super) fn greater(&mut self, x: Source, y: Source) -> Source {
        self.push(ElementwiseOp::Gt, &[x, y])
    }

    pub(super) fn select(&mut self, mask: Source, x: Source, y: Source) -> Source {
        self.push(ElementwiseOp::Select, &[mask, x, y])
    }

    pub(super) fn clamp(&mut self, x: Source, low: Source, high: Source) -> Source {
        self.push(ElementwiseOp::Clamp, &[x, low, high])
    }

    pub(super) fn lerp(&mut self, x: Source, end: Source, weight: Source) -> Source {
        self.push(ElementwiseOp::Lerp, &[x, end, weight])
    }

    /// `mean + share * (x - mean)`.
    pub(super) fn running_mean(&mut self, mean: Source, x: Source, share: Source) -> Source {
        let difference = self.sub(x, mean);
        self.scaled_add(mean, difference, share)
    }

    /// `kept * square + share * x²`.
    pub(super) fn running_square(
        &mut self,
        square: Source,
        x: Source,
        kept: Source,
        share: Source,
    ) -> Source {
        let kept = self.mul(square, kept);
        let new = self.mul(x, x);
        self.scaled_add(kept, new, share)
    }

    /// The gradient with the direction and the decay taken in; the decay's factor is the next constant unless it is 0.
    pub(super) fn gradient(
        &mut self,
        grad: Source,
        parameter: Source,
        maximize: bool,
        weight_decay: f64,
    ) -> Source {
        let grad = if maximize { self.neg(grad) } else { grad };
        if weight_decay == 0.0 {
            return grad;
        }
        let decay = self.constant();
        self.scaled_add(grad, parameter, decay)
    }

    /// Parameter and gradient, with the decay taken in where it acts; its factor is the next constant unless it is 0.
    pub(super) fn decayed(
        &mut self,
        parameter: Source,
        grad: Source,
        maximize: bool,
        weight_decay: f64,
        decay: WeightDecay,
    ) -> (Source, Source) {
        if decay == WeightDecay::Gradient || weight_decay == 0.0 {
            return (parameter, self.gradient(grad, parameter, maximize, weight_decay));
        }
        let grad = if maximize { self.neg(grad) } else { grad };
        let kept = self.constant();
        (self.mul(parameter, kept), grad)
    }

    /// The finished program; its constants are set before each run.
    pub(super) fn finish(self, compute: DType, outputs: &[Source]) -> Program {
        Program {
            compute,
            instructions: self.instructions.into(),
            constants: SmallVec::new(),
            outputs: SmallVec::from_slice(outputs),
        }
    }
}

/// Refuses a parameter, gradient or state that the update cannot run over.
pub(super) fn check(op: &'static str, parameter: &Tensor, others: &[&Tensor]) -> Result<()> {
    if !parameter.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            op,
            format!("a parameter must be floating point to be updated, got {}", parameter.dtype()),
        ));
    }
    if parameter.layout().overlaps_itself() {
        return Err(RusTorchError::argument(
            op,
            format!(
                "several elements of a parameter of shape {:?} and strides {:?} share one memory location; \
                 make it contiguous before it is optimized",
                parameter.shape(),
                parameter.strides()
            ),
        ));
    }
    for other in others {
        if other.shape() != parameter.shape() || other.device() != parameter.device() {
            return Err(RusTorchError::shape(
                op,
                format!(
                    "a parameter of shape {:?} on {} got a gradient or state of shape {:?} on {}",
                    parameter.shape(),
                    parameter.device(),
                    other.shape(),
                    other.device()
                ),
            ));
        }
    }
    Ok(())
}

/// Runs an update rule over `[changed…, read…]`, writing the program's outputs into `changed`, in one pass.
pub(super) fn run(
    program: &mut Program,
    constants: &[f64],
    changed: &[&Tensor],
    read: &[&Tensor],
) -> Result<()> {
    if changed[0].numel() == 0 {
        return Ok(());
    }
    program.constants.clear();
    program.constants.extend(constants.iter().map(|&value| Scalar::Float(value)));
    let inputs: SmallVec<[Operand<'_>; 5]> = changed.iter().chain(read).map(|t| t.operand()).collect();
    changed[0].backend()?.map(program, &inputs, &inputs[..changed.len()])?;
    for tensor in changed {
        tensor.storage().bump_version();
    }
    Ok(())
}

/// The program for a compute dtype, built at its first use: the parameters of a group may have different dtypes.
pub(super) struct Programs<F> {
    build: F,
    built: SmallVec<[Program; 1]>,
}

impl<F: Fn(DType) -> Program> Programs<F> {
    pub(super) fn new(build: F) -> Self {
        Programs { build, built: SmallVec::new() }
    }

    pub(super) fn of(&mut self, dtype: DType) -> &mut Program {
        let compute = dtype.compute();
        let found = self.built.iter().position(|program| program.compute == compute);
        let index = found.unwrap_or_else(|| {
            self.built.push((self.build)(compute));
            self.built.len() - 1
        });
        &mut self.built[index]
    }
}
