//! Circular and hyperbolic functions.

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
    sin "The sine of an angle in radians.";
    cos "The cosine of an angle in radians.";
    tan "The tangent of an angle in radians.";
    asin "The inverse sine, in [-π/2, π/2].";
    acos "The inverse cosine, in [0, π].";
    atan "The inverse tangent, in [-π/2, π/2].";
    sinh "The hyperbolic sine.";
    cosh "The hyperbolic cosine.";
    tanh "The hyperbolic tangent.";
    asinh "The inverse hyperbolic sine.";
    acosh "The inverse hyperbolic cosine; NaN below 1.";
    atanh "The inverse hyperbolic tangent; NaN beyond ±1.";
}

/// The angle of the point `(x, y)`, in [-π, π]; the first argument is `y`.
#[inline(always)]
pub fn atan2<A: FloatAlgebra>(a: &A, y: A::Value, x: A::Value) -> A::Value {
    a.atan2(y, x)
}

/// The whole number nearest to `x`, the rest, which is exact, and whether that number is odd.
#[inline(always)]
pub(super) fn half_turns<A: FloatAlgebra>(a: &A, x: A::Value) -> (A::Value, A::Value, A::Mask) {
    let whole = a.round(x);
    let half = a.mul(whole, a.constant(0.5));
    (whole, a.sub(x, whole), a.ne(half, a.trunc(half)))
}

/// `sin(πx) / (πx)`, and 1 at 0. The angle is reduced before it is multiplied by π: the sine of a whole `x` is 0.
#[inline(always)]
pub fn sinc<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    let pi = a.constant(std::f64::consts::PI);
    let (_, rest, odd) = half_turns(a, x);
    let sine = a.sin(a.mul(rest, pi));
    let sine = a.select(odd, a.neg(sine), sine);
    a.select(a.eq(x, a.constant(0.0)), a.constant(1.0), a.div(sine, a.mul(x, pi)))
}
