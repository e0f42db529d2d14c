//! The error function and its complement.

use super::exp;
use crate::FloatBits;

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

/// `exp(x²) erfc(x) / t` in `t = 1 / (1 + 0.4 x)`, for `0.85 ≤ x ≤ 10.3`.
const ERFCX_SINGLE: [f64; 7] = [
    0.22562748193740845,
    0.2266840636730194,
    0.19884343445301056,
    0.21283143758773804,
    0.008680819533765316,
    0.24319973587989807,
    -0.11610346287488937,
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

/// `1 - erf(x)`, at most 4 units in the last place off: that itself near 0, else `exp(-x²)` times a polynomial, with the rounding error of the square made good.
#[inline(always)]
pub fn erfc<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    if !A::SINGLE {
        return a.lanewise(x, libm::erfc);
    }
    let one = a.constant(1.0);
    let near = a.sub(one, a.mul_add(x, a.polynomial(a.mul(x, x), ERF_SINGLE), x));
    let magnitude = a.abs(x);
    let m = a.limit(magnitude, 0.0, 10.3);
    let square = a.mul(m, m);
    let lost = a.mul_add(m, m, a.neg(square));
    let t = a.div(one, a.mul_add(m, a.constant(0.4), one));
    let power = exp(a, a.neg(square));
    let scaled = a.mul(t, a.polynomial(t, ERFCX_SINGLE));
    let tail = a.mul(power, a.mul_add(a.neg(lost), scaled, scaled));
    let far = a.select(a.lt(x, a.constant(0.0)), a.sub(a.constant(2.0), tail), tail);
    a.select(a.lt(magnitude, a.constant(0.9)), near, far)
}
