//! Elementwise programs as parts of kernels' texts, printed from the algebra.

use std::fmt::Write;

use rustorch_algebra::printer;
use rustorch_backend::{Category, DType, Operand, Program, RegisterKind, Scalar, Source};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use super::copy::conversion;
use crate::kernel::{Call, value_type};

/// The names of inputs and outputs in the text.
pub(crate) const INPUTS: [&str; 16] =
    ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15"];
pub(crate) const OUTPUTS: [&str; 16] =
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
