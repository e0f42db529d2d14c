//! NVIDIA's libraries of fast kernels. None is linked: each is opened when it is first wanted, and where it is not found,
//! the kernels of `rustorch-gpu` do the work.
// Calling a library is what `unsafe` is for.
#![allow(unsafe_code)]

mod cublaslt;
mod cudnn;
mod objects;
mod search;

use rustorch_backend::memory::fork::OnceLock;
use rustorch_error::Result;
use rustorch_gpu::{Convolution, MatrixProduct, Workspace};

pub use objects::Stream;
pub use search::Library;

use cublaslt::CublasLt;
use cudnn::Cudnn;

/// The libraries of one device, each opened when it is first wanted, if it is there.
pub struct Libraries {
    /// The version of CUDA that the driver has.
    most: i32,
    matrices: OnceLock<Result<Option<CublasLt>>>,
    convolutions: OnceLock<Result<Option<Cudnn>>>,
}

/// What was opened; nothing where the library is not there, unless a variable names its file.
fn if_there<T>(library: &Library, opened: Result<T>) -> Result<Option<T>> {
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if library.is_named() => Err(error),
        Err(_) => Ok(None),
    }
}

impl Libraries {
    /// Libraries that work with a driver of CUDA `most`.
    pub fn new(most: i32) -> Self {
        Libraries { most, matrices: OnceLock::new(), convolutions: OnceLock::new() }
    }

    /// Queues a product on `stream`, if a library computes it; the device's context is current. `workspace` gives memory
    /// that work queued before it is dropped may use.
    ///
    /// # Errors
    /// The library's, or that of `workspace`; or the file that a variable names cannot be opened.
    pub fn multiply(
        &self,
        product: &MatrixProduct<'_>,
        workspace: &Workspace<'_>,
        stream: Stream,
    ) -> Result<bool> {
        match self.matrices.get_or_init(|| if_there(&cublaslt::LIBRARY, CublasLt::open(self.most))) {
            Ok(Some(library)) => library.multiply(product, workspace, stream),
            Ok(None) => Ok(false),
            Err(error) => Err(error.clone()),
        }
    }

    /// As [`Self::multiply`], for a convolution or one of its gradients.
    ///
    /// # Errors
    /// As there.
    pub fn convolve(
        &self,
        convolution: &Convolution<'_>,
        workspace: &Workspace<'_>,
        stream: Stream,
    ) -> Result<bool> {
        match self.convolutions.get_or_init(|| if_there(&cudnn::LIBRARY, Cudnn::open(self.most))) {
            Ok(Some(library)) => library.convolve(convolution, workspace, stream),
            Ok(None) => Ok(false),
            Err(error) => Err(error.clone()),
        }
    }
}
