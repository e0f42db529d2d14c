//! Remainders of floats, exact, and the quotient rounded down.

use crate::FloatBits;

/// `x - trunc(x / y) * y`, exact, with the sign of `x`.
#[inline(always)]
pub fn fmod<A: FloatBits>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let quotient = a.trunc(a.div(x, y));
    // A quotient below this is a whole number that is at most 1 too far from 0, and the remainder is one fused
    // multiply-add. Zero, infinite and NaN operands fail the test, too.
    let exact = a.lt(a.abs(quotient), a.constant(if A::SINGLE { 4_194_304.0 } else { 1.0e15 }));
    let finite = a.lt(a.abs(y), a.constant(f64::INFINITY));
    if a.any(a.mask_not(a.mask_and(exact, finite))) {
        return a.lanewise2(x, y, libm::fmod);
    }
    let rest = a.mul_add(a.neg(quotient), y, x);
    let towards_zero = a.copysign(a.abs(y), x);
    let zero = a.constant(0.0);
    let passed = a.lt(a.mul(a.copysign(a.constant(1.0), x), rest), zero);
    a.copysign(a.select(passed, a.add(rest, towards_zero), rest), x)
}

/// Whether the truncated remainder has to move by `y` to get the sign of `y`.
#[inline(always)]
fn differs_in_sign<A: FloatBits>(a: &A, rest: A::Value, y: A::Value) -> A::Mask {
    let zero = a.constant(0.0);
    a.mask_and(a.ne(rest, zero), a.mask_xor(a.lt(rest, zero), a.lt(y, zero)))
}

/// `x - floor(x / y) * y`, with the sign of `y`.
#[inline(always)]
pub fn remainder<A: FloatBits>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let rest = fmod(a, x, y);
    a.select(differs_in_sign(a, rest, y), a.add(rest, y), rest)
}

/// `x / y` rounded down, from the exact remainder, as Python's `//` does it.
#[inline(always)]
pub fn floor_divide<A: FloatBits>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let zero = a.constant(0.0);
    let one = a.constant(1.0);
    let rest = fmod(a, x, y);
    let quotient = a.div(a.sub(x, rest), y);
    let quotient = a.select(differs_in_sign(a, rest, y), a.sub(quotient, one), quotient);
    let floor = a.floor(quotient);
    let floor = a.select(a.gt(a.sub(quotient, floor), a.constant(0.5)), a.add(floor, one), floor);
    let ratio = a.div(x, y);
    let result = a.select(a.eq(quotient, zero), a.copysign(zero, ratio), floor);
    a.select(a.eq(y, zero), ratio, result)
}
