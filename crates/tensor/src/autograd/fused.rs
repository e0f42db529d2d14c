//! Gradient formulas that run as one elementwise program.

use rustorch_backend::{Instruction, Program, Scalar, Source};
use rustorch_error::Result;
use smallvec::SmallVec;

use super::saved::Origin;
use crate::Tensor;
use crate::operations::elementwise;
use crate::placement::common_device;

/// The gradient of an input of `origin` by instructions over `inputs`, of which the last gives it, without history. One
/// pass over memory.
pub fn run(
    instructions: &'static [Instruction],
    constants: SmallVec<[Scalar; 2]>,
    inputs: &[&Tensor],
    origin: &Origin,
) -> Result<Tensor> {
    // Inputs that are masks (a bool condition) do not take part in the compute dtype; the gradient, always among the
    // inputs and floating point, decides.
    let floats: SmallVec<[&Tensor; 4]> =
        inputs.iter().copied().filter(|t| t.dtype().is_floating_point()).collect();
    let compute = crate::result_type(&floats).compute();
    let program = Program {
        compute,
        instructions: instructions.into(),
        constants,
        outputs: smallvec::smallvec![Source::Register(instructions.len() as u8 - 1)],
    };
    let shape = elementwise::broadcast("backward", inputs)?;
    let same = shape.as_slice() == origin.shape.as_slice();
    // A sum over broadcast dimensions follows: it wants the compute dtype's precision.
    let dtype = if same { origin.dtype } else { compute };
    let result = Tensor::empty(&shape, dtype, common_device("backward", inputs)?)?;
    elementwise::run_program(&program, inputs, &result)?;
    origin.restore(result)
}
