//! Writing.

use std::path::Path;

use rustorch_backend::memory::reserve;
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Tensor, ops};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::{FileMetadata, dtype};
use crate::common::output::Output;
use crate::common::replace::replace_file;

/// A tensor as the format names it. Its bytes leave the device when they are written, so that only one tensor's bytes are held at
/// a time.
struct Entry<'a> {
    name: &'a str,
    tensor: &'a Tensor,
    dtype: Dtype,
}

impl Entry<'_> {
    /// How many bytes the elements have; as many as no memory holds where the number is larger than any.
    fn size(&self) -> usize {
        self.tensor.numel().saturating_mul(self.tensor.dtype().size())
    }

    /// The elements in row-major order.
    fn dense(&self) -> Result<Tensor> {
        let detached = self.tensor.detach();
        if detached.is_contiguous() { Ok(detached) } else { ops::clone(&detached) }
    }
}

/// What is written, in the order of the format's own writer, or why it cannot be.
fn entries<'a>(op: &'static str, tensors: &'a [(String, Tensor)]) -> Result<Vec<Entry<'a>>> {
    // Short: one per tensor saved.
    let mut names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some((name, _)) = names.iter().zip(&names[1.min(names.len())..]).find(|(a, b)| a == b) {
        return Err(RusTorchError::argument(op, format!("two tensors have the name '{name}'")));
    }
    if names.contains(&"__metadata__") {
        return Err(RusTorchError::argument(op, "the format reserves the name '__metadata__'"));
    }
    let entry = |(name, tensor): &'a (String, Tensor)| {
        Ok(Entry { name, tensor, dtype: dtype::to_format(name, tensor.dtype())? })
    };
    // Short: one per tensor saved.
    let mut entries = tensors.iter().map(entry).collect::<Result<Vec<_>>>()?;
    entries.sort_by(|a, b| b.dtype.cmp(&a.dtype).then(a.name.cmp(b.name)));
    Ok(entries)
}

/// The header's length and the header, padded so that the tensors behind it are aligned.
fn header(entries: &[Entry<'_>], metadata: Option<FileMetadata>) -> Result<Vec<u8>> {
    let fail = |error: &dyn std::fmt::Display| RusTorchError::model_format(format!("save: {error}"));
    let mut end = 0_usize;
    let infos = entries.iter().map(|entry| {
        let start = end;
        end = end.saturating_add(entry.size());
        let shape = entry.tensor.shape().to_vec();
        (entry.name.to_owned(), TensorInfo { dtype: entry.dtype, shape, data_offsets: (start, end) })
    });
    let described = Metadata::new(metadata, infos.collect()).map_err(|error| fail(&error))?;
    let mut text = serde_json::to_string(&described).map_err(|error| fail(&error))?;
    while !text.len().is_multiple_of(size_of::<u64>()) {
        text.push(' ');
    }
    Ok([&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat())
}

/// Writes a file with these tensors, one after the other.
pub(super) fn write(
    op: &'static str,
    tensors: &[(String, Tensor)],
    metadata: Option<FileMetadata>,
    to: &mut Output<'_>,
) -> Result<()> {
    let entries = entries(op, tensors)?;
    to.bytes(&header(&entries, metadata)?)?;
    for entry in &entries {
        let dense = entry.dense()?;
        to.storage(dense.storage(), dense.layout().offset() * dense.dtype().size(), entry.size())?;
    }
    Ok(())
}

/// The bytes of a file with these tensors.
pub fn save(tensors: &[(String, Tensor)], metadata: Option<FileMetadata>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let listed = entries("save", tensors)?;
    let data = listed.iter().fold(0_usize, |sum, entry| sum.saturating_add(entry.size()));
    reserve(&mut bytes, data.saturating_add(header(&listed, metadata.clone())?.len()))?;
    write("save", tensors, metadata, &mut Output::new("the bytes of a file", &mut bytes))?;
    Ok(bytes)
}

/// Writes a file with these tensors: beside its place first, then into it, so that no half-written file is ever seen.
pub fn save_file(tensors: &[(String, Tensor)], path: &Path, metadata: Option<FileMetadata>) -> Result<()> {
    replace_file("save_file", path, |to| write("save_file", tensors, metadata, to))
}
