//! Circular functions: `x = n π/2 + r`, two polynomials in `r²`, and the quadrant.

use std::f64::consts::FRAC_2_PI;

use super::fused_subtract;
use crate::FloatBits;

const HALF_PI_PARTS: [f64; 3] = [1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15];
/// `(sin r - r) / r³` and `(cos r - 1 + r²/2) / r⁴` in `r²`, for `|r| ≤ π/4`.
const SIN_SINGLE: [f64; 4] =
    [-0.1666666716337204, 0.008333329111337662, -0.00019839301239699125, 2.718008545343764e-06];
const COS_SINGLE: [f64; 4] =
    [0.0416666679084301, -0.0013888883404433727, 2.4799470338621177e-05, -2.7206436925553135e-07];
/// Up to here three parts of π/2 leave enough digits in the remainder.
const REDUCIBLE: f64 = 1e5;

/// `sin(x + quarters π/2)` for float32 within [`REDUCIBLE`].
#[inline(always)]
fn sine_of_quarter<A: FloatBits>(a: &A, x: A::Value, quarters: f64) -> A::Value {
    let n = a.round(a.mul(x, a.constant(FRAC_2_PI)));
    let r = fused_subtract(a, x, n, HALF_PI_PARTS);
    let z = a.mul(r, r);
    let sine = a.mul_add(a.mul(r, z), a.polynomial(z, SIN_SINGLE), r);
    let one = a.constant(1.0);
    let half_square = a.mul(z, a.constant(0.5));
    let cosine = a.sub(one, half_square);
    // What the subtraction lost, put back with the polynomial.
    let lost = a.sub(a.sub(one, cosine), half_square);
    let cosine = a.add(cosine, a.mul_add(a.mul(z, z), a.polynomial(z, COS_SINGLE), lost));
    // The quadrant modulo 4, from -2 to 2: odd ones swap, 2, -2, 3 and -1 negate.
    let quadrant = a.add(n, a.constant(quarters));
    let half = a.mul(quadrant, a.constant(0.5));
    let odd = a.ne(half, a.floor(half));
    let quarter = a.mul(a.floor(half), a.constant(0.5));
    let negative = a.ne(quarter, a.floor(quarter));
    let value = a.select(odd, cosine, sine);
    a.select(negative, a.neg(value), value)
}

/// The sine of an angle in radians.
#[inline(always)]
pub fn sin<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    if !A::SINGLE || a.any(a.ge(a.abs(x), a.constant(REDUCIBLE))) {
        return a.lanewise(x, libm::sin);
    }
    // Keeps -0.
    a.select(a.eq(x, a.constant(0.0)), x, sine_of_quarter(a, x, 0.0))
}

/// The cosine of an angle in radians.
#[inline(always)]
pub fn cos<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    if !A::SINGLE || a.any(a.ge(a.abs(x), a.constant(REDUCIBLE))) {
        return a.lanewise(x, libm::cos);
    }
    sine_of_quarter(a, x, 1.0)
}

macro_rules! lanewise {
    ($($name:ident $doc:literal;)*) => {$(
        #[doc = $doc]
        #[inline(always)]
        pub fn $name<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
            a.lanewise(x, libm::$name)
        }
    )*};
}

lanewise! {
    tan "The tangent of an angle in radians.";
    asin "The inverse sine.";
    acos "The inverse cosine.";
    atan "The inverse tangent.";
}

/// The angle of the point `(x, y)`.
#[inline(always)]
pub fn atan2<A: FloatBits>(a: &A, y: A::Value, x: A::Value) -> A::Value {
    a.lanewise2(y, x, libm::atan2)
}
