//! NVIDIA's libraries of fast kernels. None is linked: each is opened when it is first wanted, and where it is not found,
//! the kernels of `rustorch-gpu` do the work.
// Calling a library is what `unsafe` is for.
#![allow(unsafe_code)]

pub mod cublaslt;
pub mod search;

pub use cublaslt::{CublasLt, Stream};
pub use search::Library;
