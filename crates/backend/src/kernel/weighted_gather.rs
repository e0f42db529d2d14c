//! Sampling at places that are computed: sums of weighted elements.

kernel! {
    /// `output[n, c, p] = Σ_t weight[n, p, t] * input[n, c, index[n, p, t]]`.
    WeightedGather, "weighted_gather" {}
    reads {
        /// The planes, flat.
        input: O,
        /// Which elements (int64); negative ones pick nothing.
        index: O,
        /// Their weights.
        weight: O,
    }
    writes {
        /// The sums.
        output: O,
    }
}

kernel! {
    /// The gradient of [`WeightedGather`] by its input.
    WeightedGatherGradInput, "weighted_gather_grad_input" {}
    reads {
        /// The gradient of its output.
        grad: O,
        /// Which elements it picked.
        index: O,
        /// Their weights.
        weight: O,
    }
    writes {
        /// The gradient.
        grad_input: O,
    }
}

kernel! {
    /// The gradient of [`WeightedGather`] by its weight.
    WeightedGatherGradWeight, "weighted_gather_grad_weight" {}
    reads {
        /// The gradient of its output.
        grad: O,
        /// Its planes.
        input: O,
        /// Which elements it picked.
        index: O,
    }
    writes {
        /// The gradient.
        grad_weight: O,
    }
}
