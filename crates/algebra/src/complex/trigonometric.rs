//! Circular and hyperbolic functions and their inverses. The inverses are Kahan's ("Branch cuts for complex elementary
//! functions, or much ado about nothing's sign bit", 1987): no cancellation, the right side of every cut.

use super::{
    Complex, FloatAlgebra, add, choose, div, is_zero, over_i, real, scale, sqrt, sub, times_i,
    zero_or_product,
};

/// The sine.
#[inline(always)]
pub fn sin<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    over_i(a, sinh(a, times_i(a, x)))
}

/// The cosine.
#[inline(always)]
pub fn cos<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    cosh(a, times_i(a, x))
}

/// The tangent.
#[inline(always)]
pub fn tan<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    over_i(a, tanh(a, times_i(a, x)))
}

/// The hyperbolic sine.
#[inline(always)]
pub fn sinh<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let re = zero_or_product(a, a.sinh(x.re), a.cos(x.im));
    let im = zero_or_product(a, a.sin(x.im), a.cosh(x.re));
    Complex::new(re, im)
}

/// The hyperbolic cosine.
#[inline(always)]
pub fn cosh<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let zero = a.constant(0.0);
    let (re, im) = (a.mul(a.cosh(x.re), a.cos(x.im)), zero_or_product(a, a.sin(x.im), a.sinh(x.re)));
    // On the real axis the function is real even at infinity.
    let product = a.mul(a.sinh(x.re), a.sin(x.im));
    Complex::new(re, a.select(a.eq(x.re, zero), product, im))
}

/// The hyperbolic tangent.
#[inline(always)]
pub fn tanh<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let (one, four) = (a.constant(1.0), a.constant(4.0));
    let t = a.tan(x.im);
    let s = a.sinh(x.re);
    let steep = a.mul_add(t, t, one);
    let rho = a.sqrt(a.mul_add(s, s, one));
    let divisor = a.mul_add(steep, a.mul(s, s), one);
    let re = a.div(a.mul(steep, a.mul(rho, s)), divisor);
    let im = a.div(t, divisor);
    // Far out sinh² would overflow, and the real part is ±1.
    let length = a.abs(x.re);
    let far = a.gt(length, a.constant(20.0));
    let decay = a.exp(a.mul(a.constant(-2.0), length));
    let angle = a.mul(a.sin(x.im), a.cos(x.im));
    let far_im = zero_or_product(a, decay, a.mul(four, angle));
    Complex::new(a.select(far, a.copysign(one, x.re), re), a.select(far, far_im, im))
}

/// `x - tanh(x)`.
#[inline(always)]
pub fn tanhshrink<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    sub(a, x, tanh(a, x))
}

/// `√(1 - x)` and `√(1 + x)`.
#[inline(always)]
fn roots<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> (Complex<A::Value>, Complex<A::Value>) {
    let one = real(a, a.constant(1.0));
    // Not `sub(one, x)`: that would lose the sign of a zero imaginary part, which says on which side of the cut x is.
    let below = Complex::new(a.sub(a.constant(1.0), x.re), a.neg(x.im));
    let above = Complex::new(add(a, one, x).re, x.im);
    (sqrt(a, below), sqrt(a, above))
}

/// The imaginary part of `conj(x) · y`.
#[inline(always)]
fn cross<A: FloatAlgebra>(a: &A, x: Complex<A::Value>, y: Complex<A::Value>) -> A::Value {
    a.sub(a.mul(x.re, y.im), a.mul(x.im, y.re))
}

/// The inverse sine, its real part in [-π/2, π/2].
#[inline(always)]
pub fn asin<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let (below, above) = roots(a, x);
    let product = a.sub(a.mul(below.re, above.re), a.mul(below.im, above.im));
    Complex::new(a.atan2(x.re, product), a.asinh(cross(a, below, above)))
}

/// The inverse cosine, its real part in [0, π].
#[inline(always)]
pub fn acos<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let (below, above) = roots(a, x);
    let half = a.atan2(below.re, above.re);
    Complex::new(a.add(half, half), a.asinh(cross(a, above, below)))
}

/// The inverse hyperbolic sine.
#[inline(always)]
pub fn asinh<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    over_i(a, asin(a, times_i(a, x)))
}

/// The inverse hyperbolic cosine, its real part not negative.
#[inline(always)]
pub fn acosh<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let one = real(a, a.constant(1.0));
    let below = sqrt(a, Complex::new(sub(a, x, one).re, x.im));
    let above = sqrt(a, Complex::new(add(a, x, one).re, x.im));
    let half = a.atan2(below.im, above.re);
    let product = a.add(a.mul(below.re, above.re), a.mul(below.im, above.im));
    Complex::new(a.asinh(product), a.add(half, half))
}

/// The inverse hyperbolic tangent.
#[inline(always)]
pub fn atanh<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let (one, two) = (a.constant(1.0), a.constant(2.0));
    // In the right half-plane; the function is odd.
    let (re, im) = (a.abs(x.re), x.im);
    let rest = a.sub(one, re);
    let square = a.mul(im, im);
    let distance = a.mul_add(rest, rest, square);
    let length = a.mul(a.constant(0.25), a.log1p(a.div(a.mul(a.constant(4.0), re), distance)));
    let angle =
        a.mul(a.constant(0.5), a.atan2(a.mul(two, a.abs(im)), a.sub(a.mul(rest, a.add(one, re)), square)));
    // Far out the squares would overflow; what is left is a quarter turn.
    let far = a.gt(a.max(re, a.abs(im)), a.constant(1e16));
    let length = a.select(far, a.constant(0.0), length);
    let angle = a.select(far, a.constant(std::f64::consts::FRAC_PI_2), angle);
    // On the real axis beyond 1 the side of the cut is the sign of the zero.
    Complex::new(a.copysign(length, x.re), a.copysign(angle, im))
}

/// The inverse tangent.
#[inline(always)]
pub fn atan<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    over_i(a, atanh(a, times_i(a, x)))
}

/// `sin(πx) / (πx)`, and 1 at 0.
#[inline(always)]
pub fn sinc<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let turned = scale(a, x, a.constant(std::f64::consts::PI));
    let quotient = div(a, sin(a, turned), turned);
    choose(a, is_zero(a, x), real(a, a.constant(1.0)), quotient)
}
