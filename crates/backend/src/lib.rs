//! The contract every device fulfils: element types, layouts, the op table, the algebra of elementwise functions,
//! memory, and the trait [`ComputeBackend`].

pub mod algebra;
mod compute;
mod determinism;
pub mod device;
mod dimension_map;
mod dtype;
mod generated;
mod half_precision;
pub mod interrupts;
pub mod kernel;
mod layout;
pub mod memory;
mod operand;
mod program;
mod scalar;
pub mod sizes;
pub mod special;
mod streams;
mod truth;

pub use compute::{ComputeBackend, unsupported};
pub use determinism::{is_deterministic, use_deterministic_algorithms};
pub use device::{Device, DeviceInfo, DeviceKind};
pub use dimension_map::DimensionMap;
pub use dtype::{Category, DType, Element, parse_dtype};
pub use half;
pub use half_precision::{bf16_from_f64, f16_from_f64};
pub use kernel::{
    AttentionParams, ConvParams, CtcSample, Distribution, Epilogue, Factorization, Kernel, PoolOp,
    PoolParams, RandomKey, ReduceOp, Sampler, ScanOp, ScatterOp,
};
pub use layout::{
    Dims, Layout, Shape, broadcast_shapes, contiguous_strides, dims_from_slice, normalize_dim, stepped,
};
pub use memory::{Buffer, MemoryAllocator, Sharing};
pub use operand::Operand;
pub use program::{Cost, ElementwiseOp, Instruction, Program, RegisterKind, Source};
pub use scalar::Scalar;
pub use sizes::{MOST_IN_KERNELS, MOST_IN_MEMORY, checked_bytes, checked_numel, checked_product, volume};
pub use streams::{Event, StreamId, Streams};
pub use truth::Truth;
