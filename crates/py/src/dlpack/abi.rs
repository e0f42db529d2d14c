//! The structures of DLPack 1.x, as C sees them, and the dtypes in its language.

use std::ffi::{CStr, c_void};

use rustorch_tensor::{DType, Device, DeviceKind};

/// The version that is written; readers of the same major number understand it.
pub const VERSION: Version = Version { major: 1, minor: 0 };
/// A capsule's name before its consumer took what is inside, and afterwards.
pub const NAMES: (&CStr, &CStr) = (c"dltensor", c"used_dltensor");
/// The same for a capsule with a version.
pub const VERSIONED_NAMES: (&CStr, &CStr) = (c"dltensor_versioned", c"used_dltensor_versioned");
/// The most dimensions that are believed; a producer that names more has written something else there.
pub const MOST_DIMENSIONS: usize = 1024;
/// The type of device that main memory is.
pub const CPU: i32 = 1;
/// The types of the other devices.
const KINDS: [(DeviceKind, i32); 4] =
    [(DeviceKind::Cpu, CPU), (DeviceKind::Cuda, 2), (DeviceKind::OpenCl, 4), (DeviceKind::Metal, 8)];
/// The consumer must not write.
pub const READ_ONLY: u64 = 1;
/// The producer made a copy for the consumer.
pub const IS_COPIED: u64 = 2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct DLDevice {
    pub device_type: i32,
    pub device_id: i32,
}

impl DLDevice {
    /// A device in DLPack's language.
    pub fn of(device: Device) -> Self {
        let device_type =
            KINDS.iter().find(|(kind, _)| *kind == device.kind).map_or(0, |(_, number)| *number);
        DLDevice { device_type, device_id: device.index.map_or(0, i32::from) }
    }

    /// The kind of device, if there is one like it.
    pub fn kind(self) -> Option<DeviceKind> {
        KINDS.iter().find(|(_, number)| *number == self.device_type).map(|(kind, _)| *kind)
    }
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DLDataType {
    pub code: u8,
    pub bits: u8,
    pub lanes: u16,
}

#[repr(C)]
pub struct DLTensor {
    pub data: *mut c_void,
    pub device: DLDevice,
    pub ndim: i32,
    pub dtype: DLDataType,
    pub shape: *mut i64,
    /// In elements; null for row-major.
    pub strides: *mut i64,
    pub byte_offset: u64,
}

/// What a capsule holds, before 1.0.
#[repr(C)]
pub struct Unversioned {
    pub tensor: DLTensor,
    pub context: *mut c_void,
    pub deleter: Option<unsafe extern "C" fn(*mut Unversioned)>,
}

/// What a capsule holds, from 1.0 on.
#[repr(C)]
pub struct Versioned {
    pub version: Version,
    pub context: *mut c_void,
    pub deleter: Option<unsafe extern "C" fn(*mut Versioned)>,
    pub flags: u64,
    pub tensor: DLTensor,
}

const DTYPES: [(DType, u8); 12] = [
    (DType::Bool, 6),
    (DType::UInt8, 1),
    (DType::Int8, 0),
    (DType::Int16, 0),
    (DType::Int32, 0),
    (DType::Int64, 0),
    (DType::Float16, 2),
    (DType::BFloat16, 4),
    (DType::Float32, 2),
    (DType::Float64, 2),
    (DType::Complex64, 5),
    (DType::Complex128, 5),
];

impl DLDataType {
    /// A dtype in DLPack's language.
    pub fn of(dtype: DType) -> Self {
        let code = DTYPES.iter().find(|(known, _)| *known == dtype).map_or(3, |(_, code)| *code);
        DLDataType { code, bits: (dtype.size() * 8) as u8, lanes: 1 }
    }

    /// The dtype, if there is one like it.
    pub fn dtype(self) -> Option<DType> {
        DTYPES.iter().map(|(dtype, _)| *dtype).find(|&dtype| DLDataType::of(dtype) == self)
    }
}
