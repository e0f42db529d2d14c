//! Reading.

use std::path::Path;

use rustorch_backend::memory::{Scratch, reserve};
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Device, Tensor};
use safetensors::tensor::Metadata;

use super::{FileMetadata, dtype, header};
use crate::common::source::Source;
use crate::format::{Inspection, TensorEntry};

/// How many bytes of a tensor are read at once.
const CHUNK: usize = 256 << 10;

/// What a file holds.
#[derive(Debug)]
pub struct ModelFile {
    /// Tensors by name, in the order of the file.
    pub tensors: Vec<(String, Tensor)>,
    /// What the file says about itself.
    pub metadata: FileMetadata,
}

/// Reads a file.
///
/// # Errors
/// The file cannot be read, or is not a safetensors file: the message names the file and what is wrong with it.
pub fn load_file(path: &Path, device: Device) -> Result<ModelFile> {
    read(&Source::open(path, false)?, device)
}

/// Reads the bytes of a file.
pub fn load(bytes: &[u8], device: Device) -> Result<ModelFile> {
    read(&Source::memory("safetensors data", bytes), device)
}

/// The header of a file, and where the data begin.
fn header_of(source: &Source<'_>) -> Result<(Metadata, u64)> {
    let fail = |reason: String| {
        RusTorchError::model_format(format!("{} is not a valid safetensors file: {reason}", source.name()))
    };
    let total = source.length();
    let mut length = [0; 8];
    if total < header::LENGTH {
        return Err(fail(format!("it has {total} bytes, too few for a header")));
    }
    source.read(0, &mut length)?;
    let length = u64::from_le_bytes(length);
    if length > header::MOST {
        let reason = "its first 8 bytes, read as the header's length, give more than 100 MB (too large); it may be another format";
        return Err(fail(reason.into()));
    }
    if length > total - header::LENGTH {
        return Err(fail(format!(
            "its header reaches beyond its {total} bytes; it may be truncated or another format"
        )));
    }
    let mut text = Vec::new();
    reserve(&mut text, length as usize)?;
    text.resize(length as usize, 0);
    source.read(header::LENGTH, &mut text)?;
    if std::str::from_utf8(&text).is_err() {
        return Err(fail("its header is not UTF-8".into()));
    }
    let metadata: Metadata =
        serde_json::from_slice(&text).map_err(|error| fail(format!("invalid header: {error}")))?;
    if let Some(reason) = header::duplicate(&text) {
        return Err(fail(reason));
    }
    let data = header::LENGTH + length;
    if metadata.data_len() as u64 != total - data {
        return Err(fail(format!(
            "its {total} bytes are not as many as its header describes; it may be truncated"
        )));
    }
    Ok((metadata, data))
}

/// Reads the tensors of a file, one after the other.
pub(super) fn read(source: &Source<'_>, device: Device) -> Result<ModelFile> {
    let (metadata, data) = header_of(source)?;
    let mut chunk = Scratch::zeroed(CHUNK.min(metadata.data_len()))?;
    let mut tensors = Vec::new();
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else { continue };
        let dtype = dtype::from_format(source.name(), &name, info.dtype)?;
        let tensor = Tensor::empty(&info.shape, dtype, device)?;
        let backend = tensor.backend()?;
        let (start, end) = info.data_offsets;
        let mut at = start;
        while at < end {
            let count = (end - at).min(CHUNK);
            source.read(data + at as u64, &mut chunk[..count])?;
            backend.write(tensor.storage().buffer(), at - start, &chunk[..count])?;
            at += count;
        }
        tensors.push((name, tensor));
    }
    Ok(ModelFile { tensors, metadata: metadata.metadata().clone().unwrap_or_default() })
}

/// What a file holds, by its header.
pub(super) fn inspect(source: &Source<'_>) -> Result<Inspection> {
    let (metadata, _) = header_of(source)?;
    let mut tensors = Vec::new();
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else { continue };
        // Short: a tensor's dimensions.
        let shape = info.shape.iter().map(|&size| size as u64).collect::<Vec<_>>();
        tensors.push(TensorEntry { name, dtype: dtype::name(info.dtype), shape });
    }
    let metadata = metadata.metadata().clone().unwrap_or_default().into_iter().collect();
    Ok(Inspection { tensors, metadata, ..Inspection::default() })
}
