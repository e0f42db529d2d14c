//! The dtypes that RusTorch and the format both have.

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::DType;
use safetensors::Dtype;

const PAIRS: [(DType, Dtype); 11] = [
    (DType::Bool, Dtype::BOOL),
    (DType::UInt8, Dtype::U8),
    (DType::Int8, Dtype::I8),
    (DType::Int16, Dtype::I16),
    (DType::Int32, Dtype::I32),
    (DType::Int64, Dtype::I64),
    (DType::Float16, Dtype::F16),
    (DType::BFloat16, Dtype::BF16),
    (DType::Float32, Dtype::F32),
    (DType::Float64, Dtype::F64),
    (DType::Complex64, Dtype::C64),
];

/// The format's dtype for one of RusTorch's.
pub(super) fn to_format(name: &str, dtype: DType) -> Result<Dtype> {
    PAIRS.iter().find(|(ours, _)| *ours == dtype).map(|&(_, theirs)| theirs).ok_or_else(|| {
        RusTorchError::dtype(
            "save_file",
            format!("safetensors has no dtype for {dtype}, which tensor '{name}' has; save its real and imaginary parts"),
        )
    })
}

/// RusTorch's dtype for one of the format's.
pub(super) fn from_format(source: &str, name: &str, dtype: Dtype) -> Result<DType> {
    PAIRS.iter().find(|(_, theirs)| *theirs == dtype).map(|&(ours, _)| ours).ok_or_else(|| {
        RusTorchError::model_format(format!(
            "{source}: tensor '{name}' has dtype {dtype}, which RusTorch does not have"
        ))
    })
}
