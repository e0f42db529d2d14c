#![allow(clippy::unwrap_used)]

use std::f64::consts::TAU;

use super::*;
use crate::kernels::samples::{LAYOUT_KINDS, Sample, noise};

/// Row-major numbers transformed along `dim` by the sum that defines it; the result has `to` elements there.
fn along(
    values: &[Complex<f64>],
    shape: &[usize],
    dim: usize,
    to: usize,
    sign: f64,
    period: usize,
) -> Vec<Complex<f64>> {
    let (n, inner) = (shape[dim], shape[dim + 1..].iter().product::<usize>());
    let outer: usize = shape[..dim].iter().product();
    let mut out = vec![Complex::default(); outer * to * inner];
    for o in 0..outer {
        for i in 0..inner {
            for k in 0..to {
                out[(o * to + k) * inner + i] = (0..n)
                    .map(|j| {
                        let angle = sign * TAU * ((j * k) % period) as f64 / period as f64;
                        values[(o * n + j) * inner + i] * Complex::from_polar(1.0, angle)
                    })
                    .sum();
            }
        }
    }
    out
}

fn close(got: &[Complex<f64>], expected: &[Complex<f64>], eps: f64, what: &str) {
    let scale = expected.iter().map(|v| v.norm()).fold(1.0, f64::max);
    assert_eq!(got.len(), expected.len());
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!((g - e).norm() <= eps * scale, "{what}: element {i} is {g}, not {e}");
    }
}

fn numbers(seed: u64, count: usize) -> Vec<Complex<f64>> {
    let parts = noise(seed, 2 * count);
    parts.chunks(2).map(|p| Complex::new(p[0], p[1])).collect()
}

fn sample(
    dtype: DType,
    shape: &[usize],
    layout_kind: crate::kernels::samples::LayoutKind,
    values: &[Complex<f64>],
) -> Sample {
    match dtype {
        DType::Complex64 => {
            let values: Vec<_> = values.iter().map(|v| Complex::new(v.re as f32, v.im as f32)).collect();
            Sample::raw(dtype, shape, layout_kind, &values)
        }
        DType::Complex128 => Sample::raw(dtype, shape, layout_kind, values),
        _ => Sample::new(dtype, shape, layout_kind, &values.iter().map(|v| v.re).collect::<Vec<_>>()),
    }
}

fn read(sample: &Sample) -> Vec<Complex<f64>> {
    match sample.dtype {
        DType::Complex64 => sample
            .elements::<Complex<f32>>()
            .iter()
            .map(|v| Complex::new(f64::from(v.re), f64::from(v.im)))
            .collect(),
        DType::Complex128 => sample.elements(),
        _ => sample.values().iter().map(|&v| Complex::new(v, 0.0)).collect(),
    }
}

/// Lengths that are powers of two, products of small primes, primes, and 1; lines in one piece and not.
const CASES: [(&[usize], &[usize]); 9] = [
    (&[1], &[0]),
    (&[8], &[0]),
    (&[2, 30], &[1]),
    (&[30, 5], &[0]),
    (&[3, 37, 2], &[1]),
    (&[4, 6, 5], &[1, 2]),
    (&[4, 6, 5], &[0, 2]),
    (&[3, 4, 5], &[0, 1, 2]),
    (&[2, 1009], &[1]),
];

#[test]
fn complex_lines_match_the_sum_that_defines_them() {
    for (dtype, eps) in [(DType::Complex64, 2e-6), (DType::Complex128, 1e-14)] {
        for (shape, dims) in CASES {
            for inverse in [false, true] {
                for layout_kind in LAYOUT_KINDS {
                    let values = numbers(3, shape.iter().product());
                    let input = sample(dtype, shape, layout_kind, &values);
                    let output = Sample::zeros(dtype, shape, layout_kind);
                    let scale = 0.25;
                    fourier_transform(&kernel::FourierTransform {
                        dims: dims.iter().copied().collect(),
                        inverse,
                        scale,
                        input: input.operand(),
                        output: output.operand(),
                    })
                    .unwrap();
                    let mut expected = read(&input);
                    for &d in dims {
                        let sign = if inverse { 1.0 } else { -1.0 };
                        expected = along(&expected, shape, d, shape[d], sign, shape[d]);
                    }
                    for value in &mut expected {
                        *value *= scale;
                    }
                    close(
                        &read(&output),
                        &expected,
                        eps,
                        &format!("{dtype} {shape:?} {dims:?} {inverse} {layout_kind:?}"),
                    );
                }
            }
        }
    }
}

#[test]
fn real_lines_have_half_a_spectrum_and_come_back() {
    for (real, complex, eps) in
        [(DType::Float32, DType::Complex64, 2e-6), (DType::Float64, DType::Complex128, 1e-14)]
    {
        for (shape, dims) in CASES {
            for layout_kind in LAYOUT_KINDS {
                let values = numbers(5, shape.iter().product());
                let input = sample(real, shape, layout_kind, &values);
                let last = *dims.last().unwrap();
                let mut half = shape.to_vec();
                half[last] = shape[last] / 2 + 1;
                let spectrum = Sample::zeros(complex, &half, layout_kind);
                let run = |inverse, scale, input: &Sample, output: &Sample| {
                    fourier_transform(&kernel::FourierTransform {
                        dims: dims.iter().copied().collect(),
                        inverse,
                        scale,
                        input: input.operand(),
                        output: output.operand(),
                    })
                    .unwrap();
                };
                run(false, 1.0, &input, &spectrum);
                let mut expected = along(&read(&input), shape, last, half[last], -1.0, shape[last]);
                for &d in &dims[..dims.len() - 1] {
                    expected = along(&expected, &half, d, half[d], -1.0, half[d]);
                }
                let what = format!("{real} {shape:?} {dims:?} {layout_kind:?}");
                close(&read(&spectrum), &expected, eps, &what);

                let back = Sample::zeros(real, shape, layout_kind);
                let count: usize = dims.iter().map(|&d| shape[d]).product();
                run(true, 1.0 / count as f64, &spectrum, &back);
                close(&read(&back), &read(&input), eps, &what);
                // The spectrum was only read.
                close(&read(&spectrum), &expected, eps, &what);
            }
        }
    }
}

#[test]
fn what_a_spectrum_of_real_numbers_cannot_have_does_not_count() {
    for n in [4, 5] {
        let mut values = numbers(7, n / 2 + 1);
        let run = |values: &[Complex<f64>]| {
            let input = sample(DType::Complex128, &[n / 2 + 1], LAYOUT_KINDS[0], values);
            let output = Sample::zeros(DType::Float64, &[n], LAYOUT_KINDS[0]);
            fourier_transform(&kernel::FourierTransform {
                dims: [0].into_iter().collect(),
                inverse: true,
                scale: 1.0,
                input: input.operand(),
                output: output.operand(),
            })
            .unwrap();
            output.values()
        };
        let with = run(&values);
        values[0].im = 0.0;
        if n.is_multiple_of(2) {
            values[n / 2].im = 0.0;
        }
        assert_eq!(with, run(&values));
    }
}
