//! [`OpenClExecutor`]: one OpenCL device.

use std::ffi::{CString, c_void};
use std::ptr::{NonNull, null, null_mut};
use std::sync::Mutex;

use rustorch_backend::{DType, DeviceInfo, DeviceKind};
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::dialect::Dialect;
use rustorch_gpu::{KernelExecutor, Launch, Limits};

use crate::dialect::OpenClC;
use crate::driver::*;

/// One OpenCL device with a context and an in-order queue of its own.
pub struct OpenClExecutor {
    cl: &'static OpenCl,
    device: Handle,
    context: Handle,
    queue: Handle,
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

/// A marker in the queue.
pub struct OpenClEvent {
    cl: &'static OpenCl,
    event: Handle,
}

// SAFETY: events may be used from any thread.
unsafe impl Send for OpenClEvent {}
// SAFETY: as above.
unsafe impl Sync for OpenClEvent {}

impl Drop for OpenClEvent {
    fn drop(&mut self) {
        // SAFETY: the event is released once, by its owner.
        unsafe { (self.cl.clReleaseEvent)(self.event) };
    }
}

fn check(function: &'static str, code: cl_int) -> Result<()> {
    if code == SUCCESS { Ok(()) } else { Err(failure(function, code)) }
}

/// The devices of every platform.
pub(crate) fn handles(cl: &OpenCl) -> Result<Vec<(Handle, Handle)>> {
    let mut count = 0;
    // SAFETY: only the count is asked for.
    let code = unsafe { (cl.clGetPlatformIDs)(0, null_mut(), &raw mut count) };
    if code == PLATFORM_NOT_FOUND_KHR || count == 0 {
        return Ok(Vec::new());
    }
    check("clGetPlatformIDs", code)?;
    let mut platforms = vec![null_mut(); count as usize];
    // SAFETY: the array has room for `count` handles.
    check("clGetPlatformIDs", unsafe { (cl.clGetPlatformIDs)(count, platforms.as_mut_ptr(), null_mut()) })?;
    let mut found = Vec::new();
    for platform in platforms {
        let mut count = 0;
        // SAFETY: only the count is asked for.
        let code = unsafe { (cl.clGetDeviceIDs)(platform, DEVICE_TYPE_ALL, 0, null_mut(), &raw mut count) };
        if code == DEVICE_NOT_FOUND || count == 0 {
            continue;
        }
        check("clGetDeviceIDs", code)?;
        let mut devices = vec![null_mut(); count as usize];
        // SAFETY: the array has room for `count` handles.
        let code = unsafe {
            (cl.clGetDeviceIDs)(platform, DEVICE_TYPE_ALL, count, devices.as_mut_ptr(), null_mut())
        };
        check("clGetDeviceIDs", code)?;
        found.extend(devices.into_iter().map(|device| (platform, device)));
    }
    Ok(found)
}

/// A question of two steps: how many bytes, and which.
fn ask(
    function: &'static str,
    mut call: impl FnMut(usize, *mut c_void, *mut usize) -> cl_int,
) -> Result<Vec<u8>> {
    let mut size = 0;
    check(function, call(0, null_mut(), &raw mut size))?;
    let mut bytes = vec![0u8; size];
    check(function, call(size, bytes.as_mut_ptr().cast(), null_mut()))?;
    Ok(bytes)
}

/// Text up to the first zero.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim().to_string()
}

/// An unsigned number of 4 or 8 bytes.
fn number(bytes: &[u8]) -> u64 {
    match bytes.len() {
        4 => u64::from(u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])),
        _ => bytes.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes)),
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
        // SAFETY: the device is the context's; without properties, the queue keeps its order.
        let queue = unsafe { (cl.clCreateCommandQueue)(context, device, 0, &raw mut code) };
        check("clCreateCommandQueue", code)?;
        Ok(OpenClExecutor { cl, device, context, queue, info, limits, identity, options })
    }

    fn out_of_memory(&self, bytes: usize, code: cl_int) -> RusTorchError {
        RusTorchError::OutOfMemory {
            bytes,
            device: format!("opencl ({})", self.info.name),
            hint: format!(": {}", describe(code)),
        }
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
        NonNull::new(buffer.cast()).filter(|_| code == SUCCESS).ok_or_else(|| self.out_of_memory(bytes, code))
    }

    unsafe fn free(&self, address: NonNull<u8>) {
        // SAFETY: the caller gives up a buffer of `allocate`; the driver keeps it until queued work is done.
        unsafe { (self.cl.clReleaseMemObject)(address.as_ptr().cast()) };
    }

    fn write(&self, destination: NonNull<u8>, offset: usize, source: &[u8]) -> Result<()> {
        // SAFETY: the buffer is one of `allocate`; the driver checks the range, and is done when this returns.
        let code = unsafe {
            (self.cl.clEnqueueWriteBuffer)(
                self.queue,
                destination.as_ptr().cast(),
                1,
                offset,
                source.len(),
                source.as_ptr().cast(),
                0,
                null(),
                null_mut(),
            )
        };
        check("clEnqueueWriteBuffer", code)
    }

    fn read(&self, source: NonNull<u8>, offset: usize, destination: &mut [u8]) -> Result<()> {
        // SAFETY: as for `write`; the destination is ours alone.
        let code = unsafe {
            (self.cl.clEnqueueReadBuffer)(
                self.queue,
                source.as_ptr().cast(),
                1,
                offset,
                destination.len(),
                destination.as_mut_ptr().cast(),
                0,
                null(),
                null_mut(),
            )
        };
        check("clEnqueueReadBuffer", code)
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
        // SAFETY: both are buffers of `allocate`; the driver checks the ranges.
        let code = unsafe {
            (self.cl.clEnqueueCopyBuffer)(
                self.queue,
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

    fn launch(&self, kernel: &OpenClKernel, launch: &Launch<'_>) -> Result<()> {
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
                self.queue,
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

    fn record(&self) -> Result<OpenClEvent> {
        let mut event = null_mut();
        // SAFETY: an empty wait list waits for all that was queued.
        let code = unsafe { (self.cl.clEnqueueMarkerWithWaitList)(self.queue, 0, null(), &raw mut event) };
        check("clEnqueueMarkerWithWaitList", code)?;
        // SAFETY: the queue is ours.
        check("clFlush", unsafe { (self.cl.clFlush)(self.queue) })?;
        Ok(OpenClEvent { cl: self.cl, event })
    }

    fn is_done(&self, event: &OpenClEvent) -> Result<bool> {
        let mut status: cl_int = 0;
        // SAFETY: the status is a number of that size.
        let code = unsafe {
            (self.cl.clGetEventInfo)(
                event.event,
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
        check("clWaitForEvents", unsafe { (self.cl.clWaitForEvents)(1, &raw const event.event) })
    }

    fn synchronize(&self) -> Result<()> {
        // SAFETY: the queue is ours.
        check("clFinish", unsafe { (self.cl.clFinish)(self.queue) })
    }
}
