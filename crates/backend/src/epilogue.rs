//! What a matrix product does besides multiplying.

use crate::operand::Operand;

/// What is done to each element of a matrix product before it is stored: `activation(alpha * a @ b + beta * out + bias)`.
#[derive(Debug, Clone, Copy)]
pub struct Epilogue<'a> {
    /// Factor of the product.
    pub alpha: f64,
    /// Factor of what the output held; 0 means that it is not read.
    pub beta: f64,
    /// Added to each row: one element per column, broadcast over rows and batches.
    pub bias: Option<Operand<'a>>,
}

impl Default for Epilogue<'_> {
    fn default() -> Self {
        Epilogue { alpha: 1.0, beta: 0.0, bias: None }
    }
}
