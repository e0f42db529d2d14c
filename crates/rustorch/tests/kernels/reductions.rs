//! Sums, products, extremes and truth.

use rustorch::backend::{DType, ElementwiseOp, Program, ReduceOp, dims_from_slice, kernel};

use crate::harness::{Data, LAYOUT_KINDS, LayoutKind, adds_in_f64, compare};

const OPS: [ReduceOp; 8] = [
    ReduceOp::Sum,
    ReduceOp::Mean,
    ReduceOp::Prod,
    ReduceOp::Norm,
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
#[ignore = "needs a device"]
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
        for dtype in [DType::Float32, DType::Float16, DType::Int64, DType::Bool] {
            let floating = dtype.is_floating_point();
            if matches!(op, ReduceOp::Mean | ReduceOp::Norm) && !floating {
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
                for layout_kind in [LayoutKind::Contiguous, LayoutKind::Transposed] {
                    let range = if op == ReduceOp::Prod { 1.2 } else { 4.0 };
                    let data = [
                        Data::random(5, dtype, shape, layout_kind, range),
                        Data::zeros(result, &reduced(shape, dims)),
                    ];
                    compare(
                        &format!("{op:?} of {dtype} {shape:?} over {dims:?} {layout_kind:?}"),
                        &data,
                        16.0,
                        |b, o| {
                            b.run(
                                &kernel::Reduce {
                                    op,
                                    pre: None,
                                    input: o[0],
                                    dims: dims_from_slice(dims),
                                    output: o[1],
                                }
                                .into(),
                            )
                        },
                    );
                }
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn reductions_apply_a_program_first_and_let_nan_win() {
    let program = Program::single(ElementwiseOp::Abs, DType::Float32);
    for op in [ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min] {
        let data = [
            Data::random(6, DType::Float32, &[9, 300], LayoutKind::Gaps, 3.0),
            Data::zeros(DType::Float32, &[9, 1]),
        ];
        compare(&format!("{op:?} of absolute values"), &data, 16.0, |b, o| {
            b.run(
                &kernel::Reduce {
                    op,
                    pre: Some(program.clone()),
                    input: o[0],
                    dims: dims_from_slice(&[1]),
                    output: o[1],
                }
                .into(),
            )
        });
        let mut values = crate::harness::noise(7, 600);
        (values[17], values[400]) = (f64::NAN, f64::INFINITY);
        let data = [
            Data::new(DType::Float32, &[2, 300], LayoutKind::Contiguous, &values),
            Data::zeros(DType::Float32, &[2, 1]),
        ];
        compare(&format!("{op:?} with NaN"), &data, 16.0, |b, o| {
            b.run(
                &kernel::Reduce { op, pre: None, input: o[0], dims: dims_from_slice(&[1]), output: o[1] }
                    .into(),
            )
        });
    }
}

#[test]
#[ignore = "needs a device"]
fn complex_sums_and_means_agree_with_the_cpu() {
    for dtype in [DType::Complex64, DType::Complex128] {
        for op in [ReduceOp::Sum, ReduceOp::Mean] {
            for layout_kind in LAYOUT_KINDS {
                let data =
                    [Data::random(5, dtype, &[3, 70, 5], layout_kind, 4.0), Data::zeros(dtype, &[3, 1, 5])];
                compare(&format!("{op:?} of {dtype} {layout_kind:?}"), &data, 16.0, |b, o| {
                    b.run(
                        &kernel::Reduce {
                            op,
                            pre: None,
                            input: o[0],
                            dims: dims_from_slice(&[1]),
                            output: o[1],
                        }
                        .into(),
                    )
                });
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn moments_agree_with_the_cpu() {
    let cases: [(&[usize], &[usize]); 8] = [
        (&[3, 5, 11], &[1]),
        (&[3, 5, 11], &[0, 2]),
        (&[2, 700], &[1]),
        (&[700, 70], &[0]),
        (&[3, 0], &[1]),
        (&[0, 3], &[1]),
        (&[20_000], &[0]),
        (&[], &[]),
    ];
    for dtype in [DType::Float32, DType::Float64, DType::Float16, DType::BFloat16] {
        for (shape, dims) in cases {
            for layout_kind in [LayoutKind::Contiguous, LayoutKind::Transposed] {
                if dtype != DType::Float32 && (shape.len() != 2 || layout_kind == LayoutKind::Transposed) {
                    continue;
                }
                let mut input = Data::random(5, dtype, shape, layout_kind, 4.0);
                input.change(|v| v + 10.0);
                let kept = reduced(shape, dims);
                let data = [input, Data::zeros(dtype, &kept), Data::zeros(dtype, &kept)];
                compare(
                    &format!("moments of {dtype} {shape:?} over {dims:?} {layout_kind:?}"),
                    &data,
                    16.0,
                    |b, o| {
                        b.run(
                            &kernel::Moments {
                                input: o[0],
                                dims: dims_from_slice(dims),
                                divisor: 3.0,
                                root: true,
                                mean: o[1],
                                spread: o[2],
                            }
                            .into(),
                        )
                    },
                );
            }
        }
    }
    for length in [300, 50_000] {
        let mut values = crate::harness::noise(7, 6 * length);
        (values[17], values[length + 4], values[length + 9]) = (f64::NAN, f64::INFINITY, f64::NEG_INFINITY);
        (values[3 * length], values[5 * length - 1]) = (f64::INFINITY, f64::NEG_INFINITY);
        values[5 * length..].fill(f64::INFINITY);
        let kept = Data::zeros(DType::Float32, &[6, 1]);
        let data = [Data::new(DType::Float32, &[6, length], LayoutKind::Gaps, &values), kept.clone(), kept];
        compare("moments with NaN and inf", &data, 16.0, |b, o| {
            b.run(
                &kernel::Moments {
                    input: o[0],
                    dims: dims_from_slice(&[1]),
                    divisor: 300.0,
                    root: false,
                    mean: o[1],
                    spread: o[2],
                }
                .into(),
            )
        });
    }
}

#[test]
#[ignore = "needs a device"]
fn squares_of_large_and_small_numbers_are_not_lost() {
    for scale in [1e-30, 1e-22, 1e20, 1e30] {
        for (shape, dims) in [([3, 300], [1]), ([700, 7], [0]), ([1, 60_000], [1])] {
            let mut input = Data::random(5, DType::Float32, &shape, LayoutKind::Contiguous, 4.0);
            input.change(|v| v * scale);
            let kept = Data::zeros(DType::Float32, &reduced(&shape, &dims));
            let norm = [input.clone(), kept.clone()];
            compare(&format!("norms of {scale:e}"), &norm, 16.0, |b, o| {
                b.run(
                    &kernel::Reduce {
                        op: ReduceOp::Norm,
                        pre: None,
                        input: o[0],
                        dims: dims_from_slice(&dims),
                        output: o[1],
                    }
                    .into(),
                )
            });
            let data = [input, kept.clone(), kept];
            compare(&format!("moments of {scale:e}"), &data, 16.0, |b, o| {
                b.run(
                    &kernel::Moments {
                        input: o[0],
                        dims: dims_from_slice(&dims),
                        divisor: 7.0,
                        root: true,
                        mean: o[1],
                        spread: o[2],
                    }
                    .into(),
                )
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn a_large_mean_costs_no_digits_of_the_deviations() {
    if !adds_in_f64() {
        return;
    }
    let values: Vec<f64> =
        crate::harness::noise(7, 30_000).iter().map(|v| 16384.0 + (v * 64.0).round() / 64.0).collect();
    for (shape, dims) in [([3, 10_000], [1]), ([10_000, 3], [0]), ([10, 3000], [1])] {
        let kept = Data::zeros(DType::Float32, &reduced(&shape, &dims));
        let data = [Data::new(DType::Float32, &shape, LayoutKind::Contiguous, &values), kept.clone(), kept];
        compare("moments around 16384", &data, 1.0, |b, o| {
            b.run(
                &kernel::Moments {
                    input: o[0],
                    dims: dims_from_slice(&dims),
                    divisor: 1.0,
                    root: false,
                    mean: o[1],
                    spread: o[2],
                }
                .into(),
            )
        });
    }
}

#[test]
#[ignore = "needs a device"]
fn extremes_and_their_places_agree_with_the_cpu() {
    let cases: [(&[usize], usize); 6] =
        [(&[3, 5, 11], 1), (&[2, 700], 1), (&[700, 70], 0), (&[0, 3], 1), (&[20_000], 0), (&[], 0)];
    for dtype in [DType::Float32, DType::Float64, DType::Float16, DType::Int64, DType::UInt8, DType::Bool] {
        for op in [ReduceOp::Max, ReduceOp::Min] {
            for (shape, dim) in cases {
                for layout_kind in [LayoutKind::Contiguous, LayoutKind::Transposed] {
                    if dtype != DType::Float32 && layout_kind == LayoutKind::Transposed {
                        continue;
                    }
                    let kept = reduced(shape, &[dim]);
                    // Few values, so that extremes occur more than once.
                    let mut input = Data::random(5, dtype, shape, layout_kind, 9.0);
                    if dtype.is_floating_point() {
                        input.change(f64::round);
                    }
                    let data = [input, Data::zeros(dtype, &kept), Data::zeros(DType::Int64, &kept)];
                    compare(
                        &format!("arg {op:?} of {dtype} {shape:?} along {dim} {layout_kind:?}"),
                        &data,
                        0.0,
                        |b, o| {
                            b.run(
                                &kernel::ArgReduce {
                                    op,
                                    input: o[0],
                                    dim,
                                    values: Some(o[1]),
                                    indices: o[2],
                                }
                                .into(),
                            )
                        },
                    );
                }
            }
        }
    }
    for length in [7, 300, 20_000] {
        let mut values = crate::harness::noise(7, 4 * length);
        values[length + 5] = f64::NAN;
        values[length + 3] = f64::NAN;
        values[2 * length..3 * length].fill(f64::NEG_INFINITY);
        values[3 * length + 4] = f64::INFINITY;
        values[3 * length + 6] = f64::INFINITY;
        let data = [
            Data::new(DType::Float32, &[4, length], LayoutKind::Gaps, &values),
            Data::zeros(DType::Int64, &[4, 1]),
        ];
        for op in [ReduceOp::Max, ReduceOp::Min] {
            compare(&format!("arg {op:?} with NaN, {length}"), &data, 0.0, |b, o| {
                b.run(&kernel::ArgReduce { op, input: o[0], dim: 1, values: None, indices: o[1] }.into())
            });
        }
    }
}
