//! Exponentials, logarithms and what is made of them.

use crate::FloatAlgebra;

macro_rules! unary {
    ($($name:ident $doc:literal;)*) => {$(
        #[doc = $doc]
        #[inline(always)]
        pub fn $name<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
            a.$name(x)
        }
    )*};
}

unary! {
    exp "`e^x`.";
    exp2 "`2^x`.";
    expm1 "`e^x - 1`, exact near 0.";
    log "The natural logarithm.";
    log2 "The logarithm to base 2.";
    log10 "The logarithm to base 10.";
    log1p "`log(1 + x)`, exact near 0.";
}

/// `log(e^x + e^y)`, from the larger so that nothing overflows.
#[inline(always)]
pub fn logaddexp<A: FloatAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let larger = a.max(x, y);
    let sum = a.add(larger, a.log1p(a.exp(a.neg(a.abs(a.sub(x, y))))));
    // Equal infinities differ by NaN; the sum is that infinity.
    a.select(a.eq(a.abs(larger), a.constant(f64::INFINITY)), larger, sum)
}

/// `log2(2^x + 2^y)`, from the larger so that nothing overflows.
#[inline(always)]
pub fn logaddexp2<A: FloatAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let larger = a.max(x, y);
    let small = a.log1p(a.exp2(a.neg(a.abs(a.sub(x, y)))));
    let sum = a.mul_add(small, a.constant(std::f64::consts::LOG2_E), larger);
    a.select(a.eq(a.abs(larger), a.constant(f64::INFINITY)), larger, sum)
}

/// `x · log(y)`, and 0 where `x = 0` unless `y` is NaN.
#[inline(always)]
pub fn xlogy<A: FloatAlgebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
    let zero = a.constant(0.0);
    let product = a.mul(x, a.log(y));
    let product = a.select(a.eq(x, zero), zero, product);
    a.select(a.ne(y, y), y, product)
}

/// `log(x / (1 - x))`, the inverse of the sigmoid.
#[inline(always)]
pub fn logit<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let rest = a.sub(one, x);
    let lost = a.sub(a.sub(one, rest), x);
    let quotient = a.div(x, rest);
    let value = a.log(quotient);
    // Around one half the quotient is near 1, and its rounding counts for much in the logarithm: it is made good.
    let error = a.mul_add(a.neg(quotient), lost, a.mul_add(a.neg(quotient), rest, x));
    let centre = a.mask_and(a.gt(x, a.constant(0.25)), a.lt(x, a.constant(0.75)));
    a.select(centre, a.add(value, a.div(error, x)), value)
}
