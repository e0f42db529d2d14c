//! Whole numbers and fractions.

use super::{Algebra, FloatAlgebra};

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
