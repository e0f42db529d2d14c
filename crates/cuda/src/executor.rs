//! [`CudaExecutor`]: one NVIDIA device.

use std::ffi::{CStr, CString, c_int, c_uint, c_void};
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};
use std::sync::OnceLock;

use rustorch_backend::{DeviceInfo, DeviceKind};
use rustorch_cuda_libraries::{Libraries, Stream};
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::dialect::Dialect;
use rustorch_gpu::{Convolution, KernelExecutor, Launch, Limits, MatrixProduct, VendorLibrary, Workspace};
use smallvec::SmallVec;

use crate::dialect::CudaC;
use crate::driver::*;
use crate::embedded;
use crate::nvrtc::Nvrtc;

// SAFETY: it is a stream of every context.
const LEGACY: Stream = unsafe { Stream::new(LEGACY_STREAM) };

/// One NVIDIA device, with the context that CUDA's runtime API uses too.
///
/// All work goes to the legacy default stream. That is where PyTorch and CuPy work unless they are told otherwise, so
/// memory that is exchanged with them is ordered without an event; and streams of others that are not created as
/// non-blocking wait for it by themselves.
pub struct CudaExecutor {
    driver: &'static Driver,
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

// SAFETY: the driver's objects may be used from any thread in which the context is current, which `enter` sees to.
unsafe impl Send for CudaExecutor {}
// SAFETY: as above.
unsafe impl Sync for CudaExecutor {}

/// A kernel and the module that holds it.
pub struct CudaKernel {
    driver: &'static Driver,
    context: Handle,
    module: Handle,
    function: Handle,
}

// SAFETY: functions may be launched from any thread in which the context is current.
unsafe impl Send for CudaKernel {}
// SAFETY: as above.
unsafe impl Sync for CudaKernel {}

impl Drop for CudaKernel {
    fn drop(&mut self) {
        if let Ok(_current) = Current::new(self.driver, self.context) {
            // SAFETY: the module is unloaded once, by its owner.
            unsafe { (self.driver.cuModuleUnload)(self.module) };
        }
    }
}

/// A point in the stream.
pub struct CudaEvent {
    driver: &'static Driver,
    context: Handle,
    event: Handle,
}

// SAFETY: events may be used from any thread.
unsafe impl Send for CudaEvent {}
// SAFETY: as above.
unsafe impl Sync for CudaEvent {}

impl Drop for CudaEvent {
    fn drop(&mut self) {
        if let Ok(_current) = Current::new(self.driver, self.context) {
            // SAFETY: the event is destroyed once, by its owner.
            unsafe { (self.driver.cuEventDestroy_v2)(self.event) };
        }
    }
}

/// Makes a context current in this thread as long as it lives. What another library made current is so again afterwards:
/// for the runtime API, that is its current device.
struct Current {
    pushed: Option<&'static Driver>,
    /// It stays in its thread.
    thread: PhantomData<*const ()>,
}

impl Current {
    fn new(driver: &'static Driver, context: Handle) -> Result<Current> {
        let mut current = null_mut();
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
            let mut context = null_mut();
            // SAFETY: pops what `new` pushed in this thread: the guard cannot leave it.
            unsafe { (driver.cuCtxPopCurrent_v2)(&raw mut context) };
        }
    }
}

/// Text up to the first zero.
pub(crate) fn text(bytes: &[u8]) -> String {
    CStr::from_bytes_until_nul(bytes)
        .map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned())
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
            let mut context = null_mut();
            // SAFETY: a place for the context.
            unsafe { call!(self.driver, cuDevicePrimaryCtxRetain, &raw mut context, self.device) }
                .map(|()| context)
        };
        self.context.get_or_init(retain).clone()
    }

    fn enter(&self) -> Result<Current> {
        Current::new(self.driver, self.context()?)
    }

    fn wait_for_stream(&self) -> Result<()> {
        // SAFETY: the context is current.
        unsafe { call!(self.driver, cuStreamSynchronize, LEGACY_STREAM) }
    }

    /// Whether the driver knows this host memory, so that it copies from there at its own time.
    fn is_pinned(&self, source: &[u8]) -> bool {
        let mut kind: c_uint = 0;
        // SAFETY: the answer is a number of that size; memory that the driver does not know is an error.
        let code = unsafe {
            (self.driver.cuPointerGetAttribute)(
                (&raw mut kind).cast(),
                POINTER_MEMORY_TYPE,
                source.as_ptr().expose_provenance() as DeviceAddress,
            )
        };
        code == SUCCESS
    }
}

impl VendorLibrary for CudaExecutor {
    fn multiply(&self, product: &MatrixProduct<'_>, workspace: &Workspace<'_>) -> Result<bool> {
        let _current = self.enter()?;
        self.libraries.multiply(product, workspace, LEGACY)
    }

    fn convolve(&self, convolution: &Convolution<'_>, workspace: &Workspace<'_>) -> Result<bool> {
        let _current = self.enter()?;
        self.libraries.convolve(convolution, workspace, LEGACY)
    }
}

/// An address as the driver counts.
fn device_address(address: NonNull<u8>, offset: usize) -> DeviceAddress {
    (address.as_ptr().expose_provenance() + offset) as DeviceAddress
}

impl KernelExecutor for CudaExecutor {
    type Kernel = CudaKernel;
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
        let out_of_memory = || RusTorchError::OutOfMemory {
            bytes,
            device: format!("cuda ({})", self.info.name),
            hint: format!(": {}", self.driver.describe(OUT_OF_MEMORY)),
        };
        if code == OUT_OF_MEMORY {
            return Err(out_of_memory());
        }
        self.driver.check("cuMemAlloc", code)?;
        NonNull::new(std::ptr::with_exposed_provenance_mut(address as usize)).ok_or_else(out_of_memory)
    }

    unsafe fn free(&self, address: NonNull<u8>) {
        let Ok(_current) = self.enter() else { return };
        // A failure here is that of earlier work, and the next call reports it.
        let _ = self.wait_for_stream();
        // SAFETY: the caller gives up memory of `allocate`; no work uses it any more.
        unsafe { (self.driver.cuMemFree_v2)(device_address(address, 0)) };
    }

    fn write(&self, destination: NonNull<u8>, offset: usize, source: &[u8]) -> Result<()> {
        let _current = self.enter()?;
        let address = device_address(destination, offset);
        let (start, bytes) = (source.as_ptr().cast(), source.len());
        // SAFETY: the caller has checked the range. Pageable memory has been read when this returns.
        unsafe { call!(self.driver, cuMemcpyHtoDAsync_v2, address, start, bytes, LEGACY_STREAM) }?;
        if self.is_pinned(source) { self.wait_for_stream() } else { Ok(()) }
    }

    fn read(&self, source: NonNull<u8>, offset: usize, destination: &mut [u8]) -> Result<()> {
        let _current = self.enter()?;
        let address = device_address(source, offset);
        let (start, bytes) = (destination.as_mut_ptr().cast(), destination.len());
        // SAFETY: the caller has checked the range; the destination is ours alone until the stream has been waited for.
        unsafe { call!(self.driver, cuMemcpyDtoHAsync_v2, start, address, bytes, LEGACY_STREAM) }?;
        self.wait_for_stream()
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
        let _current = self.enter()?;
        let (from, to) = (device_address(source.0, source.1), device_address(destination.0, destination.1));
        // SAFETY: the caller has checked the ranges.
        unsafe { call!(self.driver, cuMemcpyDtoDAsync_v2, to, from, bytes, LEGACY_STREAM) }
    }

    fn embedded(&self, text: &str) -> Option<Vec<u8>> {
        let (version, capability) = embedded::NEEDS;
        if self.version >= version && self.capability >= capability { embedded::ptx(text) } else { None }
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
        let (mut module, mut function) = (null_mut(), null_mut());
        let (start, names, values) = (image.as_ptr().cast(), options.as_mut_ptr(), values.as_mut_ptr());
        // SAFETY: two options with their values; the image ends with a zero.
        let code = unsafe { (self.driver.cuModuleLoadDataEx)(&raw mut module, start, 2, names, values) };
        if code != SUCCESS {
            let (answer, log) = (self.driver.describe(code), text(&log));
            let message = format!("the CUDA driver refused kernel '{name}': {answer}\n{log}");
            return Err(RusTorchError::device("load", message));
        }
        let mut kernel = CudaKernel { driver: self.driver, context: self.context()?, module, function };
        let symbol = CString::new(name)
            .map_err(|_| RusTorchError::argument("load", "a kernel's name holds no zero byte"))?;
        // SAFETY: the name ends with a zero.
        unsafe { call!(self.driver, cuModuleGetFunction, &raw mut function, module, symbol.as_ptr()) }?;
        kernel.function = function;
        Ok(kernel)
    }

    fn launch(&self, kernel: &CudaKernel, launch: &Launch<'_>) -> Result<()> {
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
        let (cu, stream) = (self.driver, LEGACY_STREAM);
        // SAFETY: the arguments are those of the signature, and the driver copies them before it returns.
        unsafe { call!(cu, cuLaunchKernel, function, x, y, z, w, h, d, 0, stream, arguments, null_mut()) }
    }

    fn vendor_library(&self) -> Option<&dyn VendorLibrary> {
        Some(self)
    }

    fn record(&self) -> Result<CudaEvent> {
        let _current = self.enter()?;
        let mut event = null_mut();
        // SAFETY: a place for the event.
        unsafe { call!(self.driver, cuEventCreate, &raw mut event, EVENT_DISABLE_TIMING) }?;
        let event = CudaEvent { driver: self.driver, context: self.context()?, event };
        // SAFETY: the event is of the current context.
        unsafe { call!(self.driver, cuEventRecord, event.event, LEGACY_STREAM) }?;
        Ok(event)
    }

    fn is_done(&self, event: &CudaEvent) -> Result<bool> {
        let _current = self.enter()?;
        // SAFETY: the event is alive.
        match unsafe { (self.driver.cuEventQuery)(event.event) } {
            NOT_READY => Ok(false),
            code => self.driver.check("cuEventQuery", code).map(|()| true),
        }
    }

    fn wait(&self, event: &CudaEvent) -> Result<()> {
        let _current = self.enter()?;
        // SAFETY: the event is alive.
        unsafe { call!(self.driver, cuEventSynchronize, event.event) }
    }

    fn synchronize(&self) -> Result<()> {
        let _current = self.enter()?;
        self.wait_for_stream()
    }
}
