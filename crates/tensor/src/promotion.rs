//! PyTorch's rules for the dtype of a result.

use std::sync::atomic::{AtomicU8, Ordering};

use rustorch_backend::{Category, DType};
use rustorch_error::{Result, RusTorchError};

use crate::Tensor;

static DEFAULT_DTYPE: AtomicU8 = AtomicU8::new(DType::Float32 as u8);

/// The dtype of floats made from Python numbers; float32 unless changed.
pub fn default_dtype() -> DType {
    DType::ALL[DEFAULT_DTYPE.load(Ordering::Relaxed) as usize]
}

/// Changes the dtype of floats made from Python numbers.
pub fn set_default_dtype(dtype: DType) -> Result<()> {
    if !dtype.is_floating_point() {
        return Err(RusTorchError::dtype(
            "set_default_dtype",
            format!("only floating-point dtypes can be the default, got {dtype}"),
        ));
    }
    DEFAULT_DTYPE.store(dtype as u8, Ordering::Relaxed);
    Ok(())
}

/// The dtype that both convert to.
pub fn promote(a: DType, b: DType) -> DType {
    a.promote(b)
}

/// Whether a value of `from` may be written into a tensor of `to` by an in-place op: the category may not fall.
pub fn can_cast(from: DType, to: DType) -> bool {
    from.category() <= to.category()
}

fn default_for(category: Category) -> DType {
    match category {
        Category::Bool => DType::Bool,
        Category::Integer => DType::Int64,
        Category::Float => default_dtype(),
        Category::Complex if default_dtype() == DType::Float64 => DType::Complex128,
        Category::Complex => DType::Complex64,
    }
}

/// The dtype of an op over these tensors: tensors with dimensions outrank 0-d tensors, which outrank Python numbers; a
/// lower rank counts only when its category is higher.
#[inline]
pub fn result_type(tensors: &[&Tensor]) -> DType {
    if let [first, rest @ ..] = tensors
        && rest.iter().all(|t| t.dtype() == first.dtype() && !t.is_wrapped_number())
        && !first.is_wrapped_number()
    {
        return first.dtype();
    }
    let mut ranks: [Option<DType>; 3] = [None; 3];
    for tensor in tensors {
        let (rank, dtype) = if tensor.is_wrapped_number() {
            (2, default_for(tensor.dtype().category()))
        } else {
            (usize::from(tensor.ndim() == 0), tensor.dtype())
        };
        ranks[rank] = Some(ranks[rank].map_or(dtype, |seen| seen.promote(dtype)));
    }
    combine(ranks)
}

/// The dtype in which tensors are compared: that of [`result_type`], unless it is one of integers that does not hold a
/// number or a 0-d tensor among them.
#[inline]
pub fn comparison_type(tensors: &[&Tensor]) -> Result<DType> {
    let common = result_type(tensors);
    if !common.is_integral(false) || common == DType::Int64 {
        return Ok(common);
    }
    for tensor in tensors.iter().filter(|t| t.ndim() == 0 && t.dtype() != common) {
        if !tensor.is_wrapped_number() || tensor.item()?.fit(common).is_none() {
            return Ok(DType::Int64);
        }
    }
    Ok(common)
}

fn combine(ranks: [Option<DType>; 3]) -> DType {
    let mut result: Option<DType> = None;
    for dtype in ranks.into_iter().flatten() {
        result = Some(match result {
            None => dtype,
            Some(high) if high.category() >= dtype.category() => high,
            // A complex number beside a real tensor keeps that tensor's precision.
            Some(high) => high.promote(if dtype.is_complex() && high.is_floating_point() {
                if high == DType::Float64 { DType::Complex128 } else { DType::Complex64 }
            } else {
                dtype
            }),
        });
    }
    result.unwrap_or_else(default_dtype)
}
