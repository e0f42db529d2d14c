//! Truth values: of numbers, of each other, and back to numbers.

use crate::Algebra;

/// `x != 0`; NaN is true.
#[inline(always)]
pub fn value_to_mask<A: Algebra>(a: &A, x: A::Value) -> A::Mask {
    a.ne(x, a.constant(0.0))
}

/// 1 where true, 0 where false.
#[inline(always)]
pub fn mask_to_value<A: Algebra>(a: &A, x: A::Mask) -> A::Value {
    a.select(x, a.constant(1.0), a.constant(0.0))
}

/// `x != 0 and y != 0`.
#[inline(always)]
pub fn logical_and<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Mask {
    a.mask_and(value_to_mask(a, x), value_to_mask(a, y))
}

/// `x != 0 or y != 0`.
#[inline(always)]
pub fn logical_or<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Mask {
    a.mask_or(value_to_mask(a, x), value_to_mask(a, y))
}

/// `(x != 0) != (y != 0)`.
#[inline(always)]
pub fn logical_xor<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Mask {
    a.mask_xor(value_to_mask(a, x), value_to_mask(a, y))
}

/// `x == 0`.
#[inline(always)]
pub fn logical_not<A: Algebra>(a: &A, x: A::Value) -> A::Mask {
    a.eq(x, a.constant(0.0))
}

/// Both.
#[inline(always)]
pub fn mask_and<A: Algebra>(a: &A, x: A::Mask, y: A::Mask) -> A::Mask {
    a.mask_and(x, y)
}

/// Either.
#[inline(always)]
pub fn mask_or<A: Algebra>(a: &A, x: A::Mask, y: A::Mask) -> A::Mask {
    a.mask_or(x, y)
}

/// The opposite.
#[inline(always)]
pub fn mask_not<A: Algebra>(a: &A, x: A::Mask) -> A::Mask {
    a.mask_not(x)
}
