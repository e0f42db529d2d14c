//! Kernels that combine each element of a line with those before it.

/// How elements are combined with those before them by a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScanOp {
    /// The sum.
    Sum,
    /// The product.
    Prod,
    /// The largest; NaN wins.
    Max,
    /// The smallest; NaN wins.
    Min,
    /// The logarithm of the sum of exponentials; floating point only.
    LogSumExp,
}

kernel! {
    /// Combines each element along a dimension with those before it.
    Scan, "scan" {
        /// How.
        op: ScanOp,
        /// The dimension.
        dim: usize,
    }
    reads {
        /// What is combined; it may be the output.
        input: O,
    }
    writes {
        /// The combinations.
        output: O,
        /// Where each comes from (int64), for `Max` and `Min`.
        indices: Option<O>,
    }
}
