//! The hand-written bodies of ops. A row of `crates/backend/ops/<file>.toml` has its body in the file of that name.

pub mod activation;
pub mod arithmetic;
pub mod broadcasting;
pub mod combinatorics;
pub mod convolution;
pub mod creation;
pub mod differences;
pub mod dropout;
pub mod elementwise;
pub mod embedding;
pub mod histograms;
pub mod indexing;
pub mod linear_algebra;
pub mod loss;
pub mod margin_loss;
pub mod normalization;
pub mod order_statistics;
pub mod pooling;
pub mod random;
pub mod reduction_ops;
pub mod regression_loss;
pub mod searching;
pub mod shape_ops;
pub mod softmax;
pub mod sorting;
pub mod statistical;
