//! Powers and the Euclidean norm of two numbers.

use super::exponential::{EXP2_DOUBLE, EXP2_SINGLE, exponent_bounds};
use crate::FloatBits;

/// `2 / ln 2` and a third as sums of two floats of the type.
const TWO_LOG2_E_SINGLE: [f64; 2] = [2.885390043258667, 3.851926067000022e-08];
const TWO_LOG2_E_DOUBLE: [f64; 2] = [2.8853900817779268, 4.0710547481862066e-17];
const THIRD_SINGLE: [f64; 2] = [0.3333333432674408, -9.934107758624577e-09];
const THIRD_DOUBLE: [f64; 2] = [0.3333333333333333, 1.850371707708594e-17];
/// `(atanh(s) / s - 1 - s²/3) / s⁴` in `s²`.
const ATANH_TAIL_SINGLE: [f64; 3] = [0.2000007927417755, 0.14273321628570557, 0.1171458512544632];
const ATANH_TAIL_DOUBLE: [f64; 9] = [
    0.2,
    0.14285714285714282,
    0.11111111111114248,
    0.09090909089818823,
    0.07692307881944054,
    0.06666648163484008,
    0.058834109353553085,
    0.05228067790134749,
    0.05382063398284393,
];

/// `high + low` with `high` rounded.
#[inline(always)]
fn fast_two_sum<A: FloatBits>(a: &A, large: A::Value, small: A::Value) -> (A::Value, A::Value) {
    let high = a.add(large, small);
    (high, a.sub(small, a.sub(high, large)))
}

/// `log2(x)` of a positive finite number as a sum of two floats, about 2^-40 off in float32 and 2^-65 in float64.
#[inline(always)]
fn log2_extended<A: FloatBits>(a: &A, x: A::Value) -> (A::Value, A::Value) {
    let one = a.constant(1.0);
    let (third, factor) =
        if A::SINGLE { (THIRD_SINGLE, TWO_LOG2_E_SINGLE) } else { (THIRD_DOUBLE, TWO_LOG2_E_DOUBLE) };
    let (third, factor) = (third.map(|part| a.constant(part)), factor.map(|part| a.constant(part)));
    let (m, e) = a.split_exponent(x);
    // s = (m - 1) / (m + 1) as a sum; the numerator is exact.
    let numerator = a.sub(m, one);
    let denominator = a.add(m, one);
    let lost = a.sub(m, a.sub(denominator, one));
    let s = a.div(numerator, denominator);
    let rest = a.mul_add(a.neg(s), denominator, numerator);
    let s_low = a.div(a.mul_add(a.neg(s), lost, rest), denominator);
    // q = 1 + s²/3 + s⁴ T(s²).
    let z = a.mul(s, s);
    let z_low = a.mul_add(s, s, a.neg(z));
    let z_low = a.mul_add(a.add(s, s), s_low, z_low);
    let t = a.mul(z, third[0]);
    let t_low = a.mul_add(z, third[0], a.neg(t));
    let t_low = a.mul_add(z, third[1], a.mul_add(z_low, third[0], t_low));
    let curve =
        if A::SINGLE { a.polynomial(z, ATANH_TAIL_SINGLE) } else { a.polynomial(z, ATANH_TAIL_DOUBLE) };
    let tail = a.mul_add(a.mul(z, z), curve, t_low);
    let (q, q_low) = fast_two_sum(a, one, t);
    let q_low = a.add(q_low, tail);
    // p = s q, then times 2 / ln 2.
    let p = a.mul(s, q);
    let p_low = a.mul_add(s, q, a.neg(p));
    let p_low = a.add(a.mul_add(s, q_low, p_low), a.mul(s_low, q));
    let l = a.mul(p, factor[0]);
    let l_low = a.mul_add(p, factor[0], a.neg(l));
    let l_low = a.mul_add(p, factor[1], a.mul_add(p_low, factor[0], l_low));
    // |e| ≥ 1 > |l| or e = 0: either way the first addend is not the smaller one, or it adds nothing.
    let (high, low) = fast_two_sum(a, e, l);
    fast_two_sum(a, high, a.add(low, l_low))
}

/// `x` to the power `y`, with the special cases of C's `pow`.
#[inline(always)]
pub fn pow<A: FloatBits>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let zero = a.constant(0.0);
    let one = a.constant(1.0);
    let infinity = a.constant(f64::INFINITY);
    let magnitude = a.abs(x);
    let (log, log_low) = log2_extended(a, magnitude);
    let log = a.select(a.eq(magnitude, zero), a.neg(infinity), log);
    let log = a.select(a.eq(magnitude, infinity), infinity, log);
    let high = a.mul(y, log);
    let low = a.mul_add(y, log_low, a.mul_add(y, log, a.neg(high)));
    // Where the product is infinite, or far beyond the exponent's range, its rounding error does not count.
    let (least, most) = exponent_bounds::<A>();
    let low = a.select(a.lt(a.abs(high), a.constant(-1.25 * least)), low, zero);
    let high = a.limit(high, least, most);
    let n = a.round(high);
    let r = a.add(a.sub(high, n), low);
    let slope = if A::SINGLE { a.polynomial(r, EXP2_SINGLE) } else { a.polynomial(r, EXP2_DOUBLE) };
    let power = a.scale(a.mul_add(r, slope, one), n);
    // A negative base has a power only when y is whole: negative when y is odd.
    let whole = a.eq(a.trunc(y), y);
    let half = a.mul(y, a.constant(0.5));
    let odd = a.mask_and(whole, a.ne(a.trunc(half), half));
    let signed = a.select(a.mask_and(a.sign_bit(x), odd), a.neg(power), power);
    let no_power = a.mask_and(a.mask_and(a.lt(x, zero), a.mask_not(whole)), a.lt(magnitude, infinity));
    let result = a.select(no_power, a.constant(f64::NAN), signed);
    let result = a.select(a.ne(x, x), x, result);
    let certain = a.mask_and(a.eq(magnitude, one), a.eq(a.abs(y), infinity));
    let certain = a.mask_or(a.mask_or(certain, a.eq(y, zero)), a.eq(x, one));
    a.select(certain, one, result)
}

/// `sqrt(x² + y²)`: where a square would overflow or vanish both are scaled by a power of two. Infinite beside anything.
#[inline(always)]
pub fn hypot<A: FloatBits>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let (x, y) = (a.abs(x), a.abs(y));
    let first = a.gt(x, y);
    let (larger, smaller) = (a.select(first, x, y), a.select(first, y, x));
    // Powers of two: from where on squares overflow or vanish, and by how much what is there is moved.
    let (high, down, low, up) =
        if A::SINGLE { (60.0, -80.0, -50.0, 100.0) } else { (500.0, -600.0, -400.0, 700.0) };
    let power = |n: f64| a.constant(f64::powi(2.0, n as i32));
    let (large, small) = (a.gt(larger, power(high)), a.lt(larger, power(low)));
    let by = |n: [f64; 2]| a.select(large, power(n[0]), a.select(small, power(n[1]), a.constant(1.0)));
    let (scale, back) = (by([down, up]), by([-down, -up]));
    let (larger, smaller) = (a.mul(larger, scale), a.mul(smaller, scale));
    let root = a.mul(a.sqrt(a.mul_add(larger, larger, a.mul(smaller, smaller))), back);
    let infinity = a.constant(f64::INFINITY);
    a.select(a.mask_or(a.eq(x, infinity), a.eq(y, infinity)), infinity, root)
}
