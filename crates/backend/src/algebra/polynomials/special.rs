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
