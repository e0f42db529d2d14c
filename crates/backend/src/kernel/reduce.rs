//! Kernels that combine the elements of some dimensions.

use crate::{Dims, Program};

/// How elements are combined by a reduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReduceOp {
    /// The sum; of nothing, 0.
    Sum,
    /// The sum divided by the count; floating point only.
    Mean,
    /// The product; of nothing, 1.
    Prod,
    /// The square root of the sum of squares; floating point only. Squares of float32 neither overflow nor vanish.
    Norm,
    /// The largest; NaN wins.
    Max,
    /// The smallest; NaN wins.
    Min,
    /// Whether any differs from zero. The output is bool.
    Any,
    /// Whether all differ from zero. The output is bool.
    All,
}

kernel! {
    /// Combines the elements of some dimensions.
    Reduce, "reduce" {
        /// How.
        op: ReduceOp,
        /// A program of one input and one output that is applied to each element on the way in.
        pre: Option<Program>,
        /// The dimensions, ascending.
        dims: Dims<usize>,
    }
    reads {
        /// What is reduced.
        input: O,
    }
    writes {
        /// Of the input's shape with size 1 at the dimensions.
        output: O,
    }
}

kernel! {
    /// The mean and the sum of squared deviations from it, in one numerically stable pass (Welford/Chan). Squares of float32
    /// neither overflow nor vanish on the way.
    Moments, "moments" {
        /// The dimensions, ascending.
        dims: Dims<usize>,
        /// What the sum of squared deviations is divided by.
        divisor: f64,
        /// Whether the square root of that quotient is wanted.
        root: bool,
    }
    reads {
        /// Whose moments.
        input: O,
    }
    writes {
        /// Of the input's shape with size 1 at the dimensions.
        mean: O,
        /// The quotient or its root; shaped as the mean.
        spread: O,
    }
}

kernel! {
    /// The extreme element along a dimension, and the index of its first occurrence (NaN wins).
    ArgReduce, "arg_reduce" {
        /// `Max` or `Min`.
        op: ReduceOp,
        /// The dimension.
        dim: usize,
    }
    reads {
        /// What is searched.
        input: O,
    }
    writes {
        /// The elements; of size 1 at the dimension.
        values: Option<O>,
        /// Their indices (int64), likewise.
        indices: O,
    }
}
