//! `KernelExecutor`: what a driver does for the kernels of this crate.

use std::ptr::NonNull;

use rustorch_backend::DeviceInfo;
use rustorch_error::Result;

use crate::dialect::Dialect;
use crate::vendor_library::VendorLibrary;

/// What a device can do, as far as kernels are chosen by it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Work-items in a group at most.
    pub group_size: u32,
    /// Groups of a launch in each dimension at most.
    pub groups: [u32; 3],
    /// Bytes of memory that a group shares.
    pub shared_bytes: u32,
    /// Bytes of the device's memory.
    pub memory_bytes: u64,
    /// Bytes of the largest single allocation.
    pub largest_allocation: u64,
    /// Whether float64 is computed.
    pub has_f64: bool,
}

/// How a kernel is started.
#[derive(Debug, Clone, Copy)]
pub struct Launch<'a> {
    /// Groups in each dimension.
    pub groups: [u32; 3],
    /// Work-items of a group in each dimension: the text was rendered for this size.
    pub group: [u32; 3],
    /// The memory of each buffer, in the order of the signature.
    pub buffers: &'a [NonNull<u8>],
    /// The struct of scalar parameters, laid out as C does; empty when the kernel has none.
    pub parameters: &'a [u8],
}

/// A device behind its driver: opens nothing but memory and kernels.
///
/// Work is queued in order: a copy or kernel sees the results of those before it. Addresses are what [`Self::allocate`]
/// gave, which may be handles; nobody but the executor looks behind them.
pub trait KernelExecutor: Send + Sync + 'static {
    /// A compiled kernel, ready to run.
    type Kernel: Send + Sync + 'static;
    /// A point in the queue.
    type Event: Send + Sync + 'static;

    /// What this device is.
    fn info(&self) -> &DeviceInfo;
    /// What it can do.
    fn limits(&self) -> &Limits;
    /// How kernel texts are written for it.
    fn dialect(&self) -> &'static dyn Dialect;
    /// Device and driver, as exactly as a compiled program depends on them.
    fn identity(&self) -> &str;

    /// Fresh device memory; `bytes` is not 0.
    ///
    /// # Errors
    /// `OutOfMemory` when the device has no such block, which may succeed after memory was freed.
    fn allocate(&self, bytes: usize) -> Result<NonNull<u8>>;
    /// Gives memory back, after the work that was queued.
    ///
    /// # Safety
    /// `address` came from `allocate`, is given back once and not used by work queued later.
    unsafe fn free(&self, address: NonNull<u8>);

    /// Copies host memory to the device; `source` may be reused when this returns.
    fn write(&self, destination: NonNull<u8>, offset: usize, source: &[u8]) -> Result<()>;
    /// Copies device memory to the host, and waits for it.
    fn read(&self, source: NonNull<u8>, offset: usize, destination: &mut [u8]) -> Result<()>;
    /// Copies within the device, between places that do not overlap.
    fn copy(
        &self,
        source: (NonNull<u8>, usize),
        destination: (NonNull<u8>, usize),
        bytes: usize,
    ) -> Result<()>;

    /// The program of a text that this build brings along, in the form that [`Self::load`] takes.
    fn embedded(&self, _text: &str) -> Option<Vec<u8>> {
        None
    }
    /// Compiles a text in this device's dialect into what the driver loads: what the cache on disk keeps.
    ///
    /// # Errors
    /// The compiler's message.
    fn compile(&self, name: &str, text: &str) -> Result<Vec<u8>>;
    /// Loads what `compile` gave, perhaps in an earlier process; an error makes the text be compiled again.
    fn load(&self, name: &str, binary: &[u8]) -> Result<Self::Kernel>;
    /// Queues a kernel.
    fn launch(&self, kernel: &Self::Kernel, launch: &Launch<'_>) -> Result<()>;

    /// The vendor's libraries, where some may be there.
    fn vendor_library(&self) -> Option<&dyn VendorLibrary> {
        None
    }

    /// Marks the queue's end as it is now.
    fn record(&self) -> Result<Self::Event>;
    /// Whether everything before the event is done.
    fn is_done(&self, event: &Self::Event) -> Result<bool>;
    /// Waits for everything before the event.
    fn wait(&self, event: &Self::Event) -> Result<()>;
    /// Waits until everything queued is done. A fault of earlier work is reported here at the latest.
    fn synchronize(&self) -> Result<()>;
}
