//! [`CudaExecutor`]: one NVIDIA device.

use std::ffi::{CString, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

use rustorch_backend::memory::fork::OnceLock;
use rustorch_backend::{DeviceInfo, DeviceKind};
use rustorch_cuda_libraries::{Libraries, Stream};
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::dialect::Dialect;
use rustorch_gpu::{
    Convolution, EmbeddedPrograms, KernelExecutor, Launch, Limits, MatrixProduct, Transfer, Workspace,
};
use smallvec::SmallVec;

use crate::dialect::CudaC;
use crate::driver::*;
use crate::nvrtc::Nvrtc;

static PTX: EmbeddedPrograms = EmbeddedPrograms(include_bytes!("../ptx/kernels.ptx.zst"));

/// CUDA's version of the oldest driver that takes that PTX, and the oldest compute capability.
const PTX_NEEDS: (c_int, u32) = (12_040, 70);

/// One NVIDIA device, with the context that CUDA's runtime API uses too.
///
/// The default stream is the legacy one. That is where PyTorch and CuPy work unless they are told otherwise, so memory
/// that is exchanged with them is ordered without an event; and streams of others that are not created as non-blocking
/// wait for it by themselves. Other streams are non-blocking, as PyTorch's are.
pub struct CudaExecutor {
    driver: &'static Driver,
    /// Its place among the driver's devices, and the driver's name of it.
    ordinal: c_int,
    device: c_int,
    info: DeviceInfo,
    limits: Limits,
    identity: String,
    capability: u32,
    /// The driver's version, 12040 for 12.4.
    version: c_int,
    /// Made when the device is first used: it takes hundreds of megabytes there.
    context: OnceLock<Result<Handle>>,
    compiler: OnceLock<Result<Nvrtc>>,
    libraries: Libraries,
}

/// Something of the driver's.
struct Object {
    driver: &'static Driver,
    context: Handle,
    handle: Handle,
    destroy: unsafe extern "system" fn(Handle) -> Code,
}

impl Drop for Object {
    fn drop(&mut self) {
        if let Ok(_current) = Current::new(self.driver, self.context) {
            // SAFETY: the object goes once, with its owner.
            unsafe { (self.destroy)(self.handle) };
        }
    }
}

/// A kernel and the module that holds it.
pub struct CudaKernel {
    _module: Object,
    function: Handle,
}

/// A stream of the driver's.
pub struct CudaStream(Handle);

/// A point in a stream.
pub struct CudaEvent(Object);

/// Makes a context current in this thread as long as it lives. What another library made current is so again afterwards:
/// for the runtime API, that is its current device.
struct Current {
    pushed: Option<&'static Driver>,
    /// It stays in its thread.
    thread: PhantomData<*const ()>,
}

impl Current {
    fn new(driver: &'static Driver, context: Handle) -> Result<Current> {
        let mut current = NO_HANDLE;
        // SAFETY: a place for the context.
        unsafe { call!(driver, cuCtxGetCurrent, &raw mut current) }?;
        if current == context {
            return Ok(Current { pushed: None, thread: PhantomData });
        }
        // SAFETY: the context is a device's primary one, which is never given back.
        unsafe { call!(driver, cuCtxPushCurrent_v2, context) }?;
        Ok(Current { pushed: Some(driver), thread: PhantomData })
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        if let Some(driver) = self.pushed {
            let mut context = NO_HANDLE;
            // SAFETY: pops what `new` pushed in this thread: the guard cannot leave it.
            unsafe { (driver.cuCtxPopCurrent_v2)(&raw mut context) };
        }
    }
}

/// The number of devices; 0 when the driver sees none.
pub(crate) fn count(driver: &Driver) -> Result<c_int> {
    // SAFETY: 0 is the only flag there is.
    let code = unsafe { (driver.cuInit)(0) };
    if code == NO_DEVICE {
        return Ok(0);
    }
    if code != SUCCESS {
        let reason = format!("its driver does not start: {}", driver.describe(code));
        return Err(RusTorchError::unavailable("cuda", reason));
    }
    let mut count = 0;
    // SAFETY: a place for a number.
    unsafe { call!(driver, cuDeviceGetCount, &raw mut count) }?;
    Ok(count)
}

impl CudaExecutor {
    /// Describes the `index`-th device; it is opened when it is first used.
    pub(crate) fn new(driver: &'static Driver, index: c_int) -> Result<Self> {
        let (mut device, mut version, mut memory) = (0, 0, 0usize);
        let mut name = [0u8; 256];
        // SAFETY: a place for a number.
        unsafe { call!(driver, cuDeviceGet, &raw mut device, index) }?;
        // SAFETY: the array is as long as it says.
        unsafe { call!(driver, cuDeviceGetName, name.as_mut_ptr().cast(), name.len() as c_int, device) }?;
        // SAFETY: a place for a number.
        unsafe { call!(driver, cuDriverGetVersion, &raw mut version) }?;
        // SAFETY: as above.
        unsafe { call!(driver, cuDeviceTotalMem_v2, &raw mut memory, device) }?;
        let attribute = |what: c_int| {
            let mut value = 0;
            // SAFETY: as above.
            unsafe { call!(driver, cuDeviceGetAttribute, &raw mut value, what, device) }
                .map(|()| value as u32)
        };
        let name = text(&name);
        let capability = attribute(COMPUTE_CAPABILITY_MAJOR)? * 10 + attribute(COMPUTE_CAPABILITY_MINOR)?;
        Ok(CudaExecutor {
            driver,
            ordinal: index,
            device,
            identity: format!("{name}; sm_{capability}; driver {version}"),
            info: DeviceInfo {
                kind: DeviceKind::Cuda,
                name,
                parallelism: attribute(MULTIPROCESSOR_COUNT)? as usize,
                architecture: format!("sm_{capability}"),
                memory: Some(memory as u64),
                driver: format!("CUDA {}.{}", version / 1000, version % 1000 / 10),
                lacks: Vec::new(),
                is_host: false,
            },
            limits: Limits {
                group_size: attribute(MAX_THREADS_PER_BLOCK)?,
                groups: [
                    attribute(MAX_GRID_DIM)?,
                    attribute(MAX_GRID_DIM + 1)?,
                    attribute(MAX_GRID_DIM + 2)?,
                ],
                shared_bytes: attribute(MAX_SHARED_MEMORY_PER_BLOCK)?,
                memory_bytes: memory as u64,
                largest_allocation: memory as u64,
                has_f64: true,
            },
            capability,
            version,
            context: OnceLock::new(),
            compiler: OnceLock::new(),
            libraries: Libraries::new(version / 1000),
        })
    }

    /// The device's compute capability, 90 for 9.0.
    pub fn capability(&self) -> u32 {
        self.capability
    }

    fn context(&self) -> Result<Handle> {
        let retain = || {
            let mut context = NO_HANDLE;
            // SAFETY: a place for the context.
            unsafe { call!(self.driver, cuDevicePrimaryCtxRetain, &raw mut context, self.device) }
                .map(|()| context)
        };
        self.context.get_or_init(retain).clone()
    }

    fn enter(&self) -> Result<Current> {
        Current::new(self.driver, self.context()?)
    }

    /// An owner for something of the driver's.
    fn object(&self, handle: Handle, destroy: unsafe extern "system" fn(Handle) -> Code) -> Result<Object> {
        Ok(Object { driver: self.driver, context: self.context()?, handle, destroy })
    }

    /// The address that the call of `function` gave, of `bytes` bytes.
    fn allocated(
        &self,
        function: &'static str,
        code: Code,
        address: usize,
        bytes: usize,
    ) -> Result<NonNull<u8>> {
        let address = NonNull::new(std::ptr::with_exposed_provenance_mut(address));
        match (code, address) {
            (SUCCESS, Some(address)) => Ok(address),
            (SUCCESS | OUT_OF_MEMORY, _) => {
                Err(self.out_of_memory(bytes, &self.driver.describe(OUT_OF_MEMORY)))
            }
            _ => Err(self.driver.failure(function, code)),
        }
    }

    /// What the driver says of memory; `None` of memory that it does not know.
    fn ask_pointer(&self, what: c_int, address: usize) -> Option<c_int> {
        let mut answer: c_int = -1;
        let place = (&raw mut answer).cast();
        // SAFETY: the answer is a number of that size; memory that the driver does not know is an error.
        let code = unsafe { (self.driver.cuPointerGetAttribute)(place, what, address as DeviceAddress) };
        (code == SUCCESS).then_some(answer)
    }
}

/// An address as the driver counts.
fn device_address(address: NonNull<u8>, offset: usize) -> DeviceAddress {
    (address.as_ptr().expose_provenance() + offset) as DeviceAddress
}

impl KernelExecutor for CudaExecutor {
    type Kernel = CudaKernel;
    type Stream = CudaStream;
    type Event = CudaEvent;

    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &CudaC
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn allocate(&self, bytes: usize) -> Result<NonNull<u8>> {
        let _current = self.enter()?;
        let mut address: DeviceAddress = 0;
        // The pool above recycles blocks, so the driver's own pool would save nothing; and not all that other libraries
        // do with memory (sharing it between processes) works with that.
        // SAFETY: a place for the address.
        let code = unsafe { (self.driver.cuMemAlloc_v2)(&raw mut address, bytes) };
        self.allocated("cuMemAlloc", code, address as usize, bytes)
    }

    unsafe fn free(&self, address: NonNull<u8>) {
        let Ok(_current) = self.enter() else { return };
        // SAFETY: the caller gives up memory of `allocate`; no work uses it any more.
        unsafe { (self.driver.cuMemFree_v2)(device_address(address, 0)) };
    }

    fn allocate_pinned(&self, bytes: usize) -> Result<NonNull<u8>> {
        let _current = self.enter()?;
        let mut address = null_mut();
        // SAFETY: a place for the address.
        let code = unsafe { (self.driver.cuMemHostAlloc)(&raw mut address, bytes, HOST_MEMORY_PORTABLE) };
        self.allocated("cuMemHostAlloc", code, address.expose_provenance(), bytes)
    }

    unsafe fn free_pinned(&self, address: NonNull<u8>) {
        let Ok(_current) = self.enter() else { return };
        // SAFETY: the caller gives up memory of `allocate_pinned`; no work uses it any more.
        unsafe { (self.driver.cuMemFreeHost)(address.as_ptr().cast()) };
    }

    unsafe fn write(&self, stream: &CudaStream, transfer: &Transfer) -> Result<()> {
        let _current = self.enter()?;
        let to = device_address(transfer.device.0, transfer.device.1);
        let (from, bytes) = (transfer.host.as_ptr().cast_const(), transfer.bytes);
        // SAFETY: the caller leaves the source as it is.
        unsafe { call!(self.driver, cuMemcpyHtoDAsync_v2, to, from.cast(), bytes, stream.0) }?;
        // Memory that the driver does not know is pageable, and has been read by now.
        let is_pinned = || self.ask_pointer(POINTER_MEMORY_TYPE, from.expose_provenance()).is_some();
        if transfer.wait && is_pinned() { self.synchronize(stream) } else { Ok(()) }
    }

    unsafe fn read(&self, stream: &CudaStream, transfer: &Transfer) -> Result<()> {
        let _current = self.enter()?;
        let from = device_address(transfer.device.0, transfer.device.1);
        let (to, bytes) = (transfer.host.as_ptr().cast(), transfer.bytes);
        // SAFETY: nobody else uses the destination.
        unsafe { call!(self.driver, cuMemcpyDtoHAsync_v2, to, from, bytes, stream.0) }?;
        if transfer.wait { self.synchronize(stream) } else { Ok(()) }
    }

    fn copy(
        &self,
        stream: &CudaStream,
        source: (NonNull<u8>, usize),
        destination: (NonNull<u8>, usize),
        bytes: usize,
    ) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        let _current = self.enter()?;
        let (from, to) = (device_address(source.0, source.1), device_address(destination.0, destination.1));
        // SAFETY: the caller has checked the ranges.
        unsafe { call!(self.driver, cuMemcpyDtoDAsync_v2, to, from, bytes, stream.0) }
    }

    fn embedded(&self, text: &str) -> Option<Vec<u8>> {
        let (version, capability) = PTX_NEEDS;
        if self.version >= version && self.capability >= capability { PTX.find(text) } else { None }
    }

    fn compile(&self, name: &str, text: &str) -> Result<Vec<u8>> {
        match self.compiler.get_or_init(|| Nvrtc::open(self.version / 1000)) {
            Ok(compiler) => compiler.compile(name, text, compiler.target(self.capability)?),
            Err(error) => Err(error.clone()),
        }
    }

    fn load(&self, name: &str, binary: &[u8]) -> Result<CudaKernel> {
        let _current = self.enter()?;
        // The driver reads whole words, and PTX up to a zero.
        let word = |bytes: &[u8]| u64::from_ne_bytes(std::array::from_fn(|i| bytes.get(i).map_or(0, |&b| b)));
        let image: Vec<u64> = binary.chunks(8).map(word).chain([0]).collect();
        let mut log = vec![0u8; 4096];
        let mut options = [JIT_ERROR_LOG_BUFFER, JIT_ERROR_LOG_BUFFER_SIZE];
        let mut values: [*mut c_void; 2] =
            [log.as_mut_ptr().cast(), std::ptr::without_provenance_mut(log.len())];
        let (mut module, mut function) = (NO_HANDLE, NO_HANDLE);
        let (start, names, values) = (image.as_ptr().cast(), options.as_mut_ptr(), values.as_mut_ptr());
        // SAFETY: two options with their values; the image ends with a zero.
        let code = unsafe { (self.driver.cuModuleLoadDataEx)(&raw mut module, start, 2, names, values) };
        if code != SUCCESS {
            let (answer, log) = (self.driver.describe(code), text(&log));
            let message = format!("the CUDA driver refused kernel '{name}': {answer}\n{log}");
            return Err(RusTorchError::device("load", message));
        }
        let owned = self.object(module, self.driver.cuModuleUnload)?;
        let symbol = CString::new(name)
            .map_err(|_| RusTorchError::argument("load", "a kernel's name holds no zero byte"))?;
        // SAFETY: the name ends with a zero.
        unsafe { call!(self.driver, cuModuleGetFunction, &raw mut function, module, symbol.as_ptr()) }?;
        Ok(CudaKernel { _module: owned, function })
    }

    fn launch(&self, stream: &CudaStream, kernel: &CudaKernel, launch: &Launch<'_>) -> Result<()> {
        let [x, y, z] = launch.groups;
        let _current = self.enter()?;
        let mut addresses: SmallVec<[DeviceAddress; 8]> =
            launch.buffers.iter().map(|&buffer| device_address(buffer, 0)).collect();
        let mut arguments: SmallVec<[*mut c_void; 9]> =
            addresses.iter_mut().map(|address| std::ptr::from_mut(address).cast()).collect();
        if !launch.parameters.is_empty() {
            arguments.push(launch.parameters.as_ptr().cast_mut().cast());
        }
        let ([w, h, d], function, arguments) = (launch.group, kernel.function, arguments.as_mut_ptr());
        let (cu, stream) = (self.driver, stream.0);
        // SAFETY: the arguments are those of the signature, and the driver copies them before it returns.
        unsafe { call!(cu, cuLaunchKernel, function, x, y, z, w, h, d, 0, stream, arguments, null_mut()) }
    }

    fn multiply(
        &self,
        stream: &CudaStream,
        product: &MatrixProduct<'_>,
        workspace: &Workspace<'_>,
    ) -> Result<bool> {
        let _current = self.enter()?;
        // SAFETY: it is a stream of this context, which is current.
        self.libraries.multiply(product, workspace, unsafe { Stream::new(stream.0.0) })
    }

    fn convolve(
        &self,
        stream: &CudaStream,
        convolution: &Convolution<'_>,
        workspace: &Workspace<'_>,
    ) -> Result<bool> {
        let _current = self.enter()?;
        // SAFETY: as above.
        self.libraries.convolve(convolution, workspace, unsafe { Stream::new(stream.0.0) })
    }

    fn default_stream(&self) -> &CudaStream {
        &CudaStream(LEGACY_STREAM)
    }

    fn create_stream(&self, priority: i32) -> Result<CudaStream> {
        let _current = self.enter()?;
        let mut stream = NO_HANDLE;
        // SAFETY: a place for the stream; the driver takes the nearest priority that it has.
        unsafe {
            call!(self.driver, cuStreamCreateWithPriority, &raw mut stream, STREAM_NON_BLOCKING, priority)
        }?;
        Ok(CudaStream(stream))
    }

    fn synchronize(&self, stream: &CudaStream) -> Result<()> {
        let _current = self.enter()?;
        // SAFETY: the context is current.
        unsafe { call!(self.driver, cuStreamSynchronize, stream.0) }
    }

    fn record(&self, stream: &CudaStream, timed: bool) -> Result<CudaEvent> {
        let _current = self.enter()?;
        let (mut event, flags) = (NO_HANDLE, if timed { 0 } else { EVENT_DISABLE_TIMING });
        // SAFETY: a place for the event.
        unsafe { call!(self.driver, cuEventCreate, &raw mut event, flags) }?;
        let owned = self.object(event, self.driver.cuEventDestroy_v2)?;
        // SAFETY: the event is of the current context.
        unsafe { call!(self.driver, cuEventRecord, event, stream.0) }?;
        Ok(CudaEvent(owned))
    }

    fn wait_event(&self, stream: &CudaStream, event: &CudaEvent) -> Result<()> {
        let _current = self.enter()?;
        // SAFETY: the event is alive, and the driver keeps it until the stream has waited; 0 is the only flag.
        unsafe { call!(self.driver, cuStreamWaitEvent, stream.0, event.0.handle, 0) }
    }

    fn is_done(&self, event: &CudaEvent) -> Result<bool> {
        let _current = self.enter()?;
        // SAFETY: the event is alive.
        match unsafe { (self.driver.cuEventQuery)(event.0.handle) } {
            NOT_READY => Ok(false),
            code => self.driver.check("cuEventQuery", code).map(|()| true),
        }
    }

    fn wait(&self, event: &CudaEvent) -> Result<()> {
        let _current = self.enter()?;
        // SAFETY: the event is alive.
        unsafe { call!(self.driver, cuEventSynchronize, event.0.handle) }
    }

    fn stream_handle(&self, stream: &CudaStream) -> usize {
        stream.0.0.expose_provenance()
    }

    unsafe fn foreign_stream(&self, handle: usize) -> Result<CudaStream> {
        Ok(CudaStream(Handle(std::ptr::with_exposed_provenance_mut(handle))))
    }

    unsafe fn extent(&self, address: NonNull<u8>) -> Result<Option<usize>> {
        let _current = self.enter()?;
        let (address, mut start, mut bytes) = (device_address(address, 0), 0, 0usize);
        if self.ask_pointer(POINTER_DEVICE_ORDINAL, address as usize) != Some(self.ordinal) {
            return Ok(None);
        }
        // SAFETY: places for two numbers.
        unsafe { call!(self.driver, cuMemGetAddressRange_v2, &raw mut start, &raw mut bytes, address) }?;
        Ok(Some(bytes - (address - start) as usize))
    }

    fn elapsed_time(&self, start: &CudaEvent, end: &CudaEvent) -> Result<f64> {
        let _current = self.enter()?;
        let mut milliseconds = 0.0f32;
        let (start, end) = (start.0.handle, end.0.handle);
        // SAFETY: a place for the number; both events are alive.
        unsafe { call!(self.driver, cuEventElapsedTime, &raw mut milliseconds, start, end) }?;
        Ok(f64::from(milliseconds))
    }
}
