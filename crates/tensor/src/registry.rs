//! Which backends are here. Backends register themselves (through the crate `rustorch`); ops ask by device.

use std::sync::OnceLock;

use rustorch_backend::{ComputeBackend, Device, DeviceKind};
use rustorch_error::{Result, RusTorchError};

static BACKENDS: [OnceLock<&'static dyn ComputeBackend>; DeviceKind::COUNT] =
    [const { OnceLock::new() }; DeviceKind::COUNT];

/// Makes a backend answer for its kind of device. The first registration of a kind stays.
pub fn register(backend: &'static dyn ComputeBackend) {
    // A second registration is the same backend again: `rustorch::init` may be called more than once.
    let _ = BACKENDS[backend.device_info().kind as usize].set(backend);
}

/// The backend that answers for a device.
///
/// # Errors
/// No backend of that kind is registered.
#[inline]
pub fn backend(device: Device) -> Result<&'static dyn ComputeBackend> {
    BACKENDS[device.kind as usize].get().copied().ok_or_else(|| {
        RusTorchError::unavailable(
            "device",
            format!("no backend for '{device}' is registered; call rustorch::init()"),
        )
    })
}

/// The kinds of devices that have a backend.
pub fn registered() -> impl Iterator<Item = &'static dyn ComputeBackend> {
    BACKENDS.iter().filter_map(|cell| cell.get().copied())
}
