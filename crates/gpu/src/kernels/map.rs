//! Elementwise programs over tensors.

use std::fmt::Write;

use rustorch_backend::{DType, ElementwiseOp, Operand, Program, Source};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use super::copy::{conversion, groups_for};
use super::nonzero::counted_nonzero;
use super::program::{INPUTS, OUTPUTS, check, result_dtype, with_program};
use crate::device::Device;
use crate::kernel::Call;
use crate::positions::Strided;

/// Refuses integers that are divided by 0, before anything is written: the divisors are counted, and waited for.
fn check_divisors(device: &dyn Device, program: &Program, inputs: &[Operand<'_>]) -> Result<()> {
    if !program.compute.is_integral(true) {
        return Ok(());
    }
    for instruction in program.instructions.iter() {
        let op = instruction.op;
        if !matches!(op, ElementwiseOp::FloorDivide | ElementwiseOp::Remainder | ElementwiseOp::Fmod) {
            continue;
        }
        let has_zero = match instruction.arguments[1] {
            Source::Input(n) => match inputs.get(usize::from(n)) {
                Some(&divisor) => counted_nonzero(device, divisor)? < divisor.layout.numel(),
                None => false,
            },
            Source::Constant(n) => {
                program.constants.get(usize::from(n)).is_some_and(|divisor| divisor.to_f64() == 0.0)
            }
            Source::Register(_) => {
                return Err(RusTorchError::unsupported(
                    op.name(),
                    "integers divided by what is computed with them",
                ));
            }
        };
        if has_zero {
            return Err(RusTorchError::argument(op.name(), "integer division by zero"));
        }
    }
    Ok(())
}

/// Runs `program` on `inputs` and stores into `outputs`, all of one shape.
pub(crate) fn map(
    device: &dyn Device,
    program: &Program,
    inputs: &[Operand<'_>],
    outputs: &[Operand<'_>],
) -> Result<()> {
    let Some(first) = outputs.first() else { return Ok(()) };
    check(program, inputs.iter().chain(outputs))?;
    check_divisors(device, program, inputs)?;
    let shape = first.layout.shape();
    let n = first.layout.numel();
    let mut strided: SmallVec<[Strided<'_>; 6]> = SmallVec::new();
    let mut call = Call::new(kernel_text!("map"));
    for (name, &input) in INPUTS.into_iter().zip(inputs) {
        call = call.read(name, input);
        strided.push(Strided::of(name, input.layout));
    }
    for (name, &output) in OUTPUTS.into_iter().zip(outputs) {
        call = call.write(name, output);
        strided.push(Strided::of(name, output.layout));
    }
    let types: SmallVec<[DType; 8]> = inputs.iter().map(|input| input.dtype).collect();
    let stores: SmallVec<[DType; 8]> = outputs.iter().map(|output| output.dtype).collect();
    call = call.size("n", n).positions("POSITIONS", shape, &strided);
    call = with_program(call, program, types, move |text| {
        for (n, &dtype) in stores.iter().enumerate() {
            let from = result_dtype(program, program.outputs[n]);
            let value = conversion(from, dtype).replace('x', &format!("out{n}"));
            let _ = writeln!(text, "STORE_y{n}(at_y{n}, {value});");
        }
    });
    device.run(call, groups_for(n))
}
