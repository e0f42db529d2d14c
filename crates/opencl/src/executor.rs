//! [`OpenClExecutor`]: one OpenCL device.

use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::ops::Range;
use std::ptr::{NonNull, null, null_mut};

use rustorch_backend::memory::fork::{Mutex, MutexGuard, OnceLock};
use rustorch_backend::{DType, DeviceInfo, DeviceKind};
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::dialect::Dialect;
use rustorch_gpu::{KernelExecutor, Launch, Limits, Transfer};

use crate::device::{ask, number, text};
use crate::dialect::OpenClC;
use crate::driver::*;
use crate::loss::Loss;
use crate::stream::{Marker, OpenClEvent, OpenClStream, queue};

/// One OpenCL device with a context and in-order queues of its own.
pub struct OpenClExecutor {
    cl: &'static OpenCl,
    device: Handle,
    context: Handle,
    default: OpenClStream,
    /// The buffer behind each address of pinned memory.
    pinned: Mutex<HashMap<NonNull<u8>, Handle>>,
    info: DeviceInfo,
    limits: Limits,
    identity: String,
    /// What the compiler is told.
    options: CString,
    /// Whether the device's memory is the host's.
    is_unified: bool,
    loss: Loss,
}

// SAFETY: OpenCL's objects may be used from any thread; kernels' arguments, which may not, are set under a lock.
unsafe impl Send for OpenClExecutor {}
// SAFETY: as above.
unsafe impl Sync for OpenClExecutor {}

/// A kernel; its arguments belong to it, so setting them and launching is one step.
pub struct OpenClKernel {
    cl: &'static OpenCl,
    kernel: Mutex<Handle>,
}

// SAFETY: the handle is used under the lock.
unsafe impl Send for OpenClKernel {}
// SAFETY: as above.
unsafe impl Sync for OpenClKernel {}

impl Drop for OpenClKernel {
    fn drop(&mut self) {
        let kernel = *self.kernel.get_mut();
        // SAFETY: the kernel is released once, by its owner.
        unsafe { (self.cl.clReleaseKernel)(kernel) };
    }
}

impl OpenClExecutor {
    /// Opens a device.
    pub(crate) fn new(cl: &'static OpenCl, platform: Handle, device: Handle) -> Result<Self> {
        let of_device = |what: cl_uint| {
            // SAFETY: the sizes and pointers are `ask`'s, which fit each other.
            ask("clGetDeviceInfo", |size, value, needed| unsafe {
                (cl.clGetDeviceInfo)(device, what, size, value, needed)
            })
        };
        // SAFETY: as above.
        let platform_version = ask("clGetPlatformInfo", |size, value, needed| unsafe {
            (cl.clGetPlatformInfo)(platform, PLATFORM_VERSION, size, value, needed)
        })?;
        let name = text(&of_device(DEVICE_NAME)?);
        let extensions = text(&of_device(DEVICE_EXTENSIONS)?);
        let driver = text(&of_device(DRIVER_VERSION)?);
        let identity =
            format!("{name}; {}; {driver}; {}", text(&of_device(DEVICE_VERSION)?), text(&platform_version));
        let limits = Limits {
            group_size: number(&of_device(DEVICE_MAX_WORK_GROUP_SIZE)?) as u32,
            groups: [u32::MAX; 3],
            shared_bytes: number(&of_device(DEVICE_LOCAL_MEM_SIZE)?) as u32,
            memory_bytes: number(&of_device(DEVICE_GLOBAL_MEM_SIZE)?),
            largest_allocation: number(&of_device(DEVICE_MAX_MEM_ALLOC_SIZE)?),
            has_f64: extensions.split(' ').any(|extension| extension == "cl_khr_fp64"),
        };
        let lacks: &[DType] = if limits.has_f64 { &[] } else { &[DType::Float64, DType::Complex128] };
        let info = DeviceInfo {
            kind: DeviceKind::OpenCl,
            name,
            parallelism: number(&of_device(DEVICE_MAX_COMPUTE_UNITS)?) as usize,
            architecture: text(&of_device(DEVICE_VERSION)?),
            memory: Some(limits.memory_bytes),
            driver: format!("{}, driver {driver}", text(&platform_version)),
            lacks: lacks.to_vec(),
            is_host: number(&of_device(DEVICE_TYPE)?) & DEVICE_TYPE_CPU != 0,
        };
        let rounding = number(&of_device(DEVICE_SINGLE_FP_CONFIG)?);
        // Random numbers are the CPU's bit for bit where divisions and square roots are rounded as IEEE 754 says.
        let rounded = rounding & FP_CORRECTLY_ROUNDED_DIVIDE_SQRT != 0;
        let exact = if rounded { " -cl-fp32-correctly-rounded-divide-sqrt" } else { "" };
        let more = std::env::var("RUSTORCH_OPENCL_OPTIONS").unwrap_or_default();
        let options = format!("-cl-std=CL1.2{exact} {more}");
        let identity = format!("{identity}; {options}");
        let options = CString::new(options)
            .map_err(|_| RusTorchError::argument("opencl", "RUSTORCH_OPENCL_OPTIONS holds a zero byte"))?;
        let mut code = SUCCESS;
        // SAFETY: one device is named, and no properties or callback.
        let context =
            unsafe { (cl.clCreateContext)(null(), 1, &raw const device, null(), null_mut(), &raw mut code) };
        check("clCreateContext", code)?;
        let default = OpenClStream { queue: queue(cl, context, device, 0)?, clock: OnceLock::new() };
        Ok(OpenClExecutor {
            cl,
            device,
            context,
            default,
            pinned: Mutex::default(),
            info,
            limits,
            identity,
            options,
            is_unified: number(&of_device(DEVICE_HOST_UNIFIED_MEMORY)?) != 0,
            loss: Loss::default(),
        })
    }

    /// The buffers behind pinned memory.
    fn pinned(&self) -> MutexGuard<'_, HashMap<NonNull<u8>, Handle>> {
        self.pinned.lock()
    }

    /// The bytes of a buffer.
    fn size(&self, buffer: NonNull<u8>) -> usize {
        let (ask, mut size) = (self.cl.clGetMemObjectInfo, 0usize);
        // SAFETY: the buffer is one of `allocate`; the size is a number of that size, and stays 0 on failure.
        unsafe {
            ask(buffer.as_ptr().cast(), MEM_SIZE, size_of::<usize>(), (&raw mut size).cast(), null_mut())
        };
        size
    }

    /// Starts what a queue has collected.
    fn flush(&self, stream: &OpenClStream) -> Result<()> {
        // SAFETY: the queue is ours.
        self.loss.check("clFlush", unsafe { (self.cl.clFlush)(stream.queue) })
    }

    /// Builds a program; what the compiler said is in the error.
    fn build(&self, name: &str, program: Handle) -> Result<()> {
        let (build, device, options) =
            (self.cl.clBuildProgram, &raw const self.device, self.options.as_ptr());
        // SAFETY: the options end with a zero; no callback.
        let code = unsafe { build(program, 1, device, options.cast(), null(), null_mut()) };
        if code == SUCCESS {
            return Ok(());
        }
        // SAFETY: the sizes and pointers are `ask`'s, which fit each other.
        let log = ask("clGetProgramBuildInfo", |size, value, needed| unsafe {
            (self.cl.clGetProgramBuildInfo)(program, self.device, PROGRAM_BUILD_LOG, size, value, needed)
        });
        let log = log.map_or_else(|_| String::new(), |log| text(&log));
        Err(RusTorchError::device(
            "compile",
            format!("the OpenCL compiler refused kernel '{name}': {}\n{log}", describe(code)),
        ))
    }
}

/// A program that is released when it goes.
struct Program<'a> {
    cl: &'a OpenCl,
    program: Handle,
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        // SAFETY: the program is released once, by its owner; kernels keep it alive as long as they need it.
        unsafe { (self.cl.clReleaseProgram)(self.program) };
    }
}

impl KernelExecutor for OpenClExecutor {
    type Kernel = OpenClKernel;
    type Stream = OpenClStream;
    type Event = OpenClEvent;

    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &OpenClC
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn allocate(&self, bytes: usize) -> Result<NonNull<u8>> {
        let mut code = SUCCESS;
        // Where memory is the host's, of a kind that is mapped without a copy.
        let flags = MEM_READ_WRITE | if self.is_unified { MEM_ALLOC_HOST_PTR } else { 0 };
        // SAFETY: the driver allocates; no memory of ours is handed over.
        let buffer =
            unsafe { (self.cl.clCreateBuffer)(self.context, flags, bytes, null_mut(), &raw mut code) };
        let refused = |reason: &str| self.out_of_memory(bytes, reason);
        if code == OUT_OF_RESOURCES {
            return Err(refused(&describe(code)));
        }
        self.loss.check_memory("clCreateBuffer", code, refused)?;
        NonNull::new(buffer.cast()).ok_or_else(|| refused("no buffer"))
    }

    unsafe fn free(&self, address: NonNull<u8>) {
        // SAFETY: the caller gives up a buffer of `allocate`; the driver keeps it until queued work is done.
        unsafe { (self.cl.clReleaseMemObject)(address.as_ptr().cast()) };
    }

    fn allocate_pinned(&self, bytes: usize) -> Result<NonNull<u8>> {
        let mut code = SUCCESS;
        let flags = MEM_READ_WRITE | MEM_ALLOC_HOST_PTR;
        // SAFETY: the driver finds the memory itself.
        let buffer =
            unsafe { (self.cl.clCreateBuffer)(self.context, flags, bytes, null_mut(), &raw mut code) };
        if code != SUCCESS {
            return Err(self.out_of_memory(bytes, &describe(code)));
        }
        let (queue, none) = (self.default.queue, null());
        // SAFETY: the whole buffer, which stays where it is in the host's memory until it is unmapped.
        let address = unsafe {
            let map = self.cl.clEnqueueMapBuffer;
            map(queue, buffer, 1, MAP_READ_WRITE, 0, bytes, 0, none, null_mut(), &raw mut code)
        };
        let Some(address) = NonNull::new(address.cast()).filter(|_| code == SUCCESS) else {
            // SAFETY: the buffer is ours alone.
            unsafe { (self.cl.clReleaseMemObject)(buffer) };
            return Err(self.out_of_memory(bytes, &describe(code)));
        };
        self.pinned().insert(address, buffer);
        Ok(address)
    }

    unsafe fn free_pinned(&self, address: NonNull<u8>) {
        let Some(buffer) = self.pinned().remove(&address) else { return };
        let (queue, start) = (self.default.queue, address.as_ptr().cast());
        // SAFETY: the caller gives up memory of `allocate_pinned`; the driver keeps the buffer until it is unmapped.
        unsafe {
            (self.cl.clEnqueueUnmapMemObject)(queue, buffer, start, 0, null(), null_mut());
            (self.cl.clReleaseMemObject)(buffer);
        }
    }

    unsafe fn write(&self, stream: &OpenClStream, transfer: &Transfer) -> Result<()> {
        let (write, (buffer, offset)) = (self.cl.clEnqueueWriteBuffer, transfer.device);
        let (buffer, wait, host) =
            (buffer.as_ptr().cast(), transfer.wait.into(), transfer.host.as_ptr().cast());
        // SAFETY: the buffer is one of `allocate`; the driver checks the range; the caller leaves the source as it is.
        let code =
            unsafe { write(stream.queue, buffer, wait, offset, transfer.bytes, host, 0, null(), null_mut()) };
        let refused = |reason: &str| self.out_of_memory(transfer.bytes, reason);
        self.loss.check_memory("clEnqueueWriteBuffer", code, refused)?;
        if transfer.wait { Ok(()) } else { self.flush(stream) }
    }

    unsafe fn read(&self, stream: &OpenClStream, transfer: &Transfer) -> Result<()> {
        let (read, (buffer, offset)) = (self.cl.clEnqueueReadBuffer, transfer.device);
        let (buffer, wait, host) =
            (buffer.as_ptr().cast(), transfer.wait.into(), transfer.host.as_ptr().cast());
        // SAFETY: as for `write`; nobody else uses the destination.
        let code =
            unsafe { read(stream.queue, buffer, wait, offset, transfer.bytes, host, 0, null(), null_mut()) };
        let refused = |reason: &str| self.out_of_memory(transfer.bytes, reason);
        self.loss.check_memory("clEnqueueReadBuffer", code, refused)?;
        if transfer.wait { Ok(()) } else { self.flush(stream) }
    }

    fn map(
        &self,
        stream: &OpenClStream,
        block: NonNull<u8>,
        range: Range<usize>,
        written: bool,
    ) -> Result<Option<NonNull<u8>>> {
        if !self.is_unified || range.is_empty() {
            return Ok(None);
        }
        let (map, none, bytes) = (self.cl.clEnqueueMapBuffer, null(), range.len());
        let (queue, block) = (stream.queue, block.as_ptr().cast());
        let flags = if written { MAP_READ_WRITE } else { MAP_READ };
        let mut code = SUCCESS;
        // SAFETY: the block is one of `allocate`; the driver checks the range, and waits for what was queued.
        let host =
            unsafe { map(queue, block, 1, flags, range.start, bytes, 0, none, null_mut(), &raw mut code) };
        self.loss.check_memory("clEnqueueMapBuffer", code, |reason| self.out_of_memory(bytes, reason))?;
        Ok(NonNull::new(host.cast()))
    }

    unsafe fn unmap(&self, stream: &OpenClStream, block: NonNull<u8>, host: NonNull<u8>) {
        let (unmap, queue) = (self.cl.clEnqueueUnmapMemObject, stream.queue);
        // SAFETY: the driver lent `host`, which the caller gives up.
        let code =
            unsafe { unmap(queue, block.as_ptr().cast(), host.as_ptr().cast(), 0, null(), null_mut()) };
        // A device that is lost is so for what comes next, which says it.
        let _ = self.loss.check("clEnqueueUnmapMemObject", code);
    }

    fn copy(
        &self,
        stream: &OpenClStream,
        source: (NonNull<u8>, usize),
        destination: (NonNull<u8>, usize),
        bytes: usize,
    ) -> Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        let (copy, queue) = (self.cl.clEnqueueCopyBuffer, stream.queue);
        let (from, to) = (source.0.as_ptr().cast(), destination.0.as_ptr().cast());
        // SAFETY: both are buffers of `allocate`; the driver checks the ranges.
        let code = unsafe { copy(queue, from, to, source.1, destination.1, bytes, 0, null(), null_mut()) };
        self.loss.check_memory("clEnqueueCopyBuffer", code, |reason| self.out_of_memory(bytes, reason))
    }

    fn compile(&self, name: &str, text: &str) -> Result<Vec<u8>> {
        let mut code = SUCCESS;
        let (create, start, length) = (self.cl.clCreateProgramWithSource, text.as_ptr(), text.len());
        // SAFETY: one text with its length.
        let program = unsafe { create(self.context, 1, &raw const start, &raw const length, &raw mut code) };
        check("clCreateProgramWithSource", code)?;
        let program = Program { cl: self.cl, program };
        self.build(name, program.program)?;
        let (tell, word, mut size) = (self.cl.clGetProgramInfo, size_of::<usize>(), 0usize);
        let place = (&raw mut size).cast();
        // SAFETY: there is one device, so one size and one pointer.
        let code = unsafe { tell(program.program, PROGRAM_BINARY_SIZES, word, place, null_mut()) };
        check("clGetProgramInfo", code)?;
        let mut binary = vec![0u8; size];
        let mut start = binary.as_mut_ptr();
        let place = (&raw mut start).cast();
        // SAFETY: as above; the vector has room for the size told.
        let code = unsafe { tell(program.program, PROGRAM_BINARIES, word, place, null_mut()) };
        check("clGetProgramInfo", code).map(|()| binary)
    }

    fn load(&self, name: &str, binary: &[u8]) -> Result<OpenClKernel> {
        let (mut code, mut status) = (SUCCESS, SUCCESS);
        let (create, device) = (self.cl.clCreateProgramWithBinary, &raw const self.device);
        let (start, length) = (binary.as_ptr(), binary.len());
        let (start, length) = (&raw const start, &raw const length);
        // SAFETY: one device, one binary with its length.
        let program =
            unsafe { create(self.context, 1, device, length, start, &raw mut status, &raw mut code) };
        check("clCreateProgramWithBinary", code)?;
        let program = Program { cl: self.cl, program };
        check("clCreateProgramWithBinary", status)?;
        self.build(name, program.program)?;
        let symbol = CString::new(name)
            .map_err(|_| RusTorchError::argument("load", "a kernel's name holds no zero byte"))?;
        // SAFETY: the name ends with a zero.
        let kernel =
            unsafe { (self.cl.clCreateKernel)(program.program, symbol.as_ptr().cast(), &raw mut code) };
        check("clCreateKernel", code)?;
        Ok(OpenClKernel { cl: self.cl, kernel: Mutex::new(kernel) })
    }

    fn launch(&self, stream: &OpenClStream, kernel: &OpenClKernel, launch: &Launch<'_>) -> Result<()> {
        let handle = kernel.kernel.lock();
        let (set, mut index) = (self.cl.clSetKernelArg, 0);
        for buffer in launch.buffers {
            let buffer: Handle = buffer.as_ptr().cast();
            // SAFETY: a buffer argument is a handle of its size.
            let code = unsafe { set(*handle, index, size_of::<Handle>(), (&raw const buffer).cast()) };
            check("clSetKernelArg", code)?;
            index += 1;
        }
        if !launch.parameters.is_empty() {
            let (start, bytes) = (launch.parameters.as_ptr().cast(), launch.parameters.len());
            // SAFETY: the bytes are the struct that the signature declares.
            let code = unsafe { set(*handle, index, bytes, start) };
            check("clSetKernelArg", code)?;
        }
        let group = launch.group.map(|n| n as usize);
        let mut global = group;
        for (size, groups) in global.iter_mut().zip(launch.groups) {
            *size *= groups as usize;
        }
        let (start, queue) = (self.cl.clEnqueueNDRangeKernel, stream.queue);
        let (sizes, none) = ((global.as_ptr(), group.as_ptr()), null());
        // SAFETY: three sizes each; all arguments are set.
        let code = unsafe { start(queue, *handle, 3, none, sizes.0, sizes.1, 0, null(), null_mut()) };
        if code == OUT_OF_RESOURCES {
            // The kernel's or the device's: a device that is lost does not finish either.
            self.synchronize(stream)?;
            return Err(failure("clEnqueueNDRangeKernel", code));
        }
        self.loss.check_memory("clEnqueueNDRangeKernel", code, |reason| {
            self.out_of_memory(launch.buffers.iter().map(|buffer| self.size(*buffer)).sum(), reason)
        })
    }

    fn default_stream(&self) -> &OpenClStream {
        &self.default
    }

    /// OpenCL 1.2 knows no priorities.
    fn create_stream(&self, _priority: i32) -> Result<OpenClStream> {
        let queue = queue(self.cl, self.context, self.device, 0)?;
        Ok(OpenClStream { queue, clock: OnceLock::new() })
    }

    fn synchronize(&self, stream: &OpenClStream) -> Result<()> {
        // SAFETY: the queue is ours.
        self.loss.check("clFinish", unsafe { (self.cl.clFinish)(stream.queue) })
    }

    fn record(&self, stream: &OpenClStream, timed: bool) -> Result<OpenClEvent> {
        let marker = Marker::new(self.cl, &self.loss, stream.queue, None)?;
        let time = if timed {
            let open = || queue(self.cl, self.context, self.device, QUEUE_PROFILING_ENABLE);
            let clock = stream.clock.get_or_init(open).clone()?;
            Some(Marker::new(self.cl, &self.loss, clock, Some(&marker))?)
        } else {
            None
        };
        Ok(OpenClEvent { marker, time })
    }

    fn wait_event(&self, stream: &OpenClStream, event: &OpenClEvent) -> Result<()> {
        let event = &raw const event.marker.event;
        // SAFETY: one event of this context.
        let code = unsafe { (self.cl.clEnqueueBarrierWithWaitList)(stream.queue, 1, event, null_mut()) };
        self.loss.check("clEnqueueBarrierWithWaitList", code)
    }

    fn is_done(&self, event: &OpenClEvent) -> Result<bool> {
        let (ask, size, mut status) = (self.cl.clGetEventInfo, size_of::<cl_int>(), 0);
        let place = (&raw mut status).cast::<c_void>();
        // SAFETY: the status is a `cl_int`, which has that size.
        let code =
            unsafe { ask(event.marker.event, EVENT_COMMAND_EXECUTION_STATUS, size, place, null_mut()) };
        self.loss.check("clGetEventInfo", code.min(status).min(0))?;
        Ok(status == 0)
    }

    fn wait(&self, event: &OpenClEvent) -> Result<()> {
        // SAFETY: one event.
        let code = unsafe { (self.cl.clWaitForEvents)(1, &raw const event.marker.event) };
        self.loss.check("clWaitForEvents", code)
    }

    fn stream_handle(&self, stream: &OpenClStream) -> usize {
        stream.queue.expose_provenance()
    }

    unsafe fn foreign_stream(&self, handle: usize) -> Result<OpenClStream> {
        let queue = std::ptr::with_exposed_provenance_mut(handle);
        Ok(OpenClStream { queue, clock: OnceLock::new() })
    }

    fn context_handle(&self) -> Result<usize> {
        Ok(self.context.expose_provenance())
    }

    unsafe fn extent(&self, address: NonNull<u8>) -> Result<Option<usize>> {
        let (mut context, mut bytes): (Handle, usize) = (null_mut(), 0);
        let buffer = address.as_ptr().cast();
        // SAFETY: the caller says that it is a memory object; both answers have the size of a word.
        unsafe {
            let ask = self.cl.clGetMemObjectInfo;
            let code = ask(buffer, MEM_CONTEXT, size_of::<Handle>(), (&raw mut context).cast(), null_mut());
            check("clGetMemObjectInfo", code)?;
            let code = ask(buffer, MEM_SIZE, size_of::<usize>(), (&raw mut bytes).cast(), null_mut());
            check("clGetMemObjectInfo", code)?;
        }
        Ok((context == self.context).then_some(bytes))
    }

    unsafe fn retain(&self, address: NonNull<u8>) -> Result<()> {
        // SAFETY: the caller says that it is a memory object.
        check("clRetainMemObject", unsafe { (self.cl.clRetainMemObject)(address.as_ptr().cast()) })
    }

    fn elapsed_time(&self, start: &OpenClEvent, end: &OpenClEvent) -> Result<f64> {
        let (Some(start), Some(end)) = (&start.time, &end.time) else {
            return Err(RusTorchError::argument("elapsed_time", "the events were recorded without a time"));
        };
        Ok((end.time()? as f64 - start.time()? as f64) / 1e6)
    }
}
