//! Writing.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustorch_backend::memory::reserve;
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Tensor, ops};
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensorError, View};

use super::replace::replace_file;
use super::{FileMetadata, dtype};

/// A tensor as the format's writer wants it. Its bytes leave the device when they are written, so that only one
/// tensor's bytes are held at a time; a failure to read them waits in `failure`, because the writer cannot carry it.
struct Entry<'a> {
    tensor: &'a Tensor,
    dtype: Dtype,
    failure: &'a Mutex<Option<RusTorchError>>,
}

impl Entry<'_> {
    /// How many bytes the elements have; as many as no memory holds where the number is larger than any.
    fn size(&self) -> usize {
        self.tensor.numel().saturating_mul(self.tensor.dtype().size())
    }

    /// Adds the elements' bytes to `bytes`.
    fn append(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let detached = self.tensor.detach();
        let dense = if detached.is_contiguous() { detached } else { ops::clone(&detached)? };
        let (start, size) = (bytes.len(), self.size());
        if bytes.capacity() - start < size {
            reserve(bytes, size)?;
        }
        bytes.resize(start + size, 0);
        let offset = dense.layout().offset() * dense.dtype().size();
        dense.backend()?.read(dense.storage().buffer(), offset, &mut bytes[start..])
    }
}

impl View for &Entry<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        self.tensor.shape()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = Vec::new();
        if let Err(error) = self.append(&mut bytes) {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        Cow::Owned(bytes)
    }

    fn data_len(&self) -> usize {
        self.size()
    }
}

/// Runs the format's writer over named tensors.
fn write<T>(
    tensors: &[(String, Tensor)],
    run: impl FnOnce(Vec<(&str, &Entry<'_>)>) -> Result<T, SafeTensorError>,
    fail: impl FnOnce(SafeTensorError) -> RusTorchError,
) -> Result<T> {
    // Short: one per tensor saved.
    let mut names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some((name, _)) = names.iter().zip(&names[1.min(names.len())..]).find(|(a, b)| a == b) {
        return Err(RusTorchError::argument("save_file", format!("two tensors have the name '{name}'")));
    }
    if names.contains(&"__metadata__") {
        return Err(RusTorchError::argument("save_file", "the format reserves the name '__metadata__'"));
    }
    let failure = Mutex::new(None);
    let entries = tensors
        .iter()
        .map(|(name, tensor)| {
            Ok(Entry { tensor, dtype: dtype::to_format(name, tensor.dtype())?, failure: &failure })
        })
        // Short: one per tensor saved.
        .collect::<Result<Vec<_>>>()?;
    let pairs = tensors.iter().zip(&entries).map(|((name, _), entry)| (name.as_str(), entry)).collect();
    let outcome = run(pairs).map_err(fail);
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => outcome,
    }
}

/// The bytes of a file with these tensors.
pub fn save(tensors: &[(String, Tensor)], metadata: Option<FileMetadata>) -> Result<Vec<u8>> {
    let fail = |error: &dyn std::fmt::Display| RusTorchError::model_format(format!("save: {error}"));
    write(tensors, |entries| Ok(collected(entries, metadata, &fail)), |error| fail(&error))?
}

/// The header's length, the header, and the tensors, in the order of the format's own writer, which ends the process where
/// there is no memory for the whole.
fn collected(
    mut entries: Vec<(&str, &Entry<'_>)>,
    metadata: Option<FileMetadata>,
    fail: &dyn Fn(&dyn std::fmt::Display) -> RusTorchError,
) -> Result<Vec<u8>> {
    entries.sort_by(|(name, a), (other, b)| b.dtype.cmp(&a.dtype).then(name.cmp(other)));
    let mut end = 0_usize;
    let infos = entries.iter().map(|(name, entry)| {
        let start = end;
        end = end.saturating_add(entry.size());
        let shape = entry.tensor.shape().to_vec();
        ((*name).to_owned(), TensorInfo { dtype: entry.dtype, shape, data_offsets: (start, end) })
    });
    let described = Metadata::new(metadata, infos.collect()).map_err(|error| fail(&error))?;
    let mut header = serde_json::to_string(&described).map_err(|error| fail(&error))?;
    while !header.len().is_multiple_of(size_of::<u64>()) {
        header.push(' ');
    }
    let mut bytes = Vec::new();
    reserve(&mut bytes, end.saturating_add(size_of::<u64>() + header.len()))?;
    bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    entries.iter().try_for_each(|(_, entry)| entry.append(&mut bytes))?;
    Ok(bytes)
}

/// Writes a file with these tensors: beside its place first, then into it, so that no half-written file is ever seen.
pub fn save_file(tensors: &[(String, Tensor)], path: &Path, metadata: Option<FileMetadata>) -> Result<()> {
    replace_file(path, |draft| {
        write(
            tensors,
            |entries| safetensors::serialize_to_file(entries, metadata, draft),
            |error| match error {
                SafeTensorError::IoError(error) => RusTorchError::io(path, &error),
                error => RusTorchError::model_format(format!("{}: {error}", path.display())),
            },
        )
    })
}
