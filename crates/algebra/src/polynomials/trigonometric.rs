//! Circular functions: `x = n π/2 + r`, two polynomials in `r²`, and the quadrant.

use std::f64::consts::FRAC_2_PI;

use super::fused_subtract;
use crate::FloatBits;

const HALF_PI_PARTS_SINGLE: [f64; 3] = [1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15];
const HALF_PI_PARTS_DOUBLE: [f64; 3] = [1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33];
/// `(sin r - r) / r³` and `(cos r - 1 + r²/2) / r⁴` in `r²`, for `|r| ≤ π/4`.
const SIN_SINGLE: [f64; 4] =
    [-0.1666666716337204, 0.008333329111337662, -0.00019839301239699125, 2.718008545343764e-06];
const COS_SINGLE: [f64; 4] =
    [0.0416666679084301, -0.0013888883404433727, 2.4799470338621177e-05, -2.7206436925553135e-07];
const SIN_DOUBLE: [f64; 6] = [
    -0.1666666666666663,
    0.008333333333321792,
    -0.00019841269829357078,
    2.75573135469457e-06,
    -2.505073674592184e-08,
    1.5895617090388289e-10,
];
const COS_DOUBLE: [f64; 6] = [
    0.04166666666666659,
    -0.0013888888888872338,
    2.4801587288447625e-05,
    -2.755731407182332e-07,
    2.0875687175552807e-09,
    -1.1357866661079084e-11,
];
/// Up to here three parts of π/2 leave enough digits in the remainder.
const REDUCIBLE: f64 = 1e5;

/// The multiple of π/2 that is nearest to `x` within [`REDUCIBLE`], and sine and cosine of what is left; `exact` keeps what
/// rounding takes from that.
#[inline(always)]
fn reduced<A: FloatBits>(a: &A, x: A::Value, exact: bool) -> (A::Value, A::Value, A::Value) {
    let n = a.round(a.mul(x, a.constant(FRAC_2_PI)));
    let parts = if A::SINGLE { HALF_PI_PARTS_SINGLE } else { HALF_PI_PARTS_DOUBLE };
    let (r, low) = if exact {
        // The first difference is exact; what rounding takes from the second is kept. Where the second product is more than
        // the difference, both are so small that it does not count.
        let [first, second, third] = parts;
        let rough = a.mul_add(n, a.constant(-first), x);
        let product = a.mul(n, a.constant(second));
        let product_low = a.mul_add(n, a.constant(second), a.neg(product));
        let r = a.sub(rough, product);
        let lost = a.sub(a.sub(a.sub(rough, r), product), product_low);
        (r, Some(a.mul_add(n, a.constant(-third), lost)))
    } else {
        (fused_subtract(a, x, n, parts), None)
    };
    let z = a.mul(r, r);
    let curve = if A::SINGLE { a.polynomial(z, SIN_SINGLE) } else { a.polynomial(z, SIN_DOUBLE) };
    let bend = a.mul(a.mul(r, z), curve);
    let one = a.constant(1.0);
    let half_square = a.mul(z, a.constant(0.5));
    let cosine = a.sub(one, half_square);
    let bend = match low {
        Some(low) => a.add(bend, a.mul(low, cosine)),
        None => bend,
    };
    let sine = a.add(r, bend);
    // What the subtraction lost, put back with the polynomial.
    let lost = a.sub(a.sub(one, cosine), half_square);
    let lost = match low {
        Some(low) => a.mul_add(a.neg(r), low, lost),
        None => lost,
    };
    let curve = if A::SINGLE { a.polynomial(z, COS_SINGLE) } else { a.polynomial(z, COS_DOUBLE) };
    let cosine = a.add(cosine, a.mul_add(a.mul(z, z), curve, lost));
    (n, sine, cosine)
}

/// Whether a whole number is odd, and whether its half, rounded down, is.
#[inline(always)]
fn low_bits<A: FloatBits>(a: &A, n: A::Value) -> (A::Mask, A::Mask) {
    let half = a.mul(n, a.constant(0.5));
    let floor = a.floor(half);
    let quarter = a.mul(floor, a.constant(0.5));
    (a.ne(half, floor), a.ne(quarter, a.floor(quarter)))
}

/// `sin(x + quarters π/2)` for `x` within [`REDUCIBLE`].
#[inline(always)]
fn sine_of_quarter<A: FloatBits>(a: &A, x: A::Value, quarters: f64) -> A::Value {
    let (n, sine, cosine) = reduced(a, x, !A::SINGLE);
    // The quadrant modulo 4: odd ones swap, the last two negate.
    let (odd, negative) = low_bits(a, a.add(n, a.constant(quarters)));
    let value = a.select(odd, cosine, sine);
    a.select(negative, a.neg(value), value)
}

/// Whether an angle is beyond [`REDUCIBLE`], or is none.
#[inline(always)]
fn is_far<A: FloatBits>(a: &A, x: A::Value) -> bool {
    a.any(a.ge(a.abs(x), a.constant(REDUCIBLE)))
}

/// The sine of an angle in radians.
#[inline(always)]
pub fn sin<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    if is_far(a, x) {
        return a.lanewise(x, libm::sin);
    }
    // Keeps -0.
    a.select(a.eq(x, a.constant(0.0)), x, sine_of_quarter(a, x, 0.0))
}

/// The cosine of an angle in radians.
#[inline(always)]
pub fn cos<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    if is_far(a, x) {
        return a.lanewise(x, libm::cos);
    }
    sine_of_quarter(a, x, 1.0)
}

/// The tangent of an angle in radians: in odd quadrants the cosine by the sine, negated.
#[inline(always)]
pub fn tan<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    if is_far(a, x) {
        return a.lanewise(x, libm::tan);
    }
    let (n, sine, cosine) = reduced(a, x, true);
    let (odd, _) = low_bits(a, n);
    let value = a.div(a.select(odd, a.neg(cosine), sine), a.select(odd, sine, cosine));
    // Keeps -0.
    a.select(a.eq(x, a.constant(0.0)), x, value)
}
