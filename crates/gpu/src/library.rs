//! Drivers' libraries and the devices behind them, looked for when one is first asked for.

use std::path::{Path, PathBuf};

use rustorch_backend::ComputeBackend;
use rustorch_backend::memory::fork::OnceLock;
use rustorch_error::{Result, RusTorchError};

use crate::backend::GpuBackend;
use crate::executor::KernelExecutor;

/// The devices of one kind.
pub struct Devices<E: KernelExecutor> {
    detect: fn() -> Result<Vec<E>>,
    found: OnceLock<Result<Vec<&'static GpuBackend<E>>>>,
}

impl<E: KernelExecutor> Devices<E> {
    /// What `detect` will find when it is first called for.
    pub const fn new(detect: fn() -> Result<Vec<E>>) -> Self {
        Devices { detect, found: OnceLock::new() }
    }

    /// The devices of this machine.
    ///
    /// # Errors
    /// What went wrong when they were looked for.
    pub fn get(&self) -> Result<&[&'static GpuBackend<E>]> {
        let look = || Ok((self.detect)()?.into_iter().map(GpuBackend::new).collect());
        self.found.get_or_init(look).as_ref().map(Vec::as_slice).map_err(RusTorchError::clone)
    }

    /// [`Self::get`] as backends.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn backends(&self) -> Result<Vec<&'static dyn ComputeBackend>> {
        Ok(self.get()?.iter().map(|&device| device as &dyn ComputeBackend).collect())
    }
}

/// Opens the first of `names` that there is.
///
/// # Errors
/// `BackendUnavailable`, naming what is missing.
pub fn open_library(device: &'static str, names: &[&str]) -> Result<libloading::Library> {
    let mut reason = String::new();
    for name in names {
        // SAFETY: a driver's library is opened as every program that uses the device does; its initialisers are trusted.
        match unsafe { libloading::Library::new(name) } {
            Ok(library) => return Ok(library),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(RusTorchError::unavailable(device, format!("none of {} could be opened: {reason}", names.join(", "))))
}

/// The folders named site-packages from which this process has loaded a library, as Python does with NumPy's.
pub fn site_packages() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for path in maps.lines().filter_map(|line| line.find('/').map(|start| Path::new(&line[start..]))) {
        let found = path.ancestors().find(|a| a.ends_with("site-packages") || a.ends_with("dist-packages"));
        if let Some(folder) = found.filter(|folder| !folders.iter().any(|known| known == folder)) {
            folders.push(folder.to_path_buf());
        }
    }
    folders
}

/// A struct of a library's functions: `functions! { Name { fn symbol(args) -> Result; } }` with `Name::load(Library)`.
#[macro_export]
macro_rules! functions {
    ($(#[$doc:meta])* $name:ident { $(fn $function:ident($($argument:ty),* $(,)?) -> $result:ty;)* }) => {
        $(#[$doc])*
        #[allow(non_snake_case)]
        pub(crate) struct $name {
            $(pub(crate) $function: unsafe extern "system" fn($($argument),*) -> $result,)*
            _library: libloading::Library,
        }

        #[allow(non_snake_case)]
        impl $name {
            /// Finds every function.
            pub(crate) fn load(
                device: &'static str,
                library: libloading::Library,
            ) -> rustorch_error::Result<Self> {
                $(
                    // SAFETY: the symbol is the library's documented function of this type.
                    let $function = unsafe {
                        library.get::<unsafe extern "system" fn($($argument),*) -> $result>(
                            concat!(stringify!($function), "\0").as_bytes(),
                        )
                    };
                    let $function = match $function {
                        Ok(symbol) => *symbol,
                        Err(error) => {
                            return Err(rustorch_error::RusTorchError::unavailable(
                                device,
                                format!("its library lacks {}: {error}", stringify!($function)),
                            ));
                        }
                    };
                )*
                Ok($name { $($function,)* _library: library })
            }
        }
    };
}
