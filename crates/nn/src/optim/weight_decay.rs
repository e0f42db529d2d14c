//! Two ways to decay weights.

/// What weight decay acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightDecay {
    /// The gradient: Adam.
    Gradient,
    /// The parameter itself: `AdamW`.
    Decoupled,
}

impl WeightDecay {
    /// The constant that a program takes for the decay.
    pub(super) fn factor(self, learning_rate: f64, weight_decay: f64) -> f64 {
        match self {
            WeightDecay::Gradient => weight_decay,
            WeightDecay::Decoupled => 1.0 - learning_rate * weight_decay,
        }
    }
}
