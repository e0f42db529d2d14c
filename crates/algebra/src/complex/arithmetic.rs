//! Arithmetic, and the parts of a number.

use super::{Algebra, Complex, FloatAlgebra, choose, real};

/// `x + y`.
#[inline(always)]
pub fn add<A: Algebra>(a: &A, x: Complex<A::Value>, y: Complex<A::Value>) -> Complex<A::Value> {
    Complex::new(a.add(x.re, y.re), a.add(x.im, y.im))
}

/// `x - y`.
#[inline(always)]
pub fn sub<A: Algebra>(a: &A, x: Complex<A::Value>, y: Complex<A::Value>) -> Complex<A::Value> {
    Complex::new(a.sub(x.re, y.re), a.sub(x.im, y.im))
}

/// `x · y`.
#[inline(always)]
pub fn mul<A: Algebra>(a: &A, x: Complex<A::Value>, y: Complex<A::Value>) -> Complex<A::Value> {
    Complex::new(a.sub(a.mul(x.re, y.re), a.mul(x.im, y.im)), a.add(a.mul(x.re, y.im), a.mul(x.im, y.re)))
}

/// `x / y`, by the larger part of `y`, so that nothing overflows on the way.
#[inline(always)]
pub fn div<A: FloatAlgebra>(a: &A, x: Complex<A::Value>, y: Complex<A::Value>) -> Complex<A::Value> {
    let along = a.ge(a.abs(y.re), a.abs(y.im));
    let larger = a.select(along, y.re, y.im);
    let smaller = a.select(along, y.im, y.re);
    let ratio = a.div(smaller, larger);
    // A zero divisor has no ratio, an infinite one but a zero.
    let ratio = a.select(a.eq(smaller, a.constant(0.0)), smaller, ratio);
    let divisor = a.add(larger, a.mul(smaller, ratio));
    let (near, far) = (a.select(along, x.re, x.im), a.select(along, x.im, x.re));
    let re = a.div(a.add(near, a.mul(far, ratio)), divisor);
    let im = a.div(a.sub(far, a.mul(near, ratio)), divisor);
    Complex::new(re, a.select(along, im, a.neg(im)))
}

/// `x + alpha · y`.
#[inline(always)]
pub fn scaled_add<A: Algebra>(
    a: &A,
    x: Complex<A::Value>,
    y: Complex<A::Value>,
    alpha: Complex<A::Value>,
) -> Complex<A::Value> {
    add(a, x, mul(a, y, alpha))
}

/// `-x`.
#[inline(always)]
pub fn neg<A: Algebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    Complex::new(a.neg(x.re), a.neg(x.im))
}

/// The number with the opposite imaginary part.
#[inline(always)]
pub fn conj<A: Algebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    Complex::new(x.re, a.neg(x.im))
}

/// `|x|`, without overflow on the way.
#[inline(always)]
pub fn abs<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    real(a, a.hypot(x.re, x.im))
}

/// The angle to the positive real axis.
#[inline(always)]
pub fn angle<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    real(a, a.atan2(x.im, x.re))
}

/// `x / |x|`, and 0 of 0.
#[inline(always)]
pub fn sign<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let length = a.hypot(x.re, x.im);
    let unit = Complex::new(a.div(x.re, length), a.div(x.im, length));
    choose(a, a.eq(length, a.constant(0.0)), real(a, a.constant(0.0)), unit)
}

/// `x²`.
#[inline(always)]
pub fn square<A: Algebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    mul(a, x, x)
}

/// `1 / x`.
#[inline(always)]
pub fn reciprocal<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    div(a, real(a, a.constant(1.0)), x)
}

/// The root in the right half-plane. From its larger part, so that nothing cancels; infinite where the imaginary part is.
#[inline(always)]
pub fn sqrt<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let half = a.constant(0.5);
    let infinity = a.constant(f64::INFINITY);
    let sum = a.add(a.mul(a.abs(x.re), half), a.mul(a.hypot(x.re, x.im), half));
    let larger = a.sqrt(sum);
    let smaller = a.div(a.mul(a.abs(x.im), half), larger);
    let smaller = a.select(a.eq(x.im, a.constant(0.0)), a.abs(x.im), smaller);
    let smaller = a.select(a.eq(a.abs(x.im), infinity), infinity, smaller);
    let right = a.mask_not(a.lt(x.re, a.constant(0.0)));
    let (re, im) = (a.select(right, larger, smaller), a.select(right, smaller, larger));
    Complex::new(re, a.copysign(im, x.im))
}

/// `1 / √x`.
#[inline(always)]
pub fn rsqrt<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    reciprocal(a, sqrt(a, x))
}

/// `x + weight · (y - x)`, from the nearer end so that both ends are met exactly.
#[inline(always)]
pub fn lerp<A: FloatAlgebra>(
    a: &A,
    x: Complex<A::Value>,
    y: Complex<A::Value>,
    weight: Complex<A::Value>,
) -> Complex<A::Value> {
    let difference = sub(a, y, x);
    let rest = Complex::new(a.sub(a.constant(1.0), weight.re), a.neg(weight.im));
    let from_start = add(a, x, mul(a, weight, difference));
    let from_end = sub(a, y, mul(a, difference, rest));
    choose(a, a.lt(a.hypot(weight.re, weight.im), a.constant(0.5)), from_start, from_end)
}

/// `x` where `condition` is true, else `y`.
#[inline(always)]
pub fn select<A: Algebra>(
    a: &A,
    condition: A::Mask,
    x: Complex<A::Value>,
    y: Complex<A::Value>,
) -> Complex<A::Value> {
    choose(a, condition, x, y)
}
