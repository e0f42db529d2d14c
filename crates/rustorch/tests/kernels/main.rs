//! Every kernel of a device against the CPU's, on odd shapes, strides and dtypes.
//!
//! Runs on the first OpenCL device; without one the tests say so and pass.
#![allow(clippy::expect_used, clippy::print_stderr)]

mod elementwise;
mod harness;
mod reductions;
