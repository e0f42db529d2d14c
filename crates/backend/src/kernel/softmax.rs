//! Softmax and its logarithm.

kernel! {
    /// Softmax along a dimension, or its logarithm.
    Softmax, "softmax" {
        /// Whether the logarithm is wanted.
        log: bool,
        /// The dimension.
        dim: usize,
    }
    reads {
        /// The logits; they may be the output.
        input: O,
    }
    writes {
        /// The probabilities.
        output: O,
    }
}

kernel! {
    /// The gradient of [`Softmax`] from what it gave.
    SoftmaxGrad, "softmax_grad" {
        /// Whether that was the logarithm.
        log: bool,
        /// The dimension.
        dim: usize,
    }
    reads {
        /// The gradient of its output.
        grad: O,
        /// Its output.
        result: O,
    }
    writes {
        /// The gradient.
        output: O,
    }
}
