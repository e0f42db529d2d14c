//! NVIDIA's libraries of fast kernels. None is linked: each is opened when it is first wanted, and where it is not found,
//! the kernels of `rustorch-gpu` do the work.
// Calling a library is what `unsafe` is for.
#![allow(unsafe_code)]

mod cublaslt;
mod cudnn;
mod objects;
mod search;

use std::sync::OnceLock;

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
    matrices: OnceLock<Option<CublasLt>>,
    convolutions: OnceLock<Option<Cudnn>>,
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
    /// The library's, or that of `workspace`.
    pub fn multiply(
        &self,
        product: &MatrixProduct<'_>,
        workspace: &Workspace<'_>,
        stream: Stream,
    ) -> Result<bool> {
        match self.matrices.get_or_init(|| CublasLt::open(self.most).ok()) {
            Some(library) => library.multiply(product, workspace, stream),
            None => Ok(false),
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
        match self.convolutions.get_or_init(|| Cudnn::open(self.most).ok()) {
            Some(library) => library.convolve(convolution, workspace, stream),
            None => Ok(false),
        }
    }
}
