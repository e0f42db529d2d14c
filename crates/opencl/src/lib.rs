//! OpenCL devices: a [`KernelExecutor`](rustorch_gpu::KernelExecutor) over the driver, which is opened at run time.
// Calling a driver is what `unsafe` is for.
#![allow(unsafe_code)]

mod device;
mod dialect;
mod driver;
mod executor;
mod loss;
mod stream;

use rustorch_backend::ComputeBackend;
use rustorch_error::Result;
use rustorch_gpu::{Devices, GpuBackend, KernelExecutor, open_library};

pub use dialect::OpenClC;
pub use executor::OpenClExecutor;

use driver::OpenCl;

static DEVICES: Devices<OpenClExecutor> = Devices::new(detect);

/// The devices of this machine, of every platform, in the driver's order; those that are the processor come last.
///
/// # Errors
/// There is no OpenCL library (`RUSTORCH_OPENCL_LIBRARY` names another than the system's), or it fails.
pub fn devices() -> Result<&'static [&'static GpuBackend<OpenClExecutor>]> {
    DEVICES.get()
}

/// [`devices`] as backends.
///
/// # Errors
/// As [`devices`].
pub fn backends() -> Result<Vec<&'static dyn ComputeBackend>> {
    DEVICES.backends()
}

fn detect() -> Result<Vec<OpenClExecutor>> {
    let named = std::env::var("RUSTORCH_OPENCL_LIBRARY").ok();
    let library = match &named {
        Some(name) => open_library("opencl", &[name])?,
        None if cfg!(target_os = "macos") => {
            open_library("opencl", &["/System/Library/Frameworks/OpenCL.framework/OpenCL"])?
        }
        None if cfg!(windows) => open_library("opencl", &["OpenCL.dll"])?,
        None => open_library("opencl", &["libOpenCL.so.1", "libOpenCL.so"])?,
    };
    let cl: &'static OpenCl = Box::leak(Box::new(OpenCl::load("opencl", library)?));
    let mut executors = Vec::new();
    for (platform, device) in device::handles(cl)? {
        executors.push(OpenClExecutor::new(cl, platform, device)?);
    }
    executors.sort_by_key(|executor| executor.info().is_host);
    Ok(executors)
}
