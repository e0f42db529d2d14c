//! Joining dimensions.

use rustorch_error::Result;
use rustorch_tensor::{Tensor, ops};

use super::Layer;

/// Joins the dimensions from `start_dim` to `end_dim` into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flatten {
    /// The first dimension joined.
    pub start_dim: i64,
    /// The last dimension joined.
    pub end_dim: i64,
}

impl Default for Flatten {
    fn default() -> Self {
        Flatten { start_dim: 1, end_dim: -1 }
    }
}

impl Layer for Flatten {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        ops::flatten(input, self.start_dim, self.end_dim)
    }
}
