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
/// The same in float64, for `|x| ≤ 1`.
const ERF_DOUBLE: [f64; 13] = [
    0.1283791670955126,
    -0.3761263890318375,
    0.11283791670954854,
    -0.02686617064507231,
    0.0052239776247753195,
    -0.0008548326978430694,
    0.00012055331025793798,
    -1.4925593245923501e-05,
    1.6460968721975601e-06,
    -1.634998274189769e-07,
    1.4657600165778558e-08,
    -1.1364607520605601e-09,
    5.943508233981782e-11,
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

/// The same in float64, for `0.6 ≤ x ≤ 27.3`.
const ERFCX_DOUBLE: [f64; 22] = [
    0.2256758334191197,
    0.2256758334146787,
    0.20762176705154886,
    0.17151362240347867,
    0.12168466010671346,
    0.06679605565087438,
    0.01817311905145471,
    -0.014357186503718443,
    -0.021155417112590277,
    -0.03142945719049306,
    0.07435510689943035,
    -0.24353949574256797,
    0.7544087788468047,
    -1.7152793941973064,
    3.1350836806714226,
    -4.5426651769637125,
    4.973929478498718,
    -3.9752200404820406,
    2.246404456897332,
    -0.8530562370941877,
    0.19606791520586317,
    -0.02068790487094964,
];

/// `erfc(x)` of a positive number that is not near 0: `exp(-x²)` times a polynomial, with the rounding error of the square
/// made good.
#[inline(always)]
fn erfc_tail<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let m = a.limit(x, 0.0, if A::SINGLE { 10.3 } else { 27.3 });
    let square = a.mul(m, m);
    let lost = a.mul_add(m, m, a.neg(square));
    let t = a.div(one, a.mul_add(m, a.constant(0.4), one));
    let power = exp(a, a.neg(square));
    let curve = if A::SINGLE { a.polynomial(t, ERFCX_SINGLE) } else { a.polynomial(t, ERFCX_DOUBLE) };
    let scaled = a.mul(t, curve);
    a.mul(power, a.mul_add(a.neg(lost), scaled, scaled))
}

/// The error function: a polynomial near 0, else 1 minus what is left, with the sign of `x`.
#[inline(always)]
pub fn erf<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let z = a.mul(x, x);
    let magnitude = a.abs(x);
    let one = a.constant(1.0);
    if !A::SINGLE {
        let near = a.mul_add(x, a.polynomial(z, ERF_DOUBLE), x);
        let far = a.sub(one, erfc_tail(a, magnitude));
        return a.select(a.lt(magnitude, one), near, a.copysign(far, x));
    }
    let near = a.mul_add(x, a.polynomial(z, ERF_SINGLE), x);
    let t = a.limit(magnitude, 0.0, 4.0);
    let far = a.sub(one, exp(a, a.polynomial(t, LOG_ERFC_SINGLE)));
    a.select(a.lt(magnitude, a.constant(0.935)), near, a.copysign(far, x))
}

/// `1 - erf(x)`, at most 4 units in the last place off: that itself near 0, else what is left of 1, or of 2 where `x` is
/// negative.
#[inline(always)]
pub fn erfc<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let z = a.mul(x, x);
    let curve = if A::SINGLE { a.polynomial(z, ERF_SINGLE) } else { a.polynomial(z, ERF_DOUBLE) };
    let near = a.sub(one, a.mul_add(x, curve, x));
    let magnitude = a.abs(x);
    let tail = erfc_tail(a, magnitude);
    let far = a.select(a.lt(x, a.constant(0.0)), a.sub(a.constant(2.0), tail), tail);
    a.select(a.lt(magnitude, a.constant(if A::SINGLE { 0.9 } else { 0.65 })), near, far)
}
