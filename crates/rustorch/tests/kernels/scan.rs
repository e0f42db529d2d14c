//! Cumulative sums, products, extremes and logarithms of sums.

use rustorch::backend::{DType, ScanOp, kernel};

use crate::harness::{Data, LayoutKind, adds_in_f64, compare, noise};

/// Short and long lines, side by side and one after the other, and lines cut into chunks.
const CASES: [(&[usize], usize); 8] = [
    (&[3, 5, 11], 1),
    (&[3, 5, 11], 2),
    (&[2, 3000], 1),
    (&[700, 70], 0),
    (&[30_000], 0),
    (&[9000, 3], 0),
    (&[3, 0], 1),
    (&[], 0),
];

fn agrees(op: ScanOp, from: DType, to: DType, shape: &[usize], dim: usize, layout_kind: LayoutKind) {
    let what = format!("scan {op:?} of {from} to {to} {shape:?} along {dim} {layout_kind:?}");
    let mut input = Data::random(5, from, shape, layout_kind, 4.0);
    if op == ScanOp::Prod && from.is_floating_point() {
        // Neither too small nor too large after many factors.
        input.change(|v| v.signum() * (1.0 + (v.abs() - 2.0) / 4000.0));
    }
    if from.is_floating_point() && matches!(op, ScanOp::Max | ScanOp::Min) {
        // Few values, so that extremes occur more than once.
        input.change(f64::round);
    }
    let mut data = vec![input, Data::zeros(to, shape)];
    if matches!(op, ScanOp::Max | ScanOp::Min) {
        data.push(Data::zeros(DType::Int64, shape));
    }
    // The CPU adds one after the other in the precision of the dtype where that is float64; a device without it adds up
    // float32 as such, with the digits of the largest sum.
    let narrow = from == DType::Float32 && !adds_in_f64() && matches!(op, ScanOp::Sum | ScanOp::Prod);
    let slack = if from == DType::Float64 || narrow { 100.0 } else { 4.0 };
    compare(&what, &data, slack, |b, o| {
        b.run(&kernel::Scan { op, input: o[0], dim, output: o[1], indices: o.get(2).copied() }.into())
    });
}

#[test]
#[ignore = "needs a device"]
fn every_scan_agrees_with_the_cpu() {
    for (shape, dim) in CASES {
        agrees(ScanOp::Sum, DType::Float32, DType::Float32, shape, dim, LayoutKind::Contiguous);
    }
    for op in [ScanOp::Prod, ScanOp::Max, ScanOp::Min, ScanOp::LogSumExp] {
        for (shape, dim) in [CASES[1], CASES[4]] {
            agrees(op, DType::Float32, DType::Float32, shape, dim, LayoutKind::Contiguous);
        }
        agrees(op, DType::Float32, DType::Float32, CASES[0].0, 1, LayoutKind::Transposed);
    }
    for op in [ScanOp::Sum, ScanOp::Prod, ScanOp::Max, ScanOp::Min] {
        agrees(op, DType::Int64, DType::Int64, CASES[2].0, 1, LayoutKind::Contiguous);
    }
}

#[test]
#[ignore = "needs a device"]
fn scans_take_every_dtype() {
    let (shape, dim) = CASES[2];
    for op in [ScanOp::Sum, ScanOp::Max] {
        for dtype in [DType::Float64, DType::Float16, DType::BFloat16] {
            // So many numbers of half precision are added up in an order that shows.
            let few: &[usize] = if op == ScanOp::Sum { &[2, 300] } else { shape };
            agrees(op, dtype, dtype, few, dim, LayoutKind::Contiguous);
        }
        for dtype in [DType::Int32, DType::UInt8, DType::Bool] {
            let to = if op == ScanOp::Sum { DType::Int64 } else { dtype };
            agrees(op, dtype, to, shape, dim, LayoutKind::Contiguous);
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn scans_with_nan_and_infinities_agree_with_the_cpu() {
    for length in [9, 300, 30_000] {
        let mut values = noise(3, 4 * length);
        values[3] = f64::NAN;
        values[length + 4] = f64::INFINITY;
        values[2 * length..2 * length + 5].fill(f64::NEG_INFINITY);
        values[3 * length + 2] = f64::NEG_INFINITY;
        values[3 * length + 5] = f64::INFINITY;
        let nan_twice = length / 2 + 1;
        values[nan_twice] = f64::NAN;
        for op in [ScanOp::Sum, ScanOp::Max, ScanOp::Min, ScanOp::LogSumExp] {
            let mut data = vec![
                Data::new(DType::Float32, &[4, length], LayoutKind::Contiguous, &values),
                Data::zeros(DType::Float32, &[4, length]),
            ];
            if matches!(op, ScanOp::Max | ScanOp::Min) {
                data.push(Data::zeros(DType::Int64, &[4, length]));
            }
            compare(&format!("scan {op:?} with NaN, {length}"), &data, 4.0, |b, o| {
                b.run(
                    &kernel::Scan { op, input: o[0], dim: 1, output: o[1], indices: o.get(2).copied() }
                        .into(),
                )
            });
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn scans_in_place_and_without_indices_agree_with_the_cpu() {
    for length in [70, 30_000] {
        let data = [Data::random(5, DType::Float32, &[2, length], LayoutKind::Gaps, 6.0)];
        for op in [ScanOp::Sum, ScanOp::Max] {
            let slack = if adds_in_f64() { 4.0 } else { 100.0 };
            compare(&format!("scan {op:?} in place"), &data, slack, |b, o| {
                b.run(&kernel::Scan { op, input: o[0], dim: 1, output: o[0], indices: None }.into())
            });
        }
    }
}
