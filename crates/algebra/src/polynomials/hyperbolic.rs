//! Hyperbolic functions.

use super::{exp, expm1};
use crate::FloatBits;

/// `(tanh x - x) / x³` in `x²`, for `|x| ≤ 0.625`.
const TANH_SINGLE: [f64; 6] = [
    -0.3333333134651184,
    0.13333195447921753,
    -0.05394545942544937,
    0.021693482995033264,
    -0.008159272372722626,
    0.002126092789694667,
];
const TANH_DOUBLE: [f64; 14] = [
    -0.3333333333333333,
    0.13333333333333322,
    -0.05396825396824564,
    0.02186948853581651,
    -0.008863235521714813,
    0.0035921279081023573,
    -0.0014558330074025305,
    0.000590016965867263,
    -0.00023907183698950238,
    9.668818737101929e-05,
    -3.862668376872207e-05,
    1.4586799225336393e-05,
    -4.564436190625968e-06,
    8.40034744577684e-07,
];

/// The hyperbolic tangent: a polynomial near 0, else `1 - 2 / (e^(2|x|) + 1)` with the sign of `x`.
#[inline(always)]
pub fn tanh<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let two = a.constant(2.0);
    let magnitude = a.abs(x);
    let far = a.sub(one, a.div(two, a.add(exp(a, a.mul(two, magnitude)), one)));
    let z = a.mul(x, x);
    let curve = if A::SINGLE { a.polynomial(z, TANH_SINGLE) } else { a.polynomial(z, TANH_DOUBLE) };
    let near = a.mul_add(a.mul(x, z), curve, x);
    // The sign is taken from `x` on both sides: the polynomial's sum of zeros would lose that of -0.
    a.copysign(a.select(a.lt(magnitude, a.constant(0.625)), near, far), x)
}

/// The hyperbolic sine: `(t + t / (t + 1)) / 2` with `t = e^|x| - 1`.
#[inline(always)]
pub fn sinh<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    if !A::SINGLE {
        return a.lanewise(x, libm::sinh);
    }
    let magnitude = a.abs(x);
    let half = a.constant(0.5);
    let t = expm1(a, magnitude);
    let near = a.mul(half, a.add(t, a.div(t, a.add(t, a.constant(1.0)))));
    // e^|x| overflows before its half does.
    let root = exp(a, a.mul(half, magnitude));
    let far = a.mul(a.mul(half, root), root);
    a.copysign(a.select(a.gt(magnitude, a.constant(88.0)), far, near), x)
}

/// The hyperbolic cosine: `e^|x| / 2 + 1 / (2 e^|x|)`.
#[inline(always)]
pub fn cosh<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    if !A::SINGLE {
        return a.lanewise(x, libm::cosh);
    }
    let magnitude = a.abs(x);
    let half = a.constant(0.5);
    let t = exp(a, magnitude);
    let near = a.add(a.mul(half, t), a.div(half, t));
    let root = exp(a, a.mul(half, magnitude));
    let far = a.mul(a.mul(half, root), root);
    a.select(a.gt(magnitude, a.constant(88.0)), far, near)
}

macro_rules! lanewise {
    ($($name:ident $doc:literal;)*) => {$(
        #[doc = $doc]
        #[inline(always)]
        pub fn $name<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
            a.lanewise(x, libm::$name)
        }
    )*};
}

lanewise! {
    asinh "The inverse hyperbolic sine.";
    atanh "The inverse hyperbolic tangent.";
}

/// The inverse hyperbolic cosine; NaN below 1, where libm's is wrong for many numbers.
#[inline(always)]
pub fn acosh<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    a.lanewise(x, |x| if x < 1.0 { f64::NAN } else { libm::acosh(x) })
}
