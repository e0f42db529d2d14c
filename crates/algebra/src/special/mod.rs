//! Special functions of float64 numbers, one at a time.
//!
//! They are too rare and too long for the vectors of an instruction set: series, recurrences and iterations
//! whose length depends on the argument. An op of the domain `special` takes its function from here; float32 is
//! computed in float64 and rounded.

// The tables' digits are those of their fits.
#![allow(clippy::excessive_precision)]

mod bessel;
mod derivative;
mod error_function;
mod exponent;
mod gamma;
mod incomplete_gamma;
mod modified_bessel;
mod zeta;

#[cfg(test)]
mod tests;

pub use bessel::*;
pub use derivative::*;
pub use error_function::*;
pub use exponent::*;
pub use gamma::*;
pub use incomplete_gamma::*;
pub use modified_bessel::*;
pub use zeta::*;

/// `c[0] + c[1] T₁(t) + c[2] T₂(t) + …` by Clenshaw's recurrence. The tables were computed at Chebyshev nodes in
/// 50-digit arithmetic.
fn chebyshev(c: &[f64], t: f64) -> f64 {
    let (mut next, mut after) = (0.0, 0.0);
    for &coefficient in c[1..].iter().rev() {
        (next, after) = (2.0 * t * next - after + coefficient, next);
    }
    t * next - after + c[0]
}
