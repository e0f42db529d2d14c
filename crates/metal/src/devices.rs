//! The GPUs of this Mac.

use std::sync::OnceLock;

use objc2_metal::{MTLCopyAllDevices, MTLDevice};
use rustorch_backend::ComputeBackend;
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::GpuBackend;

use crate::executor::MetalExecutor;

/// The devices of this machine that share the processor's memory, as all of Apple's own do.
///
/// # Errors
/// Metal does not open one of them.
pub fn devices() -> Result<&'static [&'static GpuBackend<MetalExecutor>]> {
    static DEVICES: OnceLock<Result<Vec<&'static GpuBackend<MetalExecutor>>>> = OnceLock::new();
    let detect = || {
        let unified = MTLCopyAllDevices().to_vec().into_iter().filter(|device| device.hasUnifiedMemory());
        let executors: Vec<MetalExecutor> = unified.map(MetalExecutor::new).collect::<Result<_>>()?;
        Ok(executors.into_iter().map(GpuBackend::new).collect())
    };
    DEVICES.get_or_init(detect).as_ref().map(Vec::as_slice).map_err(RusTorchError::clone)
}

/// [`devices`] as backends.
///
/// # Errors
/// As [`devices`].
pub fn backends() -> Result<Vec<&'static dyn ComputeBackend>> {
    Ok(devices()?.iter().map(|&device| device as &dyn ComputeBackend).collect())
}
