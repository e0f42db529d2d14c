//! The printer's text, and what a C compiler makes of it.

#![allow(clippy::print_stderr)]

use std::borrow::Cow;
use std::process::Command;

use super::*;
use crate::Instruction;

fn text(op: ElementwiseOp, dtype: DType) -> String {
    print(&Program::single(op, dtype)).expect("the operation is defined for the dtype")
}

#[test]
fn softsign_is_one_statement_per_operation() {
    assert_eq!(
        text(ElementwiseOp::Softsign, DType::Float32),
        "const float r0 = ABS(in0);\n\
         const float r1 = 1.0f + r0;\n\
         const float r2 = in0 / r1;\n\
         out0 = r2;\n"
    );
}

#[test]
fn comparisons_give_bool() {
    assert_eq!(text(ElementwiseOp::Lt, DType::Float64), "const bool r0 = in0 < in1;\nout0 = r0;\n");
    assert_eq!(
        text(ElementwiseOp::LogicalAnd, DType::Int64),
        "const bool r0 = in0 != 0;\nconst bool r1 = in1 != 0;\nconst bool r2 = r0 && r1;\nout0 = r2;\n"
    );
}

#[test]
fn select_is_cs_conditional() {
    assert_eq!(
        text(ElementwiseOp::Select, DType::Float32),
        "const float r0 = in0 ? in1 : in2;\nout0 = r0;\n"
    );
}

#[test]
fn small_integers_do_not_stay_promoted() {
    assert_eq!(text(ElementwiseOp::Add, DType::UInt8), "const u8 r0 = (u8)(in0 + in1);\nout0 = r0;\n");
    assert_eq!(text(ElementwiseOp::Add, DType::Bool), "const bool r0 = in0 || in1;\nout0 = r0;\n");
    assert_eq!(
        text(ElementwiseOp::ScaledAdd, DType::Int32),
        "const i32 r0 = in1 * in2;\nconst i32 r1 = r0 + in0;\nout0 = r1;\n"
    );
    assert_eq!(
        text(ElementwiseOp::ScaledAdd, DType::Float32),
        "const float r0 = FMA(in1, in2, in0);\nout0 = r0;\n"
    );
}

#[test]
fn constants_are_literals_of_the_compute_dtype() {
    let program = |compute, constant| Program {
        compute,
        instructions: Cow::Owned(vec![Instruction::new(
            ElementwiseOp::Mul,
            &[Source::Input(0), Source::Constant(0)],
        )]),
        constants: smallvec::smallvec![constant],
        outputs: smallvec::smallvec![Source::Register(0)],
    };
    let literal = |compute, constant| {
        let text = print(&program(compute, constant)).expect("mul");
        text.split(" * ").nth(1).and_then(|t| t.split(';').next()).expect("a product").to_string()
    };
    assert_eq!(literal(DType::Float32, Scalar::Float(0.1)), "0.1f");
    assert_eq!(literal(DType::Float64, Scalar::Float(0.1)), "0.1");
    assert_eq!(literal(DType::Float32, Scalar::Int(-3)), "(-3.0f)");
    assert_eq!(literal(DType::Float32, Scalar::Float(1e-40)), "1e-40f");
    assert_eq!(literal(DType::Float32, Scalar::Float(f64::NEG_INFINITY)), "(-INFINITY)");
    assert_eq!(literal(DType::Float64, Scalar::Float(f64::NAN)), "NAN");
    assert_eq!(literal(DType::Int64, Scalar::Int(i64::MIN)), "(-9223372036854775807 - 1)");
    assert_eq!(literal(DType::Int64, Scalar::Int((1 << 53) + 1)), "9007199254740993");
}

#[test]
fn what_is_not_defined_is_an_error() {
    let error = print(&Program::single(ElementwiseOp::Exp, DType::Int32)).expect_err("exp of integers");
    assert_eq!(error.to_string(), "exp: not defined for int32");
    assert!(print(&Program::single(ElementwiseOp::BitwiseAnd, DType::Float32)).is_err());
    assert!(print(&Program::single(ElementwiseOp::Neg, DType::Bool)).is_err());
}

/// The macros of a dialect whose device is the host's C library.
const PRELUDE: &str = "
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#define EXP(x) exp(x)
#define TANH(x) tanh(x)
#define ERFC(x) erfc(x)
#define EXPM1(x) expm1(x)
#define LOG1P(x) log1p(x)
#define ABS(x) fabs(x)
#define FMA(x, y, z) fma(x, y, z)
";

/// Activations of float64, compiled by the host's C compiler and run, against formulas in Rust.
#[test]
fn a_c_compiler_takes_the_text_and_computes_the_same() {
    type Case = (ElementwiseOp, fn(f64) -> f64);
    let cases: [Case; 5] = [
        (ElementwiseOp::Silu, |x| x / (1.0 + libm::exp(-x))),
        (ElementwiseOp::Gelu, |x| 0.5 * x * libm::erfc(-x / std::f64::consts::SQRT_2)),
        (ElementwiseOp::Mish, |x| x * libm::tanh(libm::log1p(libm::exp(x)))),
        (ElementwiseOp::Selu, |x| {
            1.050_700_987_355_480_5 * if x > 0.0 { x } else { 1.673_263_242_354_377_2 * libm::expm1(x) }
        }),
        (ElementwiseOp::Sigmoid, |x| 1.0 / (1.0 + libm::exp(-x))),
    ];
    let mut source = PRELUDE.to_string();
    source += "int main(void) {\n  for (int i = -20; i <= 20; i++) {\n    double in0 = i * 0.37, out0;\n";
    for (op, _) in cases {
        let _ = writeln!(source, "{{\n{}}}\nprintf(\"%.17g\\n\", out0);", text(op, DType::Float64));
    }
    source += "  }\n  return 0;\n}\n";
    let folder = std::env::temp_dir().join(format!("rustorch-printer-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let (file, program) = (folder.join("kernel.c"), folder.join("kernel"));
    std::fs::write(&file, source).expect("the source is written");
    let compiled =
        Command::new("gcc").args(["-std=c11", "-O1", "-o"]).arg(&program).arg(&file).arg("-lm").output();
    let Ok(compiled) = compiled else {
        eprintln!("skipped: there is no gcc");
        return;
    };
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let output = Command::new(&program).output().expect("the program runs");
    let _ = std::fs::remove_dir_all(&folder);
    let printed = String::from_utf8(output.stdout).expect("numbers");
    let mut numbers = printed.lines().map(|line| line.parse::<f64>().expect("a number"));
    for i in -20..=20 {
        let x = f64::from(i) * 0.37;
        for (op, formula) in cases {
            let (got, want) = (numbers.next().expect("a line each"), formula(x));
            assert!(
                (got - want).abs() <= 1e-14 * want.abs().max(1e-3),
                "{} of {x}: {got}, not {want}",
                op.name()
            );
        }
    }
    assert_eq!(numbers.next(), None);
}
