//! The name of a device.

use std::fmt;
use std::str::FromStr;

use rustorch_error::{Result, RusTorchError};

/// A family of devices that one backend drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum DeviceKind {
    /// The processor and its main memory.
    Cpu,
    /// NVIDIA's GPUs.
    Cuda,
    /// Devices of OpenCL 1.2 and later.
    OpenCl,
    /// Apple's GPUs.
    Metal,
}

impl DeviceKind {
    /// How many kinds there are.
    pub const COUNT: usize = 4;

    /// PyTorch's name.
    pub const fn name(self) -> &'static str {
        match self {
            DeviceKind::Cpu => "cpu",
            DeviceKind::Cuda => "cuda",
            DeviceKind::OpenCl => "opencl",
            DeviceKind::Metal => "metal",
        }
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One device: `cpu`, or a kind with an index such as `cpu:0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Device {
    /// The family.
    pub kind: DeviceKind,
    /// Which one of the family; `None` means the current one.
    pub index: Option<u8>,
}

impl Device {
    /// The processor.
    pub const CPU: Device = Device { kind: DeviceKind::Cpu, index: None };
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            None => write!(f, "{}", self.kind),
            Some(i) => write!(f, "{}:{i}", self.kind),
        }
    }
}

impl FromStr for Device {
    type Err = RusTorchError;

    fn from_str(text: &str) -> Result<Self> {
        let (name, index) = match text.split_once(':') {
            None => (text, None),
            Some((name, number)) => {
                let index = number.parse().map_err(|_| {
                    RusTorchError::device(
                        "device",
                        format!("'{text}' does not end in a device number such as 'cpu:0'"),
                    )
                })?;
                (name, Some(index))
            }
        };
        match name {
            "cpu" if index.is_none_or(|i| i == 0) => Ok(Device { kind: DeviceKind::Cpu, index }),
            "cpu" => {
                Err(RusTorchError::device("device", format!("'{text}': there is one cpu, 'cpu' or 'cpu:0'")))
            }
            _ => Err(RusTorchError::device(
                "device",
                format!("'{text}' is not a device of this build; it has: cpu"),
            )),
        }
    }
}
