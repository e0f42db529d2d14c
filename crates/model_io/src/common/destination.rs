//! Where what a file holds goes to.

use std::sync::Arc;

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{DType, Device, Layout, Storage, Tensor, ops, registry};

/// A function that gives a storage for the saved device's name and a storage.
pub type Asking<'a> = dyn FnMut(&str, Arc<Storage>) -> Result<Arc<Storage>> + 'a;

/// Where storages go to.
pub enum Destination<'a> {
    /// Where they were: the device that the file names.
    Saved,
    /// One device for all.
    Device(Device),
    /// What a function gives for the saved device's name and the storage, which is on the CPU.
    Ask(&'a mut Asking<'a>),
}

/// A storage's bytes on another device.
pub fn moved(storage: &Arc<Storage>, device: Device) -> Result<Arc<Storage>> {
    let layout = Layout::contiguous("load", &[storage.buffer().bytes()])?;
    let bytes = Tensor::from_storage(storage.clone(), layout, DType::UInt8)?;
    Ok(ops::to_device(&bytes, Some(device), false)?.storage().clone())
}

/// The device that a file names; Apple's GPUs are `mps` in it.
pub fn device_of(location: &str) -> Result<Device> {
    let hint = |why: &dyn std::fmt::Display| {
        RusTorchError::device(
            "load",
            format!(
                "the file's tensors were on the device (location) '{location}': {why}; map_location='cpu' loads them here"
            ),
        )
    };
    let own = if location == "mps" || location.starts_with("mps:") {
        location.replacen("mps", "metal", 1)
    } else {
        location.to_owned()
    };
    let device: Device = own.parse().map_err(|error: RusTorchError| hint(&error))?;
    registry::resolve(device).map(|(_, device)| device).map_err(|error| hint(&error))
}
