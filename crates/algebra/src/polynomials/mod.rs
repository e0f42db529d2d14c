//! The transcendental functions of vectors: polynomials over [`FloatBits`], at most 2 ulp off in float32.
//!
//! Coefficients are weighted least-squares fits at Chebyshev nodes in 60-digit arithmetic, rounded to the type. Each
//! function reduces its argument to a small interval, so that the polynomial's rounding errors count little beside the
//! last addition's. Functions too rare to be worth it take [`FloatBits::lanewise`].

// A coefficient that is near a constant of mathematics is not that constant, and its digits are those of the fit.
#![allow(clippy::approx_constant, clippy::excessive_precision)]

mod division;
mod error_function;
mod exponential;
mod hyperbolic;
mod inverse_trigonometric;
mod logarithm;
mod power;
mod trigonometric;

pub use division::*;
pub use error_function::*;
pub use exponential::*;
pub use hyperbolic::*;
pub use inverse_trigonometric::*;
pub use logarithm::*;
pub use power::*;
pub use trigonometric::*;

use crate::FloatBits;

/// The elementary functions of [`FloatAlgebra`](crate::FloatAlgebra) for a vector that is [`FloatBits`]: expands to
/// their methods.
#[macro_export]
macro_rules! polynomial_transcendentals {
    () => {
        $crate::polynomial_transcendentals! {
            @unary exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc
        }

        #[inline(always)]
        fn atan2(&self, y: Self::Value, x: Self::Value) -> Self::Value {
            $crate::polynomials::atan2(self, y, x)
        }

        #[inline(always)]
        fn hypot(&self, x: Self::Value, y: Self::Value) -> Self::Value {
            $crate::polynomials::hypot(self, x, y)
        }
    };
    (@unary $($name:ident)*) => {$(
        #[inline(always)]
        fn $name(&self, x: Self::Value) -> Self::Value {
            $crate::polynomials::$name(self, x)
        }
    )*};
}

/// `x` minus a whole number times a constant, which is given as a sum of floats of the type, so that the product loses
/// nothing that counts.
#[inline(always)]
fn fused_subtract<A: FloatBits, const N: usize>(
    a: &A,
    x: A::Value,
    n: A::Value,
    parts: [f64; N],
) -> A::Value {
    let mut rest = x;
    for part in parts {
        rest = a.mul_add(n, a.constant(-part), rest);
    }
    rest
}
