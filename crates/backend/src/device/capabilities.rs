//! What a device can do.

use super::DeviceKind;
use crate::DType;

/// What a device is and can do.
#[derive(Debug, Clone)]
pub struct DeviceInfo {
    /// The family.
    pub kind: DeviceKind,
    /// The maker's name of the device.
    pub name: String,
    /// How many workers run at a time (threads of the pool, compute units).
    pub parallelism: usize,
    /// The instruction set or architecture in use, such as `avx2` or `sm_90`.
    pub architecture: String,
    /// Its memory, in bytes; `None` where the system does not tell.
    pub memory: Option<u64>,
    /// The driver and its version; empty for the CPU, which has none.
    pub driver: String,
    /// Dtypes in which its kernels do not compute; ops on them run on the CPU.
    pub lacks: Vec<DType>,
    /// Whether it is the host's processor under another name, as `PoCL` makes it.
    pub is_host: bool,
}
