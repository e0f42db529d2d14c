//! The error function and its relatives, and the logarithm of the gamma function.

use super::super::FloatBits;
use super::exp;

/// `erf(x) / x - 1` in `x²`, for `|x| ≤ 0.95`.
const ERF_SINGLE: [f64; 8] = [
    0.12837916612625122,
    -0.37612637877464294,
    0.11283786594867706,
    -0.02686571516096592,
    0.005221967119723558,
    -0.0008499746327288449,
    0.0001139532687375322,
    -1.0084780114993919e-05,
];
/// `log(1 - erf(x))` for `0.92 ≤ x ≤ 4`.
const LOG_ERFC_SINGLE: [f64; 9] = [
    0.00016882590716704726,
    -1.1294803619384766,
    -0.6334343552589417,
    -0.10815589874982834,
    0.02501142956316471,
    -0.004112202674150467,
    0.0004148433217778802,
    -1.7440799638279714e-05,
    -2.9104597842888325e-07,
];

/// The error function: a polynomial near 0, else 1 minus the exponential of one, with the sign of `x`.
#[inline(always)]
pub fn erf<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    if !A::SINGLE {
        return a.lanewise(x, libm::erf);
    }
    let z = a.mul(x, x);
    let near = a.mul_add(x, a.polynomial(z, ERF_SINGLE), x);
    let magnitude = a.abs(x);
    let t = a.limit(magnitude, 0.0, 4.0);
    let far = a.sub(a.constant(1.0), exp(a, a.polynomial(t, LOG_ERFC_SINGLE)));
    a.select(a.lt(magnitude, a.constant(0.935)), near, a.copysign(far, x))
}

/// `1 - erf(x)`.
#[inline(always)]
pub fn erfc<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    a.lanewise(x, libm::erfc)
}

/// The inverse of the error function.
#[inline(always)]
pub fn erfinv<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    a.lanewise(x, inverse_error_function)
}

/// The logarithm of `|Γ(x)|`.
#[inline(always)]
pub fn lgamma<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    a.lanewise(x, libm::lgamma)
}

/// The derivative of `log Γ`.
#[inline(always)]
pub fn digamma<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    a.lanewise(x, digamma_function)
}

/// A first guess (Winitzki, 2008), then Halley's steps on `erf(w) = x`, or on `erfc(w) = 1 - x` in the tail.
pub fn inverse_error_function(x: f64) -> f64 {
    let magnitude = x.abs();
    if magnitude >= 1.0 || x.is_nan() || x == 0.0 {
        return if magnitude == 1.0 {
            x * f64::INFINITY
        } else if x == 0.0 {
            x
        } else {
            f64::NAN
        };
    }
    const A: f64 = 0.147;
    let tail = libm::log((1.0 - magnitude) * (1.0 + magnitude));
    let centre = 2.0 / (std::f64::consts::PI * A) + tail / 2.0;
    let mut w = ((centre * centre - tail / A).sqrt() - centre).max(0.0).sqrt();
    if magnitude < 1e-3 {
        w = magnitude * 0.886_226_925_452_758;
    }
    for _ in 0..3 {
        let error =
            if magnitude < 0.5 { libm::erf(w) - magnitude } else { (1.0 - magnitude) - libm::erfc(w) };
        let slope = std::f64::consts::FRAC_2_SQRT_PI * libm::exp(-w * w);
        let step = error / slope;
        w -= step / (1.0 + w * step);
    }
    w.copysign(x)
}

/// Recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.18); reflection below 0.
pub fn digamma_function(x: f64) -> f64 {
    if x == 0.0 {
        return f64::INFINITY.copysign(-x);
    }
    if x < 0.0 {
        if x == x.trunc() {
            return f64::NAN;
        }
        // Reduced first: tan(π x) of the fraction keeps its digits.
        let fraction = x - x.trunc();
        return digamma_function(1.0 - x) - std::f64::consts::PI / libm::tan(std::f64::consts::PI * fraction);
    }
    let mut x = x;
    let mut sum = 0.0;
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let series = z
        * (1.0 / 12.0
            - z * (1.0 / 120.0
                - z * (1.0 / 252.0
                    - z * (1.0 / 240.0 - z * (1.0 / 132.0 - z * (691.0 / 32760.0 - z * (1.0 / 12.0)))))));
    let asymptotic = if x.is_infinite() { x } else { libm::log(x) - 0.5 / x - series };
    sum + asymptotic
}
