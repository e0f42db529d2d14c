//! Model files: PyTorch's checkpoints and safetensors, both ways.
//!
//! A format is a folder here with a type that implements [`Format`], and a line in [`registry::FORMATS`]. What a file holds is a
//! [`tree::Content`]: plain values, tensors and storages. Nothing in a file is ever run.

pub mod common;
pub mod format;
pub mod pytorch;
pub mod registry;
pub mod safetensors;
pub mod tree;

pub use common::destination::Destination;
pub use common::source::Source;
pub use format::{Format, Inspection, ReadOptions};
pub use registry::detect;
pub use tree::Content;
