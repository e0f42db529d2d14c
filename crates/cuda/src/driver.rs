//! The functions of CUDA's driver that are used, and what its codes mean.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr::null;

use rustorch_error::{Result, RusTorchError};

/// What a driver's function answers.
pub(crate) type Code = c_int;
/// A context, module, function, stream or event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Handle(pub *mut c_void);

// SAFETY: it is a name, which may be used from any thread in which the context is current.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}
/// An address in the device's memory.
pub(crate) type DeviceAddress = u64;

pub(crate) const SUCCESS: Code = 0;
pub(crate) const OUT_OF_MEMORY: Code = 2;
const NOT_INITIALIZED: Code = 3;
pub(crate) const NO_DEVICE: Code = 100;
pub(crate) const NOT_READY: Code = 600;

/// The stream on which the runtime API, PyTorch and CuPy work unless they are told otherwise.
pub(crate) const LEGACY_STREAM: Handle = Handle(std::ptr::without_provenance_mut(1));
/// A place for a handle.
pub(crate) const NO_HANDLE: Handle = Handle(std::ptr::null_mut());

pub(crate) const MAX_THREADS_PER_BLOCK: c_int = 1;
/// The first of three, one for each dimension.
pub(crate) const MAX_GRID_DIM: c_int = 5;
pub(crate) const MAX_SHARED_MEMORY_PER_BLOCK: c_int = 8;
pub(crate) const MULTIPROCESSOR_COUNT: c_int = 16;
pub(crate) const COMPUTE_CAPABILITY_MAJOR: c_int = 75;
pub(crate) const COMPUTE_CAPABILITY_MINOR: c_int = 76;

pub(crate) const STREAM_NON_BLOCKING: c_uint = 1;
pub(crate) const EVENT_DISABLE_TIMING: c_uint = 2;
pub(crate) const HOST_MEMORY_PORTABLE: c_uint = 1;
pub(crate) const POINTER_MEMORY_TYPE: c_int = 2;
pub(crate) const POINTER_DEVICE_ORDINAL: c_int = 9;
pub(crate) const JIT_ERROR_LOG_BUFFER: c_int = 5;
pub(crate) const JIT_ERROR_LOG_BUFFER_SIZE: c_int = 6;

rustorch_gpu::functions! {
    /// The driver of CUDA 11.2 or later.
    Driver {
        fn cuInit(c_uint) -> Code;
        fn cuDriverGetVersion(*mut c_int) -> Code;
        fn cuGetErrorName(Code, *mut *const c_char) -> Code;
        fn cuGetErrorString(Code, *mut *const c_char) -> Code;
        fn cuDeviceGetCount(*mut c_int) -> Code;
        fn cuDeviceGet(*mut c_int, c_int) -> Code;
        fn cuDeviceGetName(*mut c_char, c_int, c_int) -> Code;
        fn cuDeviceTotalMem_v2(*mut usize, c_int) -> Code;
        fn cuDeviceGetAttribute(*mut c_int, c_int, c_int) -> Code;
        fn cuDevicePrimaryCtxRetain(*mut Handle, c_int) -> Code;
        fn cuCtxGetCurrent(*mut Handle) -> Code;
        fn cuCtxPushCurrent_v2(Handle) -> Code;
        fn cuCtxPopCurrent_v2(*mut Handle) -> Code;
        fn cuMemAlloc_v2(*mut DeviceAddress, usize) -> Code;
        fn cuMemFree_v2(DeviceAddress) -> Code;
        fn cuMemHostAlloc(*mut *mut c_void, usize, c_uint) -> Code;
        fn cuMemFreeHost(*mut c_void) -> Code;
        fn cuMemcpyHtoDAsync_v2(DeviceAddress, *const c_void, usize, Handle) -> Code;
        fn cuMemcpyDtoHAsync_v2(*mut c_void, DeviceAddress, usize, Handle) -> Code;
        fn cuMemcpyDtoDAsync_v2(DeviceAddress, DeviceAddress, usize, Handle) -> Code;
        fn cuMemGetAddressRange_v2(*mut DeviceAddress, *mut usize, DeviceAddress) -> Code;
        fn cuPointerGetAttribute(*mut c_void, c_int, DeviceAddress) -> Code;
        fn cuModuleLoadDataEx(*mut Handle, *const c_void, c_uint, *mut c_int, *mut *mut c_void) -> Code;
        fn cuModuleUnload(Handle) -> Code;
        fn cuModuleGetFunction(*mut Handle, Handle, *const c_char) -> Code;
        fn cuLaunchKernel(Handle, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, Handle, *mut *mut c_void, *mut *mut c_void) -> Code;
        fn cuStreamCreateWithPriority(*mut Handle, c_uint, c_int) -> Code;
        fn cuStreamSynchronize(Handle) -> Code;
        fn cuStreamWaitEvent(Handle, Handle, c_uint) -> Code;
        fn cuEventCreate(*mut Handle, c_uint) -> Code;
        fn cuEventRecord(Handle, Handle) -> Code;
        fn cuEventQuery(Handle) -> Code;
        fn cuEventSynchronize(Handle) -> Code;
        fn cuEventElapsedTime(*mut f32, Handle, Handle) -> Code;
        fn cuEventDestroy_v2(Handle) -> Code;
    }
}

/// Calls a function of a library, in an `unsafe` block, and makes an error of a code that is not 0.
macro_rules! call {
    ($library:expr, $function:ident $(, $argument:expr)* $(,)?) => {
        $library.check(stringify!($function), ($library.$function)($($argument),*))
    };
}
pub(crate) use call;

/// Text up to the first zero.
pub(crate) fn text(bytes: &[u8]) -> String {
    CStr::from_bytes_until_nul(bytes)
        .map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned())
}

/// Whether the code is that of a fault after which the context answers nothing else: a stray address, an illegal
/// instruction, memory that failed.
fn is_fatal(code: Code) -> bool {
    matches!(code, 214 | 220 | 226 | 700 | 702 | 710 | 714..=719 | 721)
}

impl Driver {
    /// What a code means: its name and the driver's sentence, and what can be done where that is known.
    pub(crate) fn describe(&self, code: Code) -> String {
        let ask = |function: unsafe extern "system" fn(Code, *mut *const c_char) -> Code| {
            let mut text = null();
            // SAFETY: the driver stores the address of a string that lives as long as it does, or leaves null.
            let answer = unsafe { function(code, &raw mut text) };
            if answer != SUCCESS || text.is_null() {
                return None;
            }
            // SAFETY: as above.
            Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
        };
        let name = ask(self.cuGetErrorName).unwrap_or_else(|| "an unknown code".to_string());
        let sentence = ask(self.cuGetErrorString).map_or_else(String::new, |s| format!(": {s}"));
        let advice = match code {
            NOT_INITIALIZED => {
                "a forked process cannot use CUDA, start worker processes with the method 'spawn'"
            }
            code if is_fatal(code) => RusTorchError::DEVICE_LOST,
            _ => return format!("{name} ({code}){sentence}"),
        };
        format!("{name} ({code}){sentence}; {advice}")
    }

    /// A failed call of `function` as an error.
    pub(crate) fn failure(&self, function: &'static str, code: Code) -> RusTorchError {
        RusTorchError::device(function, format!("the CUDA driver answered {}", self.describe(code)))
    }

    /// An error if the call of `function` failed.
    pub(crate) fn check(&self, function: &'static str, code: Code) -> Result<()> {
        if code == SUCCESS { Ok(()) } else { Err(self.failure(function, code)) }
    }
}
