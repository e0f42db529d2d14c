//! The parts of floating-point numbers.

use rustorch_backend::{DType, ElementwiseOp, Instruction, Operand, Program, Scalar, Source};
use rustorch_error::{Result, RusTorchError};
use smallvec::smallvec;

use super::elementwise::run_program;
use crate::{Tensor, ops};

/// `mantissa * 2^exponent`, both in one pass.
pub fn frexp(input: &Tensor) -> Result<(Tensor, Tensor)> {
    if !input.dtype().is_floating_point() {
        return Err(RusTorchError::dtype(
            "frexp",
            format!("not implemented for {}; it takes floating-point tensors", input.dtype()),
        ));
    }
    let mantissa = Tensor::empty(input.shape(), input.dtype(), input.device())?;
    let exponent = Tensor::empty(input.shape(), DType::Int32, input.device())?;
    if input.numel() > 0 {
        let program = Program {
            compute: input.dtype().compute(),
            instructions: vec![
                Instruction::new(ElementwiseOp::FrexpMantissa, &[Source::Input(0)]),
                Instruction::new(ElementwiseOp::FrexpExponent, &[Source::Input(0)]),
            ]
            .into(),
            constants: smallvec![],
            outputs: smallvec![Source::Register(0), Source::Register(1)],
        };
        let outputs: [Operand<'_>; 2] = [mantissa.operand(), exponent.operand()];
        input.backend()?.map(&program, &[input.operand()], &outputs)?;
    }
    Ok((mantissa, exponent))
}

/// `input * 2^other`.
pub fn ldexp(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    let other = if input.dtype().is_floating_point() && other.dtype().is_integral(true) {
        super::creation::cast(other, input.dtype())?
    } else {
        other.clone()
    };
    ops::mul(input, &ops::pow(&Tensor::number(2.0)?, &other)?)
}

/// Replaces NaN and infinities, in one pass.
pub fn nan_to_num(
    input: &Tensor,
    nan: Option<f64>,
    posinf: Option<f64>,
    neginf: Option<f64>,
) -> Result<Tensor> {
    let dtype = input.dtype();
    if dtype.is_integral(true) {
        return super::contiguity::contiguous_copy(input);
    }
    let largest = match dtype {
        DType::Float16 => half::f16::MAX.to_f64(),
        DType::BFloat16 => half::bf16::MAX.to_f64(),
        DType::Float32 => f64::from(f32::MAX),
        DType::Float64 => f64::MAX,
        _ => {
            return Err(RusTorchError::dtype(
                "nan_to_num",
                format!("not implemented for {dtype}; it takes real tensors"),
            ));
        }
    };
    let replace = |test: ElementwiseOp, constant: u8, from: Source, register: u8| {
        [
            Instruction::new(test, &[Source::Input(0)]),
            Instruction::new(
                ElementwiseOp::Select,
                &[Source::Register(register), Source::Constant(constant), from],
            ),
        ]
    };
    let program = Program {
        compute: dtype.compute(),
        instructions: [
            replace(ElementwiseOp::Isnan, 0, Source::Input(0), 0),
            replace(ElementwiseOp::Isposinf, 1, Source::Register(1), 2),
            replace(ElementwiseOp::Isneginf, 2, Source::Register(3), 4),
        ]
        .concat()
        .into(),
        constants: smallvec![
            Scalar::Float(nan.unwrap_or(0.0)),
            Scalar::Float(posinf.unwrap_or(largest)),
            Scalar::Float(neginf.unwrap_or(-largest)),
        ],
        outputs: smallvec![Source::Register(5)],
    };
    let output = Tensor::empty(input.shape(), dtype, input.device())?;
    run_program(&program, &[input], &output)?;
    Ok(output)
}
