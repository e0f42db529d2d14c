//! Apple's GPUs: a `KernelExecutor` over Metal on macOS, and everywhere the dialect of its kernels, so that their texts
//! are tested on any machine.

mod dialect;
// Calling Objective-C and sharing memory with a device is what `unsafe` is for.
#[cfg(target_os = "macos")]
mod devices;
#[cfg(target_os = "macos")]
#[allow(unsafe_code)]
mod executor;

pub use dialect::MetalLanguage;

#[cfg(target_os = "macos")]
pub use devices::{backends, devices};
#[cfg(target_os = "macos")]
pub use executor::MetalExecutor;
