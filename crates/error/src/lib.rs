//! The one error type of RusTorch.
//!
//! A message names the op, what it got, and what would have worked. Python sees each variant as a class of its own
//! that is also a standard exception (see `rustorch-py`).

use thiserror::Error;

/// Everything that can go wrong in RusTorch.
#[derive(Debug, Clone, Error)]
pub enum RusTorchError {
    /// Shapes that do not fit together, or an argument whose value does not fit the shape.
    #[error("{op}: {message}")]
    ShapeMismatch {
        /// The op that was called.
        op: &'static str,
        /// What it got and what would have worked.
        message: String,
    },
    /// A dtype that the op does not take.
    #[error("{op}: {message}")]
    DType {
        /// The op that was called.
        op: &'static str,
        /// What it got and what would have worked.
        message: String,
    },
    /// An argument whose value is outside what the op takes.
    #[error("{op}: {message}")]
    InvalidArgument {
        /// The op that was called.
        op: &'static str,
        /// What it got and what would have worked.
        message: String,
    },
    /// An index or a dimension that is out of range.
    #[error("{op}: {message}")]
    IndexOutOfRange {
        /// The op that was called.
        op: &'static str,
        /// What it got and what would have worked.
        message: String,
    },
    /// Tensors on different devices, or a device that does not exist.
    #[error("{op}: {message}")]
    Device {
        /// The op that was called.
        op: &'static str,
        /// What it got and what would have worked.
        message: String,
    },
    /// A device whose library or hardware is missing on this machine.
    #[error("{op}: {message}")]
    BackendUnavailable {
        /// The op that was called.
        op: &'static str,
        /// What is missing.
        message: String,
    },
    /// A backend that does not have this op, for this dtype or at all.
    #[error("{op}: {message}")]
    Unsupported {
        /// The op that was called.
        op: &'static str,
        /// What is missing and what would work.
        message: String,
    },
    /// Memory that could not be had.
    #[error("out of memory: could not allocate {bytes} bytes on {device}{hint}")]
    OutOfMemory {
        /// How much was asked for.
        bytes: usize,
        /// Where.
        device: String,
        /// What would help, starting with a space or semicolon; may be empty.
        hint: String,
    },
    /// A rule of automatic differentiation was broken.
    #[error("{op}: {message}")]
    Autograd {
        /// The op or function that was called.
        op: &'static str,
        /// What is wrong and what would work.
        message: String,
    },
    /// A matrix for which there is no answer: singular, not positive definite.
    #[error("{op}: {message}")]
    LinearAlgebra {
        /// The op that was called.
        op: &'static str,
        /// Which matrix, and why.
        message: String,
    },
    /// A model file that is not what it claims to be.
    #[error("{message}")]
    ModelFormat {
        /// The file, where in it, and what is wrong.
        message: String,
    },
    /// The operating system refused to read or write.
    #[error("{message}")]
    Io {
        /// The file and the system's reason.
        message: String,
    },
}

/// The result of everything that can fail in RusTorch.
pub type Result<T, E = RusTorchError> = std::result::Result<T, E>;

macro_rules! constructors {
    ($($function:ident => $variant:ident, $doc:literal;)*) => {
        impl RusTorchError {
            $(
                #[doc = $doc]
                #[cold]
                pub fn $function(op: &'static str, message: impl Into<String>) -> Self {
                    Self::$variant { op, message: message.into() }
                }
            )*
        }
    };
}

constructors! {
    shape => ShapeMismatch, "Shapes that do not fit together.";
    dtype => DType, "A dtype that the op does not take.";
    argument => InvalidArgument, "An argument whose value is outside what the op takes.";
    index => IndexOutOfRange, "An index or a dimension that is out of range.";
    device => Device, "Tensors on different devices, or a device that does not exist.";
    unavailable => BackendUnavailable, "A device whose library or hardware is missing.";
    unsupported => Unsupported, "A backend that does not have this op.";
    linear_algebra => LinearAlgebra, "A matrix for which there is no answer.";
    autograd => Autograd, "A broken rule of automatic differentiation.";
}

impl RusTorchError {
    /// What the message of every error ends with that says that a device answers no more.
    pub const DEVICE_LOST: &str =
        "the device is lost to this process and what it computed may be, restart it";

    /// The message, without the op, of an error that says that a device is lost; every call on that device has the same.
    pub fn loss(&self) -> Option<&str> {
        match self {
            Self::Device { message, .. } if message.ends_with(Self::DEVICE_LOST) => Some(message),
            _ => None,
        }
    }

    /// A model file that is not what it claims to be.
    #[cold]
    pub fn model_format(message: impl Into<String>) -> Self {
        Self::ModelFormat { message: message.into() }
    }

    /// A failed read or write of `path`.
    #[cold]
    pub fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Io { message: format!("{}: {error}", path.display()) }
    }
}
