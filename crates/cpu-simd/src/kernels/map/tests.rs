//! Maps against loops over single elements.

#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use rustorch_backend::{DType, Dims, ElementwiseOp, Instruction, Layout, Program, Scalar, Shape, Source};

use super::*;
use crate::kernels::samples::{LAYOUT_KINDS, LayoutKind, REAL, Sample, noise};

const SHAPES: [&[usize]; 8] = [&[], &[0], &[1], &[7], &[3, 5], &[2, 3, 65], &[130, 9], &[3, 1, 2049]];

fn small(seed: u64, n: usize) -> Vec<f64> {
    noise(seed, n).into_iter().map(|v| (v * 50.0).round()).collect()
}

/// `a + b` in every layout of three operands.
#[test]
fn strided_operands_agree_with_a_plain_loop() {
    for shape in SHAPES {
        let n = shape.iter().product();
        let (x, y) = (small(1, n), small(2, n));
        for a in LAYOUT_KINDS {
            for b in LAYOUT_KINDS {
                for out in LAYOUT_KINDS {
                    let (a, b) = (
                        Sample::new(DType::Float32, shape, a, &x),
                        Sample::new(DType::Float32, shape, b, &y),
                    );
                    let result = Sample::zeros(DType::Float32, shape, out);
                    let program = Program::single(ElementwiseOp::Add, DType::Float32);
                    map(&program, &[a.operand(), b.operand()], &[result.operand()]).expect("add");
                    let expected: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x + y).collect();
                    assert_eq!(result.values(), expected, "{shape:?} {:?}", result.layout);
                }
            }
        }
    }
}

#[test]
fn broadcast_operands_are_read_with_stride_0() {
    for (rows, columns) in [(3, 4), (5, 300), (2000, 3), (1, 5000), (70, 129)] {
        let shape = [rows, columns];
        let (x, row, column) = (small(1, rows * columns), small(2, columns), small(3, rows));
        let a = Sample::new(DType::Float32, &shape, LayoutKind::Contiguous, &x);
        for (b, strides, value) in [
            (&row, [0, 1], (|_, c| c) as fn(usize, usize) -> usize),
            (&column, [1, 0], |r, _| r),
            (&column, [0, 0], |_, _| 0),
        ] {
            let sample = Sample::new(DType::Float32, &[b.len()], LayoutKind::Contiguous, b);
            let layout =
                Layout::new("map", Shape::from_slice(&shape), Dims::from_slice(&strides), 0).unwrap();
            let operand = Operand { layout: &layout, ..sample.operand() };
            for swapped in [false, true] {
                let result = Sample::zeros(DType::Float32, &shape, LayoutKind::Contiguous);
                let program = Program::single(ElementwiseOp::Sub, DType::Float32);
                let inputs = if swapped { [operand, a.operand()] } else { [a.operand(), operand] };
                map(&program, &inputs, &[result.operand()]).expect("sub");
                for (i, &got) in result.values().iter().enumerate() {
                    let (r, c) = (i / columns, i % columns);
                    let difference = x[i] - b[value(r, c)];
                    assert_eq!(
                        got,
                        if swapped { -difference } else { difference },
                        "{shape:?} {strides:?} at {i}"
                    );
                }
            }
        }
    }
}

/// Every pair of storage and compute dtype on small whole numbers that all of them hold.
#[test]
fn dtypes_are_converted_on_the_way_in_and_out() {
    for from in REAL {
        for compute in [DType::Int32, DType::Int64, DType::Float32, DType::Float64] {
            for to in REAL {
                let values: Vec<f64> =
                    (0..1500).map(|i| if from == DType::Bool { i % 2 } else { i % 50 } as f64).collect();
                for layout_kind in [LayoutKind::Contiguous, LayoutKind::Gaps] {
                    let a = Sample::new(from, &[1500], layout_kind, &values);
                    let result = Sample::zeros(to, &[1500], layout_kind);
                    let program = Program::single(ElementwiseOp::Add, compute);
                    map(&program, &[a.operand(), a.operand()], &[result.operand()]).expect("add");
                    for (got, x) in result.values().into_iter().zip(&values) {
                        let sum = x + x;
                        let expected = if to == DType::Bool { f64::from(u8::from(sum != 0.0)) } else { sum };
                        assert_eq!(got, expected, "{from} by {compute} to {to}: {x} + {x}");
                    }
                }
            }
        }
    }
}

/// `|x * 2 + y|` and `x < y`, `x` where that holds else 1: five instructions, constants, masks, two outputs.
#[test]
fn fused_programs_run_in_tiles() {
    let source = |i| Source::Register(i);
    let program = Program {
        compute: DType::Float32,
        instructions: Cow::Owned(vec![
            Instruction::new(ElementwiseOp::Mul, &[Source::Input(0), Source::Constant(0)]),
            Instruction::new(ElementwiseOp::Add, &[source(0), Source::Input(1)]),
            Instruction::new(ElementwiseOp::Abs, &[source(1)]),
            Instruction::new(ElementwiseOp::Lt, &[Source::Input(0), Source::Input(1)]),
            Instruction::new(ElementwiseOp::Select, &[source(3), Source::Input(0), Source::Constant(1)]),
        ]),
        constants: smallvec::smallvec![Scalar::Float(2.0), Scalar::Int(1)],
        outputs: smallvec::smallvec![source(2), source(3), source(4)],
    };
    for shape in SHAPES.into_iter().chain([&[40_000][..], &[300, 333]]) {
        for layout_kind in LAYOUT_KINDS {
            for half in [DType::Float32, DType::Float16, DType::Float64] {
                let n = shape.iter().product();
                let (x, y) = (small(4, n), small(5, n));
                let a = Sample::new(half, shape, layout_kind, &x);
                let b = Sample::new(DType::Float32, shape, LayoutKind::Contiguous, &y);
                let outputs = [
                    Sample::zeros(DType::Float32, shape, LayoutKind::Contiguous),
                    Sample::zeros(DType::Bool, shape, layout_kind),
                    Sample::zeros(half, shape, layout_kind),
                ];
                let operands = outputs.each_ref().map(Sample::operand);
                map(&program, &[a.operand(), b.operand()], &operands).expect("a program");
                let [absolute, less, chosen] = outputs.map(|o| o.values());
                for i in 0..n {
                    assert_eq!(absolute[i], (x[i] * 2.0 + y[i]).abs());
                    assert_eq!(less[i], f64::from(u8::from(x[i] < y[i])));
                    assert_eq!(chosen[i], if x[i] < y[i] { x[i] } else { 1.0 });
                }
            }
        }
    }
}

#[test]
fn results_may_replace_an_input() {
    for n in [1, 100, 5000, 100_000] {
        let x = small(6, n);
        for dtype in [DType::Float32, DType::Int32, DType::Float16] {
            let compute = if dtype == DType::Float16 { DType::Float32 } else { dtype };
            let a = Sample::new(dtype, &[n], LayoutKind::Contiguous, &x);
            map(&Program::single(ElementwiseOp::Mul, compute), &[a.operand(), a.operand()], &[a.operand()])
                .expect("square");
            map(&Program::single(ElementwiseOp::Sub, compute), &[a.operand(), a.operand()], &[a.operand()])
                .expect("zero");
            assert!(a.values().iter().all(|&v| v == 0.0));
        }
    }
}

/// Larger than [`STREAM_BYTES`], at an address that is not a multiple of a vector.
#[test]
fn streamed_results_are_complete() {
    let n = STREAM_BYTES / 4 + 1003;
    for level in SimdLevel::available() {
        let a = Sample::new(DType::Float32, &[n], LayoutKind::Contiguous, &vec![1.5; n]);
        let whole = Sample::zeros(DType::Float32, &[n + 3], LayoutKind::Contiguous);
        let layout = Layout::new("map", Shape::from_slice(&[n]), Dims::from_slice(&[1]), 2).unwrap();
        let result = Operand { layout: &layout, ..whole.operand() };
        let program = Program::single(ElementwiseOp::Add, DType::Float32);
        map_at(level, &program, &[a.operand(), a.operand()], &[result]).expect("add");
        let values = whole.elements::<f32>();
        assert!(values[2..n + 2].iter().all(|&v| v == 3.0));
        assert_eq!((values[0], values[1], values[n + 2]), (0.0, 0.0, 0.0));
    }
}

#[test]
fn every_level_gives_the_same_sums() {
    let x = noise(7, 3001);
    let a = Sample::new(DType::Float32, &[3001], LayoutKind::Contiguous, &x);
    let results: Vec<Vec<f32>> = SimdLevel::available()
        .map(|level| {
            let result = Sample::zeros(DType::Float32, &[3001], LayoutKind::Gaps);
            let program = Program::single(ElementwiseOp::Mul, DType::Float32);
            map_at(level, &program, &[a.operand(), a.operand()], &[result.operand()]).expect("mul");
            result.elements()
        })
        .collect();
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn integer_division_by_zero_is_found_before_anything_is_written() {
    let a = Sample::new(DType::Int64, &[5], LayoutKind::Contiguous, &[1.0, 2.0, 3.0, 4.0, 5.0]);
    let b = Sample::new(DType::Int64, &[5], LayoutKind::Contiguous, &[1.0, 2.0, 3.0, 4.0, 0.0]);
    for op in [ElementwiseOp::FloorDivide, ElementwiseOp::Remainder, ElementwiseOp::Fmod] {
        let error = map(&Program::single(op, DType::Int64), &[a.operand(), b.operand()], &[a.operand()]);
        let message = error.expect_err("a zero").to_string();
        assert_eq!(message, format!("{}: integer division by zero", op.name()));
        assert_eq!(a.values(), [1.0, 2.0, 3.0, 4.0, 5.0]);
    }
    let mut by_constant = Program::single(ElementwiseOp::FloorDivide, DType::Int64);
    by_constant.instructions = Cow::Owned(vec![Instruction::new(
        ElementwiseOp::FloorDivide,
        &[Source::Input(0), Source::Constant(0)],
    )]);
    by_constant.constants.push(Scalar::Int(0));
    assert!(map(&by_constant, &[a.operand()], &[a.operand()]).is_err());
    by_constant.constants[0] = Scalar::Int(-2);
    map(&by_constant, &[a.operand()], &[a.operand()]).expect("not zero");
    assert_eq!(a.values(), [-1.0, -1.0, -2.0, -2.0, -3.0]);
    // A divisor that the program itself computes.
    let computed = Program {
        compute: DType::Int64,
        instructions: Cow::Owned(vec![
            Instruction::new(ElementwiseOp::Sub, &[Source::Input(0), Source::Input(0)]),
            Instruction::new(ElementwiseOp::Remainder, &[Source::Input(0), Source::Register(0)]),
        ]),
        constants: smallvec::smallvec![],
        outputs: smallvec::smallvec![Source::Register(1)],
    };
    assert!(map(&computed, &[a.operand()], &[a.operand()]).is_err());
    let lowest = Sample::raw(DType::Int64, &[1], LayoutKind::Contiguous, &[i64::MIN]);
    let minus_one = Sample::raw(DType::Int64, &[1], LayoutKind::Contiguous, &[-1i64]);
    let program = Program::single(ElementwiseOp::FloorDivide, DType::Int64);
    map(&program, &[lowest.operand(), minus_one.operand()], &[lowest.operand()]).expect("wraps");
    assert_eq!(lowest.elements::<i64>(), [i64::MIN]);
}

#[test]
fn what_is_not_defined_is_an_error_that_names_op_and_dtype() {
    let a = Sample::new(DType::Int64, &[5], LayoutKind::Contiguous, &[0.0; 5]);
    let error = map(&Program::single(ElementwiseOp::Exp, DType::Int64), &[a.operand()], &[a.operand()]);
    assert_eq!(error.expect_err("exp of integers").to_string(), "exp: not defined for int64 on the cpu");
    let c = Sample::new(DType::Complex64, &[5], LayoutKind::Contiguous, &[0.0; 5]);
    let error = map(&Program::single(ElementwiseOp::Exp, DType::Complex64), &[c.operand()], &[c.operand()]);
    assert!(error.expect_err("complex").to_string().contains("complex64"));
}
