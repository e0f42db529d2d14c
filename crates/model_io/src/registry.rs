//! The formats there are, and which of them a file is in.

use rustorch_error::Result;

use crate::common::source::Source;
use crate::format::Format;
use crate::pytorch::PyTorch;
use crate::safetensors::SafeTensorsFormat;

/// Every format. The first that recognizes a file reads it.
pub static FORMATS: [&dyn Format; 2] = [&PyTorch, &SafeTensorsFormat];

/// How many bytes of a file formats look at to recognize it.
const START: u64 = 512;

/// The format of a file, by its content.
///
/// # Errors
/// It is none of these.
pub fn detect(source: &Source<'_>) -> Result<&'static dyn Format> {
    let mut start = [0; START as usize];
    let start = &mut start[..source.length().min(START) as usize];
    source.read(0, start)?;
    if start.is_empty() {
        return Err(source.error("it is empty (0 bytes), which no model file is"));
    }
    let found = FORMATS.into_iter().find(|format| format.recognizes(source, start));
    found.ok_or_else(|| {
        let known = FORMATS.map(Format::name).join(", ");
        source.error(format!("it is not a model file of a known format ({known}, npy, npz)"))
    })
}
