//! Which devices there are, and what they are.

use std::ffi::c_void;
use std::ptr::null_mut;

use rustorch_error::Result;

use crate::driver::*;

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
pub(crate) fn ask(
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
pub(crate) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim().to_string()
}

/// An unsigned number of 4 or 8 bytes.
pub(crate) fn number(bytes: &[u8]) -> u64 {
    match bytes.len() {
        4 => u64::from(u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])),
        _ => bytes.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes)),
    }
}
