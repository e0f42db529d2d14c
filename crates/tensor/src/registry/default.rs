//! The device of new tensors where none is given.

use std::cell::Cell;
use std::marker::PhantomData;

use rustorch_backend::Device;
use rustorch_error::Result;

thread_local! {
    static DEFAULT: Cell<Device> = const { Cell::new(Device::CPU) };
}

/// The device on which this thread creates tensors where none is given.
#[inline]
pub fn default_device() -> Device {
    DEFAULT.get()
}

/// Sets the device on which this thread creates tensors where none is given.
///
/// # Errors
/// There is no such device.
pub fn set_default_device(device: Device) -> Result<()> {
    super::backend(device)?;
    DEFAULT.set(device);
    Ok(())
}

/// Another default device for as long as this lives.
#[derive(Debug)]
pub struct DefaultDevice {
    before: Device,
    /// The setting belongs to a thread.
    _not_send: PhantomData<*const ()>,
}

impl DefaultDevice {
    /// Begins.
    ///
    /// # Errors
    /// There is no such device.
    pub fn new(device: Device) -> Result<Self> {
        let before = default_device();
        set_default_device(device)?;
        Ok(DefaultDevice { before, _not_send: PhantomData })
    }
}

impl Drop for DefaultDevice {
    fn drop(&mut self) {
        DEFAULT.set(self.before);
    }
}
