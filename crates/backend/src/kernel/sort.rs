//! Kernels that sort and search.

kernel! {
    /// Sorts the lines along a dimension, stably; NaN is the largest.
    Sort, "sort" {
        /// The dimension.
        dim: usize,
        /// Whether the largest comes first.
        descending: bool,
    }
    reads {
        /// What is sorted.
        input: O,
    }
    writes {
        /// The elements in order.
        values: Option<O>,
        /// Where in its line each was (int64).
        indices: O,
    }
}

kernel! {
    /// The `k` smallest or largest elements of the lines along a dimension and their places, where `k > 0` is the outputs'
    /// size there; NaN is the largest. The `k`-th stands last in any case.
    TopK, "topk" {
        /// The dimension.
        dim: usize,
        /// Whether the largest are wanted.
        largest: bool,
        /// Whether they stand in order.
        sorted: bool,
    }
    reads {
        /// What is searched.
        input: O,
    }
    writes {
        /// The elements.
        values: Option<O>,
        /// Where in its line each was (int64).
        indices: O,
    }
}

kernel! {
    /// How many elements of its line of `sorted`, along the last dimension, are smaller than each value.
    SearchSorted, "searchsorted" {
        /// Whether those that are not larger count, too.
        right: bool,
    }
    reads {
        /// One line, or lines with the values' leading dimensions.
        sorted: O,
        /// The order of `sorted` (int64) where it is not sorted.
        sorter: Option<O>,
        /// What is looked for.
        values: O,
    }
    writes {
        /// The counts, int64 or int32.
        output: O,
    }
}
