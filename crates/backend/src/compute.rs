//! `ComputeBackend`: what a device must be able to do.
//!
//! Destination-passing: the caller allocates, the kernel fills. So the same kernel serves `add`, `add_` and `out=`.
//! Callers (the tensor crate) have checked shapes and dtypes; a backend that lacks an op or a dtype answers
//! [`RusTorchError::Unsupported`] and never a wrong or empty result.

use std::ops::Range;

use rustorch_error::{Result, RusTorchError};

use crate::device::DeviceInfo;
use crate::kernel::Kernel;
use crate::memory::{Buffer, HostBuffer, MemoryAllocator, Sharing};
use crate::operand::Operand;
use crate::streams::Streams;
use crate::{Program, Scalar};

/// What a device must be able to do. Shapes and dtypes are checked by the caller.
pub trait ComputeBackend: Send + Sync {
    /// What this device is.
    fn device_info(&self) -> &DeviceInfo;

    /// Where this device's buffers come from.
    fn allocator(&self) -> &'static dyn MemoryAllocator;

    /// Waits until everything asked for is done.
    fn synchronize(&self) -> Result<()>;

    /// Reads `destination.len()` bytes of `buffer` from byte `offset` into host memory.
    fn read(&self, buffer: &Buffer, offset: usize, destination: &mut [u8]) -> Result<()>;

    /// Writes `source` into `buffer` at byte `offset`.
    fn write(&self, buffer: &Buffer, offset: usize, source: &[u8]) -> Result<()>;

    /// A range of a buffer's bytes as host memory, after all earlier work, where the device's memory is the host's;
    /// `None` where it has to be copied. Until the result is dropped nothing asked of the device writes these bytes, nor
    /// reads them if they are to be `written`.
    fn map_host(&self, buffer: &Buffer, range: Range<usize>, written: bool) -> Result<Option<HostBuffer>> {
        let _ = (buffer, range, written);
        Ok(None)
    }

    /// The device's streams, if it has any.
    fn streams(&self) -> Option<&dyn Streams> {
        None
    }

    /// What the driver calls the device's memory and streams, if it has a driver.
    fn sharing(&self) -> Option<&dyn Sharing> {
        None
    }

    /// Copies between layouts and dtypes of one shape; `source` may have strides of 0.
    fn copy(&self, source: Operand<'_>, destination: Operand<'_>) -> Result<()>;

    /// Sets every element.
    fn fill(&self, destination: Operand<'_>, value: Scalar) -> Result<()>;

    /// Runs an elementwise program. All operands have the outputs' shape; inputs may have strides of 0.
    /// An input may be the very same elements as an output (in-place), but must not overlap one otherwise.
    fn map(&self, program: &Program, inputs: &[Operand<'_>], outputs: &[Operand<'_>]) -> Result<()>;

    /// Runs a kernel; those of the methods above, too.
    fn run(&self, kernel: &Kernel<Operand<'_>>) -> Result<()>;
}

/// The answer of a backend that does not have a kernel.
#[cold]
pub fn unsupported(kernel: &'static str, device: &DeviceInfo) -> RusTorchError {
    RusTorchError::unsupported(kernel, format!("the {} backend does not have this op", device.kind))
}
