//! Drivers' libraries, opened when a device is first asked for.

use rustorch_error::{Result, RusTorchError};

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
