//! The GPUs of this Mac.

use objc2_metal::{MTLCopyAllDevices, MTLDevice};
use rustorch_backend::ComputeBackend;
use rustorch_error::Result;
use rustorch_gpu::{Devices, GpuBackend};

use crate::executor::MetalExecutor;

static DEVICES: Devices<MetalExecutor> = Devices::new(|| {
    let unified = MTLCopyAllDevices().to_vec().into_iter().filter(|device| device.hasUnifiedMemory());
    unified.map(MetalExecutor::new).collect()
});

/// The devices of this machine that share the processor's memory, as all of Apple's own do.
///
/// # Errors
/// Metal does not open one of them.
pub fn devices() -> Result<&'static [&'static GpuBackend<MetalExecutor>]> {
    DEVICES.get()
}

/// [`devices`] as backends.
///
/// # Errors
/// As [`devices`].
pub fn backends() -> Result<Vec<&'static dyn ComputeBackend>> {
    DEVICES.backends()
}
