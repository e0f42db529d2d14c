#![allow(clippy::unwrap_used)]

use rustorch_backend::AttentionParams;

use super::*;
use crate::kernels::samples::{FLOATING, LAYOUT_KINDS, LayoutKind, Sample, noise};

/// Heads, queries, keys, features, features of values.
const SIZES: [[usize; 5]; 6] = [
    [1, 1, 1, 1, 1],
    [2, 3, 5, 4, 3],
    [1, 130, 7, 8, 2],
    [2, 5, 300, 3, 17],
    [1, 140, 270, 16, 16],
    [3, 4, 0, 2, 2],
];

struct Reference {
    output: Vec<f64>,
    grads: [Vec<f64>; 3],
}

/// Everything with all scores at hand. `values` are query, key, value, mask, and the gradient of the output.
fn reference(
    [heads, rows, keys, features, size]: [usize; 5],
    params: &AttentionParams,
    values: [&[f64]; 5],
) -> Reference {
    let [query, key, value, mask, slope] = values;
    let mut output = vec![0.0; heads * rows * size];
    let mut grads = [vec![0.0; query.len()], vec![0.0; key.len()], vec![0.0; value.len()]];
    for h in 0..heads {
        for i in 0..rows {
            let q = &query[(h * rows + i) * features..][..features];
            let at = |k: usize| h * keys + k;
            let scores: Vec<f64> = (0..keys)
                .map(|k| {
                    let inner: f64 =
                        q.iter().zip(&key[at(k) * features..][..features]).map(|(a, b)| a * b).sum();
                    let seen = !params.causal || k <= i;
                    if seen {
                        inner * params.scale + mask[(h * rows + i) * keys + k]
                    } else {
                        f64::NEG_INFINITY
                    }
                })
                .collect();
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if most == f64::NEG_INFINITY {
                continue;
            }
            let sum: f64 = scores.iter().map(|s| (s - most).exp()).sum();
            let weights: Vec<f64> = scores.iter().map(|s| (s - most).exp() / sum).collect();
            let row = (h * rows + i) * size;
            for (k, w) in weights.iter().enumerate() {
                for d in 0..size {
                    output[row + d] += w * value[at(k) * size + d];
                    grads[2][at(k) * size + d] += w * slope[row + d];
                }
            }
            let slopes: Vec<f64> = (0..keys)
                .map(|k| (0..size).map(|d| slope[row + d] * value[at(k) * size + d]).sum())
                .collect();
            let mean: f64 = slopes.iter().zip(&weights).map(|(s, w)| s * w).sum();
            for k in 0..keys {
                let score = weights[k] * (slopes[k] - mean) * params.scale;
                for f in 0..features {
                    grads[0][(h * rows + i) * features + f] += score * key[at(k) * features + f];
                    grads[1][at(k) * features + f] += score * q[f];
                }
            }
        }
    }
    Reference { output, grads }
}

fn assert_close(dtype: DType, got: &[f64], expected: &[f64], what: &str) {
    let tolerance = match dtype {
        DType::Float16 => 4e-3,
        DType::BFloat16 => 3e-2,
        DType::Float32 => 1e-5,
        _ => 1e-12,
    };
    assert_eq!(got.len(), expected.len());
    for (g, e) in got.iter().zip(expected) {
        assert!((g - e).abs() <= tolerance * (1.0 + e.abs()), "{what}: got {g}, expected {e}");
    }
}

#[test]
fn results_and_gradients_match_float64() {
    for (case, sizes) in SIZES.into_iter().enumerate() {
        let [heads, rows, keys, features, size] = sizes;
        for dtype in FLOATING {
            for (causal, masked) in [(false, false), (true, false), (false, true)] {
                let layout_kind = LAYOUT_KINDS[case % LAYOUT_KINDS.len()];
                let what = format!("{sizes:?} {dtype} causal {causal} masked {masked}");
                let shapes = [
                    [heads, rows, features],
                    [heads, keys, features],
                    [heads, keys, size],
                    [heads, rows, size],
                ];
                let samples: Vec<Sample> = shapes
                    .iter()
                    .zip(1..)
                    .map(|(shape, seed)| {
                        let values: Vec<f64> =
                            noise(seed, shape.iter().product()).iter().map(|v| v * 2.0).collect();
                        Sample::new(dtype, shape, layout_kind, &values)
                    })
                    .collect();
                let mut added = vec![0.0; heads * rows * keys];
                if masked {
                    added = noise(9, added.len());
                    // The first query sees nothing, the others not every third key.
                    for (at, value) in added.iter_mut().enumerate() {
                        if at % 3 == 0 || (at / keys.max(1)) % rows == 0 {
                            *value = f64::NEG_INFINITY;
                        }
                    }
                }
                let mask = Sample::new(dtype, &[heads, rows, keys], LayoutKind::Contiguous, &added);
                let params = AttentionParams { scale: 0.4, causal };
                let values: Vec<Vec<f64>> = samples.iter().map(Sample::values).collect();
                let want = reference(
                    sizes,
                    &params,
                    [&values[0], &values[1], &values[2], &mask.values(), &values[3]],
                );
                let output = Sample::zeros(dtype, &[heads, rows, size], layout_kind);
                let log_sum = Sample::zeros(dtype.compute(), &[heads, rows], LayoutKind::Contiguous);
                let [query, key, value, slope] = [0, 1, 2, 3].map(|i| samples[i].operand());
                let given = masked.then(|| mask.operand());
                attention(&kernel::Attention {
                    params,
                    query,
                    key,
                    value,
                    mask: given,
                    output: output.operand(),
                    log_sum: log_sum.operand(),
                })
                .unwrap();
                assert_close(dtype, &output.values(), &want.output, &what);
                let grads = [0, 1, 2].map(|i: usize| Sample::zeros(dtype, &shapes[i], layout_kind));
                let [by_query, by_key, by_value] = [0, 1, 2].map(|i: usize| grads[i].operand());
                attention_grad(&kernel::AttentionGrad {
                    params,
                    grad: slope,
                    query,
                    key,
                    value,
                    mask: given,
                    output: output.operand(),
                    log_sum: log_sum.operand(),
                    grad_query: by_query,
                    grad_key: by_key,
                    grad_value: by_value,
                })
                .unwrap();
                for ((got, want), name) in grads.iter().zip(&want.grads).zip(["query", "key", "value"]) {
                    assert_close(dtype, &got.values(), want, &format!("{what}, by {name}"));
                }
            }
        }
    }
}

#[test]
fn a_nan_stays_in_its_query() {
    let ones = |shape: &[usize]| {
        Sample::new(DType::Float32, shape, LayoutKind::Contiguous, &vec![1.0; shape.iter().product()])
    };
    let query = Sample::new(DType::Float32, &[2, 2], LayoutKind::Contiguous, &[f64::NAN, 1.0, 1.0, 1.0]);
    let (key, value, output) = (ones(&[3, 2]), ones(&[3, 1]), ones(&[2, 1]));
    let log_sum = ones(&[2]);
    let params = AttentionParams { scale: 1.0, causal: false };
    let operands = (query.operand(), key.operand(), value.operand());
    attention(&kernel::Attention {
        params,
        query: operands.0,
        key: operands.1,
        value: operands.2,
        mask: None,
        output: output.operand(),
        log_sum: log_sum.operand(),
    })
    .unwrap();
    let got = output.values();
    assert!(got[0].is_nan());
    assert_eq!(got[1], 1.0);
}

#[test]
fn integers_are_refused() {
    let sample = Sample::zeros(DType::Int64, &[2, 2], LayoutKind::Contiguous);
    let params = AttentionParams { scale: 1.0, causal: false };
    let o = sample.operand();
    assert!(
        attention(&kernel::Attention {
            params,
            query: o,
            key: o,
            value: o,
            mask: None,
            output: o,
            log_sum: o
        })
        .is_err()
    );
}
