//! Comparison and classification: complex numbers in, truth values out. They have no order.

use super::{Algebra, Complex, is_zero};
use crate::functions;

/// `x == y`: both parts are.
#[inline(always)]
pub fn eq<A: Algebra>(a: &A, x: Complex<A::Value>, y: Complex<A::Value>) -> A::Mask {
    a.mask_and(a.eq(x.re, y.re), a.eq(x.im, y.im))
}

/// `x != y`: either part differs.
#[inline(always)]
pub fn ne<A: Algebra>(a: &A, x: Complex<A::Value>, y: Complex<A::Value>) -> A::Mask {
    a.mask_or(a.ne(x.re, y.re), a.ne(x.im, y.im))
}

/// Whether either part is not a number.
#[inline(always)]
pub fn isnan<A: Algebra>(a: &A, x: Complex<A::Value>) -> A::Mask {
    a.mask_or(functions::isnan(a, x.re), functions::isnan(a, x.im))
}

/// Whether either part is infinite.
#[inline(always)]
pub fn isinf<A: Algebra>(a: &A, x: Complex<A::Value>) -> A::Mask {
    a.mask_or(functions::isinf(a, x.re), functions::isinf(a, x.im))
}

/// Whether both parts are finite.
#[inline(always)]
pub fn isfinite<A: Algebra>(a: &A, x: Complex<A::Value>) -> A::Mask {
    a.mask_and(functions::isfinite(a, x.re), functions::isfinite(a, x.im))
}

/// Whether the imaginary part is 0.
#[inline(always)]
pub fn isreal<A: Algebra>(a: &A, x: Complex<A::Value>) -> A::Mask {
    a.eq(x.im, a.constant(0.0))
}

/// Whether neither is 0.
#[inline(always)]
pub fn logical_and<A: Algebra>(a: &A, x: Complex<A::Value>, y: Complex<A::Value>) -> A::Mask {
    a.mask_not(a.mask_or(is_zero(a, x), is_zero(a, y)))
}

/// Whether not both are 0.
#[inline(always)]
pub fn logical_or<A: Algebra>(a: &A, x: Complex<A::Value>, y: Complex<A::Value>) -> A::Mask {
    a.mask_not(a.mask_and(is_zero(a, x), is_zero(a, y)))
}

/// Whether exactly one is 0.
#[inline(always)]
pub fn logical_xor<A: Algebra>(a: &A, x: Complex<A::Value>, y: Complex<A::Value>) -> A::Mask {
    a.mask_xor(is_zero(a, x), is_zero(a, y))
}

/// `x == 0`.
#[inline(always)]
pub fn logical_not<A: Algebra>(a: &A, x: Complex<A::Value>) -> A::Mask {
    is_zero(a, x)
}
