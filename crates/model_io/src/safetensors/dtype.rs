//! The dtypes that the format has, and those of RusTorch's among them.

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::DType;
use safetensors::Dtype;

use crate::common::conversion::ElementType;

const PAIRS: [(ElementType, Dtype); 17] = [
    (ElementType::Bool, Dtype::BOOL),
    (ElementType::UInt8, Dtype::U8),
    (ElementType::Int8, Dtype::I8),
    (ElementType::Int16, Dtype::I16),
    (ElementType::Int32, Dtype::I32),
    (ElementType::Int64, Dtype::I64),
    (ElementType::UInt16, Dtype::U16),
    (ElementType::UInt32, Dtype::U32),
    (ElementType::UInt64, Dtype::U64),
    (ElementType::Float16, Dtype::F16),
    (ElementType::BFloat16, Dtype::BF16),
    (ElementType::Float32, Dtype::F32),
    (ElementType::Float64, Dtype::F64),
    (ElementType::Complex64, Dtype::C64),
    (ElementType::Float8E4M3Fn, Dtype::F8_E4M3),
    (ElementType::Float8E5M2, Dtype::F8_E5M2),
    (ElementType::Float8E8M0Fnu, Dtype::F8_E8M0),
];

/// PyTorch's name of one of the format's dtypes; the format's own where it has none.
pub(super) fn name(dtype: Dtype) -> String {
    element(dtype).map_or_else(|| dtype.to_string(), |element| element.name().to_owned())
}

/// What elements of one of the format's dtypes are.
fn element(dtype: Dtype) -> Option<ElementType> {
    PAIRS.iter().find(|(_, theirs)| *theirs == dtype).map(|&(ours, _)| ours)
}

/// The format's dtype for one of RusTorch's.
pub(super) fn to_format(name: &str, dtype: DType) -> Result<Dtype> {
    PAIRS.iter().find(|(ours, _)| ours.dtype() == Some(dtype)).map(|&(_, theirs)| theirs).ok_or_else(|| {
        RusTorchError::dtype(
            "save_file",
            format!("safetensors has no dtype for {dtype}, which tensor '{name}' has; save its real and imaginary parts"),
        )
    })
}

/// RusTorch's dtype for one of the format's.
pub(super) fn from_format(source: &str, name: &str, dtype: Dtype) -> Result<DType> {
    element(dtype).and_then(ElementType::dtype).ok_or_else(|| {
        RusTorchError::model_format(format!(
            "{source}: tensor '{name}' has dtype {dtype}, which RusTorch does not have"
        ))
    })
}
