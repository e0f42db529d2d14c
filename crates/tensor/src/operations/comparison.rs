//! Comparisons whose result has a shape of its own.

use rustorch_error::Result;

use super::indexing::{nonzero, raise};
use crate::{Tensor, ops};

/// Where the elements differ from zero: an int64 vector per dimension. A 0-d tensor counts as a vector of one.
pub fn where_nonzero(condition: &Tensor) -> Result<Vec<Tensor>> {
    ops::unbind(&nonzero(&raise(condition)?)?, 1)
}
