//! Writing checkpoints: zip archives that `torch.load(weights_only=True)` reads.

mod archive;
mod opcodes;
mod pickle;

use rustorch_error::Result;

use crate::common::output::Output;
use crate::tree::Content;

/// The folder in the archive, as PyTorch names it where it does not know the file's name.
const ROOT: &str = "archive";

/// The version of the format.
const VERSION: &[u8] = b"3\n";

/// Writes a checkpoint, one storage after the other.
pub(super) fn write(content: &Content, to: &mut Output<'_>) -> Result<()> {
    let (pickle, storages) = pickle::pickled(content)?;
    let mut archive = archive::Writer::new(to);
    archive.record(&format!("{ROOT}/data.pkl"), &pickle)?;
    archive.record(&format!("{ROOT}/byteorder"), b"little")?;
    for (key, storage) in storages.iter().enumerate() {
        archive.storage(&format!("{ROOT}/data/{key}"), storage)?;
    }
    archive.record(&format!("{ROOT}/version"), VERSION)?;
    archive.finish()
}
