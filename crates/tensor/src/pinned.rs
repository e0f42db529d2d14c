//! Memory of the host that a device copies from and to at its own time.

use std::sync::Arc;

use rustorch_backend::{Buffer, DType, Device, Layout, Streams};
use rustorch_error::{Result, RusTorchError};

use crate::operations::contiguity;
use crate::placement::transfer;
use crate::{Storage, Tensor, registry};

/// A row-major tensor of the CPU in memory that a device copies from and to at its own time.
pub(crate) fn empty(shape: &[usize], dtype: DType, streams: &dyn Streams) -> Result<Tensor> {
    let layout = Layout::contiguous("pinned", shape)?;
    let buffer = Buffer::allocate(streams.pinned(), layout.numel() * dtype.size())?;
    Tensor::from_storage(Arc::new(Storage::from_buffer(buffer, Device::CPU)), layout, dtype)
}

/// A copy of a tensor of the CPU in memory that `device` copies from and to at its own time, by default the first kind of
/// device that is there; itself when it is there already. Without history.
///
/// # Errors
/// The tensor is elsewhere, or there is no such device.
pub fn pin_memory(input: &Tensor, device: Option<Device>) -> Result<Tensor> {
    if !input.device().is_cpu() {
        let message = format!("only tensors of the CPU can be pinned, got one on {}", input.device());
        return Err(RusTorchError::device("pin_memory", message));
    }
    if is_pinned(input) {
        return Ok(input.clone());
    }
    let device = device.map_or_else(|| registry::accelerator("pin_memory"), Ok)?;
    let Some(streams) = registry::backend(device)?.streams() else {
        let message = format!("memory is pinned for a device with a driver, not for {device}");
        return Err(RusTorchError::argument("pin_memory", message));
    };
    let result = empty(input.shape(), input.dtype(), streams)?;
    let result = match contiguity::dense_layout(&[input], input.shape()) {
        Some(layout) => result.alias(layout),
        None => result,
    };
    transfer(input, input.layout(), &result, false)?;
    Ok(result)
}

/// Whether a device copies from and to the tensor's memory at its own time.
pub fn is_pinned(input: &Tensor) -> bool {
    input.storage().buffer().allocator().is_some_and(rustorch_backend::MemoryAllocator::is_pinned)
}
