//! Connectionist temporal classification. Outputs are contiguous, all is float64 but the targets, int64 in one dimension. Both
//! passes check lengths and classes.

use std::sync::Arc;

use crate::memory::Scratch;

/// A sample of connectionist temporal classification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CtcSample {
    /// How many of the frames count.
    pub frames: usize,
    /// How many targets it has.
    pub targets: usize,
    /// Where its first target stands among those of all samples.
    pub first: usize,
}

kernel! {
    /// The negative log-likelihood of each sample's targets, summed over their alignments with the frames.
    CtcLoss, "ctc_loss" {
        /// The class that stands between two of the same.
        blank: usize,
        /// The samples.
        samples: Arc<Scratch<CtcSample>>,
    }
    reads {
        /// `(T, N, C)`.
        log_probs: O,
        /// The targets of all samples.
        targets: O,
    }
    writes {
        /// `(N)`.
        losses: O,
        /// The logarithms of the probabilities of the prefixes `(N, T, states)`: two states per target of the longest sample
        /// and one more.
        log_alpha: O,
    }
}

kernel! {
    /// The gradient of [`CtcLoss`] by log-probabilities that a log-softmax gave.
    CtcLossGrad, "ctc_loss_grad" {
        /// The loss's.
        blank: usize,
        /// The loss's.
        samples: Arc<Scratch<CtcSample>>,
        /// Whether it is 0 for samples whose loss is infinite.
        zero_infinity: bool,
    }
    reads {
        /// The gradient of the losses.
        grad: O,
        /// The loss's.
        log_probs: O,
        /// The loss's.
        targets: O,
        /// The loss's.
        log_alpha: O,
    }
    writes {
        /// The gradient.
        grad_log_probs: O,
    }
}
