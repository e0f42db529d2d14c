//! Zip archives, written front to back: records that are stored, each beginning where tensors may lie when the file is mapped.

use rustorch_error::Result;
use rustorch_tensor::Storage;

use crate::common::output::{Output, chunks};

/// Where in a file a record's bytes begin: at multiples of this.
const ALIGNMENT: u64 = 64;

/// What does not fit 32 bits stands in a field of its own.
const WIDE: u64 = u32::MAX as u64;

const HEADER: u32 = 0x0403_4b50;
const ENTRY: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;

/// The length of a record's header without what varies in it.
const HEADER_BYTES: u64 = 30;

/// Which version of zip a reader has to know: 2.0, and 4.5 for wide numbers.
const PLAIN_VERSION: u16 = 20;
const WIDE_VERSION: u16 = 45;

/// 1 January 1980, so that equal content is an equal file.
const DATE: u16 = 0x21;

/// The kinds of extra fields: wide numbers, and PyTorch's for padding.
const WIDE_FIELD: u16 = 1;
const PADDING_FIELD: u16 = 0x4246;

struct Entry {
    name: String,
    size: u64,
    crc: u32,
    header: u64,
}

/// An archive in the making.
pub(super) struct Writer<'a, 'o> {
    to: &'a mut Output<'o>,
    entries: Vec<Entry>,
}

fn narrow(number: u64) -> [u8; 4] {
    (number.min(WIDE) as u32).to_le_bytes()
}

/// A field of wide numbers; nothing where there are none.
fn wide_field(numbers: &[u64]) -> Vec<u8> {
    let mut field = Vec::new();
    if !numbers.is_empty() {
        field.extend(WIDE_FIELD.to_le_bytes());
        field.extend((numbers.len() as u16 * 8).to_le_bytes());
        field.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }
    field
}

/// What the header of a record and its entry in the directory have in common, from the version on.
fn described(entry: &Entry, is_wide: bool) -> Vec<u8> {
    let version = if is_wide { WIDE_VERSION } else { PLAIN_VERSION };
    let mut bytes = Vec::new();
    bytes.extend(version.to_le_bytes());
    // No flags, stored, midnight.
    bytes.extend([0; 6]);
    bytes.extend(DATE.to_le_bytes());
    bytes.extend(entry.crc.to_le_bytes());
    bytes.extend(narrow(entry.size));
    bytes.extend(narrow(entry.size));
    bytes.extend((entry.name.len() as u16).to_le_bytes());
    bytes
}

impl<'a, 'o> Writer<'a, 'o> {
    pub(super) fn new(to: &'a mut Output<'o>) -> Self {
        Writer { to, entries: Vec::new() }
    }

    /// Writes a record's header; its bytes have to follow.
    fn begin(&mut self, name: &str, size: u64, crc: u32) -> Result<()> {
        let entry = Entry { name: name.to_owned(), size, crc, header: self.to.position() };
        let is_wide = size >= WIDE;
        let mut extra = if is_wide { wide_field(&[size, size]) } else { Vec::new() };
        let start = entry.header + HEADER_BYTES + name.len() as u64 + extra.len() as u64 + 4;
        let padding = start.next_multiple_of(ALIGNMENT) - start;
        extra.extend(PADDING_FIELD.to_le_bytes());
        extra.extend((padding as u16).to_le_bytes());
        extra.extend(std::iter::repeat_n(b'Z', padding as usize));
        self.to.bytes(&HEADER.to_le_bytes())?;
        self.to.bytes(&described(&entry, is_wide))?;
        self.to.bytes(&(extra.len() as u16).to_le_bytes())?;
        self.to.bytes(name.as_bytes())?;
        self.to.bytes(&extra)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes a record.
    pub(super) fn record(&mut self, name: &str, content: &[u8]) -> Result<()> {
        self.begin(name, content.len() as u64, crc32fast::hash(content))?;
        self.to.bytes(content)
    }

    /// Writes a storage as a record. Its bytes are read twice, for the checksum stands before them, and a reader of PyTorch's
    /// does not look behind them.
    pub(super) fn storage(&mut self, name: &str, storage: &Storage) -> Result<()> {
        let bytes = storage.buffer().bytes();
        let mut crc = crc32fast::Hasher::new();
        chunks(storage, 0, bytes, &mut |chunk| {
            crc.update(chunk);
            Ok(())
        })?;
        self.begin(name, bytes as u64, crc.finalize())?;
        self.to.storage(storage, 0, bytes)
    }

    /// Writes the directory.
    pub(super) fn finish(self) -> Result<()> {
        let start = self.to.position();
        for entry in &self.entries {
            let wide: Vec<u64> = [(entry.size, 2), (entry.header, 1)]
                .into_iter()
                .filter(|(number, _)| *number >= WIDE)
                .flat_map(|(number, times)| std::iter::repeat_n(number, times))
                // Short: three at most.
                .collect();
            let extra = wide_field(&wide);
            let made_by = if wide.is_empty() { PLAIN_VERSION } else { WIDE_VERSION };
            self.to.bytes(&ENTRY.to_le_bytes())?;
            self.to.bytes(&made_by.to_le_bytes())?;
            self.to.bytes(&described(entry, !wide.is_empty()))?;
            self.to.bytes(&(extra.len() as u16).to_le_bytes())?;
            // No comment, the first disk, no attributes.
            self.to.bytes(&[0; 10])?;
            self.to.bytes(&narrow(entry.header))?;
            self.to.bytes(entry.name.as_bytes())?;
            self.to.bytes(&extra)?;
        }
        let end = self.to.position();
        let (count, bytes) = (self.entries.len() as u64, end - start);
        const MOST: u64 = u16::MAX as u64;
        if count >= MOST || bytes >= WIDE || start >= WIDE {
            self.to.bytes(&END_64.to_le_bytes())?;
            // The length of what follows.
            self.to.bytes(&44_u64.to_le_bytes())?;
            self.to.bytes(&[WIDE_VERSION.to_le_bytes(), WIDE_VERSION.to_le_bytes()].concat())?;
            self.to.bytes(&[0; 8])?;
            for number in [count, count, bytes, start] {
                self.to.bytes(&number.to_le_bytes())?;
            }
            self.to.bytes(&LOCATOR_64.to_le_bytes())?;
            self.to.bytes(&[0; 4])?;
            self.to.bytes(&end.to_le_bytes())?;
            self.to.bytes(&1_u32.to_le_bytes())?;
        }
        self.to.bytes(&END.to_le_bytes())?;
        self.to.bytes(&[0; 4])?;
        let count = (count.min(MOST) as u16).to_le_bytes();
        self.to.bytes(&[count, count].concat())?;
        self.to.bytes(&narrow(bytes))?;
        self.to.bytes(&narrow(start))?;
        self.to.bytes(&[0; 2])
    }
}
