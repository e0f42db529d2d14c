//! Elements and rows by their indices, which are int64, and the indices of elements.

use super::operands::List;

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

kernel! {
    /// `output[i…] = input[i… with index[i…] at dim]`; shapes as PyTorch's `gather`. Indices are checked where they are used:
    /// after an error the output is unspecified.
    Gather, "gather" {
        /// The dimension.
        dim: usize,
    }
    reads {
        /// What is read from.
        input: O,
        /// Where.
        index: O,
    }
    writes {
        /// What was there.
        output: O,
    }
}

kernel! {
    /// `output[i… with index[i…] at dim] op= source[i…]`, in the order of `source`, deterministic. Indices are checked before
    /// the first write.
    Scatter, "scatter" {
        /// How what comes is combined with what is there.
        op: ScatterOp,
        /// The dimension.
        dim: usize,
    }
    reads {
        /// Where.
        index: O,
        /// What comes.
        source: O,
    }
    updates {
        /// What is written to.
        output: O,
    }
}

kernel! {
    /// Reads rows: `output[i…, r…] = input[indices[0][i…], …, r…]`. Negative indices count from the end.
    IndexRead, "index_read" {}
    reads {
        /// What is read from.
        input: O,
        /// One per leading dimension of the input, all of one shape `I` (stride 0 broadcasts).
        indices: List<O>,
    }
    writes {
        /// The rows: `I ++ rest`.
        output: O,
    }
}

kernel! {
    /// The reverse of [`IndexRead`]: `output[indices[0][i…], …, r…] = source[i…, r…]`. Indices are checked before the first
    /// write.
    IndexWrite, "index_write" {
        /// Whether rows are added to what is there.
        accumulate: bool,
    }
    reads {
        /// Where, as for [`IndexRead`].
        indices: List<O>,
        /// The rows.
        source: O,
    }
    updates {
        /// What is written to.
        output: O,
    }
}

kernel! {
    /// The number of elements that differ from zero.
    CountNonzero, "count_nonzero" {}
    reads {
        /// What is counted.
        input: O,
    }
    writes {
        /// The number: one element, int64.
        output: O,
    }
}

kernel! {
    /// The coordinates of the elements that differ from zero, row-major.
    Nonzero, "nonzero" {}
    reads {
        /// What is searched.
        input: O,
    }
    writes {
        /// int64 of shape `(count, ndim)`: all of it is written and no more, even if another thread makes them more or fewer;
        /// then it may be an error.
        output: O,
    }
}
