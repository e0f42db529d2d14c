//! The hand-written bodies of ops. A row of `crates/backend/ops/<file>.toml` has its body in the file of that name.

pub mod activation;
pub mod arithmetic;
pub mod broadcasting;
pub mod convolution;
pub mod creation;
pub mod elementwise;
pub mod indexing;
pub mod linear_algebra;
pub mod loss;
pub mod normalization;
pub mod order_statistics;
pub mod pooling;
pub mod random;
pub mod reduction_ops;
pub mod shape_ops;
pub mod softmax;
pub mod sorting;
pub mod statistical;
