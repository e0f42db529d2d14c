//! Normalization: layer norm reduces the last dimensions, batch norm all but the channel, group norm the group's.

use crate::Dims;

kernel! {
    /// `(x - mean) * rstd * weight + bias`, where all but the input and the output broadcast (size 1 or stride 0).
    Normalize, "normalize" {
        /// The dimensions of the statistics.
        dims: Dims<usize>,
        /// Added to the variance.
        eps: f64,
    }
    reads {
        /// x.
        input: O,
        /// The factor of the normalized elements.
        weight: Option<O>,
        /// Added to them.
        bias: Option<O>,
    }
    writes {
        /// The result.
        output: O,
        /// The mean over the dimensions, with size 1 there.
        mean: O,
        /// `1 / sqrt(variance + eps)` of the biased variance, likewise.
        rstd: O,
    }
}

kernel! {
    /// The gradient of [`Normalize`] by its input, from the statistics that it gave.
    NormalizeGrad, "normalize_grad" {
        /// The dimensions of the statistics.
        dims: Dims<usize>,
    }
    reads {
        /// The gradient of its output.
        grad: O,
        /// Its input.
        input: O,
        /// Its weight.
        weight: Option<O>,
        /// Its mean.
        mean: O,
        /// Its `rstd`.
        rstd: O,
    }
    writes {
        /// The gradient.
        grad_input: O,
    }
}
