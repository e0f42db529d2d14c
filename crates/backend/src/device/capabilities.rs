//! What a device can do.

use super::DeviceKind;

/// What a device is and can do.
#[derive(Debug, Clone)]
pub struct DeviceInfo {
    /// The family.
    pub kind: DeviceKind,
    /// The maker's name of the device.
    pub name: String,
    /// How many workers run at a time (threads of the pool, compute units).
    pub parallelism: usize,
    /// The instruction set or architecture in use, such as `avx2`.
    pub architecture: &'static str,
}
