//! Devices: what they are called and what they can do.

mod capabilities;
mod selection;

pub use capabilities::DeviceInfo;
pub use selection::{Device, DeviceKind};
