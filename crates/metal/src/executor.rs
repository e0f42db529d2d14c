//! [`MetalExecutor`]: one of Apple's GPUs.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use objc2::rc::{Retained, autoreleasepool};
use objc2::runtime::ProtocolObject;
use objc2_foundation::NSString;
use objc2_metal::{
    MTLBlitCommandEncoder, MTLBuffer, MTLCommandBuffer, MTLCommandBufferStatus, MTLCommandEncoder,
    MTLCommandQueue, MTLCompileOptions, MTLComputeCommandEncoder, MTLComputePipelineState, MTLDevice,
    MTLLanguageVersion, MTLLibrary, MTLResourceOptions, MTLSize,
};
use rustorch_backend::{DType, DeviceInfo, DeviceKind};
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::dialect::Dialect;
use rustorch_gpu::{KernelExecutor, Launch, Limits};

use crate::dialect::MetalLanguage;

type Device = Retained<ProtocolObject<dyn MTLDevice>>;
type Buffer = ProtocolObject<dyn MTLBuffer>;
type CommandBuffer = Retained<ProtocolObject<dyn MTLCommandBuffer>>;
type Encoder = Retained<ProtocolObject<dyn MTLComputeCommandEncoder>>;

/// Launches that go to the device together: each command buffer costs the host some microseconds.
const BATCH: usize = 64;

/// One GPU that shares the processor's memory, with a queue of its own.
pub struct MetalExecutor {
    device: Device,
    queue: Mutex<Queue>,
    info: DeviceInfo,
    limits: Limits,
    identity: String,
}

/// Commands, in order: those under way, and those that are collected for the next command buffer.
struct Queue {
    queue: Retained<ProtocolObject<dyn MTLCommandQueue>>,
    open: Option<(CommandBuffer, Encoder)>,
    launches: usize,
    committed: Vec<CommandBuffer>,
}

// SAFETY: devices, queues and buffers may be used from any thread; command buffers and encoders, which may not, are
// used under the lock.
unsafe impl Send for MetalExecutor {}
// SAFETY: as above.
unsafe impl Sync for MetalExecutor {}

/// A compiled kernel.
pub struct MetalKernel(Retained<ProtocolObject<dyn MTLComputePipelineState>>);

/// The last command buffer before a point in the queue; none when nothing was under way.
pub struct MetalEvent(Option<CommandBuffer>);

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
    Err(RusTorchError::device("synchronize", format!("Metal could not run the queued commands: {reason}")))
}

impl Queue {
    /// The encoder to which kernels are added.
    fn encoder(&mut self) -> Result<&Encoder> {
        if self.open.is_none() {
            let commands = self.queue.commandBuffer().ok_or_else(|| refused("launch", "command buffer"))?;
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
        let mut result = Ok(());
        self.committed.retain(|commands| {
            if let Err(error) = check(commands) {
                result = Err(error);
                return false;
            }
            commands.status() != MTLCommandBufferStatus::Completed
        });
        result
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
        let queue = device.newCommandQueue().ok_or_else(|| refused("device", "command queue"))?;
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
            queue: Mutex::new(Queue { queue, open: None, launches: 0, committed: Vec::new() }),
            device,
        })
    }

    /// No code panics while it holds the lock; should it be poisoned all the same, the queue is whole.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
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
        let buffer = autoreleasepool(|_| {
            self.device.newBufferWithLength_options(bytes, MTLResourceOptions::StorageModeShared)
        });
        let out_of_memory = || RusTorchError::OutOfMemory {
            bytes,
            device: format!("metal ({})", self.info.name),
            hint: String::new(),
        };
        let buffer = buffer.ok_or_else(out_of_memory)?;
        NonNull::new(Retained::into_raw(buffer).cast()).ok_or_else(out_of_memory)
    }

    unsafe fn free(&self, address: NonNull<u8>) {
        // SAFETY: the caller gives up a buffer of `allocate`; command buffers keep it until they are done.
        drop(unsafe { Retained::<Buffer>::from_raw(address.as_ptr().cast()) });
    }

    fn write(&self, destination: NonNull<u8>, offset: usize, source: &[u8]) -> Result<()> {
        autoreleasepool(|_| self.lock().finish())?;
        // SAFETY: the buffer is one of `allocate`, shared with the processor; the caller has checked the range, and
        // nothing is under way that uses it.
        unsafe {
            let start: NonNull<u8> = buffer(destination).contents().cast();
            start.add(offset).as_ptr().copy_from_nonoverlapping(source.as_ptr(), source.len());
        }
        Ok(())
    }

    fn read(&self, source: NonNull<u8>, offset: usize, destination: &mut [u8]) -> Result<()> {
        autoreleasepool(|_| self.lock().finish())?;
        // SAFETY: as for `write`.
        unsafe {
            let start: NonNull<u8> = buffer(source).contents().cast();
            start.add(offset).as_ptr().copy_to_nonoverlapping(destination.as_mut_ptr(), destination.len());
        }
        Ok(())
    }

    fn copy(
        &self,
        source: (NonNull<u8>, usize),
        destination: (NonNull<u8>, usize),
        bytes: usize,
    ) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        autoreleasepool(|_| {
            let mut queue = self.lock();
            queue.commit()?;
            let commands = queue.queue.commandBuffer().ok_or_else(|| refused("copy", "command buffer"))?;
            let encoder = commands.blitCommandEncoder().ok_or_else(|| refused("copy", "encoder"))?;
            // SAFETY: both are buffers of `allocate`, and the caller has checked the ranges.
            unsafe {
                encoder.copyFromBuffer_sourceOffset_toBuffer_destinationOffset_size(
                    buffer(source.0),
                    source.1,
                    buffer(destination.0),
                    destination.1,
                    bytes,
                );
            }
            encoder.endEncoding();
            queue.submit(commands);
            Ok(())
        })
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

    fn launch(&self, kernel: &MetalKernel, launch: &Launch<'_>) -> Result<()> {
        let size = |[width, height, depth]: [u32; 3]| MTLSize {
            width: width as usize,
            height: height as usize,
            depth: depth as usize,
        };
        autoreleasepool(|_| {
            let mut queue = self.lock();
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

    fn record(&self) -> Result<MetalEvent> {
        autoreleasepool(|_| {
            let mut queue = self.lock();
            queue.commit()?;
            Ok(MetalEvent(queue.committed.last().cloned()))
        })
    }

    fn is_done(&self, event: &MetalEvent) -> Result<bool> {
        let Some(commands) = &event.0 else { return Ok(true) };
        check(commands)?;
        Ok(commands.status() == MTLCommandBufferStatus::Completed)
    }

    fn wait(&self, event: &MetalEvent) -> Result<()> {
        let Some(commands) = &event.0 else { return Ok(()) };
        autoreleasepool(|_| commands.waitUntilCompleted());
        check(commands)
    }

    fn synchronize(&self) -> Result<()> {
        autoreleasepool(|_| self.lock().finish())
    }
}
