//! The bytes of a pickle, read in order.

use rustorch_backend::memory::reserve;
use rustorch_error::Result;

use crate::common::source::Source;

/// How many bytes are fetched at once.
const WINDOW: usize = 16 << 10;

/// A part of a file that is read from front to back.
#[derive(Debug)]
pub struct Input<'a> {
    source: &'a Source<'a>,
    /// What messages call the part, such as `data.pkl`.
    part: &'static str,
    start: u64,
    position: u64,
    end: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl<'a> Input<'a> {
    /// The bytes of `source` from `start` up to `end`, which lies in it.
    pub fn new(source: &'a Source<'a>, part: &'static str, start: u64, end: u64) -> Self {
        Input { source, part, start, position: start, end, window: Vec::new(), window_at: start }
    }

    /// Where in the file the next byte is.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes are left.
    pub fn left(&self) -> u64 {
        self.end - self.position
    }

    /// An error about what has just been read.
    #[cold]
    pub fn error(&self, what: impl std::fmt::Display) -> rustorch_error::RusTorchError {
        self.source.error(format!("{}, byte {}: {what}", self.part, self.position - self.start))
    }

    /// Fails where fewer than `count` bytes are left.
    pub fn expect(&self, count: u64, what: &str) -> Result<usize> {
        if count > self.left() {
            let left = self.left();
            return Err(self.error(format!("{what} of {count} bytes, but the file ends after {left}")));
        }
        Ok(count as usize)
    }

    /// The next byte.
    #[inline]
    pub fn byte(&mut self) -> Result<u8> {
        let at = (self.position - self.window_at) as usize;
        if let Some(&byte) = self.window.get(at) {
            self.position += 1;
            return Ok(byte);
        }
        self.refill()?;
        self.position += 1;
        Ok(self.window[0])
    }

    #[cold]
    fn refill(&mut self) -> Result<()> {
        let count = self.left().min(WINDOW as u64) as usize;
        if count == 0 {
            return Err(self.error("it ends early; the file may be truncated"));
        }
        self.window.resize(count, 0);
        self.window_at = self.position;
        self.source.read(self.position, &mut self.window)
    }

    /// Fills `into` with the next bytes.
    pub fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        self.expect(into.len() as u64, "a value")?;
        let at = (self.position - self.window_at) as usize;
        match self.window.get(at..at + into.len()) {
            Some(bytes) => into.copy_from_slice(bytes),
            None => self.source.read(self.position, into)?,
        }
        self.position += into.len() as u64;
        Ok(())
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The next `count` bytes, which are refused before memory is taken for them where the file does not hold them.
    pub fn bytes(&mut self, count: u64, what: &str) -> Result<Vec<u8>> {
        let count = self.expect(count, what)?;
        let mut bytes = Vec::new();
        reserve(&mut bytes, count)?;
        bytes.resize(count, 0);
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Passes over `count` bytes.
    pub fn skip(&mut self, count: u64, what: &str) -> Result<()> {
        self.expect(count, what)?;
        self.position += count;
        if self.position - self.window_at > self.window.len() as u64 {
            self.window.clear();
            self.window_at = self.position;
        }
        Ok(())
    }

    /// The next line, without its end.
    pub fn line(&mut self) -> Result<Vec<u8>> {
        /// Names and numbers are shorter; a text may be as long as the file.
        const STEP: usize = 64;
        let mut line = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => return Ok(line),
                byte => {
                    if line.len() == line.capacity() {
                        let more = line.len().max(STEP);
                        reserve(&mut line, more)?;
                    }
                    line.push(byte);
                }
            }
        }
    }
}
