//! The hand-written bodies of ops. A row of `crates/backend/ops/<file>.toml` has its body in the file of that name.

pub mod activation;
pub mod arithmetic;
pub mod broadcasting;
pub mod comparison;
pub mod convolution;
pub mod creation;
pub mod diagonals;
pub mod elementwise;
pub mod index_writing;
pub mod indexing;
pub mod linear_algebra;
pub mod loss;
pub mod normalization;
pub mod pooling;
pub mod random;
pub mod rearranging;
pub mod reduction_ops;
pub mod scatter;
pub mod shape_ops;
pub mod softmax;
pub mod splitting;
pub mod stacking;
pub mod statistical;
pub mod view_scatter;
pub mod windows;
