//! Programs, copies, fills and ranges.

use rustorch::algebra::printer;
use rustorch::backend::{DType, ElementwiseOp, Instruction, Program, RegisterKind, Scalar, Source, kernel};

use crate::harness::{Data, LAYOUT_KINDS, LayoutKind, compare, compare_bits, compare_errors};

const SHAPES: [&[usize]; 6] = [&[], &[0, 3], &[1], &[7], &[3, 5, 11], &[2, 3, 129]];

/// The operations whose arguments and result suit random numbers around 0.
fn operations() -> Vec<ElementwiseOp> {
    macro_rules! list {
        ($(($variant:ident, $function:ident, $domain:ident, ($($argument:ident),*) -> $result:ident))*) => {
            vec![$(ElementwiseOp::$variant),*]
        };
    }
    rustorch::algebra::for_each_elementwise!(list)
}

#[test]
#[ignore = "needs a device"]
fn every_operation_agrees_with_the_cpu() {
    for op in operations() {
        // Compilers take their time: a kernel per operation and kind of number, the widths in turn.
        let wide = (op as usize).is_multiple_of(2);
        let integer = if wide { DType::Int64 } else { DType::UInt8 };
        for compute in [if wide { DType::Float32 } else { DType::Float64 }, integer, DType::Bool] {
            let program = Program::single(op, compute);
            if printer::print(&program).is_err()
                || (printer::is_special(op) && !matches!(op.name(), "erfc" | "lgamma"))
            {
                continue;
            }
            let shape = [3, 5, 11];
            let kinds: Vec<RegisterKind> = (0..op.arity()).map(|n| op.argument_kind(n)).collect();
            let mut data: Vec<Data> = kinds
                .iter()
                .enumerate()
                .map(|(n, kind)| {
                    let dtype = if *kind == RegisterKind::Mask { DType::Bool } else { compute };
                    let layout_kind = LAYOUT_KINDS[n % 3];
                    // Divisors are not 0, and angles, exponents and shifts stay small.
                    let values: Vec<f64> = crate::harness::noise(n as u64 + 1, 165)
                        .into_iter()
                        .map(|v| match compute.is_integral(true) {
                            true if compute == DType::UInt8 => (v * 5.0).abs().round() + 1.0,
                            true => (v * 5.0).round() + if n == 0 { 0.0 } else { 5.5f64.floor() + 1.0 },
                            false => v * 3.0,
                        })
                        .collect();
                    Data::new(dtype, &shape, layout_kind, &values)
                })
                .collect();
            let result = if op.result_kind() == RegisterKind::Mask { DType::Bool } else { compute };
            data.push(Data::zeros(result, &shape));
            let inputs = kinds.len();
            compare(&format!("{} of {compute}", op.name()), &data, 4.0, |backend, operands| {
                backend.map(&program, &operands[..inputs], &operands[inputs..])
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn special_functions_agree_with_the_cpu() {
    let near_one = [1.0 - 1e-3, 1.0 - 1e-6, 1.0 - 2f64.powi(-24), 1.0 - 1e-12, 1.0 - 2f64.powi(-53)];
    let small = [1e-30, 1e-9, 1e-5, 0.1, 0.499_999, 0.5, 0.7, 0.97];
    let within: Vec<f64> = near_one.into_iter().chain(small).flat_map(|v| [v, -v]).collect();
    let edges = [0.0, -0.0, 1.0, -1.0, 1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 3e4, 1e-7];
    let x: Vec<f64> = edges.into_iter().chain(within).chain(crate::harness::noise(3, 100)).collect();
    let shape = [x.len()];
    for op in [ElementwiseOp::Entr, ElementwiseOp::Erfinv, ElementwiseOp::Xlog1py] {
        for dtype in [DType::Float32, DType::Float64, DType::Float16, DType::BFloat16] {
            let compute = if dtype == DType::Float64 { dtype } else { DType::Float32 };
            let program = Program::single(op, compute);
            let inputs = op.arity();
            // Every edge with every other.
            for turn in 0..if inputs == 2 { edges.len() } else { 1 } {
                let mut y = x.clone();
                y[..edges.len()].rotate_left(turn);
                let mut data = vec![Data::new(dtype, &shape, LayoutKind::Contiguous, &x)];
                if inputs == 2 {
                    data.push(Data::new(dtype, &shape, LayoutKind::Gaps, &y));
                }
                data.push(Data::zeros(dtype, &shape));
                compare(&format!("{} of {dtype}", op.name()), &data, 2.0, |backend, operands| {
                    backend.map(&program, &operands[..inputs], &operands[inputs..])
                });
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn integers_divided_by_zero_are_refused_as_on_the_cpu() {
    let divisions = [ElementwiseOp::FloorDivide, ElementwiseOp::Remainder, ElementwiseOp::Fmod];
    for op in divisions {
        for dtype in [DType::Int64, DType::Int32, DType::UInt8] {
            let program = Program::single(op, dtype);
            let data = [
                Data::new(dtype, &[5], LayoutKind::Contiguous, &[7.0, 6.0, 0.0, 4.0, 3.0]),
                Data::new(dtype, &[5], LayoutKind::Gaps, &[2.0, 0.0, 0.0, 5.0, 1.0]),
                Data::new(dtype, &[5], LayoutKind::Contiguous, &[9.0; 5]),
            ];
            compare_errors(&format!("{} of {dtype}", op.name()), &data, 2, |backend, operands| {
                backend.map(&program, &operands[..2], &operands[2..])
            });
            let constant = Program {
                instructions: [Instruction::new(op, &[Source::Input(0), Source::Constant(0)])]
                    .to_vec()
                    .into(),
                constants: [Scalar::Int(0)].into_iter().collect(),
                ..program
            };
            compare_errors(&format!("{} of {dtype} and 0", op.name()), &data, 2, |backend, operands| {
                backend.map(&constant, &operands[..1], &operands[2..])
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn float64_is_rounded_once_to_half_precisions() {
    // Just beyond the middle of two neighbours: rounded to float32 first, it would be the middle.
    for (dtype, digits) in [(DType::Float16, 11), (DType::BFloat16, 8)] {
        let (half, little) = (2f64.powi(-digits), 2f64.powi(-40));
        let values: Vec<f64> = [1.0, 1024.0, 2f64.powi(-10)]
            .into_iter()
            .flat_map(|v| {
                [v * (1.0 + half + little), v * (1.0 + half - little), v * (1.0 + 3.0 * half - little)]
            })
            .flat_map(|v| [v, -v])
            .chain([1e300, 65_519.999_999_999, 5e-8, 2.98e-8, f64::NEG_INFINITY])
            .collect();
        let shape = [values.len()];
        let data =
            [Data::new(DType::Float64, &shape, LayoutKind::Contiguous, &values), Data::zeros(dtype, &shape)];
        compare_bits(&format!("float64 to {dtype}"), &data, |backend, operands| {
            backend.copy(operands[0], operands[1])
        });
    }
}

#[test]
#[ignore = "needs a device"]
fn fused_programs_convert_on_the_way() {
    let add = Instruction::new(ElementwiseOp::Add, &[Source::Input(0), Source::Constant(0)]);
    let product = Instruction::new(ElementwiseOp::Mul, &[Source::Register(0), Source::Input(1)]);
    let less = Instruction::new(ElementwiseOp::Lt, &[Source::Register(1), Source::Constant(1)]);
    let program = Program {
        compute: DType::Float32,
        instructions: vec![add, product, less].into(),
        constants: [Scalar::Float(0.5), Scalar::Int(1)].into_iter().collect(),
        outputs: [Source::Register(1), Source::Register(2)].into_iter().collect(),
    };
    for shape in SHAPES {
        for (from, to) in
            [(DType::Float32, DType::Float32), (DType::Float16, DType::BFloat16), (DType::Bool, DType::UInt8)]
        {
            for layout_kind in LAYOUT_KINDS {
                let data = [
                    Data::random(1, from, shape, layout_kind, 3.0),
                    Data::random(2, DType::Float32, shape, LayoutKind::Contiguous, 3.0),
                    Data::new(to, shape, layout_kind, &vec![0.0; shape.iter().product()]),
                    Data::zeros(DType::Bool, shape),
                ];
                compare(
                    &format!("fused {from} {to} {shape:?} {layout_kind:?}"),
                    &data,
                    1.0,
                    |backend, operands| backend.map(&program, &operands[..2], &operands[2..]),
                );
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn copies_convert_and_move() {
    for from in DType::ALL {
        for (n, to) in DType::ALL.into_iter().enumerate() {
            // A third of the pairs: each dtype is read and written in every other.
            if from != to && (from.is_complex() || to.is_complex() || !(from as usize + n).is_multiple_of(3))
            {
                continue;
            }
            for (shape, layout_kinds) in [
                (&[3usize, 5, 11][..], [LayoutKind::Transposed, LayoutKind::Gaps]),
                (&[33], [LayoutKind::Gaps, LayoutKind::Contiguous]),
            ] {
                let zeros = vec![0.0; shape.iter().product()];
                let data = [
                    Data::random(3, from, shape, layout_kinds[0], 90.0),
                    Data::new(to, shape, layout_kinds[1], &zeros),
                ];
                compare(&format!("copy {from} to {to}"), &data, 1.0, |backend, operands| {
                    backend.copy(operands[0], operands[1])
                });
            }
        }
    }
    let odd = [-1.7, 2.9, 300.5, f64::NAN, -0.0, f64::INFINITY, f64::NEG_INFINITY, 1e30, 1e-8, 65520.0];
    for from in [DType::Float32, DType::Float64] {
        for to in [DType::UInt8, DType::Int32, DType::Int64, DType::Float16, DType::BFloat16, DType::Bool] {
            let data = [Data::new(from, &[10], LayoutKind::Contiguous, &odd), Data::zeros(to, &[10])];
            compare(&format!("odd values {from} to {to}"), &data, 1.0, |backend, operands| {
                backend.copy(operands[0], operands[1])
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn fills_and_ranges() {
    for dtype in DType::ALL {
        for layout_kind in LAYOUT_KINDS {
            for value in [Scalar::Int(1), Scalar::Float(2.5), Scalar::Bool(true), Scalar::Complex(1.5, -2.0)]
            {
                let data = [Data::new(dtype, &[4, 9], layout_kind, &[0.0; 36])];
                compare(&format!("fill {dtype} {value}"), &data, 0.0, |backend, operands| {
                    backend.fill(operands[0], value)
                });
            }
            if !dtype.is_complex() && dtype != DType::Bool {
                let data = [Data::new(dtype, &[100], layout_kind, &[0.0; 100])];
                compare(&format!("arange {dtype}"), &data, 0.0, |backend, operands| {
                    if dtype.is_floating_point() {
                        backend.run(
                            &kernel::Arange {
                                start: Scalar::Float(0.5),
                                step: Scalar::Float(0.25),
                                output: operands[0],
                            }
                            .into(),
                        )
                    } else {
                        backend.run(
                            &kernel::Arange {
                                start: Scalar::Int(3),
                                step: Scalar::Int(-2),
                                output: operands[0],
                            }
                            .into(),
                        )
                    }
                });
            }
        }
    }
}
