//! What ops over sequences are told.

/// Scaled dot-product attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionParams {
    /// Factor of the products of queries and keys.
    pub scale: f64,
    /// Whether query `i` sees the keys up to `i` alone.
    pub causal: bool,
}

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
