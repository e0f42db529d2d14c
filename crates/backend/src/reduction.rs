//! What reductions, scans and scatters combine elements with.

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

/// How `scatter` combines what is there with what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScatterOp {
    /// The last write wins.
    Assign,
    /// Sum.
    Add,
    /// Product.
    Multiply,
    /// The larger; NaN wins.
    Max,
    /// The smaller; NaN wins.
    Min,
}
