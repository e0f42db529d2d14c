//! Softmax and its gradient.

use rustorch::backend::{DType, kernel};

use crate::harness::{Data, LAYOUT_KINDS, LayoutKind, compare, noise};

/// Short, long and very long lines, and lines side by side.
const CASES: [(&[usize], usize); 9] = [
    (&[3, 5, 11], 2),
    (&[3, 5, 11], 1),
    (&[2, 700], 1),
    (&[3, 5000], 1),
    (&[700, 70], 0),
    (&[70, 3], 0),
    (&[0, 3], 1),
    (&[3, 0], 1),
    (&[], 0),
];

fn agrees(dtype: DType, shape: &[usize], dim: usize, layout_kind: LayoutKind) {
    for log in [false, true] {
        let what = format!("softmax (log {log}) of {dtype} {shape:?} along {dim} {layout_kind:?}");
        let input = Data::random(5, dtype, shape, layout_kind, 6.0);
        let grad = Data::random(6, dtype, shape, layout_kind, 2.0);
        let output = Data::zeros(dtype, shape);
        compare(&what, &[input.clone(), output.clone()], 4.0, |b, o| {
            b.run(&kernel::Softmax { log, input: o[0], dim, output: o[1] }.into())
        });
        let mut result = input;
        result.change(|v| if log { -v.abs() - 1.0 } else { v.abs() / 50.0 });
        compare(&format!("gradient of {what}"), &[grad, result, output], 16.0, |b, o| {
            b.run(&kernel::SoftmaxGrad { log, grad: o[0], result: o[1], dim, output: o[2] }.into())
        });
    }
}

#[test]
#[ignore = "needs a device"]
fn softmax_and_its_gradient_agree_with_the_cpu() {
    for (shape, dim) in CASES {
        for layout_kind in [LayoutKind::Contiguous, LayoutKind::Transposed] {
            agrees(DType::Float32, shape, dim, layout_kind);
        }
    }
    for dtype in [DType::Float64, DType::Float16, DType::BFloat16] {
        for (shape, dim) in [CASES[0], CASES[3]] {
            agrees(dtype, shape, dim, LayoutKind::Contiguous);
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn softmax_of_nan_and_infinities_is_that_of_the_cpu() {
    for length in [7, 300, 5000] {
        let mut values = noise(3, 5 * length);
        values[3] = f64::NAN;
        values[length + 4] = f64::INFINITY;
        values[2 * length..3 * length].fill(f64::NEG_INFINITY);
        values[3 * length] = f64::NEG_INFINITY;
        values[3 * length + 5] = f64::NEG_INFINITY;
        values[4 * length + 2] = 3.0e38;
        for log in [false, true] {
            for layout_kind in LAYOUT_KINDS {
                let data = [
                    Data::new(DType::Float32, &[5, length], layout_kind, &values),
                    Data::zeros(DType::Float32, &[5, length]),
                ];
                let what = format!("softmax (log {log}) with NaN, {length} {layout_kind:?}");
                compare(&what, &data, 4.0, |b, o| {
                    b.run(&kernel::Softmax { log, input: o[0], dim: 1, output: o[1] }.into())
                });
            }
        }
    }
}

#[test]
#[ignore = "needs a device"]
fn softmax_in_place_agrees_with_the_cpu() {
    for length in [70, 5000] {
        let data = [Data::random(5, DType::Float32, &[3, length], LayoutKind::Contiguous, 6.0)];
        compare("softmax in place", &data, 4.0, |b, o| {
            b.run(&kernel::Softmax { log: false, input: o[0], dim: 1, output: o[0] }.into())
        });
    }
}
