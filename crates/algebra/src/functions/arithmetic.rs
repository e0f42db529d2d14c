//! Arithmetic of any numbers.

use crate::{Algebra, FloatAlgebra};

/// `x + y`.
#[inline(always)]
pub fn add<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.add(x, y)
}

/// `x - y`.
#[inline(always)]
pub fn sub<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.sub(x, y)
}

/// `x * y`.
#[inline(always)]
pub fn mul<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.mul(x, y)
}

/// `x / y`.
#[inline(always)]
pub fn div<A: FloatAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.div(x, y)
}

/// `x + alpha * y`.
#[inline(always)]
pub fn scaled_add<A: Algebra>(a: &A, x: A::Value, y: A::Value, alpha: A::Value) -> A::Value {
    a.mul_add(y, alpha, x)
}

/// `-x`.
#[inline(always)]
pub fn neg<A: Algebra>(a: &A, x: A::Value) -> A::Value {
    a.neg(x)
}

/// `|x|`.
#[inline(always)]
pub fn abs<A: Algebra>(a: &A, x: A::Value) -> A::Value {
    a.abs(x)
}

/// `x`: a real number is its own conjugate.
#[inline(always)]
pub fn conj<A: Algebra>(_: &A, x: A::Value) -> A::Value {
    x
}

/// The angle to the positive axis: 0 or π; NaN of NaN.
#[inline(always)]
pub fn angle<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let turn = a.select(a.lt(x, a.constant(0.0)), a.constant(std::f64::consts::PI), a.constant(0.0));
    a.select(a.ne(x, x), x, turn)
}

/// -1, 0 or 1; NaN gives 0, as in PyTorch.
#[inline(always)]
pub fn sign<A: Algebra>(a: &A, x: A::Value) -> A::Value {
    let zero = a.constant(0.0);
    let one = a.constant(1.0);
    let positive = a.select(a.gt(x, zero), one, zero);
    a.select(a.lt(x, zero), a.neg(one), positive)
}

/// `x²`.
#[inline(always)]
pub fn square<A: Algebra>(a: &A, x: A::Value) -> A::Value {
    a.mul(x, x)
}

/// `√x`.
#[inline(always)]
pub fn sqrt<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.sqrt(x)
}

/// `1 / √x`.
#[inline(always)]
pub fn rsqrt<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.div(a.constant(1.0), a.sqrt(x))
}

/// `1 / x`.
#[inline(always)]
pub fn reciprocal<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.div(a.constant(1.0), x)
}

/// The quotient rounded down.
#[inline(always)]
pub fn floor_divide<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.floor_divide(x, y)
}

/// Python's `x % y`: the sign of `y`.
#[inline(always)]
pub fn remainder<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.remainder(x, y)
}

/// C's `fmod`: the sign of `x`.
#[inline(always)]
pub fn fmod<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.fmod(x, y)
}

/// `x` to the power `y`.
#[inline(always)]
pub fn pow<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.pow(x, y)
}

/// The larger; NaN if either is.
#[inline(always)]
pub fn maximum<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.max(x, y)
}

/// The smaller; NaN if either is.
#[inline(always)]
pub fn minimum<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.min(x, y)
}

/// The larger; a NaN beside a number is ignored.
#[inline(always)]
pub fn fmax<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let larger = a.select(a.lt(x, y), y, x);
    a.select(a.ne(x, x), y, larger)
}

/// The smaller; a NaN beside a number is ignored.
#[inline(always)]
pub fn fmin<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let smaller = a.select(a.lt(y, x), y, x);
    a.select(a.ne(x, x), y, smaller)
}

/// `sqrt(x² + y²)`.
#[inline(always)]
pub fn hypot<A: FloatAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.hypot(x, y)
}

/// `sqrt(x² + y²)` as a divisor: 1 where both are 0.
#[inline(always)]
pub fn nonzero_hypot<A: FloatAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let (x, y) = (a.abs(x), a.abs(y));
    let larger = a.max(x, y);
    let ratio = a.div(a.min(x, y), larger);
    let length = a.mul(larger, a.sqrt(a.mul_add(ratio, ratio, a.constant(1.0))));
    a.select(a.eq(larger, a.constant(0.0)), a.constant(1.0), length)
}

/// `x / y` rounded toward 0.
#[inline(always)]
pub fn trunc_divide<A: FloatAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.trunc(a.div(x, y))
}

/// `x` with the sign of `y`.
#[inline(always)]
pub fn copysign<A: FloatAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.copysign(x, y)
}

/// The next representable number from `x` toward `y`.
#[inline(always)]
pub fn nextafter<A: FloatAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.next_after(x, y)
}

/// `min(max(x, low), high)`; NaN if any is.
#[inline(always)]
pub fn clamp<A: Algebra>(a: &A, x: A::Value, low: A::Value, high: A::Value) -> A::Value {
    a.min(a.max(x, low), high)
}

/// `x + weight · (y - x)`, from the nearer end so that both ends are met exactly.
#[inline(always)]
pub fn lerp<A: FloatAlgebra>(a: &A, x: A::Value, y: A::Value, weight: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let difference = a.sub(y, x);
    let from_start = a.mul_add(weight, difference, x);
    let from_end = a.sub(y, a.mul(difference, a.sub(one, weight)));
    a.select(a.lt(a.abs(weight), a.constant(0.5)), from_start, from_end)
}

/// `x` where `condition` is true, else `y`.
#[inline(always)]
pub fn select<A: Algebra>(a: &A, condition: A::Mask, x: A::Value, y: A::Value) -> A::Value {
    a.select(condition, x, y)
}

/// 0 where `x < 0`, `y` where `x = 0`, 1 where `x > 0`; NaN where `x` is.
#[inline(always)]
pub fn heaviside<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let zero = a.constant(0.0);
    let step = a.select(a.gt(x, zero), a.constant(1.0), zero);
    let step = a.select(a.eq(x, zero), y, step);
    a.select(a.ne(x, x), x, step)
}

/// Degrees to radians: `x · π / 180`.
#[inline(always)]
pub fn deg2rad<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.mul(x, a.constant(std::f64::consts::PI / 180.0))
}

/// Radians to degrees: `x · 180 / π`.
#[inline(always)]
pub fn rad2deg<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.mul(x, a.constant(180.0 / std::f64::consts::PI))
}
