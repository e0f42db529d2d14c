//! [`OpenClExecutor`]: one OpenCL device.

use std::collections::HashMap;
use std::ffi::CString;
use std::ptr::{NonNull, null, null_mut};
use std::sync::{Mutex, OnceLock, PoisonError};

use rustorch_backend::{DType, DeviceInfo, DeviceKind};
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::dialect::Dialect;
use rustorch_gpu::{KernelExecutor, Launch, Limits, Transfer};

use crate::device::{ask, number, text};
use crate::dialect::OpenClC;
use crate::driver::*;
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
        let kernel = *self.kernel.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
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
        let pinned = Mutex::default();
        Ok(OpenClExecutor { cl, device, context, default, pinned, info, limits, identity, options })
    }

    /// The buffers behind pinned memory; should the lock be poisoned, the map is whole.
    fn pinned(&self) -> std::sync::MutexGuard<'_, HashMap<NonNull<u8>, Handle>> {
        self.pinned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts what a queue has collected.
    fn flush(&self, stream: &OpenClStream) -> Result<()> {
        // SAFETY: the queue is ours.
        check("clFlush", unsafe { (self.cl.clFlush)(stream.queue) })
    }

    /// Builds a program; what the compiler said is in the error.
    fn build(&self, name: &str, program: Handle) -> Result<()> {
        // SAFETY: the options end with a zero; no callback.
        let code = unsafe {
            (self.cl.clBuildProgram)(
                program,
                1,
                &raw const self.device,
                self.options.as_ptr().cast(),
                null(),
                null_mut(),
            )
        };
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
        // SAFETY: the buffer is the device's own memory, not the host's.
        let buffer = unsafe {
            (self.cl.clCreateBuffer)(self.context, MEM_READ_WRITE, bytes, null_mut(), &raw mut code)
        };
        NonNull::new(buffer.cast())
            .filter(|_| code == SUCCESS)
            .ok_or_else(|| self.out_of_memory(bytes, &describe(code)))
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
        check("clEnqueueWriteBuffer", code)?;
        if transfer.wait { Ok(()) } else { self.flush(stream) }
    }

    unsafe fn read(&self, stream: &OpenClStream, transfer: &Transfer) -> Result<()> {
        let (read, (buffer, offset)) = (self.cl.clEnqueueReadBuffer, transfer.device);
        let (buffer, wait, host) =
            (buffer.as_ptr().cast(), transfer.wait.into(), transfer.host.as_ptr().cast());
        // SAFETY: as for `write`; nobody else uses the destination.
        let code =
            unsafe { read(stream.queue, buffer, wait, offset, transfer.bytes, host, 0, null(), null_mut()) };
        check("clEnqueueReadBuffer", code)?;
        if transfer.wait { Ok(()) } else { self.flush(stream) }
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
        // SAFETY: both are buffers of `allocate`; the driver checks the ranges.
        let code = unsafe {
            (self.cl.clEnqueueCopyBuffer)(
                stream.queue,
                source.0.as_ptr().cast(),
                destination.0.as_ptr().cast(),
                source.1,
                destination.1,
                bytes,
                0,
                null(),
                null_mut(),
            )
        };
        check("clEnqueueCopyBuffer", code)
    }

    fn compile(&self, name: &str, text: &str) -> Result<Vec<u8>> {
        let mut code = SUCCESS;
        let (start, length) = (text.as_ptr(), text.len());
        // SAFETY: one text with its length.
        let program = unsafe {
            (self.cl.clCreateProgramWithSource)(
                self.context,
                1,
                &raw const start,
                &raw const length,
                &raw mut code,
            )
        };
        check("clCreateProgramWithSource", code)?;
        let program = Program { cl: self.cl, program };
        self.build(name, program.program)?;
        let mut size = 0usize;
        // SAFETY: there is one device, so one size and one pointer.
        let code = unsafe {
            (self.cl.clGetProgramInfo)(
                program.program,
                PROGRAM_BINARY_SIZES,
                size_of::<usize>(),
                (&raw mut size).cast(),
                null_mut(),
            )
        };
        check("clGetProgramInfo", code)?;
        let mut binary = vec![0u8; size];
        let start = binary.as_mut_ptr();
        // SAFETY: as above; the vector has room for the size told.
        let code = unsafe {
            (self.cl.clGetProgramInfo)(
                program.program,
                PROGRAM_BINARIES,
                size_of::<*mut u8>(),
                (&raw const start).cast_mut().cast(),
                null_mut(),
            )
        };
        check("clGetProgramInfo", code)?;
        Ok(binary)
    }

    fn load(&self, name: &str, binary: &[u8]) -> Result<OpenClKernel> {
        let (mut code, mut status) = (SUCCESS, SUCCESS);
        let (start, length) = (binary.as_ptr(), binary.len());
        // SAFETY: one device, one binary with its length.
        let program = unsafe {
            (self.cl.clCreateProgramWithBinary)(
                self.context,
                1,
                &raw const self.device,
                &raw const length,
                &raw const start,
                &raw mut status,
                &raw mut code,
            )
        };
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
        let handle = kernel.kernel.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut index = 0;
        for buffer in launch.buffers {
            let buffer: Handle = buffer.as_ptr().cast();
            // SAFETY: a buffer argument is a handle of its size.
            let code = unsafe {
                (self.cl.clSetKernelArg)(*handle, index, size_of::<Handle>(), (&raw const buffer).cast())
            };
            check("clSetKernelArg", code)?;
            index += 1;
        }
        if !launch.parameters.is_empty() {
            // SAFETY: the bytes are the struct that the signature declares.
            let code = unsafe {
                (self.cl.clSetKernelArg)(
                    *handle,
                    index,
                    launch.parameters.len(),
                    launch.parameters.as_ptr().cast(),
                )
            };
            check("clSetKernelArg", code)?;
        }
        let group = launch.group.map(|n| n as usize);
        let mut global = group;
        for (size, groups) in global.iter_mut().zip(launch.groups) {
            *size *= groups as usize;
        }
        // SAFETY: three sizes each; all arguments are set.
        let code = unsafe {
            (self.cl.clEnqueueNDRangeKernel)(
                stream.queue,
                *handle,
                3,
                null(),
                global.as_ptr(),
                group.as_ptr(),
                0,
                null(),
                null_mut(),
            )
        };
        check("clEnqueueNDRangeKernel", code)
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
        check("clFinish", unsafe { (self.cl.clFinish)(stream.queue) })
    }

    fn record(&self, stream: &OpenClStream, timed: bool) -> Result<OpenClEvent> {
        let marker = Marker::new(self.cl, stream.queue, None)?;
        let time = if timed {
            let open = || queue(self.cl, self.context, self.device, QUEUE_PROFILING_ENABLE);
            let clock = stream.clock.get_or_init(open).clone()?;
            Some(Marker::new(self.cl, clock, Some(&marker))?)
        } else {
            None
        };
        Ok(OpenClEvent { marker, time })
    }

    fn wait_event(&self, stream: &OpenClStream, event: &OpenClEvent) -> Result<()> {
        let event = &raw const event.marker.event;
        // SAFETY: one event of this context.
        let code = unsafe { (self.cl.clEnqueueBarrierWithWaitList)(stream.queue, 1, event, null_mut()) };
        check("clEnqueueBarrierWithWaitList", code)
    }

    fn is_done(&self, event: &OpenClEvent) -> Result<bool> {
        let mut status: cl_int = 0;
        // SAFETY: the status is a number of that size.
        let code = unsafe {
            (self.cl.clGetEventInfo)(
                event.marker.event,
                EVENT_COMMAND_EXECUTION_STATUS,
                size_of::<cl_int>(),
                (&raw mut status).cast(),
                null_mut(),
            )
        };
        check("clGetEventInfo", code)?;
        if status < 0 { Err(failure("event", status)) } else { Ok(status == 0) }
    }

    fn wait(&self, event: &OpenClEvent) -> Result<()> {
        // SAFETY: one event.
        let code = unsafe { (self.cl.clWaitForEvents)(1, &raw const event.marker.event) };
        check("clWaitForEvents", code)
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
