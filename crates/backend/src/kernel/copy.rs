//! Kernels that copy, fill and count up.

use crate::Scalar;

kernel! {
    /// Copies between layouts and dtypes of one shape.
    Copy, "copy" {}
    reads {
        /// What is copied; it may have strides of 0.
        source: O,
    }
    writes {
        /// Where it goes.
        destination: O,
    }
}

kernel! {
    /// Sets every element.
    Fill, "fill" {
        /// To what.
        value: Scalar,
    }
    writes {
        /// What is filled.
        destination: O,
    }
}

kernel! {
    /// `start + i * step` at flat position `i`, computed in float64 (or int64 for integers), rounded once.
    Arange, "arange" {
        /// The first number.
        start: Scalar,
        /// The distance between two.
        step: Scalar,
    }
    writes {
        /// The numbers.
        output: O,
    }
}
