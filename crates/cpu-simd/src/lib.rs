//! `ComputeBackend` on the CPU: the kernels, over the vectors of [`rustorch_simd`], and one thread pool ([`threads`]).
// Kernels read and write raw memory and run instructions that only some machines have; each block says why it may.
#![allow(unsafe_code)]
// Memory travels as bytes; every buffer is aligned for the widest vector, so for every element.
#![allow(clippy::cast_ptr_alignment)]
// A kernel has the signature of the trait's method, also where it cannot fail.
#![allow(clippy::unnecessary_wraps)]

mod backend;
mod kernels;
pub mod threads;

pub use backend::CpuBackend;
