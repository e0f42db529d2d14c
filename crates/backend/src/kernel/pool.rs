//! Pooling: one number of each window.

use std::ops::Range;
use std::sync::Arc;

use crate::memory::Scratch;

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

kernel! {
    /// Pools windows.
    Pool, "pool" {
        /// Where the windows lie, and what is computed.
        params: PoolParams,
    }
    reads {
        /// The planes.
        input: O,
    }
    writes {
        /// A number of each window.
        output: O,
        /// Where the maximum was (int64, flat position in the input's spatial plane), for `PoolOp::Max`.
        indices: Option<O>,
    }
}

kernel! {
    /// The gradient of [`Pool`] by its input.
    PoolGrad, "pool_grad" {
        /// The pooling's.
        params: PoolParams,
    }
    reads {
        /// The gradient of its output.
        grad: O,
        /// What it gave, for `PoolOp::Max`.
        indices: Option<O>,
    }
    writes {
        /// The gradient.
        grad_input: O,
    }
}

kernel! {
    /// Max pooling of `(N, C, *spatial)` over windows that lie anywhere.
    MaxPoolRegions, "max_pool_regions" {
        /// Per spatial dimension the part that each output covers, or the parts of each plane, one plane after the other.
        regions: Arc<[Scratch<Range<usize>>]>,
    }
    reads {
        /// The planes.
        input: O,
    }
    writes {
        /// The maxima.
        output: O,
        /// Where they were, as for [`Pool`].
        indices: O,
    }
}
