//! Elementwise programs, printed from the algebra.

use std::fmt::Write;

use rustorch_algebra::printer;
use rustorch_backend::{Category, DType, ElementwiseOp, Operand, Program, RegisterKind, Scalar, Source};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use super::copy::{conversion, groups_for};
use super::nonzero::counted_nonzero;
use crate::device::Device;
use crate::kernel::{Call, value_type};
use crate::positions::Strided;

/// The names of inputs and outputs in the text.
pub(crate) const INPUTS: [&str; 16] =
    ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15"];
const OUTPUTS: [&str; 16] =
    ["y0", "y1", "y2", "y3", "y4", "y5", "y6", "y7", "y8", "y9", "y10", "y11", "y12", "y13", "y14", "y15"];

/// Special functions that every dialect has; those of [`WRITTEN`] beside them, the others are computed on the CPU.
const SPECIAL: [&str; 2] = ["erfc", "lgamma"];

/// Special functions that `special.c` has.
const WRITTEN: [&str; 3] = ["entr", "erfinv", "xlog1py"];

/// Whether a program has a function of `special.c`.
fn has_written(program: &Program) -> bool {
    program
        .instructions
        .iter()
        .any(|instruction| printer::is_special(instruction.op) && WRITTEN.contains(&instruction.op.name()))
}

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

/// Whether the program can be printed.
pub(crate) fn check<'a>(
    program: &Program,
    mut operands: impl Iterator<Item = &'a Operand<'a>>,
) -> Result<()> {
    if program.compute.is_complex() || operands.any(|operand| operand.dtype.is_complex()) {
        return Err(RusTorchError::unsupported("map", "complex numbers"));
    }
    for instruction in program.instructions.iter() {
        let op = instruction.op;
        if printer::is_special(op) && !SPECIAL.contains(&op.name()) && !WRITTEN.contains(&op.name()) {
            return Err(RusTorchError::unsupported(
                op.name(),
                "the device's compiler does not have this function",
            ));
        }
    }
    Ok(())
}

/// The dtype of what `source` names.
pub(crate) fn result_dtype(program: &Program, source: Source) -> DType {
    match program.kind(source) {
        RegisterKind::Value => program.compute,
        RegisterKind::Mask => DType::Bool,
    }
}

/// Puts `program` where the text says `PROGRAM`: loads `x0`, `x1`, … at `at_x0`, …, of the given dtypes, computes
/// `out0`, …; then what `finish` adds. Constants are parameters, so that one text serves all of them.
pub(crate) fn with_program<'a>(
    mut call: Call<'a>,
    program: &'a Program,
    inputs: SmallVec<[DType; 8]>,
    finish: impl Fn(&mut String) + 'a,
) -> Call<'a> {
    let value = value_type(program.compute);
    let constants: SmallVec<[&'static str; 4]> = CONSTANTS[..program.constants.len()].into();
    for (name, constant) in constants.iter().zip(&program.constants) {
        call = parameter(call, name, program.compute, *constant);
    }
    if has_written(program) {
        call = call.constant("SPECIAL", if value == "double" { 8 } else { 4 });
    }
    define_value(call, program.compute).insert("PROGRAM", &key_of(program), move || {
        let mut text = String::new();
        for (n, &dtype) in inputs.iter().enumerate() {
            let (ctype, to) = match program.kind(Source::Input(n as u8)) {
                RegisterKind::Mask => ("bool", DType::Bool),
                RegisterKind::Value => (value, program.compute),
            };
            let load = conversion(dtype, to).replace('x', &format!("LOAD_x{n}(at_x{n})"));
            let _ = writeln!(text, "const {ctype} in{n} = ({ctype}){load};");
        }
        for name in &constants {
            let _ = writeln!(text, "const {value} {name} = ({value})p.{name};");
        }
        for (n, &output) in program.outputs.iter().enumerate() {
            let ctype = value_type(result_dtype(program, output));
            let _ = writeln!(text, "{ctype} out{n};");
        }
        text.push_str(&printer::print_with(program, |n| constants[n].to_string())?);
        finish(&mut text);
        Ok(text)
    })
}

/// What a program's text depends on, but for the constants' number, which the parameters tell.
fn key_of(program: &Program) -> SmallVec<[u8; 64]> {
    let place = |source: Source| match source {
        Source::Input(n) => n,
        Source::Constant(n) => 0x40 | n,
        Source::Register(n) => 0x80 | n,
    };
    let mut key: SmallVec<[u8; 64]> = SmallVec::new();
    key.push(program.compute as u8);
    for instruction in program.instructions.iter() {
        key.push(instruction.op as u8);
        key.extend(instruction.arguments.map(place));
    }
    key.extend(program.outputs.iter().map(|&output| place(output)));
    key.push(program.outputs.len() as u8);
    key
}

/// The names of constants in the text.
const CONSTANTS: [&str; 16] =
    ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15"];

/// Defines what `algebra.c` needs for numbers of a dtype.
pub(crate) fn define_value(call: Call<'_>, dtype: DType) -> Call<'_> {
    call.define("V", value_type(dtype))
        .constant("V_FLOAT", usize::from(dtype.category() == Category::Float))
        .constant("V_BOOL", usize::from(dtype == DType::Bool))
}

/// A scalar parameter in the dtype's own precision, in 8 bytes.
fn parameter<'a>(call: Call<'a>, name: &'static str, dtype: DType, value: Scalar) -> Call<'a> {
    match dtype {
        DType::Float64 => call.f64(name, value.to_f64()),
        DType::Float32 => call.f32_wide(name, value.to_f64() as f32),
        DType::Bool => call.i64(name, i64::from(value.to_bool())),
        _ => call.i64(name, value.to_i64()),
    }
}
