//! Hyperbolic functions.

use super::{exp, log};
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

/// `(atanh x - x) / x³` in `x²`, for `|x| ≤ ½`.
const ATANH_SINGLE: [f64; 7] = [
    0.3333333730697632,
    0.19999732077121735,
    0.1429469883441925,
    0.10969189554452896,
    0.10269908607006073,
    0.024915700778365135,
    0.17547288537025452,
];
const ATANH_DOUBLE: [f64; 15] = [
    0.33333333333333337,
    0.19999999999998463,
    0.1428571428593433,
    0.11111111095136064,
    0.09090909780885648,
    0.07692288327120736,
    0.06667039298118584,
    0.05877271578400263,
    0.053131994486141663,
    0.044033923566855426,
    0.06208624909833366,
    -0.0287106595598558,
    0.21050511499892635,
    -0.24125348491919854,
    0.25741783034136667,
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

/// `(sinh x - x) / x³` in `x²`, for `|x| ≤ 1`.
const SINH_SINGLE: [f64; 4] =
    [0.1666666716337204, 0.008333350531756878, 0.00019836124556604773, 2.817122776832548e-06];
const SINH_DOUBLE: [f64; 8] = [
    0.16666666666666666,
    0.008333333333333333,
    0.00019841269841269597,
    2.7557319224117534e-06,
    2.5052108346258082e-08,
    1.6059050629542536e-10,
    7.646481223214102e-13,
    2.8482734372401916e-15,
];

/// Beyond this `e^x` overflows before its half does.
#[inline(always)]
const fn overflowing<A: FloatBits>() -> f64 {
    if A::SINGLE { 88.0 } else { 709.0 }
}

/// The hyperbolic sine: a polynomial near 0, else `(e^|x| - 1 / e^|x|) / 2` with the sign of `x`.
#[inline(always)]
pub fn sinh<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let magnitude = a.abs(x);
    let half = a.constant(0.5);
    let z = a.mul(magnitude, magnitude);
    let curve = if A::SINGLE { a.polynomial(z, SINH_SINGLE) } else { a.polynomial(z, SINH_DOUBLE) };
    let near = a.mul_add(a.mul(magnitude, z), curve, magnitude);
    let t = exp(a, magnitude);
    let middle = a.sub(a.mul(half, t), a.div(half, t));
    let root = exp(a, a.mul(half, magnitude));
    let far = a.mul(a.mul(half, root), root);
    let beyond = a.select(a.gt(magnitude, a.constant(overflowing::<A>())), far, middle);
    a.copysign(a.select(a.lt(magnitude, a.constant(1.0)), near, beyond), x)
}

/// The hyperbolic cosine: `e^|x| / 2 + 1 / (2 e^|x|)`.
#[inline(always)]
pub fn cosh<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let magnitude = a.abs(x);
    let half = a.constant(0.5);
    let t = exp(a, magnitude);
    let near = a.add(a.mul(half, t), a.div(half, t));
    let root = exp(a, a.mul(half, magnitude));
    let far = a.mul(a.mul(half, root), root);
    a.select(a.gt(magnitude, a.constant(overflowing::<A>())), far, near)
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
}

/// The inverse hyperbolic tangent: a polynomial near 0, else half the logarithm of `(1 + |x|) / (1 - |x|)`.
#[inline(always)]
pub fn atanh<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    let one = a.constant(1.0);
    let magnitude = a.abs(x);
    let z = a.mul(magnitude, magnitude);
    let curve = if A::SINGLE { a.polynomial(z, ATANH_SINGLE) } else { a.polynomial(z, ATANH_DOUBLE) };
    let near = a.mul_add(a.mul(magnitude, z), curve, magnitude);
    let ratio = a.div(a.add(one, magnitude), a.sub(one, magnitude));
    let far = a.mul(a.constant(0.5), log(a, ratio));
    a.copysign(a.select(a.lt(magnitude, a.constant(0.5)), near, far), x)
}

/// The inverse hyperbolic cosine; NaN below 1, where libm's is wrong for many numbers.
#[inline(always)]
pub fn acosh<A: FloatBits>(a: &A, x: A::Value) -> A::Value {
    a.lanewise(x, |x| if x < 1.0 { f64::NAN } else { libm::acosh(x) })
}
