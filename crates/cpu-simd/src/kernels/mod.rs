//! The kernels: a file or folder per family of operations.

pub mod attention;
pub mod conv;
pub mod copy;
pub mod ctc;
mod dense;
pub mod fourier;
pub mod index;
pub mod linalg;
pub mod map;
pub mod matmul;
pub mod normalization;
mod number;
pub mod pool;
pub mod random;
pub mod reduce;
pub mod resample;
mod rowwise;
#[cfg(test)]
mod samples;
pub mod scan;
pub mod softmax;
pub mod sort;
mod walk;
pub mod weighted_gather;
