//! The one special function that is common enough for vectors; the others are in [`special`](crate::special).

use crate::FloatAlgebra;

/// The error function, `2/√π ∫₀ˣ exp(-t²) dt`.
#[inline(always)]
pub fn erf<A: FloatAlgebra>(a: &A, x: A::Value) -> A::Value {
    a.erf(x)
}
