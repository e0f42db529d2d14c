//! `KernelExecutor`: what a driver does for the kernels of this crate.

use std::ops::Range;
use std::ptr::NonNull;

use rustorch_backend::DeviceInfo;
use rustorch_error::{Result, RusTorchError};

use crate::dialect::Dialect;
use crate::vendor_library::{Convolution, MatrixProduct, Workspace};

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

/// A copy between a device and the host.
#[derive(Debug)]
pub struct Transfer {
    /// The device's memory, and from which byte on.
    pub device: (NonNull<u8>, usize),
    /// The host's memory.
    pub host: NonNull<u8>,
    /// How much is copied; the device has that many bytes there.
    pub bytes: usize,
    /// Whether the copy is done when the call returns: always, unless the host's memory is pinned.
    pub wait: bool,
}

/// A device behind its driver: opens nothing but memory, streams and kernels.
///
/// Work on a stream is queued in order: a copy or kernel sees the results of those before it. Addresses are what
/// [`Self::allocate`] gave, which may be handles; nobody but the executor looks behind them.
pub trait KernelExecutor: Send + Sync + 'static {
    /// A compiled kernel, ready to run.
    type Kernel: Send + Sync + 'static;
    /// An in-order queue; it lives as long as the process.
    type Stream: Send + Sync + 'static;
    /// A point in a stream.
    type Event: Send + Sync + 'static;

    /// What this device is.
    fn info(&self) -> &DeviceInfo;
    /// What it can do.
    fn limits(&self) -> &Limits;
    /// How kernel texts are written for it.
    fn dialect(&self) -> &'static dyn Dialect;
    /// Device and driver, as exactly as a compiled program depends on them.
    fn identity(&self) -> &str;

    /// The error for memory that the device does not have.
    fn out_of_memory(&self, bytes: usize, reason: &str) -> RusTorchError {
        let info = self.info();
        let device = format!("{} ({})", info.kind, info.name);
        let hint = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        RusTorchError::OutOfMemory { bytes, device, hint }
    }

    /// Fresh device memory; `bytes` is not 0.
    ///
    /// # Errors
    /// `OutOfMemory` when the device has no such block, which may succeed after memory was freed.
    fn allocate(&self, bytes: usize) -> Result<NonNull<u8>>;
    /// Gives memory back, or the reference that [`Self::retain`] took.
    ///
    /// # Safety
    /// `address` came from `allocate`, is given back once, and no work that is queued uses it.
    unsafe fn free(&self, address: NonNull<u8>);
    /// Fresh host memory that the device copies from and to at its own time; `bytes` is not 0.
    fn allocate_pinned(&self, bytes: usize) -> Result<NonNull<u8>>;
    /// Gives host memory back.
    ///
    /// # Safety
    /// As for [`Self::free`], of what `allocate_pinned` gave.
    unsafe fn free_pinned(&self, address: NonNull<u8>);

    /// Copies host memory to the device.
    ///
    /// # Safety
    /// The host's memory is there, and stays as it is until the copy is done.
    unsafe fn write(&self, stream: &Self::Stream, transfer: &Transfer) -> Result<()>;
    /// Copies device memory to the host.
    ///
    /// # Safety
    /// As for [`Self::write`], and nobody else uses the host's memory.
    unsafe fn read(&self, stream: &Self::Stream, transfer: &Transfer) -> Result<()>;
    /// The address in host memory of `range` of a block, after all earlier work of the stream, where the device's memory
    /// is the host's. The host only reads there unless it is `written`; [`Self::unmap`] ends it.
    fn map(
        &self,
        _stream: &Self::Stream,
        _block: NonNull<u8>,
        _range: Range<usize>,
        _written: bool,
    ) -> Result<Option<NonNull<u8>>> {
        Ok(None)
    }
    /// Takes back what `map` lent.
    ///
    /// # Safety
    /// `host` came from `map` of this block, and is not used from now on.
    unsafe fn unmap(&self, _stream: &Self::Stream, _block: NonNull<u8>, _host: NonNull<u8>) {}
    /// Copies within the device, between places that do not overlap.
    fn copy(
        &self,
        stream: &Self::Stream,
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
    fn launch(&self, stream: &Self::Stream, kernel: &Self::Kernel, launch: &Launch<'_>) -> Result<()>;

    /// Queues a product of matrices by the vendor's library, if that computes it as described, and says whether it does; if
    /// not, nothing was done. `workspace` gives memory that work queued before it is dropped may use.
    fn multiply(
        &self,
        _stream: &Self::Stream,
        _product: &MatrixProduct<'_>,
        _workspace: &Workspace<'_>,
    ) -> Result<bool> {
        Ok(false)
    }
    /// The same for a convolution or one of its gradients.
    fn convolve(
        &self,
        _stream: &Self::Stream,
        _convolution: &Convolution<'_>,
        _workspace: &Workspace<'_>,
    ) -> Result<bool> {
        Ok(false)
    }

    /// The stream on which work goes until another is chosen.
    fn default_stream(&self) -> &Self::Stream;
    /// Another stream; a lower priority number goes first, where the device knows priorities.
    fn create_stream(&self, priority: i32) -> Result<Self::Stream>;
    /// Waits until everything on a stream is done. A fault of earlier work is reported here at the latest.
    fn synchronize(&self, stream: &Self::Stream) -> Result<()>;
    /// Marks a stream's end as it is now; `timed` where the time is to be measured.
    fn record(&self, stream: &Self::Stream, timed: bool) -> Result<Self::Event>;
    /// What is queued on `stream` from now on begins after the event.
    fn wait_event(&self, stream: &Self::Stream, event: &Self::Event) -> Result<()>;
    /// Whether everything before the event is done.
    fn is_done(&self, event: &Self::Event) -> Result<bool>;
    /// Waits for everything before the event.
    fn wait(&self, event: &Self::Event) -> Result<()>;
    /// The driver's handle of a stream; 0 where it has none that other libraries know.
    fn stream_handle(&self, _stream: &Self::Stream) -> usize {
        0
    }
    /// A stream of another library's, by the driver's handle.
    ///
    /// # Safety
    /// The handle is that of a stream, which is there as long as the result is used.
    unsafe fn foreign_stream(&self, _handle: usize) -> Result<Self::Stream> {
        Err(RusTorchError::unsupported("stream", format!("{} shares no streams", self.info().kind)))
    }
    /// The driver's handle of the device's context; 0 where it has none that other libraries know.
    fn context_handle(&self) -> Result<usize> {
        Ok(0)
    }
    /// How many bytes there are from `address` on, if they are this device's.
    ///
    /// # Safety
    /// `address` names memory of a device of this kind.
    unsafe fn extent(&self, address: NonNull<u8>) -> Result<Option<usize>>;
    /// Takes a reference to memory, which [`Self::free`] gives back.
    ///
    /// # Safety
    /// As for [`Self::extent`].
    unsafe fn retain(&self, _address: NonNull<u8>) -> Result<()> {
        let message = format!("memory of {} counts no references; keep its owner", self.info().kind);
        Err(RusTorchError::unsupported("retain", message))
    }
    /// Milliseconds between two events that were recorded with their time and are done.
    fn elapsed_time(&self, start: &Self::Event, end: &Self::Event) -> Result<f64>;
}
