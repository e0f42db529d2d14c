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
    /// Whatever has an OpenCL driver.
    OpenCl,
    /// Apple's GPUs.
    Metal,
}

impl DeviceKind {
    /// How many kinds there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Every kind; `kind as usize` is its position.
    pub const ALL: [DeviceKind; 4] =
        [DeviceKind::Cpu, DeviceKind::Cuda, DeviceKind::OpenCl, DeviceKind::Metal];

    /// The name in programs; PyTorch's where it has one.
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

impl FromStr for DeviceKind {
    type Err = RusTorchError;

    fn from_str(name: &str) -> Result<Self> {
        if let Some(&kind) = Self::ALL.iter().find(|kind| kind.name() == name) {
            return Ok(kind);
        }
        let known = Self::ALL.map(Self::name).join(", ");
        let hint = if name == "mps" { "; Apple's GPUs are 'metal'" } else { "" };
        Err(RusTorchError::device(
            "device",
            format!("'{name}' is not a kind of device, expected one of {known}{hint}"),
        ))
    }
}

/// One device: `cpu`, or a kind with an index such as `cuda:0`.
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

    /// The device of a kind at an index.
    pub const fn new(kind: DeviceKind, index: u8) -> Self {
        Device { kind, index: Some(index) }
    }

    /// Whether this is the processor.
    #[inline]
    pub fn is_cpu(self) -> bool {
        self.kind == DeviceKind::Cpu
    }

    /// Whether both name one device, of which there is one `cpu`. Tensors have concrete indices elsewhere.
    #[inline]
    pub fn is_same(self, other: Device) -> bool {
        self.kind == other.kind && (self.is_cpu() || self.index == other.index)
    }
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
        let Some((name, number)) = text.split_once(':') else {
            return Ok(Device { kind: text.parse()?, index: None });
        };
        let kind: DeviceKind = name.parse()?;
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        match number.parse() {
            Ok(0) if digits && kind == DeviceKind::Cpu => Ok(Device::new(kind, 0)),
            Ok(index) if digits && kind != DeviceKind::Cpu => Ok(Device::new(kind, index)),
            _ if kind == DeviceKind::Cpu => {
                Err(RusTorchError::device("device", format!("'{text}': there is one cpu, 'cpu' or 'cpu:0'")))
            }
            _ => Err(RusTorchError::device(
                "device",
                format!("'{text}' does not end in a device number from 0 to 255 such as '{kind}:0'"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for (text, kind, index) in [
            ("cpu", DeviceKind::Cpu, None),
            ("cpu:0", DeviceKind::Cpu, Some(0)),
            ("cuda", DeviceKind::Cuda, None),
            ("opencl:1", DeviceKind::OpenCl, Some(1)),
            ("metal:0", DeviceKind::Metal, Some(0)),
        ] {
            let device: Device = text.parse().expect(text);
            assert_eq!(device, Device { kind, index });
            assert_eq!(device.to_string(), text);
        }
        for kind in DeviceKind::ALL {
            assert_eq!(DeviceKind::ALL[kind as usize], kind);
        }
    }

    #[test]
    fn wrong_names_say_what_is_known() {
        let message = |text: &str| text.parse::<Device>().expect_err(text).to_string();
        assert!(message("gpu").contains("cpu, cuda, opencl, metal"), "{}", message("gpu"));
        assert!(message("mps").contains("'metal'"), "{}", message("mps"));
        for text in ["cuda:", "cuda:x", "cuda:-1", "cuda:+1", "opencl:256", "cpu:1", "", ":0", "CUDA"] {
            message(text);
        }
    }
}
