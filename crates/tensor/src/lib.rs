//! Tensors: storage, layout and automatic differentiation.
//!
//! A [`Tensor`] is a handle: cloning it is cheap and names the same tensor. Ops are functions of [`ops`], written from
//! the table in `crates/backend/ops`; those that need a hand-written body have it in [`operations`].

pub mod autograd;
mod creation;
mod generated;
mod generator;
mod memory_format;
pub mod operations;
pub mod pinned;
mod placement;
mod promotion;
pub mod registry;
mod storage;
mod tensor;

pub use creation::TensorOptions;
pub use generated::ops;
pub use generator::{DEFAULT_SEED, Generator, default_generator, default_generator_of, manual_seed};
pub use memory_format::MemoryFormat;
pub use promotion::{can_cast, default_dtype, promote, result_type, set_default_dtype};
pub use rustorch_backend::{
    Buffer, Category, DType, Device, DeviceKind, Element, Layout, Scalar, Shape, parse_dtype,
};
pub use rustorch_error::{Result, RusTorchError};
pub use storage::Storage;
pub use tensor::Tensor;
