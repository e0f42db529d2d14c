//! Model files: safetensors, both ways.

pub mod safetensors;
