//! OpenCL devices: a [`KernelExecutor`](rustorch_gpu::KernelExecutor) over the driver, which is opened at run time.
// Calling a driver is what `unsafe` is for.
#![allow(unsafe_code)]

mod dialect;
mod driver;
mod executor;

use std::sync::OnceLock;

use rustorch_backend::ComputeBackend;
use rustorch_error::Result;
use rustorch_gpu::{GpuBackend, KernelExecutor, open_library};

pub use dialect::OpenClC;
pub use executor::OpenClExecutor;

use driver::OpenCl;

/// The devices of this machine, of every platform, in the driver's order; those that are the processor come last.
///
/// # Errors
/// There is no OpenCL library (`RUSTORCH_OPENCL_LIBRARY` names another than the system's), or it fails.
pub fn devices() -> Result<&'static [&'static GpuBackend<OpenClExecutor>]> {
    static DEVICES: OnceLock<Result<Vec<&'static GpuBackend<OpenClExecutor>>>> = OnceLock::new();
    match DEVICES.get_or_init(detect) {
        Ok(devices) => Ok(devices),
        Err(error) => Err(error.clone()),
    }
}

/// [`devices`] as backends.
///
/// # Errors
/// As [`devices`].
pub fn backends() -> Result<Vec<&'static dyn ComputeBackend>> {
    Ok(devices()?.iter().map(|&device| device as &dyn ComputeBackend).collect())
}

fn detect() -> Result<Vec<&'static GpuBackend<OpenClExecutor>>> {
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
    for (platform, device) in executor::handles(cl)? {
        executors.push(OpenClExecutor::new(cl, platform, device)?);
    }
    executors.sort_by_key(|executor| executor.info().is_host);
    Ok(executors.into_iter().map(GpuBackend::new).collect())
}
