//! What integers and bool have beside arithmetic: bits, and divisors.

use crate::IntegerAlgebra;

/// Bits set in both.
#[inline(always)]
pub fn bitwise_and<A: IntegerAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.bit_and(x, y)
}

/// Bits set in either.
#[inline(always)]
pub fn bitwise_or<A: IntegerAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.bit_or(x, y)
}

/// Bits set in one.
#[inline(always)]
pub fn bitwise_xor<A: IntegerAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.bit_xor(x, y)
}

/// Every bit turned.
#[inline(always)]
pub fn bitwise_not<A: IntegerAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.bit_not(x)
}

/// `x · 2^y`.
#[inline(always)]
pub fn bitwise_left_shift<A: IntegerAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.shift_left(x, y)
}

/// `x / 2^y` rounded down.
#[inline(always)]
pub fn bitwise_right_shift<A: IntegerAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.shift_right(x, y)
}

/// The greatest common divisor.
#[inline(always)]
pub fn gcd<A: IntegerAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.gcd(x, y)
}

/// The least common multiple.
#[inline(always)]
pub fn lcm<A: IntegerAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.lcm(x, y)
}
