//! [`MetalExecutor`]: one of Apple's GPUs.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

use objc2::rc::{Retained, autoreleasepool};
use objc2::runtime::ProtocolObject;
use objc2_foundation::NSString;
use objc2_metal::{
    MTLBlitCommandEncoder, MTLBuffer, MTLCommandBuffer, MTLCommandBufferStatus, MTLCommandEncoder,
    MTLCommandQueue, MTLCompileOptions, MTLComputeCommandEncoder, MTLComputePipelineState, MTLDevice,
    MTLEvent, MTLLanguageVersion, MTLLibrary, MTLResource, MTLResourceOptions, MTLSize,
};
use rustorch_backend::memory::fork::{Mutex, MutexGuard, OnceLock};
use rustorch_backend::{DType, DeviceInfo, DeviceKind};
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::dialect::Dialect;
use rustorch_gpu::{KernelExecutor, Launch, Limits, Transfer};

use crate::dialect::MetalLanguage;

type Device = Retained<ProtocolObject<dyn MTLDevice>>;
type Buffer = ProtocolObject<dyn MTLBuffer>;
type CommandBuffer = Retained<ProtocolObject<dyn MTLCommandBuffer>>;
type Encoder = Retained<ProtocolObject<dyn MTLComputeCommandEncoder>>;

/// Launches that go to the device together: each command buffer costs the host some microseconds.
const BATCH: usize = 64;

/// One GPU that shares the processor's memory, with queues of its own.
pub struct MetalExecutor {
    device: Device,
    default: MetalStream,
    /// The buffers whose memory was given out as pinned, by where it begins.
    pinned: Mutex<BTreeMap<NonNull<u8>, Retained<Buffer>>>,
    fault: Fault,
    info: DeviceInfo,
    limits: Limits,
    identity: String,
}

/// A queue.
pub struct MetalStream(Mutex<Queue>);

/// Commands, in order: those under way, and those that are collected for the next command buffer.
struct Queue {
    queue: Retained<ProtocolObject<dyn MTLCommandQueue>>,
    /// Rises as the queue passes the points that were marked, and how many were.
    passed: Retained<ProtocolObject<dyn MTLEvent>>,
    marked: u64,
    open: Option<(CommandBuffer, Encoder)>,
    launches: usize,
    committed: Vec<CommandBuffer>,
    fault: Fault,
}

/// The first error of a device's commands. What they were to compute is lost, so everything after it is refused, too.
type Fault = Arc<OnceLock<RusTorchError>>;

// SAFETY: devices, queues and buffers may be used from any thread; command buffers and encoders, which may not, are
// used under the lock.
unsafe impl Send for MetalExecutor {}
// SAFETY: as above.
unsafe impl Sync for MetalExecutor {}

// SAFETY: as above.
unsafe impl Send for MetalStream {}
// SAFETY: as above.
unsafe impl Sync for MetalStream {}

/// A compiled kernel.
pub struct MetalKernel(Retained<ProtocolObject<dyn MTLComputePipelineState>>);

/// The command buffer that marks a point in a queue, and what the queue's count is there.
pub struct MetalEvent {
    commands: CommandBuffer,
    passed: Retained<ProtocolObject<dyn MTLEvent>>,
    count: u64,
}

// SAFETY: a committed command buffer may be asked and waited for from any thread.
unsafe impl Send for MetalEvent {}
// SAFETY: as above.
unsafe impl Sync for MetalEvent {}

fn refused(function: &'static str, what: &str) -> RusTorchError {
    RusTorchError::device(function, format!("Metal gave no {what}"))
}

/// An error if the commands failed.
fn check(commands: &CommandBuffer) -> Result<()> {
    if commands.status() != MTLCommandBufferStatus::Error {
        return Ok(());
    }
    let reason = commands.error().map_or_else(String::new, |error| error.localizedDescription().to_string());
    let lost = RusTorchError::DEVICE_LOST;
    let message = format!("Metal could not run the queued commands: {reason}; {lost}");
    Err(RusTorchError::device("synchronize", message))
}

impl Queue {
    fn new(device: &Device, fault: Fault) -> Result<Self> {
        let queue = device.newCommandQueue().ok_or_else(|| refused("stream", "command queue"))?;
        let passed = device.newEvent().ok_or_else(|| refused("stream", "event"))?;
        Ok(Queue { queue, passed, marked: 0, open: None, launches: 0, committed: Vec::new(), fault })
    }

    fn commands(&self) -> Result<CommandBuffer> {
        self.queue.commandBuffer().ok_or_else(|| refused("queue", "command buffer"))
    }

    /// The encoder to which kernels are added.
    fn encoder(&mut self) -> Result<&Encoder> {
        if self.open.is_none() {
            let commands = self.commands()?;
            let encoder = commands.computeCommandEncoder().ok_or_else(|| refused("launch", "encoder"))?;
            self.open = Some((commands, encoder));
        }
        self.open.as_ref().map(|(_, encoder)| encoder).ok_or_else(|| refused("launch", "encoder"))
    }

    /// Sends what was collected, and forgets what is done.
    fn commit(&mut self) -> Result<()> {
        if let Some((commands, encoder)) = self.open.take() {
            encoder.endEncoding();
            self.submit(commands);
        }
        let fault = &self.fault;
        self.committed.retain(|commands| {
            if let Err(error) = check(commands) {
                fault.get_or_init(|| error);
                return false;
            }
            commands.status() != MTLCommandBufferStatus::Completed
        });
        fault.get().cloned().map_or(Ok(()), Err)
    }

    fn submit(&mut self, commands: CommandBuffer) {
        commands.commit();
        self.committed.push(commands);
        self.launches = 0;
    }

    /// Waits until everything is done; a fault of earlier commands is reported here.
    fn finish(&mut self) -> Result<()> {
        let sent = self.commit();
        if let Some(last) = self.committed.last() {
            last.waitUntilCompleted();
        }
        sent.and(self.commit())
    }
}

impl MetalExecutor {
    /// Opens a device.
    pub(crate) fn new(device: Device) -> Result<Self> {
        let fault = Fault::default();
        let default = MetalStream(Mutex::new(Queue::new(&device, fault.clone())?));
        let name = device.name().to_string();
        Ok(MetalExecutor {
            identity: name.clone(),
            info: DeviceInfo {
                kind: DeviceKind::Metal,
                name,
                // Metal does not tell; the smallest of these GPUs has 7 or 8 cores.
                parallelism: 8,
                architecture: MetalLanguage.name().to_string(),
                memory: Some(device.recommendedMaxWorkingSetSize()),
                driver: "Metal".to_string(),
                lacks: vec![DType::Float64, DType::Complex128],
                is_host: false,
            },
            limits: Limits {
                groups: [u32::MAX; 3],
                group_size: device.maxThreadsPerThreadgroup().width as u32,
                shared_bytes: device.maxThreadgroupMemoryLength() as u32,
                memory_bytes: device.recommendedMaxWorkingSetSize(),
                largest_allocation: device.maxBufferLength() as u64,
                has_f64: false,
            },
            default,
            pinned: Mutex::default(),
            fault,
            device,
        })
    }

    fn buffer(&self, bytes: usize) -> Result<Retained<Buffer>> {
        autoreleasepool(|_| {
            self.device.newBufferWithLength_options(bytes, MTLResourceOptions::StorageModeShared)
        })
        .ok_or_else(|| self.out_of_memory(bytes, ""))
    }

    fn pinned(&self) -> MutexGuard<'_, BTreeMap<NonNull<u8>, Retained<Buffer>>> {
        self.pinned.lock()
    }

    /// The buffer of pinned memory, and where in it the address is.
    fn find_pinned(&self, host: NonNull<u8>) -> Result<(Retained<Buffer>, usize)> {
        let pinned = self.pinned();
        let (start, buffer) =
            pinned.range(..=host).next_back().ok_or_else(|| refused("copy", "pinned memory"))?;
        Ok((buffer.clone(), host.addr().get() - start.addr().get()))
    }
}

impl MetalStream {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock()
    }

    /// Queues a copy from one buffer to another.
    ///
    /// # Safety
    /// Both ranges lie in their buffers.
    unsafe fn copy(&self, from: (&Buffer, usize), to: (&Buffer, usize), bytes: usize) -> Result<()> {
        autoreleasepool(|_| {
            let mut queue = self.lock();
            queue.commit()?;
            let commands = queue.commands()?;
            let encoder = commands.blitCommandEncoder().ok_or_else(|| refused("copy", "encoder"))?;
            // SAFETY: the caller's promise.
            unsafe {
                encoder.copyFromBuffer_sourceOffset_toBuffer_destinationOffset_size(
                    from.0, from.1, to.0, to.1, bytes,
                );
            }
            encoder.endEncoding();
            queue.submit(commands);
            Ok(())
        })
    }
}

/// The buffer behind an address.
///
/// # Safety
/// The address came from `allocate` and was not given back.
unsafe fn buffer<'a>(address: NonNull<u8>) -> &'a Buffer {
    // SAFETY: the caller's promise: `allocate` made the address of a buffer object.
    unsafe { address.cast().as_ref() }
}

impl KernelExecutor for MetalExecutor {
    type Kernel = MetalKernel;
    type Stream = MetalStream;
    type Event = MetalEvent;

    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &MetalLanguage
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn allocate(&self, bytes: usize) -> Result<NonNull<u8>> {
        NonNull::new(Retained::into_raw(self.buffer(bytes)?).cast())
            .ok_or_else(|| self.out_of_memory(bytes, ""))
    }

    unsafe fn free(&self, address: NonNull<u8>) {
        // SAFETY: the caller gives up a buffer of `allocate`; command buffers keep it until they are done.
        drop(unsafe { Retained::<Buffer>::from_raw(address.as_ptr().cast()) });
    }

    fn allocate_pinned(&self, bytes: usize) -> Result<NonNull<u8>> {
        let buffer = self.buffer(bytes)?;
        let start = buffer.contents().cast();
        self.pinned().insert(start, buffer);
        Ok(start)
    }

    unsafe fn free_pinned(&self, address: NonNull<u8>) {
        drop(self.pinned().remove(&address));
    }

    unsafe fn write(&self, stream: &MetalStream, transfer: &Transfer) -> Result<()> {
        let ((address, offset), bytes) = (transfer.device, transfer.bytes);
        // SAFETY: the buffer is one of `allocate`.
        let buffer = unsafe { buffer(address) };
        if !transfer.wait {
            let (pinned, from) = self.find_pinned(transfer.host)?;
            // SAFETY: the caller has checked the ranges.
            return unsafe { stream.copy((&pinned, from), (buffer, offset), bytes) };
        }
        self.synchronize(stream)?;
        // SAFETY: the buffer is shared with the processor; the caller has checked the range, and nothing is under way
        // that uses it.
        unsafe {
            let start: NonNull<u8> = buffer.contents().cast();
            transfer.host.copy_to_nonoverlapping(start.add(offset), bytes);
        }
        Ok(())
    }

    unsafe fn read(&self, stream: &MetalStream, transfer: &Transfer) -> Result<()> {
        let ((address, offset), bytes) = (transfer.device, transfer.bytes);
        // SAFETY: as for `write`.
        let buffer = unsafe { buffer(address) };
        if !transfer.wait {
            let (pinned, to) = self.find_pinned(transfer.host)?;
            // SAFETY: as for `write`.
            return unsafe { stream.copy((buffer, offset), (&pinned, to), bytes) };
        }
        self.synchronize(stream)?;
        // SAFETY: as for `write`.
        unsafe {
            let start: NonNull<u8> = buffer.contents().cast();
            start.add(offset).copy_to_nonoverlapping(transfer.host, bytes);
        }
        Ok(())
    }

    fn map(
        &self,
        stream: &MetalStream,
        block: NonNull<u8>,
        range: Range<usize>,
        _written: bool,
    ) -> Result<Option<NonNull<u8>>> {
        self.synchronize(stream)?;
        // SAFETY: the block is a buffer of `allocate`, shared with the processor; the caller has checked the range.
        Ok(Some(unsafe { buffer(block).contents().cast().add(range.start) }))
    }

    fn copy(
        &self,
        stream: &MetalStream,
        source: (NonNull<u8>, usize),
        destination: (NonNull<u8>, usize),
        bytes: usize,
    ) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        // SAFETY: both are buffers of `allocate`, and the caller has checked the ranges.
        unsafe { stream.copy((buffer(source.0), source.1), (buffer(destination.0), destination.1), bytes) }
    }

    /// Metal loads texts, and keeps what it makes of them in a cache of the system's: the text is the program.
    fn compile(&self, _name: &str, text: &str) -> Result<Vec<u8>> {
        Ok(text.as_bytes().to_vec())
    }

    fn load(&self, name: &str, binary: &[u8]) -> Result<MetalKernel> {
        let text = std::str::from_utf8(binary)
            .map_err(|error| RusTorchError::argument("load", format!("a kernel's text is UTF-8: {error}")))?;
        autoreleasepool(|_| {
            let refuse = |reason: &str| {
                RusTorchError::device(
                    "compile",
                    format!("Metal's compiler refused kernel '{name}':\n{reason}"),
                )
            };
            let options = MTLCompileOptions::new();
            // NaN, infinity and signed zero are numbers of PyTorch's.
            #[allow(deprecated, reason = "what comes in its place exists from macOS 15 on")]
            options.setFastMathEnabled(false);
            options.setLanguageVersion(MTLLanguageVersion::Version2_3);
            let library = self
                .device
                .newLibraryWithSource_options_error(&NSString::from_str(text), Some(&options))
                .map_err(|error| refuse(&error.localizedDescription().to_string()))?;
            let function = library
                .newFunctionWithName(&NSString::from_str(name))
                .ok_or_else(|| refuse("the text has no kernel of this name"))?;
            self.device
                .newComputePipelineStateWithFunction_error(&function)
                .map(MetalKernel)
                .map_err(|error| refuse(&error.localizedDescription().to_string()))
        })
    }

    fn launch(&self, stream: &MetalStream, kernel: &MetalKernel, launch: &Launch<'_>) -> Result<()> {
        let size = |[width, height, depth]: [u32; 3]| MTLSize {
            width: width as usize,
            height: height as usize,
            depth: depth as usize,
        };
        autoreleasepool(|_| {
            let mut queue = stream.lock();
            let encoder = queue.encoder()?;
            encoder.setComputePipelineState(&kernel.0);
            for (index, &address) in launch.buffers.iter().enumerate() {
                // SAFETY: a buffer of `allocate`, which the kernel's signature has at this place.
                unsafe { encoder.setBuffer_offset_atIndex(Some(buffer(address)), 0, index) };
            }
            if !launch.parameters.is_empty() {
                let start: NonNull<c_void> = NonNull::from(launch.parameters).cast();
                // SAFETY: the bytes are the struct of the signature; Metal copies them.
                unsafe {
                    encoder.setBytes_length_atIndex(start, launch.parameters.len(), launch.buffers.len());
                }
            }
            encoder.dispatchThreadgroups_threadsPerThreadgroup(size(launch.groups), size(launch.group));
            queue.launches += 1;
            if queue.launches >= BATCH { queue.commit() } else { Ok(()) }
        })
    }

    fn default_stream(&self) -> &MetalStream {
        &self.default
    }

    /// Metal's queues have no priorities.
    fn create_stream(&self, _priority: i32) -> Result<MetalStream> {
        Queue::new(&self.device, self.fault.clone()).map(|queue| MetalStream(Mutex::new(queue)))
    }

    fn synchronize(&self, stream: &MetalStream) -> Result<()> {
        autoreleasepool(|_| stream.lock().finish())
    }

    /// The time is that of the command buffer.
    fn record(&self, stream: &MetalStream, _timed: bool) -> Result<MetalEvent> {
        autoreleasepool(|_| {
            let mut queue = stream.lock();
            queue.commit()?;
            let commands = queue.commands()?;
            queue.marked += 1;
            let (passed, count) = (queue.passed.clone(), queue.marked);
            commands.encodeSignalEvent_value(&passed, count);
            queue.submit(commands.clone());
            Ok(MetalEvent { commands, passed, count })
        })
    }

    fn wait_event(&self, stream: &MetalStream, event: &MetalEvent) -> Result<()> {
        autoreleasepool(|_| {
            let mut queue = stream.lock();
            queue.commit()?;
            let commands = queue.commands()?;
            commands.encodeWaitForEvent_value(&event.passed, event.count);
            queue.submit(commands);
            Ok(())
        })
    }

    fn is_done(&self, event: &MetalEvent) -> Result<bool> {
        check(&event.commands)?;
        Ok(event.commands.status() == MTLCommandBufferStatus::Completed)
    }

    fn wait(&self, event: &MetalEvent) -> Result<()> {
        autoreleasepool(|_| event.commands.waitUntilCompleted());
        check(&event.commands)
    }

    unsafe fn extent(&self, address: NonNull<u8>) -> Result<Option<usize>> {
        // SAFETY: the caller says that it is a buffer.
        let buffer = unsafe { buffer(address) };
        Ok((*buffer.device() == *self.device).then(|| buffer.length()))
    }

    unsafe fn retain(&self, address: NonNull<u8>) -> Result<()> {
        // SAFETY: as above; `free` gives the reference back.
        let owned = unsafe { Retained::<Buffer>::retain(address.as_ptr().cast()) };
        let _ = owned.map(Retained::into_raw);
        Ok(())
    }

    fn elapsed_time(&self, start: &MetalEvent, end: &MetalEvent) -> Result<f64> {
        self.wait(start)?;
        self.wait(end)?;
        Ok((end.commands.GPUEndTime() - start.commands.GPUEndTime()) * 1e3)
    }
}
