//! The safetensors format: a JSON header that names tensors, and their bytes.
//! <https://github.com/huggingface/safetensors>

mod dtype;
mod export;
mod header;
mod import;
mod replace;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use export::{save, save_file};
pub use import::{ModelFile, load, load_file};

/// What a file says about itself, beside its tensors.
pub type FileMetadata = HashMap<String, String>;
