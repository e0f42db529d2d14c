//! Elementwise functions of complex numbers, written once over the numbers of any algebra.
//!
//! A complex number is a pair of real ones. A function has the name of the real one that it continues, and the same
//! arguments; the op table says which have a complex form. Branch cuts and infinities are those of C99's `<complex.h>`.

mod arithmetic;
mod comparison;
mod exponential;
mod slope;
mod trigonometric;

pub use arithmetic::*;
pub use comparison::*;
pub use exponential::*;
pub use slope::*;
pub use trigonometric::*;

use crate::{Algebra, FloatAlgebra};

/// `re + im · i`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complex<V> {
    /// The real part.
    pub re: V,
    /// The imaginary part.
    pub im: V,
}

impl<V> Complex<V> {
    /// From its parts.
    #[inline(always)]
    pub fn new(re: V, im: V) -> Self {
        Complex { re, im }
    }
}

/// A real number as a complex one.
#[inline(always)]
fn real<A: Algebra>(a: &A, re: A::Value) -> Complex<A::Value> {
    Complex::new(re, a.constant(0.0))
}

/// `x · i`.
#[inline(always)]
fn times_i<A: Algebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    Complex::new(a.neg(x.im), x.re)
}

/// `x / i`.
#[inline(always)]
fn over_i<A: Algebra>(a: &A, x: Complex<A::Value>) -> Complex<A::Value> {
    Complex::new(x.im, a.neg(x.re))
}

/// Both parts times a real number.
#[inline(always)]
fn scale<A: Algebra>(a: &A, x: Complex<A::Value>, factor: A::Value) -> Complex<A::Value> {
    Complex::new(a.mul(x.re, factor), a.mul(x.im, factor))
}

/// `x` where `mask` is true, else `y`.
#[inline(always)]
fn choose<A: Algebra>(a: &A, mask: A::Mask, x: Complex<A::Value>, y: Complex<A::Value>) -> Complex<A::Value> {
    Complex::new(a.select(mask, x.re, y.re), a.select(mask, x.im, y.im))
}

/// `x · y` of real numbers, where a zero `x` stays a zero even times infinity.
#[inline(always)]
fn zero_or_product<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    a.select(a.eq(x, a.constant(0.0)), x, a.mul(x, y))
}

/// Whether both parts are 0.
#[inline(always)]
fn is_zero<A: Algebra>(a: &A, x: Complex<A::Value>) -> A::Mask {
    let zero = a.constant(0.0);
    a.mask_and(a.eq(x.re, zero), a.eq(x.im, zero))
}
