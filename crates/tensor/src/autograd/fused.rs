//! Gradient formulas that run as one elementwise program.

use rustorch_backend::{Instruction, Program, Scalar, Source};
use rustorch_error::Result;
use smallvec::SmallVec;

use super::saved::Origin;
use crate::Tensor;
use crate::operations::elementwise;
use crate::placement::common_device;

/// A formula compiled by codegen: instructions over inputs and constants.
#[derive(Debug)]
pub struct Formula {
    /// In order.
    pub instructions: &'static [Instruction],
    /// The literals; the op's own scalars follow.
    pub literals: &'static [f64],
    /// What is the result.
    pub output: Source,
}

/// The gradient of an input of `origin` by a formula over `inputs`, without history. One pass over memory.
pub fn run(formula: &Formula, inputs: &[&Tensor], scalars: &[Scalar], origin: &Origin) -> Result<Tensor> {
    let mut constants: SmallVec<[Scalar; 2]> = formula.literals.iter().map(|&v| Scalar::Float(v)).collect();
    constants.extend_from_slice(scalars);
    // Inputs that are masks (a bool condition) do not take part in the compute dtype; the gradient, always among the
    // inputs and floating point, decides.
    let floats: SmallVec<[&Tensor; 4]> =
        inputs.iter().copied().filter(|t| t.dtype().is_floating_point()).collect();
    let compute = crate::result_type(&floats).compute();
    let program = Program {
        compute,
        instructions: formula.instructions.into(),
        constants,
        outputs: smallvec::smallvec![formula.output],
    };
    let shape = elementwise::broadcast("backward", inputs)?;
    let same = shape.as_slice() == origin.shape.as_slice();
    // A sum over broadcast dimensions follows: it wants the compute dtype's precision.
    let dtype = if same { origin.dtype } else { compute };
    let result = Tensor::empty(&shape, dtype, common_device("backward", inputs)?)?;
    elementwise::run_program(&program, inputs, &result)?;
    origin.restore(result)
}
