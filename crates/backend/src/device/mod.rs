//! Devices: what they are called and what they can do.

mod capabilities;
mod selection;
mod stream;

pub use capabilities::DeviceInfo;
pub use selection::{Device, DeviceKind};
pub use stream::StreamId;
