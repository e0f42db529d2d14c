//! [`Backend`]: the door through which every kernel of every op goes.

use std::ops::Range;

use rustorch_backend::kernel::{Copy, Fill, Kernel, List, Map};
use rustorch_backend::memory::HostBuffer;
use rustorch_backend::{
    Buffer, ComputeBackend, DeviceInfo, MemoryAllocator, Operand, Program, Scalar, Sharing, Streams,
};
use rustorch_error::Result;

use super::observer;

/// What answers for a device. Ops have nothing else of a backend, so that an [`Observer`](super::Observer) sees every kernel;
/// while there is none, that costs a branch.
#[derive(Clone, Copy)]
pub struct Backend(pub(super) &'static dyn ComputeBackend);

impl Backend {
    /// Runs a kernel.
    #[inline]
    pub fn run<'a>(self, kernel: impl Into<Kernel<Operand<'a>>>) -> Result<()> {
        let kernel = kernel.into();
        if observer::is_watching() {
            return self.observed(&kernel);
        }
        self.0.run(&kernel)
    }

    /// Copies between layouts and dtypes of one shape; see [`Copy`](struct@Copy).
    #[inline]
    pub fn copy(self, source: Operand<'_>, destination: Operand<'_>) -> Result<()> {
        if observer::is_watching() {
            return self.observed(&Copy { source, destination }.into());
        }
        self.0.copy(source, destination)
    }

    /// Sets every element; see [`Fill`].
    #[inline]
    pub fn fill(self, destination: Operand<'_>, value: Scalar) -> Result<()> {
        if observer::is_watching() {
            return self.observed(&Fill { value, destination }.into());
        }
        self.0.fill(destination, value)
    }

    /// Runs an elementwise program; see [`Map`].
    #[inline]
    pub fn map(self, program: &Program, inputs: &[Operand<'_>], outputs: &[Operand<'_>]) -> Result<()> {
        if observer::is_watching() {
            let (inputs, outputs) = (List::from_slice(inputs), List::from_slice(outputs));
            return self.observed(&Map { program: program.clone(), inputs, outputs }.into());
        }
        self.0.map(program, inputs, outputs)
    }

    #[cold]
    fn observed(self, kernel: &Kernel<Operand<'_>>) -> Result<()> {
        observer::watch(self.device_info(), kernel, || self.0.run(kernel))
    }

    /// What the device is.
    pub fn device_info(self) -> &'static DeviceInfo {
        self.0.device_info()
    }

    /// Where the device's buffers come from.
    #[inline]
    pub fn allocator(self) -> &'static dyn MemoryAllocator {
        self.0.allocator()
    }

    /// Waits until everything asked for is done.
    pub fn synchronize(self) -> Result<()> {
        self.0.synchronize()
    }

    /// See [`ComputeBackend::read`].
    #[inline]
    pub fn read(self, buffer: &Buffer, offset: usize, destination: &mut [u8]) -> Result<()> {
        self.0.read(buffer, offset, destination)
    }

    /// See [`ComputeBackend::write`].
    #[inline]
    pub fn write(self, buffer: &Buffer, offset: usize, source: &[u8]) -> Result<()> {
        self.0.write(buffer, offset, source)
    }

    /// See [`ComputeBackend::map_host`].
    pub fn map_host(self, buffer: &Buffer, range: Range<usize>, written: bool) -> Result<Option<HostBuffer>> {
        self.0.map_host(buffer, range, written)
    }

    /// The device's streams, if it has any.
    #[inline]
    pub fn streams(self) -> Option<&'static dyn Streams> {
        self.0.streams()
    }

    /// What the driver calls the device's memory and streams, if it has a driver.
    pub fn sharing(self) -> Option<&'static dyn Sharing> {
        self.0.sharing()
    }
}
