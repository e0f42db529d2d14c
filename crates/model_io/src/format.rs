//! What a format of model files is.

use std::collections::{BTreeMap, HashSet};

use rustorch_error::Result;

use crate::common::destination::Destination;
use crate::common::output::Output;
use crate::common::source::Source;
use crate::tree::Content;

/// How a file is read.
pub struct ReadOptions<'a> {
    /// Names of classes that the caller vouches for: `module.name`. What they make is left to the caller.
    pub allowed: HashSet<String>,
    /// Whether objects of unknown classes become plain data: a module its state and its tree of modules.
    pub as_state: bool,
    /// Where tensors go to.
    pub destination: Destination<'a>,
}

impl Default for ReadOptions<'_> {
    fn default() -> Self {
        ReadOptions { allowed: HashSet::new(), as_state: false, destination: Destination::Saved }
    }
}

/// A tensor as a file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorEntry {
    /// Its name: the keys that lead to it, with dots between them.
    pub name: String,
    /// The dtype of its elements.
    pub dtype: String,
    /// Its sizes.
    pub shape: Vec<u64>,
}

/// What a file holds, without its tensors' numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The tensors in order.
    pub tensors: Vec<TensorEntry>,
    /// Names that the file would have had run, which are not on the list of what is known.
    pub names: Vec<String>,
    /// What the file says about itself.
    pub metadata: BTreeMap<String, String>,
}

/// A format of model files.
pub trait Format: Sync {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Whether a file that begins with `start` is in this format.
    fn recognizes(&self, source: &Source<'_>, start: &[u8]) -> bool;

    /// What a file holds.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    fn read(&self, source: &Source<'_>, options: &mut ReadOptions<'_>) -> Result<Content>;

    /// Writes a file, front to back.
    ///
    /// # Errors
    /// The format does not have what is to be written.
    fn write(&self, content: &Content, to: &mut Output<'_>) -> Result<()>;

    /// What a file holds, without its tensors' numbers.
    fn inspect(&self, source: &Source<'_>) -> Result<Inspection>;
}
