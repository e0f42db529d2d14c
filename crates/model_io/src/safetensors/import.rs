//! Reading.

use std::fs;
use std::path::Path;

use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Device, Tensor};
use safetensors::{SafeTensorError, SafeTensors};

use super::{FileMetadata, dtype, header};

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
    let bytes = fs::read(path).map_err(|error| RusTorchError::io(path, &error))?;
    parse(&path.display().to_string(), &bytes, device)
}

/// Reads the bytes of a file.
pub fn load(bytes: &[u8], device: Device) -> Result<ModelFile> {
    parse("safetensors data", bytes, device)
}

fn parse(source: &str, bytes: &[u8], device: Device) -> Result<ModelFile> {
    let fail = |error: SafeTensorError| {
        RusTorchError::model_format(format!(
            "{source} is not a valid safetensors file: {}",
            explain(&error, bytes)
        ))
    };
    let (length, metadata) = SafeTensors::read_metadata(bytes).map_err(fail)?;
    if let Some(reason) = header::duplicate(bytes.get(8..8 + length).unwrap_or_default()) {
        return Err(RusTorchError::model_format(format!(
            "{source} is not a valid safetensors file: {reason}"
        )));
    }
    let content = bytes.get(8 + length..).unwrap_or_default();
    let mut tensors = Vec::new();
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else { continue };
        let dtype = dtype::from_format(source, &name, info.dtype)?;
        let (start, end) = info.data_offsets;
        let data =
            content.get(start..end).ok_or_else(|| fail(SafeTensorError::InvalidOffset(name.clone())))?;
        let tensor = Tensor::empty(&info.shape, dtype, device)?;
        tensor.backend()?.write(tensor.storage().buffer(), 0, data)?;
        tensors.push((name, tensor));
    }
    Ok(ModelFile { tensors, metadata: metadata.metadata().clone().unwrap_or_default() })
}

/// What is wrong, in words that help to find out why.
fn explain(error: &SafeTensorError, bytes: &[u8]) -> String {
    let length = bytes.len();
    match error {
        SafeTensorError::HeaderTooSmall => format!("it has {length} bytes, too few for a header"),
        SafeTensorError::HeaderTooLarge => {
            "its first 8 bytes, read as the header's length, give more than 100 MB; it may be another format"
                .into()
        }
        SafeTensorError::InvalidHeaderLength => {
            format!("its header reaches beyond its {length} bytes; it may be truncated or another format")
        }
        SafeTensorError::MetadataIncompleteBuffer => {
            format!("its {length} bytes are not as many as its header describes; it may be truncated")
        }
        other => other.to_string(),
    }
}
