//! What convolutions and pools are told.

/// A convolution over one to three spatial dimensions. Entries beyond `spatial` are unused.
///
/// Input `(N, C_in, *spatial)`, weight `(C_out, C_in / groups, *kernel)`, output `(N, C_out, *out)`, where
/// `out = (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvParams {
    /// The number of spatial dimensions: 1, 2 or 3.
    pub spatial: usize,
    /// Step of the window, per dimension.
    pub stride: [usize; 3],
    /// Zeros added at both ends, per dimension.
    pub padding: [usize; 3],
    /// Distance between the kernel's taps, per dimension.
    pub dilation: [usize; 3],
    /// The number of independent channel groups.
    pub groups: usize,
}

/// What a pooling window computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PoolOp {
    /// The largest element (NaN wins) and its flat index in the input's spatial plane.
    Max,
    /// The mean; `count_include_pad` as in PyTorch, `divisor_override` 0 for none.
    Average {
        /// Whether padding counts in the divisor.
        count_include_pad: bool,
        /// Divides by this instead when it is not 0.
        divisor_override: i64,
    },
}

/// A pooling over one to three spatial dimensions of `(N, C, *spatial)`. Entries beyond `spatial` are unused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PoolParams {
    /// What is computed.
    pub op: PoolOp,
    /// The number of spatial dimensions: 1, 2 or 3.
    pub spatial: usize,
    /// Window sizes.
    pub kernel: [usize; 3],
    /// Steps of the window.
    pub stride: [usize; 3],
    /// Padding at both ends.
    pub padding: [usize; 3],
    /// Distance between taps (max pooling only; 1 otherwise).
    pub dilation: [usize; 3],
}
