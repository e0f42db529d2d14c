//! Sums, products, extremes and truth.

use rustorch::backend::{DType, ElementwiseOp, Program, ReduceOp};

use crate::harness::{Data, LIES, Lie, compare};

const OPS: [ReduceOp; 7] = [
    ReduceOp::Sum,
    ReduceOp::Mean,
    ReduceOp::Prod,
    ReduceOp::Max,
    ReduceOp::Min,
    ReduceOp::Any,
    ReduceOp::All,
];

/// The shape with size 1 at `dims`.
pub fn reduced(shape: &[usize], dims: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().map(|(d, &n)| if dims.contains(&d) { 1 } else { n }).collect()
}

#[test]
fn every_reduction_agrees_with_the_cpu() {
    let cases: [(&[usize], &[usize]); 7] = [
        (&[3, 5, 11], &[1]),
        (&[3, 5, 11], &[0, 2]),
        (&[2, 700], &[1]),
        (&[700, 70], &[0]),
        (&[40, 3], &[1]),
        (&[3, 0], &[1]),
        (&[20_000], &[0]),
    ];
    for op in OPS {
        for dtype in [DType::Float32, DType::Float64, DType::Float16, DType::Int64, DType::UInt8, DType::Bool]
        {
            let floating = dtype.is_floating_point();
            if op == ReduceOp::Mean && !floating {
                continue;
            }
            let result = match op {
                ReduceOp::Any | ReduceOp::All => DType::Bool,
                ReduceOp::Sum | ReduceOp::Prod if !floating => DType::Int64,
                _ => dtype,
            };
            for (shape, dims) in cases {
                if shape.contains(&0) && matches!(op, ReduceOp::Max | ReduceOp::Min) {
                    continue;
                }
                for lie in LIES {
                    let range = if op == ReduceOp::Prod { 1.2 } else { 4.0 };
                    let data = [
                        Data::random(5, dtype, shape, lie, range),
                        Data::zeros(result, &reduced(shape, dims)),
                    ];
                    compare(
                        &format!("{op:?} of {dtype} {shape:?} over {dims:?} {lie:?}"),
                        &data,
                        16.0,
                        |b, o| b.reduce(op, None, o[0], dims, o[1]),
                    );
                }
            }
        }
    }
}

#[test]
fn reductions_apply_a_program_first_and_let_nan_win() {
    let program = Program::single(ElementwiseOp::Abs, DType::Float32);
    for op in [ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min] {
        let data = [
            Data::random(6, DType::Float32, &[9, 300], Lie::Gaps, 3.0),
            Data::zeros(DType::Float32, &[9, 1]),
        ];
        compare(&format!("{op:?} of absolute values"), &data, 16.0, |b, o| {
            b.reduce(op, Some(&program), o[0], &[1], o[1])
        });
        let mut values = crate::harness::noise(7, 600);
        (values[17], values[400]) = (f64::NAN, f64::INFINITY);
        let data = [
            Data::new(DType::Float32, &[2, 300], Lie::Contiguous, &values),
            Data::zeros(DType::Float32, &[2, 1]),
        ];
        compare(&format!("{op:?} with NaN"), &data, 16.0, |b, o| b.reduce(op, None, o[0], &[1], o[1]));
    }
}
