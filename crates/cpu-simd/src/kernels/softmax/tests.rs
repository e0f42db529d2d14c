#![allow(clippy::unwrap_used)]

use super::*;
use crate::kernels::samples::{FLOATING, LAYOUT_KINDS, LayoutKind, Sample, noise};

const SHAPES: [&[usize]; 11] = [
    &[],
    &[1],
    &[9],
    &[3, 17],
    &[5, 64],
    &[2, 5, 33],
    &[3, 0, 4],
    &[0, 7],
    &[40, 1000],
    &[2, 300, 9],
    &[2, 10_000],
];

/// Positions of each line along `dim` in row-major values.
fn lines(shape: &[usize], dim: usize) -> Vec<Vec<usize>> {
    let length = shape.get(dim).copied().unwrap_or(1);
    let inner: usize = shape.iter().skip(dim + 1).product();
    let outer: usize = shape.iter().take(dim).product();
    (0..outer)
        .flat_map(|o| (0..inner).map(move |i| (0..length).map(|k| (o * length + k) * inner + i).collect()))
        .collect()
}

fn reference(log: bool, values: &[f64], shape: &[usize], dim: usize) -> Vec<f64> {
    let mut out = vec![0.0; values.len()];
    for line in lines(shape, dim) {
        let most = line.iter().fold(f64::NEG_INFINITY, |m, &i| m.max(values[i]));
        let sum: f64 = line.iter().map(|&i| (values[i] - most).exp()).sum();
        for &i in &line {
            out[i] = if log { values[i] - most - sum.ln() } else { (values[i] - most).exp() / sum };
        }
    }
    out
}

fn reference_grad(log: bool, grad: &[f64], result: &[f64], shape: &[usize], dim: usize) -> Vec<f64> {
    let mut out = vec![0.0; grad.len()];
    for line in lines(shape, dim) {
        let sum: f64 = line.iter().map(|&i| if log { grad[i] } else { grad[i] * result[i] }).sum();
        for &i in &line {
            out[i] = if log { grad[i] - result[i].exp() * sum } else { result[i] * (grad[i] - sum) };
        }
    }
    out
}

/// The relative error of one rounding, and a few more for the computation.
fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::Float16 => 1.0 / 2048.0,
        DType::BFloat16 => 1.0 / 256.0,
        DType::Float32 => 1e-6,
        _ => 1e-14,
    }
}

fn assert_close(dtype: DType, got: &[f64], expected: &[f64], scale: f64, what: &str) {
    assert_eq!(got.len(), expected.len());
    for (g, e) in got.iter().zip(expected) {
        let smallest = if dtype == DType::Float16 { 6e-8 } else { 0.0 };
        let close = (g - e).abs() <= tolerance(dtype) * (e.abs() + scale) + smallest;
        assert!(close || (g.is_nan() && e.is_nan()), "{what}: got {g}, expected {e}");
    }
}

#[test]
fn values_and_gradients_match_float64() {
    for dtype in FLOATING {
        for shape in SHAPES {
            for dim in 0..shape.len().max(1) {
                for (layout_kind, log) in LAYOUT_KINDS.into_iter().flat_map(|l| [(l, false), (l, true)]) {
                    let what = format!("{dtype} {shape:?} dim {dim} {layout_kind:?} log {log}");
                    let count = shape.iter().product();
                    let values: Vec<f64> = noise(1, count).iter().map(|v| v * 8.0).collect();
                    let input = Sample::new(dtype, shape, layout_kind, &values);
                    let output = Sample::zeros(dtype, shape, layout_kind);
                    softmax(&kernel::Softmax { log, input: input.operand(), dim, output: output.operand() })
                        .unwrap();
                    let expected = reference(log, &input.values(), shape, dim);
                    assert_close(dtype, &output.values(), &expected, if log { 1.0 } else { 0.0 }, &what);

                    let grad = Sample::new(dtype, shape, layout_kind, &noise(2, count));
                    let grad_input = Sample::zeros(dtype, shape, layout_kind);
                    softmax_grad(&kernel::SoftmaxGrad {
                        log,
                        grad: grad.operand(),
                        result: output.operand(),
                        dim,
                        output: grad_input.operand(),
                    })
                    .unwrap();
                    let expected = reference_grad(log, &grad.values(), &output.values(), shape, dim);
                    // The sum of the gradients cancels, so errors are relative to the terms.
                    let scale = if log { 30.0 } else { 0.3 };
                    assert_close(dtype, &grad_input.values(), &expected, scale, &what);
                }
            }
        }
    }
}

#[test]
fn large_outputs_that_are_streamed_are_the_same() {
    let shape = [1 << 12, 1 << 11];
    let values: Vec<f64> = noise(3, shape[0] * shape[1]).iter().map(|v| v * 5.0).collect();
    let input = Sample::new(DType::Float32, &shape, LayoutKind::Contiguous, &values);
    for log in [false, true] {
        let output = Sample::zeros(DType::Float32, &shape, LayoutKind::Contiguous);
        softmax(&kernel::Softmax { log, input: input.operand(), dim: 1, output: output.operand() }).unwrap();
        let streamed = output.elements::<f32>();
        // In place nothing is streamed.
        let same = Sample::new(DType::Float32, &shape, LayoutKind::Contiguous, &values);
        softmax(&kernel::Softmax { log, input: same.operand(), dim: 1, output: same.operand() }).unwrap();
        assert!(streamed == same.elements::<f32>());
    }
}

#[test]
fn infinities_and_nan_follow_pytorch() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for dtype in FLOATING {
        for layout_kind in LAYOUT_KINDS {
            let rows =
                [[-inf, -inf, -inf], [0.0, -inf, 0.0], [1.0, nan, 2.0], [1.0, inf, 2.0], [-inf, 5.0, -inf]];
            let input = Sample::new(dtype, &[5, 3], layout_kind, rows.as_flattened());
            let output = Sample::zeros(dtype, &[5, 3], layout_kind);
            softmax(&kernel::Softmax {
                log: false,
                input: input.operand(),
                dim: 1,
                output: output.operand(),
            })
            .unwrap();
            let expected = [[nan; 3], [0.5, 0.0, 0.5], [nan; 3], [nan; 3], [0.0, 1.0, 0.0]];
            for (got, expected) in output.values().iter().zip(expected.as_flattened()) {
                assert!(got == expected || (got.is_nan() && expected.is_nan()), "{dtype} {layout_kind:?}");
            }
            softmax(&kernel::Softmax { log: true, input: input.operand(), dim: 1, output: output.operand() })
                .unwrap();
            let got = output.values();
            assert!(got[0].is_nan() && got[6].is_nan());
            assert_eq!(got[4], -inf);
            assert_eq!(got[12..], [-inf, 0.0, -inf]);
        }
    }
}

#[test]
fn other_dtypes_are_refused() {
    let input = Sample::zeros(DType::Int64, &[3], LayoutKind::Contiguous);
    let message =
        softmax(&kernel::Softmax { log: false, input: input.operand(), dim: 0, output: input.operand() })
            .unwrap_err()
            .to_string();
    assert_eq!(message, "softmax: got int64; float16, bfloat16, float32 and float64 work");
}
