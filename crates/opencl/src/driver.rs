//! The functions of OpenCL that are used, and what its codes mean.
// The driver's names are kept.
#![allow(non_camel_case_types)]

use std::ffi::c_void;

use rustorch_error::{Result, RusTorchError};

pub(crate) type cl_int = i32;
pub(crate) type cl_uint = u32;
/// A platform, device, context, queue, program, kernel, event or memory object.
pub(crate) type Handle = *mut c_void;

pub(crate) const SUCCESS: cl_int = 0;
pub(crate) const DEVICE_NOT_FOUND: cl_int = -1;
pub(crate) const OUT_OF_RESOURCES: cl_int = -5;
pub(crate) const PLATFORM_NOT_FOUND_KHR: cl_int = -1001;

pub(crate) const DEVICE_TYPE_ALL: u64 = 0xFFFF_FFFF;
pub(crate) const DEVICE_TYPE_CPU: u64 = 1 << 1;
pub(crate) const MEM_READ_WRITE: u64 = 1;
pub(crate) const MEM_ALLOC_HOST_PTR: u64 = 1 << 4;
pub(crate) const MAP_READ: u64 = 1;
pub(crate) const MAP_READ_WRITE: u64 = 0b11;
pub(crate) const QUEUE_PROFILING_ENABLE: u64 = 1 << 1;

pub(crate) const PLATFORM_VERSION: cl_uint = 0x0901;
pub(crate) const DEVICE_TYPE: cl_uint = 0x1000;
pub(crate) const DEVICE_MAX_COMPUTE_UNITS: cl_uint = 0x1002;
pub(crate) const DEVICE_MAX_WORK_GROUP_SIZE: cl_uint = 0x1004;
pub(crate) const DEVICE_SINGLE_FP_CONFIG: cl_uint = 0x101B;
pub(crate) const FP_CORRECTLY_ROUNDED_DIVIDE_SQRT: u64 = 1 << 7;
pub(crate) const DEVICE_MAX_MEM_ALLOC_SIZE: cl_uint = 0x1010;
pub(crate) const DEVICE_GLOBAL_MEM_SIZE: cl_uint = 0x101F;
pub(crate) const DEVICE_LOCAL_MEM_SIZE: cl_uint = 0x1023;
pub(crate) const DEVICE_NAME: cl_uint = 0x102B;
pub(crate) const DEVICE_HOST_UNIFIED_MEMORY: cl_uint = 0x1035;
pub(crate) const DRIVER_VERSION: cl_uint = 0x102D;
pub(crate) const DEVICE_VERSION: cl_uint = 0x102F;
pub(crate) const DEVICE_EXTENSIONS: cl_uint = 0x1030;
pub(crate) const MEM_SIZE: cl_uint = 0x1102;
pub(crate) const MEM_CONTEXT: cl_uint = 0x1106;
pub(crate) const PROGRAM_BINARY_SIZES: cl_uint = 0x1165;
pub(crate) const PROGRAM_BINARIES: cl_uint = 0x1166;
pub(crate) const PROGRAM_BUILD_LOG: cl_uint = 0x1183;
pub(crate) const EVENT_COMMAND_EXECUTION_STATUS: cl_uint = 0x11D3;
pub(crate) const PROFILING_COMMAND_END: cl_uint = 0x1283;

rustorch_gpu::functions! {
    /// OpenCL 1.2.
    OpenCl {
        fn clGetPlatformIDs(cl_uint, *mut Handle, *mut cl_uint) -> cl_int;
        fn clGetPlatformInfo(Handle, cl_uint, usize, *mut c_void, *mut usize) -> cl_int;
        fn clGetDeviceIDs(Handle, u64, cl_uint, *mut Handle, *mut cl_uint) -> cl_int;
        fn clGetDeviceInfo(Handle, cl_uint, usize, *mut c_void, *mut usize) -> cl_int;
        fn clCreateContext(*const isize, cl_uint, *const Handle, *const c_void, *mut c_void, *mut cl_int) -> Handle;
        fn clCreateCommandQueue(Handle, Handle, u64, *mut cl_int) -> Handle;
        fn clCreateBuffer(Handle, u64, usize, *mut c_void, *mut cl_int) -> Handle;
        fn clGetMemObjectInfo(Handle, cl_uint, usize, *mut c_void, *mut usize) -> cl_int;
        fn clReleaseMemObject(Handle) -> cl_int;
        fn clRetainMemObject(Handle) -> cl_int;
        fn clEnqueueReadBuffer(Handle, Handle, cl_uint, usize, usize, *mut c_void, cl_uint, *const Handle, *mut Handle) -> cl_int;
        fn clEnqueueWriteBuffer(Handle, Handle, cl_uint, usize, usize, *const c_void, cl_uint, *const Handle, *mut Handle) -> cl_int;
        fn clEnqueueMapBuffer(Handle, Handle, cl_uint, u64, usize, usize, cl_uint, *const Handle, *mut Handle, *mut cl_int) -> *mut c_void;
        fn clEnqueueUnmapMemObject(Handle, Handle, *mut c_void, cl_uint, *const Handle, *mut Handle) -> cl_int;
        fn clEnqueueCopyBuffer(Handle, Handle, Handle, usize, usize, usize, cl_uint, *const Handle, *mut Handle) -> cl_int;
        fn clCreateProgramWithSource(Handle, cl_uint, *const *const u8, *const usize, *mut cl_int) -> Handle;
        fn clCreateProgramWithBinary(Handle, cl_uint, *const Handle, *const usize, *const *const u8, *mut cl_int, *mut cl_int) -> Handle;
        fn clBuildProgram(Handle, cl_uint, *const Handle, *const u8, *const c_void, *mut c_void) -> cl_int;
        fn clGetProgramInfo(Handle, cl_uint, usize, *mut c_void, *mut usize) -> cl_int;
        fn clGetProgramBuildInfo(Handle, Handle, cl_uint, usize, *mut c_void, *mut usize) -> cl_int;
        fn clReleaseProgram(Handle) -> cl_int;
        fn clCreateKernel(Handle, *const u8, *mut cl_int) -> Handle;
        fn clReleaseKernel(Handle) -> cl_int;
        fn clSetKernelArg(Handle, cl_uint, usize, *const c_void) -> cl_int;
        fn clEnqueueNDRangeKernel(Handle, Handle, cl_uint, *const usize, *const usize, *const usize, cl_uint, *const Handle, *mut Handle) -> cl_int;
        fn clEnqueueMarkerWithWaitList(Handle, cl_uint, *const Handle, *mut Handle) -> cl_int;
        fn clEnqueueBarrierWithWaitList(Handle, cl_uint, *const Handle, *mut Handle) -> cl_int;
        fn clGetEventInfo(Handle, cl_uint, usize, *mut c_void, *mut usize) -> cl_int;
        fn clGetEventProfilingInfo(Handle, cl_uint, usize, *mut c_void, *mut usize) -> cl_int;
        fn clWaitForEvents(cl_uint, *const Handle) -> cl_int;
        fn clReleaseEvent(Handle) -> cl_int;
        fn clFlush(Handle) -> cl_int;
        fn clFinish(Handle) -> cl_int;
    }
}

/// Whether a code says that memory is lacking; some drivers look for a buffer's at its first use.
pub(crate) fn is_out_of_memory(code: cl_int) -> bool {
    matches!(code, -4 | -6)
}

/// Whether a code, which is not a launch's, says that the device answers no more: work that was queued is not done.
pub(crate) fn is_lost(code: cl_int) -> bool {
    matches!(code, -2 | OUT_OF_RESOURCES | -14 | -34 | -36 | -9999)
}

/// What a code of the driver means.
pub(crate) fn describe(code: cl_int) -> String {
    let name = match code {
        -1 => "CL_DEVICE_NOT_FOUND",
        -2 => "CL_DEVICE_NOT_AVAILABLE",
        -3 => "CL_COMPILER_NOT_AVAILABLE",
        -4 => "CL_MEM_OBJECT_ALLOCATION_FAILURE",
        -5 => "CL_OUT_OF_RESOURCES",
        -6 => "CL_OUT_OF_HOST_MEMORY",
        -11 => "CL_BUILD_PROGRAM_FAILURE",
        -14 => "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST",
        -30 => "CL_INVALID_VALUE",
        -34 => "CL_INVALID_CONTEXT",
        -36 => "CL_INVALID_COMMAND_QUEUE",
        -38 => "CL_INVALID_MEM_OBJECT",
        -42 => "CL_INVALID_BINARY",
        -46 => "CL_INVALID_KERNEL_NAME",
        -51 => "CL_INVALID_ARG_SIZE",
        -52 => "CL_INVALID_KERNEL_ARGS",
        -54 => "CL_INVALID_WORK_GROUP_SIZE",
        -61 => "CL_INVALID_BUFFER_SIZE",
        _ => return format!("OpenCL error {code}"),
    };
    format!("{name} ({code})")
}

/// A failed call as an error.
pub(crate) fn failure(function: &'static str, code: cl_int) -> RusTorchError {
    RusTorchError::device(function, format!("the OpenCL driver answered {}", describe(code)))
}

/// An error if the call of `function` failed.
pub(crate) fn check(function: &'static str, code: cl_int) -> Result<()> {
    if code == SUCCESS { Ok(()) } else { Err(failure(function, code)) }
}
