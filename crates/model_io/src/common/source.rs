//! Where a file's bytes come from: a file that is read in parts, one that is mapped, or memory.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustorch_backend::Buffer;
use rustorch_backend::memory::Mapping;
use rustorch_error::{Result, RusTorchError};

/// What vectors ask of an address.
const ALIGNMENT: usize = 16;

#[derive(Debug)]
enum Place<'a> {
    File(File),
    Mapped(Arc<Mapping>),
    Memory(Cow<'a, [u8]>),
}

/// The bytes of a file, by place. Nothing is read but what is asked for.
#[derive(Debug)]
pub struct Source<'a> {
    name: String,
    length: u64,
    place: Place<'a>,
}

impl<'a> Source<'a> {
    /// A file; `mapped` where its bytes are to be used where they lie.
    pub fn open(path: &Path, mapped: bool) -> Result<Self> {
        let failed = |error: io::Error| RusTorchError::io(path, &error);
        let known = std::fs::metadata(path).map_err(failed)?;
        if !known.is_file() {
            let kind = if known.is_dir() { "a directory (folder)" } else { "not a regular file" };
            let message = format!("load: '{}' is {kind}; name a file, or give an open one", path.display());
            return Err(RusTorchError::Io { message });
        }
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let place = if mapped {
            Place::Mapped(Arc::new(Mapping::of(&file).map_err(failed)?))
        } else {
            Place::File(file)
        };
        Ok(Source { name: path.display().to_string(), length, place })
    }

    /// Bytes in memory, under a name for messages.
    pub fn memory(name: &str, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        let bytes = bytes.into();
        Source { name: name.to_owned(), length: bytes.len() as u64, place: Place::Memory(bytes) }
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many bytes there are.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether the bytes are to be used where they lie.
    pub fn is_mapped(&self) -> bool {
        matches!(self.place, Place::Mapped(_))
    }

    /// An error about this file.
    #[cold]
    pub fn error(&self, what: impl std::fmt::Display) -> RusTorchError {
        RusTorchError::model_format(format!("{}: {what}", self.name))
    }

    /// Fills `into` with the bytes from `offset` on.
    ///
    /// # Errors
    /// There are not as many, or the system cannot read them.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<()> {
        let (count, length) = (into.len(), self.length);
        let short =
            || self.error(format!("{count} bytes from byte {offset} on are not in its {length} bytes"));
        if offset.checked_add(count as u64).is_none_or(|end| end > length) {
            return Err(short());
        }
        let at = offset as usize;
        match &self.place {
            Place::Memory(bytes) => {
                let part = bytes.get(at..at + count).ok_or_else(short)?;
                into.copy_from_slice(part);
                Ok(())
            }
            Place::Mapped(mapping) if mapping.copy(at, into) => Ok(()),
            Place::Mapped(_) => Err(short()),
            Place::File(file) => read_at(file, offset, into).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => self.error("was made shorter while it was read"),
                _ => RusTorchError::io(Path::new(&self.name), &error),
            }),
        }
    }

    /// The bytes as memory of a tensor, where they are mapped and lie as kernels want them.
    pub fn lend(&self, offset: u64, length: usize) -> Option<Buffer> {
        let Place::Mapped(mapping) = &self.place else { return None };
        let part = mapping.part(usize::try_from(offset).ok()?, length)?;
        part.address().addr().get().is_multiple_of(ALIGNMENT).then_some(part)
    }
}

#[cfg(unix)]
fn read_at(file: &File, offset: u64, into: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, offset)
}

#[cfg(windows)]
fn read_at(file: &File, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
    while !into.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, into, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                offset += read as u64;
                into = &mut into[read..];
            }
        }
    }
    Ok(())
}
