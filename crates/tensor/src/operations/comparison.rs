//! Comparisons whose result has a shape of its own.

use rustorch_error::Result;

use super::indexing::{nonzero, raise};
use crate::{Tensor, ops};

/// `where`, as a method of what its condition chooses.
pub fn where_self(input: &Tensor, condition: &Tensor, other: &Tensor) -> Result<Tensor> {
    ops::where_(condition, input, other)
}

/// Where the elements differ from zero: an int64 vector per dimension. A 0-d tensor counts as a vector of one.
pub fn where_nonzero(condition: &Tensor) -> Result<Vec<Tensor>> {
    ops::unbind(&nonzero(&raise(condition)?)?, 1)
}
