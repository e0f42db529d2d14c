//! Families of functions that their own derivatives lead to, so that a derivative of any order keeps its digits where the
//! recurrence between three of them would cancel.

use std::f64::consts::FRAC_2_SQRT_PI;

use super::{bessel_j0, bessel_j1, erfcx, i0, i0e, i1, i1e};

/// The n-th derivative of `erfcx`.
pub fn erfcx_derivative(x: f64, n: f64) -> f64 {
    if n < 1.0 || x.is_nan() {
        return erfcx(x);
    }
    let n = n as u32;
    if x < 1.0 {
        // w' = 2x w - 2/√π, and by differentiation w⁽ᵏ⁺¹⁾ = 2x w⁽ᵏ⁾ + 2k w⁽ᵏ⁻¹⁾.
        let (mut last, mut next) = (erfcx(x), 2.0 * x * erfcx(x) - FRAC_2_SQRT_PI);
        for k in 1..n {
            (last, next) = (next, 2.0 * x * next + 2.0 * f64::from(k) * last);
        }
        return next;
    }
    if x.is_infinite() {
        return 0.0;
    }
    // w⁽ᵏ⁾ = (-2)ᵏ k! J(k) with the repeated integrals J of erfc times exp(x²): J(k - 2) = 2k J(k) + 2x J(k - 1),
    // downwards from where J counts as 0 (Miller's algorithm), to J(-1) = 2/√π.
    let start = n + 20 + (250.0 / (x * x)) as u32;
    let (mut above, mut here, mut wanted) = (0.0, f64::MIN_POSITIVE, 0.0);
    for k in (1..=start).rev() {
        (above, here) = (here, 2.0 * f64::from(k + 1) * above + 2.0 * x * here);
        // `here` is J(k - 1).
        if k - 1 == n {
            wanted = here;
        }
        if here > 1e250 {
            (above, here, wanted) = (above * 1e-250, here * 1e-250, wanted * 1e-250);
        }
    }
    let unit = 2.0 * above + 2.0 * x * here;
    (1..=n).fold(wanted / unit * FRAC_2_SQRT_PI, |product, k| product * -2.0 * f64::from(k))
}

/// `Σ (sign x²/4)ᵏ / (k! (n + k)!) / 2ⁿ`.
fn bessel_series(x: f64, n: f64, sign: f64) -> f64 {
    let step = sign * 0.25 * x * x;
    let mut term = (1..=n as u32).fold(1.0, |product, k| product * 0.5 / f64::from(k));
    let (mut sum, mut k) = (term, 1.0);
    while term.abs() > sum.abs() * (f64::EPSILON / 16.0) {
        term *= step / (k * (n + k));
        sum += term;
        k += 1.0;
    }
    sum
}

/// The function of order n divided by `xⁿ`, from those of order 0 and 1, for x that is not small.
fn bessel_upward(zero: f64, one: f64, x: f64, n: f64, sign: f64) -> f64 {
    let (mut last, mut here) = (zero, one);
    for k in 1..n as u32 {
        // I(k + 1) = I(k - 1) - 2k/x I(k); J with all signs changed.
        (last, here) = (here, sign * (last - 2.0 * f64::from(k) / x * here));
    }
    let value = if n < 1.0 { zero } else { here };
    (0..n as u32).fold(value, |quotient, _| quotient / x)
}

/// `Jₙ(x) / xⁿ`, whose derivative is `-x` times that of order n + 1.
pub fn bessel_j_ratio(x: f64, n: f64) -> f64 {
    if x.abs() < 2.0 {
        bessel_series(x, n, -1.0)
    } else {
        bessel_upward(bessel_j0(x), bessel_j1(x), x, n, -1.0)
    }
}

/// `Iₙ(x) / xⁿ`, whose derivative is `x` times that of order n + 1.
pub fn bessel_i_ratio(x: f64, n: f64) -> f64 {
    if x.abs() < 20.0 {
        bessel_series(x, n, 1.0)
    } else if x.abs() > 750.0 {
        f64::INFINITY
    } else {
        bessel_upward(i0(x), i1(x), x, n, 1.0)
    }
}

/// `Iₙ(x) e^-|x| / xⁿ`.
pub fn bessel_ie_ratio(x: f64, n: f64) -> f64 {
    if x.abs() < 20.0 {
        bessel_series(x, n, 1.0) * libm::exp(-x.abs())
    } else {
        bessel_upward(i0e(x), i1e(x), x, n, 1.0)
    }
}

/// The spherical Bessel function of the first kind of order 1, `(sin(x) / x - cos(x)) / x`.
pub fn spherical_bessel_j1(x: f64) -> f64 {
    if x.is_infinite() {
        return 0.0;
    }
    if x.abs() > 0.5 {
        return (libm::sin(x) / x - libm::cos(x)) / x;
    }
    let z = x * x;
    let terms = 1.0 - z / 54.0 * (1.0 - z / 88.0 * (1.0 - z / 130.0 * (1.0 - z / 180.0)));
    x / 3.0 * (1.0 - z / 10.0 * (1.0 - z / 28.0 * terms))
}
