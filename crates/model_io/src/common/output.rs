//! Where a file's bytes go to, front to back.

use std::io::Write;
use std::path::Path;

use rustorch_backend::memory::Scratch;
use rustorch_error::{Result, RusTorchError};
use rustorch_tensor::{Storage, registry};

/// How many of a storage's bytes are held at once.
const CHUNK: usize = 256 << 10;

/// A file in the making.
pub struct Output<'a> {
    name: String,
    to: &'a mut dyn Write,
    position: u64,
}

impl<'a> Output<'a> {
    /// What is written goes to `to`, which messages call `name`.
    pub fn new(name: &str, to: &'a mut dyn Write) -> Self {
        Output { name: name.to_owned(), to, position: 0 }
    }

    /// How many bytes have been written.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Writes bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.to.write_all(bytes).map_err(|error| RusTorchError::io(Path::new(&self.name), &error))?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Hands on what is held back.
    pub fn flush(&mut self) -> Result<()> {
        self.to.flush().map_err(|error| RusTorchError::io(Path::new(&self.name), &error))
    }

    /// Writes a part of a storage, wherever it is.
    pub fn storage(&mut self, storage: &Storage, offset: usize, bytes: usize) -> Result<()> {
        chunks(storage, offset, bytes, &mut |chunk| self.bytes(chunk))
    }
}

/// Hands a part of a storage's bytes to `sink`, piece by piece.
pub fn chunks(
    storage: &Storage,
    offset: usize,
    bytes: usize,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let backend = registry::backend(storage.device())?;
    let mut chunk = Scratch::zeroed(CHUNK.min(bytes))?;
    let mut at = 0;
    while at < bytes {
        let count = (bytes - at).min(CHUNK);
        backend.read(storage.buffer(), offset + at, &mut chunk[..count])?;
        sink(&chunk[..count])?;
        at += count;
    }
    Ok(())
}
