//! Writing.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Tensor, ops};
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
    fn bytes(&self) -> Result<Vec<u8>> {
        let detached = self.tensor.detach();
        let dense = if detached.is_contiguous() { detached } else { ops::clone(&detached)? };
        let size = dense.dtype().size();
        let mut bytes = vec![0; dense.numel() * size];
        dense.backend()?.read(dense.storage().buffer(), dense.layout().offset() * size, &mut bytes)?;
        Ok(bytes)
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
        let bytes = self.bytes().unwrap_or_else(|error| {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            Vec::new()
        });
        Cow::Owned(bytes)
    }

    fn data_len(&self) -> usize {
        self.tensor.numel() * self.tensor.dtype().size()
    }
}

/// Runs the format's writer over named tensors.
fn write<T>(
    tensors: &[(String, Tensor)],
    run: impl FnOnce(Vec<(&str, &Entry<'_>)>) -> Result<T, SafeTensorError>,
    fail: impl FnOnce(SafeTensorError) -> RusTorchError,
) -> Result<T> {
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
    write(
        tensors,
        |entries| safetensors::serialize(entries, metadata),
        |error| RusTorchError::model_format(format!("save: {error}")),
    )
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
