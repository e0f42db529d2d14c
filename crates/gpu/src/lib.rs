//! `ComputeBackend` for every GPU, written once over [`KernelExecutor`].
//!
//! A kernel is one neutral text (`kernels/*.c`) that a [`Dialect`](dialect::Dialect) turns into OpenCL C, CUDA C or
//! Metal's language. A driver crate brings an executor and a dialect, nothing else.

mod backend;
mod device;
pub mod dialect;
mod embedded;
#[allow(unsafe_code)]
mod executor;
mod includes;
mod kernel;
mod kernels;
mod key;
#[allow(unsafe_code)]
mod lent;
#[allow(unsafe_code)]
mod library;
#[allow(unsafe_code)]
mod memory;
mod notice;
mod positions;
mod program_cache;
#[allow(unsafe_code)]
mod sharing;
#[cfg(test)]
#[allow(unsafe_code)]
mod stand_in;
#[allow(unsafe_code)]
mod streams;
mod vendor_library;

pub use backend::GpuBackend;
pub use device::Device;
pub use embedded::EmbeddedPrograms;
pub use executor::{KernelExecutor, Launch, Limits, Transfer};
pub use kernel::{Call, GROUP, KernelText, storage_type, value_type};
pub use library::{Devices, open_library, site_packages};
pub use memory::GpuMemoryAllocator;
pub use positions::Strided;
pub use vendor_library::{
    Convolution, ConvolutionPart, Float32Precision, Matrix, MatrixProduct, Workspace,
    float32_matmul_precision, set_float32_matmul_precision,
};
