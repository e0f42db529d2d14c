//! Whole numbers and fractions.

use crate::{Algebra, FloatAlgebra};

/// The largest whole number not above `x`.
#[inline(always)]
pub fn floor<A: Algebra>(a: &A, x: A::Value) -> A::Value {
    a.floor(x)
}

/// The smallest whole number not below `x`.
#[inline(always)]
pub fn ceil<A: Algebra>(a: &A, x: A::Value) -> A::Value {
    a.ceil(x)
}

/// The nearest whole number, halves to the even one.
#[inline(always)]
pub fn round<A: Algebra>(a: &A, x: A::Value) -> A::Value {
    a.round(x)
}

/// `x` without its fraction.
#[inline(always)]
pub fn trunc<A: Algebra>(a: &A, x: A::Value) -> A::Value {
    a.trunc(x)
}

/// The fraction of `x`, with its sign.
#[inline(always)]
pub fn frac<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.sub(x, a.trunc(x))
}

/// `x` rounded to the multiple of `down / up` that is nearest; one of the two is 1, the other a power of 10, or infinite.
/// Where the product has no fraction any more, or leaves the range, that is `x` itself.
#[inline(always)]
pub fn round_multiple<A: FloatAlgebra>(a: &A, x: A::Value, up: A::Value, down: A::Value) -> A::Value {
    let scaled = a.div(a.mul(x, up), down);
    let whole = a.round(scaled);
    let back = a.mul(a.div(whole, up), down);
    // A zero keeps its sign, and must not meet an infinite factor.
    let rounded = a.select(a.eq(whole, a.constant(0.0)), whole, back);
    let infinity = a.constant(f64::INFINITY);
    let lost = a.mask_and(a.eq(whole, scaled), a.mask_not(a.lt(a.abs(rounded), infinity)));
    let keeps = a.mask_and(a.eq(x, a.trunc(x)), a.eq(down, a.constant(1.0)));
    let in_range = a.lt(a.abs(whole), infinity);
    a.select(a.mask_and(in_range, a.mask_not(a.mask_or(keeps, lost))), rounded, x)
}
