//! Derivatives where the formula by the value would cancel or overflow.

use super::{
    Complex, FloatAlgebra, add, choose, cos, div, exp, is_zero, mul, neg, real, scale, sigmoid, sqrt, times_i,
};
use crate::functions::SINC_SLOPE;

/// `e^x / (1 + e^x)²`, an even function, from the half-plane where the power is small.
#[inline(always)]
fn bell<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let left = choose(a, a.gt(x.re, a.constant(0.0)), neg(a, x), x);
    let small = exp(a, left);
    let divisor = add(a, real(a, a.constant(1.0)), small);
    div(a, small, mul(a, divisor, divisor))
}

/// The derivative of the logistic function.
#[inline(always)]
pub fn sigmoid_slope<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    bell(a, x)
}

/// The derivative of the hyperbolic tangent.
#[inline(always)]
pub fn tanh_slope<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    scale(a, bell(a, add(a, x, x)), a.constant(4.0))
}

/// The derivative of `silu`: `σ(x) + x σ'(x)`.
#[inline(always)]
pub fn silu_slope<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    add(a, sigmoid(a, x), mul(a, x, bell(a, x)))
}

/// `1 / (√(1 - x) √(1 + x))`, the derivative of the inverse sine, which squares nothing.
#[inline(always)]
pub fn asin_slope<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let one = a.constant(1.0);
    let below = Complex::new(a.sub(one, x.re), a.neg(x.im));
    let above = Complex::new(a.add(one, x.re), x.im);
    div(a, div(a, real(a, one), sqrt(a, below)), sqrt(a, above))
}

/// The derivative of the inverse hyperbolic tangent, `1 / ((1 - x) (1 + x))`.
#[inline(always)]
pub fn atanh_slope<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let one = a.constant(1.0);
    let below = Complex::new(a.sub(one, x.re), a.neg(x.im));
    let above = Complex::new(a.add(one, x.re), x.im);
    div(a, div(a, real(a, one), below), above)
}

/// The derivative of the inverse hyperbolic sine, `1 / (√(1 + ix) √(1 - ix))`.
#[inline(always)]
pub fn asinh_slope<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    asin_slope(a, times_i(a, x))
}

/// The derivative of `sinc`: its power series near 0, else `(cos(πx) - sinc(x)) / x`.
#[inline(always)]
pub fn sinc_slope<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let pi = a.constant(std::f64::consts::PI);
    let turned = scale(a, x, pi);
    let square = mul(a, turned, turned);
    let mut sum = real(a, a.constant(SINC_SLOPE[11]));
    for &coefficient in SINC_SLOPE[..11].iter().rev() {
        sum = add(a, mul(a, sum, square), real(a, a.constant(coefficient)));
    }
    let near = mul(a, scale(a, sum, a.neg(pi)), turned);
    let difference = add(a, cos(a, turned), neg(a, super::sinc(a, x)));
    let inside = a.lt(a.hypot(x.re, x.im), a.constant(0.5));
    let nonzero = choose(a, is_zero(a, x), real(a, a.constant(1.0)), x);
    choose(a, inside, near, div(a, difference, nonzero))
}
