//! Every kernel of a device against the CPU's, on odd shapes, strides and dtypes.
//!
//! Runs on the first OpenCL device, or on what `RUSTORCH_TEST_DEVICE` names. The tests are ignored unless they are asked for
//! (`cargo test --test kernels -- --ignored --skip fault_`), and then fail where there is no device.
#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod accuracy;
mod attention;
mod conv;
mod elementwise;
mod faults;
mod harness;
#[allow(unsafe_code)]
mod host_executor;
mod indexing;
mod matmul;
mod nonzero;
mod normalization;
mod pool;
mod random;
mod reductions;
mod sampling;
mod scan;
mod scatters;
mod small;
mod softmax;
mod sorting;
