//! `ComputeBackend` on the CPU: vectors of every width ([`simd`]), the kernels, and one thread pool ([`threads`]).
// Kernels read and write raw memory and run instructions that only some machines have; each block says why it may.
#![allow(unsafe_code)]

mod backend;
mod kernels;
pub mod simd;
pub mod threads;

pub use backend::CpuBackend;
