//! Padding, interpolation and adaptive pooling: a linear map along each dimension.

use std::sync::Arc;

use crate::DimensionMap;

kernel! {
    /// Applies a linear map along each of the last dimensions. Selections for every dtype, else floats and complex numbers.
    Resample, "resample" {
        /// The maps, one per dimension.
        maps: Arc<[DimensionMap]>,
    }
    reads {
        /// What is mapped; row-major.
        input: O,
    }
    writes {
        /// The result.
        output: O,
    }
}
