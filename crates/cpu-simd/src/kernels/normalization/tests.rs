#![allow(clippy::unwrap_used)]

use rustorch_backend::dims_from_slice;

use super::*;
use crate::kernels::samples::{FLOATING, LAYOUT_KINDS, LayoutKind, Sample, coordinates, flat, noise};

/// Shape, normalised dimensions, shape of weight and bias.
const CASES: [(&[usize], &[usize], &[usize]); 13] = [
    (&[6, 33], &[1], &[1, 33]),
    (&[3, 4, 10], &[1, 2], &[1, 4, 10]),
    (&[5, 3, 7], &[0, 2], &[1, 3, 1]),
    (&[4, 3, 5, 6], &[0, 2, 3], &[1, 3, 1, 1]),
    (&[40, 19], &[0], &[1, 19]),
    (&[2, 3, 4, 15], &[2, 3], &[1, 3, 4, 1]),
    (&[2, 3, 25], &[2], &[1, 3, 1]),
    (&[7, 1], &[1], &[1, 1]),
    (&[3, 4100], &[1], &[1, 4100]),
    (&[2, 5000, 3], &[1], &[1, 1, 3]),
    (&[0, 4], &[1], &[1, 4]),
    (&[300, 2, 40], &[0, 2], &[1, 2, 1]),
    (&[9], &[0], &[9]),
];

struct Expected {
    output: Vec<f64>,
    mean: Vec<f64>,
    rstd: Vec<f64>,
}

fn kept_shape(shape: &[usize], dims: &[usize]) -> Vec<usize> {
    shape.iter().enumerate().map(|(d, &n)| if dims.contains(&d) { 1 } else { n }).collect()
}

/// The group of each position.
fn groups(shape: &[usize], dims: &[usize]) -> Vec<usize> {
    let kept = kept_shape(shape, dims);
    project(shape, &kept)
}

/// For each position of `shape`, the position in a shape that broadcasts to it.
fn project(shape: &[usize], smaller: &[usize]) -> Vec<usize> {
    coordinates(shape)
        .into_iter()
        .map(|c| {
            flat(
                smaller,
                &c.iter().zip(smaller).map(|(&c, &n)| if n == 1 { 0 } else { c }).collect::<Vec<_>>(),
            )
        })
        .collect()
}

fn reference(
    x: &[f64],
    shape: &[usize],
    dims: &[usize],
    eps: f64,
    w: &[f64],
    b: &[f64],
    p: &[usize],
) -> Expected {
    let group = groups(shape, dims);
    let count = kept_shape(shape, dims).iter().product();
    let (mut n, mut mean, mut var) = (vec![0.0; count], vec![0.0; count], vec![0.0; count]);
    for (&v, &g) in x.iter().zip(&group) {
        n[g] += 1.0;
        mean[g] += v;
    }
    mean.iter_mut().zip(&n).for_each(|(m, n)| *m /= n);
    for (&v, &g) in x.iter().zip(&group) {
        var[g] += (v - mean[g]).powi(2);
    }
    let rstd: Vec<f64> = var.iter().zip(&n).map(|(v, n)| 1.0 / (v / n + eps).sqrt()).collect();
    let place = project(shape, p);
    let output =
        (0..x.len()).map(|i| (x[i] - mean[group[i]]) * rstd[group[i]] * w[place[i]] + b[place[i]]).collect();
    Expected { output, mean, rstd }
}

fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::Float16 => 2.0 / 2048.0,
        DType::BFloat16 => 2.0 / 256.0,
        DType::Float32 => 4e-6,
        _ => 1e-13,
    }
}

fn assert_close(tolerance: f64, got: &[f64], expected: &[f64], what: &str) {
    assert_eq!(got.len(), expected.len());
    for (g, e) in got.iter().zip(expected) {
        let close = (g - e).abs() <= tolerance * (e.abs() + 1.0);
        assert!(close || (g.is_nan() && e.is_nan()), "{what}: got {g}, expected {e}");
    }
}

#[test]
fn values_statistics_and_gradients_match_float64() {
    for dtype in FLOATING {
        for (shape, dims, parameter_shape) in CASES {
            for (layout_kind, affine) in LAYOUT_KINDS.into_iter().flat_map(|l| [(l, true), (l, false)]) {
                let what = format!("{dtype} {shape:?} {dims:?} {layout_kind:?} affine {affine}");
                let count: usize = shape.iter().product();
                let parameters: usize = parameter_shape.iter().product();
                let kept = kept_shape(shape, dims);
                let values: Vec<f64> = noise(1, count).iter().map(|v| v * 3.0 + 2.0).collect();
                let input = Sample::new(dtype, shape, layout_kind, &values);
                let weight = Sample::new(dtype, parameter_shape, layout_kind, &noise(2, parameters));
                let bias = Sample::new(dtype, parameter_shape, layout_kind, &noise(3, parameters));
                let output = Sample::zeros(dtype, shape, layout_kind);
                // Statistics of half precision are kept in float32.
                let statistics = if dtype.size() == 2 { DType::Float32 } else { dtype };
                let mean = Sample::zeros(statistics, &kept, layout_kind);
                let rstd = Sample::zeros(statistics, &kept, layout_kind);
                let given = |s: &'static str| {
                    if affine { Some(if s == "w" { &weight } else { &bias }) } else { None }
                };
                normalize(&kernel::Normalize {
                    input: input.operand(),
                    dims: dims_from_slice(dims),
                    eps: 1e-5,
                    weight: given("w").map(Sample::operand),
                    bias: given("b").map(Sample::operand),
                    output: output.operand(),
                    mean: mean.operand(),
                    rstd: rstd.operand(),
                })
                .unwrap();
                let (ones, zeros) = (vec![1.0; parameters], vec![0.0; parameters]);
                let w = if affine { weight.values() } else { ones };
                let b = if affine { bias.values() } else { zeros };
                let expected = reference(&input.values(), shape, dims, 1e-5, &w, &b, parameter_shape);
                let exact = tolerance(statistics);
                // A group of one element has no variance but that of rounding.
                assert_close(tolerance(dtype), &output.values(), &expected.output, &what);
                assert_close(exact, &mean.values(), &expected.mean, &what);
                assert_close(exact, &rstd.values(), &expected.rstd, &what);

                let grad = Sample::new(dtype, shape, layout_kind, &noise(4, count));
                let grad_input = Sample::zeros(dtype, shape, layout_kind);
                normalize_grad(&kernel::NormalizeGrad {
                    grad: grad.operand(),
                    input: input.operand(),
                    dims: dims_from_slice(dims),
                    weight: given("w").map(Sample::operand),
                    mean: mean.operand(),
                    rstd: rstd.operand(),
                    grad_input: grad_input.operand(),
                })
                .unwrap();
                let group = groups(shape, dims);
                let place = project(shape, parameter_shape);
                let (x, g) = (input.values(), grad.values());
                let (mut n, mut sum, mut product) = (vec![0.0; kept.iter().product()], vec![], vec![]);
                sum.resize(n.len(), 0.0);
                product.resize(n.len(), 0.0);
                let z = |i: usize| (x[i] - expected.mean[group[i]]) * expected.rstd[group[i]];
                for i in 0..count {
                    n[group[i]] += 1.0;
                    sum[group[i]] += g[i] * w[place[i]];
                    product[group[i]] += g[i] * w[place[i]] * z(i);
                }
                let expected_grad: Vec<f64> = (0..count)
                    .map(|i| {
                        let k = group[i];
                        (g[i] * w[place[i]] - sum[k] / n[k] - z(i) * product[k] / n[k]) * expected.rstd[k]
                    })
                    .collect();
                // A group of one element has a rstd of 316, which multiplies rounding errors.
                let scale = expected.rstd.iter().copied().fold(1.0, f64::max);
                assert_close(tolerance(dtype) * scale, &grad_input.values(), &expected_grad, &what);
            }
        }
    }
}

#[test]
fn a_large_mean_costs_no_digits_of_the_variance() {
    let values: Vec<f64> = noise(7, 3 * 10_000).iter().map(|v| 16384.0 + (v * 64.0).round() / 64.0).collect();
    for (shape, dims) in [([3, 10_000], [1]), ([10_000, 3], [0])] {
        let input = Sample::new(DType::Float32, &shape, LayoutKind::Contiguous, &values);
        let output = Sample::zeros(DType::Float32, &shape, LayoutKind::Contiguous);
        let kept = kept_shape(&shape, &dims);
        let mean = Sample::zeros(DType::Float32, &kept, LayoutKind::Contiguous);
        let rstd = Sample::zeros(DType::Float32, &kept, LayoutKind::Contiguous);
        let eps = 0.0;
        normalize(&kernel::Normalize {
            input: input.operand(),
            dims: dims_from_slice(&dims),
            eps,
            weight: None,
            bias: None,
            output: output.operand(),
            mean: mean.operand(),
            rstd: rstd.operand(),
        })
        .unwrap();
        let ones = vec![1.0; 30_000];
        let zeros = vec![0.0; 30_000];
        let expected = reference(&values, &shape, &dims, eps, &ones, &zeros, &shape);
        assert_close(1e-6, &rstd.values(), &expected.rstd, "rstd");
        assert_close(1e-6, &mean.values(), &expected.mean, "mean");
    }
}

#[test]
fn infinities_spread_as_nan_within_their_group_only() {
    let input = Sample::new(DType::Float32, &[2, 2], LayoutKind::Contiguous, &[1.0, f64::INFINITY, 3.0, 5.0]);
    let output = Sample::zeros(DType::Float32, &[2, 2], LayoutKind::Contiguous);
    let mean = Sample::zeros(DType::Float32, &[2, 1], LayoutKind::Contiguous);
    let rstd = Sample::zeros(DType::Float32, &[2, 1], LayoutKind::Contiguous);
    normalize(&kernel::Normalize {
        input: input.operand(),
        dims: dims_from_slice(&[1]),
        eps: 0.0,
        weight: None,
        bias: None,
        output: output.operand(),
        mean: mean.operand(),
        rstd: rstd.operand(),
    })
    .unwrap();
    let got = output.values();
    assert!(got[0].is_nan() && got[1].is_nan());
    assert_eq!(got[2..], [-1.0, 1.0]);
    let message = normalize(&kernel::Normalize {
        input: mean.operand(),
        dims: dims_from_slice(&[1]),
        eps: 0.0,
        weight: None,
        bias: None,
        output: mean.operand(),
        mean: Sample::zeros(DType::Int64, &[2, 1], LayoutKind::Contiguous).operand(),
        rstd: rstd.operand(),
    })
    .unwrap_err()
    .to_string();
    assert_eq!(message, "normalize: statistics in int64 do not go with a computation in float32");
}
