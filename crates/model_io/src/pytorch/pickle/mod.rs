//! Pickles of every protocol, read by a machine that only makes plain data: [`machine`] runs the opcodes, [`globals`] lists the
//! names that a file may use, [`call`], [`tensors`] and [`arrays`] are what those names do.

mod arrays;
mod call;
mod globals;
mod input;
mod machine;
mod opcodes;
mod strings;
mod tensors;

use std::collections::{HashMap, HashSet};

use crate::common::conversion::ElementType;
use crate::common::validation::Placement;

pub use input::Input;
pub use machine::{Machine, Unpickled};

/// What a machine does with names that are not on its list.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Names that the caller vouches for: `module.name`.
    pub allowed: HashSet<String>,
    /// Whether any other name is kept as a name, for a file that is only looked at. Nothing is made of it.
    pub keep_unknown: bool,
}

/// A storage as a pickle names it.
#[derive(Debug, Clone)]
pub struct StorageSpec {
    /// The name of its record.
    pub key: String,
    /// The dtype of its elements; `None` for bytes.
    pub element: Option<ElementType>,
    /// How many bytes it has.
    pub bytes: u64,
    /// On which device it was.
    pub location: String,
}

/// A tensor as a pickle describes it.
#[derive(Debug, Clone)]
pub struct TensorSpec {
    /// Which storage.
    pub storage: u32,
    /// The part of the storage that the tensor's offset counts from.
    pub window: (u64, u64),
    /// The dtype of its elements.
    pub element: ElementType,
    /// How its elements lie there.
    pub placement: Placement,
    /// Whether the elements' imaginary parts are to be negated.
    pub conjugated: bool,
    /// Whether the elements are to be negated.
    pub negated: bool,
    /// On which device it is to be, where the file says so of the tensor and not of its storage.
    pub device: Option<String>,
}

/// What persistent ids mean.
#[derive(Debug, Clone, Default)]
pub enum Persistent {
    /// Nothing.
    #[default]
    None,
    /// Descriptions of storages.
    Storages,
    /// Numbers of tensors that were read before.
    Tensors(HashMap<i64, u32>),
}
