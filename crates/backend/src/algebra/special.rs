//! Special functions.

use super::FloatAlgebra;

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
    erf "The error function, `2/√π ∫₀ˣ exp(-t²) dt`.";
    erfc "`1 - erf(x)`.";
    erfinv "The inverse of the error function on (-1, 1).";
    lgamma "`log |Γ(x)|`.";
    digamma "The derivative of `log Γ(x)`.";
}
