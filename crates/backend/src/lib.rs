//! The contract every device fulfils: layouts, the op table, kernels, memory, and the trait [`ComputeBackend`]. The
//! words in which it speaks of elements and of elementwise functions are those of [`rustorch_algebra`].

mod compute;
mod determinism;
pub mod device;
mod dimension_map;
pub mod interrupts;
pub mod kernel;
mod layout;
pub mod memory;
mod operand;
pub mod sizes;
mod streams;

pub use compute::{ComputeBackend, unsupported};
pub use determinism::{is_deterministic, use_deterministic_algorithms};
pub use device::{Device, DeviceInfo, DeviceKind, StreamId};
pub use dimension_map::DimensionMap;
pub use kernel::{
    AttentionParams, ConvParams, CtcSample, Distribution, Epilogue, Factorization, Kernel, PoolOp,
    PoolParams, RandomKey, ReduceOp, Sampler, ScanOp, ScatterOp,
};
pub use layout::{
    Dims, Layout, Shape, broadcast_shapes, contiguous_strides, dims_from_slice, normalize_dim, stepped,
};
pub use memory::{Buffer, MemoryAllocator, Sharing};
pub use operand::Operand;
pub use rustorch_algebra::{
    Category, Cost, DType, Element, ElementwiseOp, Instruction, Program, RegisterKind, Scalar, Source, Truth,
    bf16_from_f64, f16_from_f64, half, parse_dtype, with_element,
};
pub use sizes::{MOST_IN_KERNELS, MOST_IN_MEMORY, checked_bytes, checked_numel, checked_product, volume};
pub use streams::{Event, Streams};
