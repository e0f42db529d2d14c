//! Writing at indices: the CPU's bits, also where many numbers meet.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use rustorch::backend::{DType, ScatterOp, kernel, use_deterministic_algorithms};

use crate::harness::{Data, LAYOUT_KINDS, LayoutKind, compare_bits};
use crate::indexing::indices;

const OPS: [ScatterOp; 5] =
    [ScatterOp::Assign, ScatterOp::Add, ScatterOp::Multiply, ScatterOp::Max, ScatterOp::Min];

/// Held by what asks for an order, and by the test that does without.
static ORDER: RwLock<()> = RwLock::new(());

fn in_order() -> RwLockReadGuard<'static, ()> {
    ORDER.read().unwrap_or_else(PoisonError::into_inner)
}

/// What the device does: products and extremes of complex numbers are left to the CPU.
fn computes(op: ScatterOp, dtype: DType) -> bool {
    !dtype.is_complex() || matches!(op, ScatterOp::Assign | ScatterOp::Add)
}

#[test]
#[ignore = "needs a device"]
fn scatter_combines_in_order() {
    let _order = in_order();
    // Short lines, many lines, and long ones that are sorted.
    let cases: [(&[usize], usize, usize); 5] =
        [(&[4, 6, 5], 1, 3), (&[30, 600], 0, 40), (&[600], 0, 7), (&[3, 5, 130], 2, 50), (&[], 0, 1)];
    for dtype in DType::ALL {
        for op in OPS.into_iter().filter(|&op| computes(op, dtype)) {
            // Every dtype once, and everything for some: every kernel takes its time to compile.
            let all = op == ScatterOp::Add && dtype == DType::Complex64;
            let some = matches!(dtype, DType::Float16 | DType::Int8);
            let one = op == ScatterOp::Add || dtype == DType::Bool;
            for (shape, dim, size) in &cases[if all {
                0..5
            } else if some {
                1..3
            } else {
                2..2 + usize::from(one)
            }] {
                let (shape, dim, size) = (*shape, *dim, *size);
                for layout_kind in if all { &LAYOUT_KINDS[..2] } else { &LAYOUT_KINDS[..1] } {
                    let layout_kind = *layout_kind;
                    let mut output = shape.to_vec();
                    if let Some(size_there) = output.get_mut(dim) {
                        *size_there = size;
                    }
                    let range = if op == ScatterOp::Multiply { 1.5 } else { 9.0 };
                    let data = [
                        indices(2, shape, layout_kind, 0, size as i64),
                        Data::random(3, dtype, shape, layout_kind, range),
                        Data::random(4, dtype, &output, layout_kind, range),
                    ];
                    compare_bits(
                        &format!("{op:?} {dtype} {shape:?} {dim} {layout_kind:?}"),
                        &data,
                        |b, o| {
                            b.run(
                                &kernel::Scatter { op, dim, index: o[0], source: o[1], output: o[2] }.into(),
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
fn scatter_of_nan_and_half_precision_limits() {
    let _order = in_order();
    let n = 400;
    let odd = [f64::NAN, f64::INFINITY, -0.0, 0.0, 65504.0, 1e-7, -3e-8, 1e38];
    for dtype in [DType::Float16, DType::BFloat16, DType::Float32] {
        for op in [ScatterOp::Add, ScatterOp::Multiply, ScatterOp::Max] {
            let mut values = crate::harness::noise(9, n);
            for (k, &v) in odd.iter().enumerate() {
                values[k * 31] = v;
            }
            for value in &mut values[300..] {
                *value *= 1e-6;
            }
            let data = [
                indices(2, &[n], LayoutKind::Contiguous, 0, 90),
                Data::new(dtype, &[n], LayoutKind::Contiguous, &values),
                Data::zeros(dtype, &[90]),
            ];
            crate::harness::compare(&format!("{op:?} {dtype}"), &data, 0.0, |b, o| {
                b.run(&kernel::Scatter { op, dim: 0, index: o[0], source: o[1], output: o[2] }.into())
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn many_numbers_meet_in_few_places() {
    let _order = in_order();
    for (n, size) in [(30_000, 3), (30_000, 20_000), (2049, 1)] {
        for op in [ScatterOp::Assign, ScatterOp::Add] {
            let data = [
                indices(2, &[n], LayoutKind::Contiguous, 0, size as i64),
                Data::random(3, DType::Float32, &[n], LayoutKind::Gaps, 9.0),
                Data::random(4, DType::Float32, &[size], LayoutKind::Contiguous, 9.0),
            ];
            compare_bits(&format!("{op:?} {n} into {size}"), &data, |b, o| {
                b.run(&kernel::Scatter { op, dim: 0, index: o[0], source: o[1], output: o[2] }.into())
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn rows_are_written_where_indices_say() {
    let _order = in_order();
    for dtype in DType::ALL {
        for accumulate in [false, true] {
            let (all, moved) = (dtype == DType::Complex64, matches!(dtype, DType::Int16 | DType::Complex128));
            if !all && !accumulate && !moved {
                continue;
            }
            for &layout_kind in if all { &LAYOUT_KINDS[..] } else { &LAYOUT_KINDS[..1] } {
                let what = format!("index_write {dtype} {accumulate} {layout_kind:?}");
                // Many rows of few columns, then few rows, then many columns.
                let cases = [(&[10usize, 30][..], &[3usize][..]), (&[2, 3], &[7, 2]), (&[15, 10], &[600])];
                for (rows, rest) in &cases[..if all { 3 } else { 1 }] {
                    let (rows, rest) = (*rows, *rest);
                    let shape = [rows, rest].concat();
                    let output = [&[6, 5], rest].concat();
                    let data = [
                        indices(2, rows, layout_kind, -6, 6),
                        indices(3, rows, LayoutKind::Contiguous, -5, 5),
                        Data::random(4, dtype, &shape, layout_kind, 9.0),
                        Data::random(5, dtype, &output, layout_kind, 9.0),
                    ];
                    compare_bits(&what, &data, |b, o| {
                        b.run(
                            &kernel::IndexWrite {
                                accumulate,
                                indices: kernel::List::from_slice(&o[..2]),
                                source: o[2],
                                output: o[3],
                            }
                            .into(),
                        )
                    });
                }
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn the_gradient_of_an_embedding() {
    let _order = in_order();
    let data = [
        indices(2, &[16, 64], LayoutKind::Contiguous, 0, 50),
        Data::random(4, DType::Float32, &[16, 64, 96], LayoutKind::Contiguous, 9.0),
        Data::zeros(DType::Float32, &[50, 96]),
    ];
    compare_bits("embedding", &data, |b, o| {
        b.run(
            &kernel::IndexWrite {
                accumulate: true,
                indices: kernel::List::from_slice(&o[..1]),
                source: o[1],
                output: o[2],
            }
            .into(),
        )
    });
    let data = [
        Data::zeros(DType::Int64, &[0]),
        Data::zeros(DType::Float32, &[0, 4]),
        Data::random(1, DType::Float32, &[5, 4], LayoutKind::Contiguous, 3.0),
    ];
    compare_bits("no rows", &data, |b, o| {
        b.run(
            &kernel::IndexWrite {
                accumulate: true,
                indices: kernel::List::from_slice(&o[..1]),
                source: o[1],
                output: o[2],
            }
            .into(),
        )
    });
}

#[test]
#[ignore = "needs a device"]
fn atomic_additions_come_to_the_same_sums() {
    let _alone = ORDER.write().unwrap_or_else(PoisonError::into_inner);
    use_deterministic_algorithms(false);
    let wholes = |seed: u64, shape: &[usize], layout_kind: LayoutKind| {
        let n = shape.iter().product();
        // Whole numbers, whose sums no order changes.
        let values: Vec<f64> = crate::harness::noise(seed, n).iter().map(|v| (v * 50.0).round()).collect();
        Data::new(DType::Float32, shape, layout_kind, &values)
    };
    for layout_kind in LAYOUT_KINDS {
        let data = [
            indices(2, &[600], layout_kind, 0, 7),
            wholes(3, &[600], layout_kind),
            wholes(4, &[7], layout_kind),
        ];
        compare_bits("scatter", &data, |b, o| {
            b.run(
                &kernel::Scatter { op: ScatterOp::Add, dim: 0, index: o[0], source: o[1], output: o[2] }
                    .into(),
            )
        });
    }
    let data = [
        indices(1, &[9, 70], LayoutKind::Contiguous, 0, 5),
        wholes(2, &[9, 70, 3], LayoutKind::Contiguous),
        wholes(3, &[5, 3], LayoutKind::Contiguous),
    ];
    compare_bits("rows", &data, |b, o| {
        b.run(
            &kernel::IndexWrite {
                accumulate: true,
                indices: kernel::List::from_slice(&o[..1]),
                source: o[1],
                output: o[2],
            }
            .into(),
        )
    });
    use_deterministic_algorithms(true);
}
