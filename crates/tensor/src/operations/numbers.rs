//! Python numbers as elements of a dtype.

use rustorch_backend::{Category, DType, Scalar};
use rustorch_error::Result;

use crate::{Tensor, default_dtype};

/// The dtype of a tensor made from a Python number.
pub fn dtype_of(value: Scalar) -> DType {
    match value.category() {
        Category::Bool => DType::Bool,
        Category::Integer => DType::Int64,
        Category::Float => default_dtype(),
        Category::Complex if default_dtype() == DType::Float64 => DType::Complex128,
        Category::Complex => DType::Complex64,
    }
}

/// Refuses a number that tensors of `dtype` have no place for. What is too large for a float is rounded: it is infinite.
pub fn check_number(op: &'static str, argument: &str, value: &Tensor, dtype: DType) -> Result<()> {
    if value.is_wrapped_number() && value.dtype() != dtype {
        let value = value.item()?;
        if dtype.category() <= Category::Integer || value.category() > dtype.category() {
            value.convert(op, argument, dtype)?;
        }
    }
    Ok(())
}
