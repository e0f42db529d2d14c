//! NVIDIA devices: a [`KernelExecutor`](rustorch_gpu::KernelExecutor) over CUDA's driver and NVRTC, which are opened at
//! run time. No toolkit is needed to build this crate, and none but NVRTC to run it.
// Calling a driver is what `unsafe` is for.
#![allow(unsafe_code)]

mod dialect;
mod driver;
mod executor;
mod nvrtc;

use rustorch_backend::ComputeBackend;
use rustorch_error::Result;
use rustorch_gpu::{Devices, GpuBackend, open_library};

pub use dialect::CudaC;
pub use executor::CudaExecutor;
pub use nvrtc::{Nvrtc, Target};

use driver::Driver;

static DEVICES: Devices<CudaExecutor> = Devices::new(detect);

/// The devices of this machine, in the driver's order (`CUDA_VISIBLE_DEVICES` chooses among them).
///
/// # Errors
/// There is no driver (`RUSTORCH_CUDA_LIBRARY` names another than the system's), or it does not start.
pub fn devices() -> Result<&'static [&'static GpuBackend<CudaExecutor>]> {
    DEVICES.get()
}

/// [`devices`] as backends.
///
/// # Errors
/// As [`devices`].
pub fn backends() -> Result<Vec<&'static dyn ComputeBackend>> {
    DEVICES.backends()
}

fn detect() -> Result<Vec<CudaExecutor>> {
    let named = std::env::var("RUSTORCH_CUDA_LIBRARY").ok();
    let library = match &named {
        Some(name) => open_library("cuda", &[name])?,
        None if cfg!(windows) => open_library("cuda", &["nvcuda.dll"])?,
        None => open_library("cuda", &["libcuda.so.1", "libcuda.so"])?,
    };
    let driver: &'static Driver = Box::leak(Box::new(Driver::load("cuda", library)?));
    (0..executor::count(driver)?).map(|index| CudaExecutor::new(driver, index)).collect()
}
