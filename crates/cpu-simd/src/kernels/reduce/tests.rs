//! Reductions against sums of single elements in float64.

#![allow(clippy::unwrap_used)]

use rustorch_backend::{DType, Dims, ElementwiseOp, Layout, Program, Shape, dims_from_slice};

use super::*;
use crate::kernels::samples::{FLOATING, LAYOUT_KINDS, LayoutKind, REAL, Sample, coordinates, flat, noise};
use crate::threads;

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

fn kept_shape(shape: &[usize], dims: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|d| if dims.contains(&d) { 1 } else { shape[d] }).collect()
}

/// The elements that belong to each output.
fn groups(shape: &[usize], dims: &[usize], values: &[f64]) -> Vec<Vec<f64>> {
    let kept = kept_shape(shape, dims);
    let mut groups = vec![Vec::new(); kept.iter().product()];
    for (c, &v) in coordinates(shape).iter().zip(values) {
        let at: Vec<usize> =
            c.iter().enumerate().map(|(d, &i)| if dims.contains(&d) { 0 } else { i }).collect();
        groups[flat(&kept, &at)].push(v);
    }
    groups
}

fn expected(op: ReduceOp, group: &[f64]) -> f64 {
    match op {
        ReduceOp::Sum => group.iter().sum(),
        ReduceOp::Mean => group.iter().sum::<f64>() / group.len() as f64,
        ReduceOp::Prod => group.iter().product(),
        ReduceOp::Norm => group.iter().map(|v| v * v).sum::<f64>().sqrt(),
        ReduceOp::Max => group.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ReduceOp::Min => group.iter().copied().fold(f64::INFINITY, f64::min),
        ReduceOp::Any => f64::from(u8::from(group.iter().any(|&v| v != 0.0))),
        ReduceOp::All => f64::from(u8::from(group.iter().all(|&v| v != 0.0))),
    }
}

fn output_dtype(op: ReduceOp, dtype: DType) -> Option<DType> {
    match op {
        ReduceOp::Any | ReduceOp::All => Some(DType::Bool),
        ReduceOp::Mean | ReduceOp::Norm => dtype.is_floating_point().then_some(dtype),
        ReduceOp::Sum | ReduceOp::Prod if dtype.is_integral(true) => Some(DType::Int64),
        _ => Some(dtype),
    }
}

#[test]
fn every_reduction_agrees_over_every_dimension() {
    let cases: [(&[usize], &[&[usize]]); 7] = [
        (&[], &[&[]]),
        (&[9], &[&[0], &[]]),
        (&[65, 33], &[&[0], &[1], &[0, 1]]),
        (&[4, 1, 70], &[&[0], &[1], &[2], &[0, 2], &[1, 2]]),
        (&[3, 5, 7, 2], &[&[1], &[0, 2], &[1, 3], &[0, 1, 2, 3], &[3]]),
        (&[2, 130, 3], &[&[1], &[0, 1], &[2]]),
        (&[600, 3], &[&[0], &[1]]),
    ];
    for (shape, choices) in cases {
        let n = shape.iter().product();
        for dtype in REAL {
            let values: Vec<f64> = noise(3, n)
                .into_iter()
                .map(|v| match dtype {
                    DType::Bool => f64::from(u8::from(v > -0.9)),
                    _ if dtype.is_floating_point() => 1.0 + (v * 8.0).round() / 64.0,
                    DType::UInt8 => (v * 3.0).round().abs(),
                    _ => (v * 3.0).round(),
                })
                .collect();
            for kind in LAYOUT_KINDS {
                let input = Sample::new(dtype, shape, kind, &values);
                for &dims in choices {
                    for op in OPS {
                        let Some(to) = output_dtype(op, dtype) else { continue };
                        let out = kept_shape(shape, dims);
                        let result = Sample::zeros(
                            to,
                            &out,
                            if kind == LayoutKind::Gaps { kind } else { LayoutKind::Contiguous },
                        );
                        reduce(&kernel::Reduce {
                            op,
                            pre: None,
                            input: input.operand(),
                            dims: dims_from_slice(dims),
                            output: result.operand(),
                        })
                        .expect("reduce");
                        for (got, group) in result.values().into_iter().zip(groups(shape, dims, &values)) {
                            let want = expected(op, &group);
                            let want = match to {
                                DType::Float16 => half::f16::from_f64(want).to_f64(),
                                DType::BFloat16 => half::bf16::from_f64(want).to_f64(),
                                DType::Int64 if op == ReduceOp::Prod => {
                                    group.iter().fold(1i64, |p, &v| p.wrapping_mul(v as i64)) as f64
                                }
                                _ => want,
                            };
                            let tolerance = match (op, to) {
                                (ReduceOp::Max | ReduceOp::Min | ReduceOp::Any | ReduceOp::All, _) => 0.0,
                                (_, DType::Float16) => 1e-3,
                                (_, DType::BFloat16) => 8e-3,
                                (ReduceOp::Prod, DType::Float32) => 3e-5,
                                (_, DType::Float32) => 3e-7,
                                (_, DType::Float64) => 1e-13,
                                _ => 0.0,
                            };
                            let infinite = got.is_infinite() && want.abs() > 65000.0;
                            assert!(
                                (got - want).abs() <= tolerance * want.abs() || infinite || got == want,
                                "{op:?} of {dtype} {shape:?} {kind:?} over {dims:?}: {got}, not {want}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_program_is_applied_on_the_way_in() {
    let values = noise(4, 300);
    for dtype in FLOATING {
        let input = Sample::new(dtype, &[20, 15], LayoutKind::Transposed, &values);
        let compute = if dtype == DType::Float64 { dtype } else { DType::Float32 };
        let result = Sample::zeros(dtype, &[20, 1], LayoutKind::Contiguous);
        let program = Program::single(ElementwiseOp::Square, compute);
        reduce(&kernel::Reduce {
            op: ReduceOp::Sum,
            pre: Some(program.clone()),
            input: input.operand(),
            dims: dims_from_slice(&[1]),
            output: result.operand(),
        })
        .expect("sum of squares");
        let stored = input.values();
        for (row, got) in result.values().into_iter().enumerate() {
            let want: f64 = stored[row * 15..][..15].iter().map(|v| v * v).sum();
            let tolerance = if dtype.size() == 2 { 8e-3 } else { 1e-6 };
            assert!((got - want).abs() <= tolerance * want, "{dtype} {got} {want}");
        }
    }
}

#[test]
fn sums_of_many_float32_keep_six_digits_for_any_number_of_threads() {
    let n = 10_000_001;
    let values: Vec<f32> = noise(5, n).into_iter().map(|v| v as f32 + 0.7).collect();
    let exact: f64 = values.iter().map(|&v| f64::from(v)).sum();
    let input = Sample::raw(DType::Float32, &[n], LayoutKind::Contiguous, &values);
    let before = threads::num_threads();
    let mut results = Vec::new();
    for count in [1, 2, 3] {
        threads::set_num_threads(count);
        let result = Sample::zeros(DType::Float32, &[1], LayoutKind::Contiguous);
        reduce(&kernel::Reduce {
            op: ReduceOp::Sum,
            pre: None,
            input: input.operand(),
            dims: dims_from_slice(&[0]),
            output: result.operand(),
        })
        .expect("sum");
        results.push(result.elements::<f32>()[0]);
    }
    threads::set_num_threads(before);
    assert!((f64::from(results[0]) - exact).abs() <= 1e-6 * exact.abs(), "{} is not {exact}", results[0]);
    assert!(results.iter().all(|r| r.to_bits() == results[0].to_bits()));
    // Down the columns, too.
    let rows = 1_000_000;
    let columns =
        Layout::new("reduce", Shape::from_slice(&[rows, 10]), Dims::from_slice(&[10, 1]), 0).unwrap();
    let result = Sample::zeros(DType::Float32, &[1, 10], LayoutKind::Contiguous);
    let operand = Operand { layout: &columns, ..input.operand() };
    reduce(&kernel::Reduce {
        op: ReduceOp::Sum,
        pre: None,
        input: operand,
        dims: dims_from_slice(&[0]),
        output: result.operand(),
    })
    .expect("sum");
    for (c, got) in result.values().into_iter().enumerate() {
        let exact: f64 = (0..rows).map(|r| f64::from(values[r * 10 + c])).sum();
        assert!((got - exact).abs() <= 1e-6 * exact.abs(), "{got} is not {exact}");
    }
}

#[test]
fn int64_sums_are_exact() {
    let big = (1i64 << 53) + 1;
    let input = Sample::raw(DType::Int64, &[3], LayoutKind::Contiguous, &[big, 1, -3]);
    let result = Sample::zeros(DType::Int64, &[1], LayoutKind::Contiguous);
    reduce(&kernel::Reduce {
        op: ReduceOp::Sum,
        pre: None,
        input: input.operand(),
        dims: dims_from_slice(&[0]),
        output: result.operand(),
    })
    .expect("sum");
    assert_eq!(result.elements::<i64>(), [big - 2]);
    reduce(&kernel::Reduce {
        op: ReduceOp::Max,
        pre: None,
        input: input.operand(),
        dims: dims_from_slice(&[0]),
        output: result.operand(),
    })
    .expect("max");
    assert_eq!(result.elements::<i64>(), [big]);
}

#[test]
fn extremes_and_their_positions_let_nan_win() {
    for dtype in FLOATING {
        for n in [2, 5, 70, 200] {
            for place in [0, 1, n / 2, n - 1] {
                let mut values = noise(6, n * 3);
                for column in 0..3 {
                    values[place * 3 + column] = f64::NAN;
                }
                for kind in LAYOUT_KINDS {
                    let input = Sample::new(dtype, &[n, 3], kind, &values);
                    for op in [ReduceOp::Max, ReduceOp::Min] {
                        let result = Sample::zeros(dtype, &[1, 3], LayoutKind::Contiguous);
                        let index = Sample::zeros(DType::Int64, &[1, 3], LayoutKind::Contiguous);
                        reduce(&kernel::Reduce {
                            op,
                            pre: None,
                            input: input.operand(),
                            dims: dims_from_slice(&[0]),
                            output: result.operand(),
                        })
                        .expect("reduce");
                        assert!(result.values().iter().all(|v| v.is_nan()), "{dtype} {n} {place} {kind:?}");
                        arg_reduce(&kernel::ArgReduce {
                            op,
                            input: input.operand(),
                            dim: 0,
                            values: Some(result.operand()),
                            indices: index.operand(),
                        })
                        .expect("arg");
                        assert!(result.values().iter().all(|v| v.is_nan()));
                        assert_eq!(index.elements::<i64>(), [place as i64; 3]);
                    }
                }
            }
        }
    }
}

#[test]
fn positions_are_those_of_the_first_extreme() {
    for dtype in REAL {
        for shape in [[7, 5, 3], [1, 130, 2], [3, 2, 200], [90, 1, 1]] {
            let values: Vec<f64> = noise(7, shape.iter().product())
                .into_iter()
                .map(|v| {
                    if dtype == DType::Bool { f64::from(u8::from(v > 0.0)) } else { (v * 9.0).round().abs() }
                })
                .collect();
            for kind in LAYOUT_KINDS {
                let input = Sample::new(dtype, &shape, kind, &values);
                for dim in 0..3 {
                    let out = kept_shape(&shape, &[dim]);
                    for op in [ReduceOp::Max, ReduceOp::Min] {
                        let found = Sample::zeros(dtype, &out, kind);
                        let index = Sample::zeros(DType::Int64, &out, kind);
                        arg_reduce(&kernel::ArgReduce {
                            op,
                            input: input.operand(),
                            dim,
                            values: Some(found.operand()),
                            indices: index.operand(),
                        })
                        .expect("arg");
                        let indices = index.elements::<i64>();
                        for (i, group) in groups(&shape, &[dim], &values).iter().enumerate() {
                            let best = expected(op, group);
                            let first = group.iter().position(|&v| v == best).expect("it is there");
                            assert_eq!(indices[i], first as i64, "{dtype} {shape:?} {kind:?} {dim} {op:?}");
                            assert_eq!(found.values()[i], best);
                        }
                    }
                }
            }
        }
    }
    let scalar = Sample::new(DType::Float32, &[], LayoutKind::Contiguous, &[3.0]);
    let index = Sample::indices(&[], LayoutKind::Contiguous, &[9]);
    arg_reduce(&kernel::ArgReduce {
        op: ReduceOp::Max,
        input: scalar.operand(),
        dim: 0,
        values: None,
        indices: index.operand(),
    })
    .expect("of a scalar");
    assert_eq!(index.elements::<i64>(), [0]);
}

#[test]
fn moments_agree_with_two_passes() {
    let cases: [(&[usize], &[&[usize]]); 5] = [
        (&[9], &[&[0]]),
        (&[3, 5000], &[&[0], &[1], &[0, 1]]),
        (&[4, 3, 9, 9], &[&[0, 2, 3], &[1], &[2, 3]]),
        (&[500, 7], &[&[0], &[1]]),
        (&[2, 100_000], &[&[1]]),
    ];
    for (shape, choices) in cases {
        for offset in [0.0, 1000.0] {
            let n = shape.iter().product();
            let values: Vec<f64> = noise(8, n).into_iter().map(|v| v + offset).collect();
            for dtype in FLOATING {
                if dtype.size() == 2 && offset != 0.0 {
                    continue;
                }
                for kind in LAYOUT_KINDS {
                    let input = Sample::new(dtype, shape, kind, &values);
                    let stored = input.values();
                    for &dims in choices {
                        let out = kept_shape(shape, dims);
                        let to = if dtype.size() == 2 { DType::Float32 } else { dtype };
                        let (mean, m2) = (
                            Sample::zeros(to, &out, LayoutKind::Contiguous),
                            Sample::zeros(to, &out, LayoutKind::Contiguous),
                        );
                        moments(&kernel::Moments {
                            input: input.operand(),
                            dims: dims_from_slice(dims),
                            divisor: 1.0,
                            root: false,
                            mean: mean.operand(),
                            spread: m2.operand(),
                        })
                        .expect("moments");
                        let (mean, m2) = (mean.values(), m2.values());
                        for (i, group) in groups(shape, dims, &stored).iter().enumerate() {
                            let average = group.iter().sum::<f64>() / group.len() as f64;
                            let squares: f64 = group.iter().map(|v| (v - average).powi(2)).sum();
                            let precision = if to == DType::Float64 { 1e-12 } else { 1e-6 };
                            assert!((mean[i] - average).abs() <= precision * average.abs().max(1e-1));
                            assert!(
                                (m2[i] - squares).abs() <= precision * 10.0 * squares.max(1e-6),
                                "{dtype} {shape:?} {kind:?} {dims:?} {offset}: {} {squares}",
                                m2[i]
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn squares_of_large_and_small_numbers_are_not_lost() {
    for scale in [1e-44, 1e-38, 1e-30, 1e-22, 1e20, 1e30, 1e36] {
        for (shape, dims) in
            [(&[3000][..], &[0][..]), (&[5, 2100], &[1]), (&[2100, 5], &[0]), (&[40, 3], &[0])]
        {
            let n = shape.iter().product();
            let values: Vec<f64> = noise(9, n).into_iter().map(|v| v * scale).collect();
            let input = Sample::new(DType::Float32, shape, LayoutKind::Contiguous, &values);
            let out = kept_shape(shape, dims);
            let [mean, deviation, norm] =
                [(); 3].map(|()| Sample::zeros(DType::Float32, &out, LayoutKind::Contiguous));
            let count = (n / out.iter().product::<usize>()) as f64;
            moments(&kernel::Moments {
                input: input.operand(),
                dims: dims_from_slice(dims),
                divisor: count,
                root: true,
                mean: mean.operand(),
                spread: deviation.operand(),
            })
            .expect("moments");
            reduce(&kernel::Reduce {
                op: ReduceOp::Norm,
                pre: None,
                input: input.operand(),
                dims: dims_from_slice(dims),
                output: norm.operand(),
            })
            .expect("norm");
            for (i, group) in groups(shape, dims, &input.values()).iter().enumerate() {
                let middle = group.iter().sum::<f64>() / count;
                let root = |of: f64| (group.iter().map(|v| (v - of).powi(2)).sum::<f64>()).sqrt();
                let close = |got: f64, want: f64| (got - want).abs() <= 1e-6 * want.abs() + 2e-45;
                let close_mean = (mean.values()[i] - middle).abs() <= 1e-6 * scale + 2e-45;
                assert!(close_mean, "mean {shape:?} {scale:e}: {:e}, not {middle:e}", mean.values()[i]);
                let want = root(middle) / count.sqrt();
                let got = deviation.values()[i];
                assert!(close(got, want), "deviation {shape:?} {scale:e}: {got:e}, not {want:e}");
                let got = norm.values()[i];
                assert!(close(got, root(0.0)), "norm {shape:?} {scale:e}: {got:e}, not {:e}", root(0.0));
            }
        }
    }
    // Sums that are too large on the way only.
    let input = Sample::new(DType::Float32, &[2000], LayoutKind::Contiguous, &[3e38; 2000]);
    let average = Sample::zeros(DType::Float32, &[1], LayoutKind::Contiguous);
    reduce(&kernel::Reduce {
        op: ReduceOp::Mean,
        pre: None,
        input: input.operand(),
        dims: dims_from_slice(&[0]),
        output: average.operand(),
    })
    .expect("mean");
    assert!((average.values()[0] - 3e38).abs() < 1e32);
}

#[test]
fn nothing_reduces_to_the_identity_or_an_error() {
    let input = Sample::zeros(DType::Float32, &[0, 3], LayoutKind::Contiguous);
    let result = Sample::new(DType::Float32, &[1, 3], LayoutKind::Contiguous, &[9.0; 3]);
    reduce(&kernel::Reduce {
        op: ReduceOp::Sum,
        pre: None,
        input: input.operand(),
        dims: dims_from_slice(&[0]),
        output: result.operand(),
    })
    .expect("sum");
    assert_eq!(result.values(), [0.0; 3]);
    reduce(&kernel::Reduce {
        op: ReduceOp::Prod,
        pre: None,
        input: input.operand(),
        dims: dims_from_slice(&[0]),
        output: result.operand(),
    })
    .expect("prod");
    assert_eq!(result.values(), [1.0; 3]);
    reduce(&kernel::Reduce {
        op: ReduceOp::Mean,
        pre: None,
        input: input.operand(),
        dims: dims_from_slice(&[0]),
        output: result.operand(),
    })
    .expect("mean");
    assert!(result.values().iter().all(|v| v.is_nan()));
    assert!(
        reduce(&kernel::Reduce {
            op: ReduceOp::Max,
            pre: None,
            input: input.operand(),
            dims: dims_from_slice(&[0]),
            output: result.operand()
        })
        .is_err()
    );
    let index = Sample::zeros(DType::Int64, &[1, 3], LayoutKind::Contiguous);
    assert!(
        arg_reduce(&kernel::ArgReduce {
            op: ReduceOp::Max,
            input: input.operand(),
            dim: 0,
            values: None,
            indices: index.operand()
        })
        .is_err()
    );
    let complex = Sample::zeros(DType::Complex64, &[2], LayoutKind::Contiguous);
    let error = reduce(&kernel::Reduce {
        op: ReduceOp::Max,
        pre: None,
        input: complex.operand(),
        dims: dims_from_slice(&[0]),
        output: complex.operand(),
    });
    assert!(error.expect_err("no order").to_string().contains("complex"));
}
