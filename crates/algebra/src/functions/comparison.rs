//! Comparisons and classification: numbers in, truth values out.

use crate::Algebra;

macro_rules! comparisons {
    ($($name:ident $doc:literal;)*) => {$(
        #[doc = $doc]
        #[inline(always)]
        pub fn $name<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Mask {
            a.$name(x, y)
        }
    )*};
}

comparisons! {
    eq "`x == y`.";
    ne "`x != y`.";
    lt "`x < y`.";
    le "`x <= y`.";
    gt "`x > y`.";
    ge "`x >= y`.";
}

/// Whether `x` is not a number.
#[inline(always)]
pub fn isnan<A: Algebra>(a: &A, x: A::Value) -> A::Mask {
    a.ne(x, x)
}

/// Whether `x` is neither infinite nor NaN: whether `x - x` is 0. Integers are.
#[inline(always)]
pub fn isfinite<A: Algebra>(a: &A, x: A::Value) -> A::Mask {
    a.eq(a.sub(x, x), a.constant(0.0))
}

/// Whether `x` is an infinity.
#[inline(always)]
pub fn isinf<A: Algebra>(a: &A, x: A::Value) -> A::Mask {
    a.mask_and(a.eq(x, x), a.mask_not(isfinite(a, x)))
}

/// True: a real number is real.
#[inline(always)]
pub fn isreal<A: Algebra>(a: &A, _: A::Value) -> A::Mask {
    a.mask_constant(true)
}

/// Whether `x` is +∞.
#[inline(always)]
pub fn isposinf<A: Algebra>(a: &A, x: A::Value) -> A::Mask {
    a.mask_and(isinf(a, x), a.gt(x, a.constant(0.0)))
}

/// Whether `x` is -∞.
#[inline(always)]
pub fn isneginf<A: Algebra>(a: &A, x: A::Value) -> A::Mask {
    a.mask_and(isinf(a, x), a.lt(x, a.constant(0.0)))
}

/// Whether the sign bit is set; of an integer, whether it is negative.
#[inline(always)]
pub fn signbit<A: Algebra>(a: &A, x: A::Value) -> A::Mask {
    a.sign_bit(x)
}
