//! Every kernel of a device against the CPU's, on odd shapes, strides and dtypes.
//!
//! Runs on the first OpenCL device, or on what `RUSTORCH_TEST_DEVICE` names; without one the tests say so and pass.
#![allow(clippy::expect_used, clippy::print_stderr)]

mod attention;
mod conv;
mod elementwise;
mod harness;
mod matmul;
mod pool;
mod accuracy;
mod elementwise;
mod harness;
#[allow(unsafe_code)]
mod host_executor;
mod reductions;
mod sampling;
mod indexing;
mod random;
mod reductions;
mod scatters;
mod sorting;
mod nonzero;
mod norm;
mod reductions;
mod scan;
mod softmax;
