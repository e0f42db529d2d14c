//! Elementwise kernels.

use super::operands::List;
use crate::Program;

kernel! {
    /// Runs an elementwise program. All operands have the outputs' shape.
    Map, "map" {
        /// What is computed.
        program: Program,
    }
    reads {
        /// The program's inputs; they may have strides of 0. One may be the very same elements as an output (in-place), but
        /// must not overlap one otherwise.
        inputs: List<O>,
    }
    writes {
        /// The program's outputs.
        outputs: List<O>,
    }
}
