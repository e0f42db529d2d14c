//! The contract every device fulfils: element types, layouts, the op table, the algebra of elementwise functions,
//! memory, and the trait [`ComputeBackend`].

pub mod algebra;
mod compute;
pub mod device;
mod dimension_map;
mod dtype;
mod generated;
mod layout;
pub mod memory;
mod program;

pub use compute::{
    ComputeBackend, ConvParams, Distribution, Epilogue, Operand, PoolOp, PoolParams, RandomKey, ReduceOp,
    ScanOp, ScatterOp,
};
pub use device::{Device, DeviceInfo, DeviceKind};
pub use dimension_map::DimensionMap;
pub use dtype::{Category, DType, Element, Scalar, parse_dtype};
pub use half;
pub use layout::{
    Dims, Layout, Shape, broadcast_shapes, checked_numel, contiguous_strides, dims_from_slice, normalize_dim,
};
pub use memory::{Buffer, MemoryAllocator};
pub use program::{ElementwiseOp, Instruction, Program, RegisterKind, Source};
