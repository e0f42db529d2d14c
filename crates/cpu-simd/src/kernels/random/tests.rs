#![allow(clippy::unwrap_used)]

use rustorch_backend::{RandomKey, Scalar};

use super::*;
use crate::kernels::number::Complex;
use crate::kernels::samples::{FLOATING, LAYOUT_KINDS, LayoutKind, REAL, Sample};

const KEY: RandomKey = RandomKey { seed: 42, offset: 7 };
const UNIT: Distribution = Distribution::Uniform { low: 0.0, high: 1.0 };
const STANDARD: Distribution = Distribution::Normal { mean: 0.0, std: 1.0 };

fn draw(
    distribution: Distribution,
    key: RandomKey,
    dtype: DType,
    shape: &[usize],
    layout_kind: LayoutKind,
) -> Sample {
    let out = Sample::zeros(dtype, shape, layout_kind);
    random(&kernel::Random { distribution, key, output: out.operand() }).unwrap();
    out
}

fn numbers(distribution: Distribution, dtype: DType, count: usize) -> Vec<f64> {
    draw(distribution, KEY, dtype, &[count], LayoutKind::Contiguous).values()
}

/// Philox 4x32-10 as the paper writes it, one block at a time.
fn block(key: RandomKey, number: u64) -> [u32; 4] {
    let at = key.offset + number;
    let (mut c, mut k) = ([at as u32, (at >> 32) as u32, 0, 0], [key.seed as u32, (key.seed >> 32) as u32]);
    for _ in 0..10 {
        let (a, b) = (u64::from(c[0]) * 0xD251_1F53, u64::from(c[2]) * 0xCD9E_8D57);
        c = [(b >> 32) as u32 ^ c[1] ^ k[0], b as u32, (a >> 32) as u32 ^ c[3] ^ k[1], a as u32];
        k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
    }
    c
}

fn word(i: usize) -> u32 {
    block(KEY, i as u64 / 4)[i % 4]
}

fn wide(i: usize) -> u64 {
    let words = block(KEY, i as u64 / 2);
    u64::from(words[i % 2 * 2]) | u64::from(words[i % 2 * 2 + 1]) << 32
}

#[test]
fn elements_are_what_the_documentation_says() {
    let n = 9000;
    let f32s = numbers(UNIT, DType::Float32, n);
    let f64s = numbers(UNIT, DType::Float64, n);
    let halves = numbers(UNIT, DType::Float16, n);
    let integers = numbers(Distribution::Integer { low: -5, high: 1000 }, DType::Int64, n);
    let coins = numbers(Distribution::Bernoulli { p: 0.3 }, DType::Bool, n);
    let normals = numbers(STANDARD, DType::Float64, n);
    for i in (0..n).step_by(37).chain(n - 3..n) {
        assert_eq!(f32s[i], f64::from(word(i) >> 8) / f64::from(1 << 24));
        assert_eq!(halves[i], f64::from(word(i) >> 21) / 2048.0);
        assert_eq!(f64s[i], (wide(i) >> 11) as f64 / (1u64 << 53) as f64);
        assert_eq!(integers[i], (-5 + ((u128::from(wide(i)) * 1005) >> 64) as i64) as f64);
        assert_eq!(coins[i], f64::from(f64::from(word(i)) < 0.3 * 4294967296.0));
        assert_eq!(normals[i], gaussian::gaussian64(wide(i & !1), wide(i | 1))[i % 2]);
    }
}

#[test]
fn the_layout_and_the_number_of_threads_change_nothing() {
    let distributions = [UNIT, STANDARD, Distribution::Bernoulli { p: 0.5 }];
    for (dtype, distribution) in FLOATING.into_iter().flat_map(|d| distributions.map(|x| (d, x))) {
        let expected = numbers(distribution, dtype, 33 * 7 * 50);
        assert_eq!(
            expected[..200],
            numbers(distribution, dtype, 200),
            "a longer tensor begins like a shorter one"
        );
        for layout_kind in LAYOUT_KINDS {
            assert_eq!(
                draw(distribution, KEY, dtype, &[33, 7, 50], layout_kind).values(),
                expected,
                "{dtype} {layout_kind:?}"
            );
        }
        let threads = crate::threads::num_threads();
        crate::threads::set_num_threads(1);
        assert_eq!(numbers(distribution, dtype, 33 * 7 * 50), expected);
        crate::threads::set_num_threads(threads);
        let other = RandomKey { seed: 43, ..KEY };
        assert_ne!(
            draw(distribution, other, dtype, &[200], LayoutKind::Contiguous).values(),
            expected[..200]
        );
    }
    assert!(numbers(UNIT, DType::Float32, 0).is_empty());
    assert_eq!(
        draw(UNIT, KEY, DType::Float32, &[], LayoutKind::Contiguous).values(),
        [f64::from(word(0) >> 8) / 16777216.0]
    );
}

/// The largest distance between the distribution of `values` and `cdf`, in units in which 1.95 is exceeded by one
/// sample of a thousand (Kolmogorov-Smirnov).
fn distance(mut values: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let far =
        |(i, v): (usize, &f64)| (cdf(*v) - i as f64 / n).abs().max((cdf(*v) - (i + 1) as f64 / n).abs());
    values.iter().enumerate().map(far).fold(0.0, f64::max) * n.sqrt()
}

fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64)
}

#[test]
fn uniform_numbers_are_uniform() {
    for dtype in [DType::Float32, DType::Float64] {
        let values = numbers(Distribution::Uniform { low: -2.0, high: 3.0 }, dtype, 400_000);
        let (mean, variance) = moments(&values);
        assert!((mean - 0.5).abs() < 0.01 && (variance - 25.0 / 12.0).abs() < 0.02, "{mean} {variance}");
        assert!(values.iter().all(|v| (-2.0..3.0).contains(v)));
        assert!(distance(values, |v| (v + 2.0) / 5.0) < 1.95);
    }
}

#[test]
fn normal_numbers_are_normal_and_neighbours_independent() {
    for dtype in [DType::Float32, DType::Float64] {
        let values = numbers(Distribution::Normal { mean: 1.0, std: 2.0 }, dtype, 400_000);
        let (mean, variance) = moments(&values);
        assert!((mean - 1.0).abs() < 0.01 && (variance - 4.0).abs() < 0.03, "{mean} {variance}");
        for lag in 1..5 {
            let together: f64 = values.iter().zip(&values[lag..]).map(|(a, b)| (a - 1.0) * (b - 1.0)).sum();
            assert!((together / 4.0 / values.len() as f64).abs() < 0.007, "lag {lag}");
        }
        let fourth = values.iter().map(|v| ((v - 1.0) / 2.0).powi(4)).sum::<f64>() / values.len() as f64;
        assert!((fourth - 3.0).abs() < 0.06, "{fourth}");
        let cdf = |v: f64| 0.5 * libm::erfc(-(v - 1.0) / 2.0 / std::f64::consts::SQRT_2);
        assert!(distance(values, cdf) < 1.95);
    }
}

#[test]
fn integers_are_even_and_coins_fall_as_often_as_asked() {
    for dtype in REAL {
        let high = if dtype == DType::Bool { 2 } else { 10 };
        let values = numbers(Distribution::Integer { low: 0, high }, dtype, 100_000);
        let mut counts = vec![0.0; high as usize];
        for &v in &values {
            counts[v as usize] += 1.0;
        }
        let expected = 100_000.0 / high as f64;
        let chi_square: f64 = counts.iter().map(|c: &f64| (c - expected).powi(2) / expected).sum();
        assert!(chi_square < 27.9, "{dtype} {counts:?}");
        for p in [0.0, 0.1, 0.5, 1.0] {
            let values = numbers(Distribution::Bernoulli { p }, dtype, 100_000);
            let ones = values.iter().filter(|&&v| v == 1.0).count() as f64;
            assert!(values.iter().all(|&v| v == 0.0 || v == 1.0));
            assert!(
                (ones / 100_000.0 - p).abs() <= 3.3 * (p * (1.0 - p) / 100_000.0).sqrt(),
                "{dtype} {p} {ones}"
            );
        }
    }
    let whole = numbers(Distribution::Integer { low: i64::MIN, high: i64::MAX }, DType::Int64, 1000);
    assert!(whole.iter().any(|&v| v < -4e18) && whole.iter().any(|&v| v > 4e18));
}

#[test]
fn the_upper_end_is_never_reached() {
    for dtype in FLOATING {
        for (low, high) in [(0.0, 1.0), (1.0, 1.0 + 1e-3), (-1.0, 0.0), (1000.0, 1001.0), (-3.0, 3.0)] {
            let values = numbers(Distribution::Uniform { low, high }, dtype, 50_000);
            let lowest = Sample::new(dtype, &[1], LayoutKind::Contiguous, &[low]).values()[0];
            assert!(values.iter().all(|&v| v >= lowest && (v < high || v == lowest)), "{dtype} {low} {high}");
        }
        assert_eq!(numbers(Distribution::Uniform { low: 2.0, high: 2.0 }, dtype, 3), [2.0; 3]);
    }
}

#[test]
fn complex_numbers_are_pairs() {
    let pairs = draw(STANDARD, KEY, DType::Complex64, &[50_000], LayoutKind::Gaps).elements::<Complex<f32>>();
    let parts = numbers(STANDARD, DType::Float32, 100_000);
    for (pair, parts) in pairs.iter().zip(parts.chunks_exact(2)) {
        let half = std::f32::consts::FRAC_1_SQRT_2;
        assert_eq!([pair.re, pair.im], [parts[0] as f32 * half, parts[1] as f32 * half]);
    }
    let power: f64 = pairs.iter().map(|p| f64::from(p.re * p.re + p.im * p.im)).sum::<f64>() / 50_000.0;
    assert!((power - 1.0).abs() < 0.02);
    let wide = draw(UNIT, KEY, DType::Complex128, &[100], LayoutKind::Contiguous).elements::<Complex<f64>>();
    assert_eq!(wide[49].im, numbers(UNIT, DType::Float64, 100)[99]);
}

#[test]
fn arange_counts_in_every_real_dtype() {
    for dtype in REAL {
        for layout_kind in LAYOUT_KINDS {
            let out = Sample::zeros(dtype, &[5, 20], layout_kind);
            arange(&kernel::Arange { start: Scalar::Int(3), step: Scalar::Int(1), output: out.operand() })
                .unwrap();
            let expected: Vec<f64> = (0..100).map(|i| f64::from(i + 3)).collect();
            let expected = Sample::new(dtype, &[100], LayoutKind::Contiguous, &expected).values();
            assert_eq!(out.values(), expected, "{dtype} {layout_kind:?}");
        }
    }
    let out = Sample::zeros(DType::Float32, &[10_000], LayoutKind::Contiguous);
    arange(&kernel::Arange { start: Scalar::Float(0.1), step: Scalar::Float(-0.1), output: out.operand() })
        .unwrap();
    let expected: Vec<f64> = (0..10_000).map(|i| f64::from((0.1 + f64::from(i) * -0.1) as f32)).collect();
    assert_eq!(out.values(), expected);
    let large = Sample::zeros(DType::Int64, &[3], LayoutKind::Contiguous);
    arange(&kernel::Arange {
        start: Scalar::Int((1 << 60) + 1),
        step: Scalar::Int(1),
        output: large.operand(),
    })
    .unwrap();
    assert_eq!(large.elements::<i64>(), [(1 << 60) + 1, (1 << 60) + 2, (1 << 60) + 3]);
}

#[test]
fn what_does_not_exist_is_refused() {
    let message = |distribution, dtype| {
        let out = Sample::zeros(dtype, &[1], LayoutKind::Contiguous);
        random(&kernel::Random { distribution, key: KEY, output: out.operand() }).unwrap_err().to_string()
    };
    assert_eq!(
        message(STANDARD, DType::Int32),
        "random: normal numbers in int32 do not exist; floating-point and complex dtypes work"
    );
    assert_eq!(
        message(Distribution::Bernoulli { p: 0.5 }, DType::Complex64),
        "random: bernoulli in complex64 is not defined; every real dtype works"
    );
    assert!(
        message(Distribution::Integer { low: 3, high: 3 }, DType::Int64).contains("no integer in [3, 3)")
    );
    assert!(message(Distribution::Bernoulli { p: f64::NAN }, DType::Float32).contains("from 0 to 1"));
    assert!(
        message(Distribution::Uniform { low: 1.0, high: 0.0 }, DType::Float32).contains("does not exist")
    );
    assert!(message(Distribution::Normal { mean: 0.0, std: -1.0 }, DType::Float32).contains("at least 0"));
    let complex = Sample::zeros(DType::Complex64, &[1], LayoutKind::Contiguous);
    let refused =
        arange(&kernel::Arange { start: Scalar::Int(0), step: Scalar::Int(1), output: complex.operand() })
            .unwrap_err()
            .to_string();
    assert_eq!(refused, "arange: arange in complex64 is not defined; every real dtype works");
}
