//! When an iteration calls a number zero, and which sign its vectors then have.

use rustorch_backend::memory::Scratch;
use rustorch_error::Result;

use super::rows::dot;

/// How far an iteration goes.
///
/// The signs of the vectors that an iteration finds depend on when it stops. Results are computed in float64 and as exact as it
/// allows; the signs are those of an iteration in the matrix's own dtype, as LAPACK gives them.
#[derive(Debug, Clone, Copy)]
pub struct Precision {
    /// The largest relative error of rounding.
    pub unit: f64,
    /// The smallest normal number.
    pub smallest: f64,
}

impl Precision {
    /// That of float32.
    pub const SINGLE: Self = Self { unit: 0.5 * f32::EPSILON as f64, smallest: f32::MIN_POSITIVE as f64 };
    /// That of float64.
    pub const DOUBLE: Self = Self { unit: 0.5 * f64::EPSILON, smallest: f64::MIN_POSITIVE };
}

/// The power of two beside a matrix's largest absolute value, to divide by: no square overflows then, and nothing is rounded.
pub fn scale_of(largest: f64) -> f64 {
    if largest == 0.0 {
        1.0
    } else if largest < f64::MIN_POSITIVE {
        largest
    } else {
        f64::from_bits(largest.to_bits() & f64::INFINITY.to_bits())
    }
}

/// A vector of which no vector that comes up in practice is at right angles: its products tell a vector from its negative.
pub fn witness(n: usize) -> Result<Scratch<f64>> {
    Scratch::collect((0..n).map(|i| 1.0 + 0.5 * (i as f64 * 1.618_033_988_749_895 + 0.3).sin()))
}

/// Whether the product of a vector and the witness has not the sign that it should have.
pub fn opposed(vector: &[f64], witness: &[f64], wanted: f64) -> bool {
    dot(vector, witness) * wanted < 0.0
}
