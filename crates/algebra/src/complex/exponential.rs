//! Exponentials, logarithms and powers.

use super::{
    Complex, FloatAlgebra, add, choose, is_zero, mul, neg, real, reciprocal, scale, zero_or_product,
};

/// `e^x`.
#[inline(always)]
pub fn exp<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let zero = a.constant(0.0);
    let length = a.exp(x.re);
    // Times the length and not the other way round: e^-∞ is 0 whatever the angle, and a zero angle gives a real number.
    let re = zero_or_product(a, length, a.cos(x.im));
    let im = zero_or_product(a, length, a.sin(x.im));
    let on_axis = a.eq(x.im, zero);
    Complex::new(a.select(on_axis, length, re), a.select(on_axis, x.im, im))
}

/// `2^x`.
#[inline(always)]
pub fn exp2<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    exp(a, scale(a, x, a.constant(std::f64::consts::LN_2)))
}

/// `e^x - 1`, exact near 0.
#[inline(always)]
pub fn expm1<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let half = a.sin(a.mul(x.im, a.constant(0.5)));
    let lost = a.mul(a.constant(2.0), a.mul(half, half));
    let length = a.exp(x.re);
    let on_axis = a.eq(x.im, a.constant(0.0));
    let re = a.sub(a.mul(a.expm1(x.re), a.cos(x.im)), lost);
    let im = zero_or_product(a, length, a.sin(x.im));
    Complex::new(a.select(on_axis, a.expm1(x.re), re), a.select(on_axis, x.im, im))
}

/// `log|x|`, exact near the unit circle.
#[inline(always)]
fn log_length<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> A::Value {
    let (re, im) = (a.abs(x.re), a.abs(x.im));
    let (larger, smaller) = (a.max(re, im), a.min(re, im));
    let one = a.constant(1.0);
    // |x|² - 1 = (larger - 1)(larger + 1) + smaller²
    let beyond = a.mul_add(smaller, smaller, a.mul(a.sub(larger, one), a.add(larger, one)));
    let length = a.hypot(re, im);
    let near = a.mask_and(a.gt(length, a.constant(0.5)), a.lt(length, a.constant(2.0)));
    a.select(near, a.mul(a.constant(0.5), a.log1p(beyond)), a.log(length))
}

/// The natural logarithm, its imaginary part in [-π, π].
#[inline(always)]
pub fn log<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    Complex::new(log_length(a, x), a.atan2(x.im, x.re))
}

/// The logarithm to base 2.
#[inline(always)]
pub fn log2<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    scale(a, log(a, x), a.constant(std::f64::consts::LOG2_E))
}

/// The logarithm to base 10.
#[inline(always)]
pub fn log10<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    scale(a, log(a, x), a.constant(std::f64::consts::LOG10_E))
}

/// `log(1 + x)`, exact near 0.
#[inline(always)]
pub fn log1p<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let shifted = Complex::new(a.add(x.re, a.constant(1.0)), x.im);
    // |1 + x|² - 1 = re (re + 2) + im²
    let beyond = a.mul_add(x.im, x.im, a.mul(x.re, a.add(x.re, a.constant(2.0))));
    let near = a.lt(a.hypot(x.re, x.im), a.constant(0.5));
    let re = a.select(near, a.mul(a.constant(0.5), a.log1p(beyond)), log_length(a, shifted));
    Complex::new(re, a.atan2(shifted.im, shifted.re))
}

/// `x` to the power `y`: `e^(y · log(x))`; of 0, 1 where `y` is 0 and 0 where its real part is positive.
#[inline(always)]
pub fn pow<A: FloatAlgebra>(a: &A, x: Complex<A::Value>, y: Complex<A::Value>) -> Complex<A::Value> {
    let (zero, one) = (a.constant(0.0), real(a, a.constant(1.0)));
    let power = exp(a, mul(a, y, log(a, x)));
    let vanishes = a.mask_and(is_zero(a, x), a.gt(y.re, zero));
    let power = choose(a, vanishes, real(a, zero), power);
    choose(a, is_zero(a, y), one, power)
}

/// The logistic function, `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    let one = real(a, a.constant(1.0));
    reciprocal(a, add(a, one, exp(a, neg(a, x))))
}

/// `x` times its logistic function.
#[inline(always)]
pub fn silu<A: FloatAlgebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    mul(a, x, sigmoid(a, x))
}
