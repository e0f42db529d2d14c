//! Attention.

/// Scaled dot-product attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionParams {
    /// Factor of the products of queries and keys.
    pub scale: f64,
    /// Whether query `i` sees the keys up to `i` alone.
    pub causal: bool,
}

kernel! {
    /// `softmax(scale * query @ keyᵀ + mask) @ value`, without the scores being held all at once. Leading dimensions are equal.
    Attention, "attention" {
        /// What is computed.
        params: AttentionParams,
    }
    reads {
        /// `(…, L, E)`.
        query: O,
        /// `(…, S, E)`.
        key: O,
        /// `(…, S, D)`.
        value: O,
        /// `(…, L, S)`, contiguous along `S`.
        mask: Option<O>,
    }
    writes {
        /// `(…, L, D)`, contiguous, in the dtype of computation.
        output: O,
        /// `(…, L)`, likewise: the logarithm of each row's sum of exponentials, `inf` where a query sees no key, whose result
        /// is 0.
        log_sum: O,
    }
}

kernel! {
    /// The gradients of [`Attention`] by its query, key and value.
    AttentionGrad, "attention_grad" {
        /// The attention's.
        params: AttentionParams,
    }
    reads {
        /// The gradient of its output.
        grad: O,
        /// Its query.
        query: O,
        /// Its key.
        key: O,
        /// Its value.
        value: O,
        /// Its mask.
        mask: Option<O>,
        /// Its output.
        output: O,
        /// Its other output.
        log_sum: O,
    }
    writes {
        /// The gradient by the query.
        grad_query: O,
        /// The gradient by the key.
        grad_key: O,
        /// The gradient by the value.
        grad_value: O,
    }
}
