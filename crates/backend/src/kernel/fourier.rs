//! Discrete Fourier transforms.

use crate::Dims;

kernel! {
    /// The discrete Fourier transform over some dimensions: sums of the input times `exp(∓2πi j k / n)`.
    ///
    /// Complex to complex, all sizes are the same. From real numbers the last of the dimensions keeps its `n / 2 + 1`
    /// non-negative frequencies (the others are their conjugates); to real numbers it is `n` long, from as many as that.
    FourierTransform, "fourier_transform" {
        /// The dimensions; where one side is real, the last of them is the one of which half is kept.
        dims: Dims<usize>,
        /// Whether the exponent is positive. It is not from real numbers, and it is to real ones.
        inverse: bool,
        /// What the sums are multiplied by.
        scale: f64,
    }
    reads {
        /// Complex, or real with a complex output; float32 or float64, as the output.
        input: O,
    }
    writes {
        /// Complex, or real with a complex input.
        output: O,
    }
}
