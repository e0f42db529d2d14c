//! Zip archives: a directory at the end, and records that are stored or deflated.
//!
//! The directory is read by the few lines here, not by a general library, since each number in it is one that a hostile file
//! chooses: it is compared with the file's length before anything is read or allocated, and what general readers accept
//! (records that overlap, names twice, bytes before the archive) is refused, because two readers of such a file see different
//! things in it. Inflating is `miniz_oxide`'s, into a window of 32 KiB, and the checksum `crc32fast`'s.

use std::collections::HashMap;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, TINFL_LZ_DICT_SIZE, decompress};
use rustorch_backend::memory::{Scratch, reserve};
use rustorch_error::Result;

use crate::common::source::Source;

/// What a zip archive begins with: a record's header.
pub(in crate::pytorch) const MAGIC: &[u8] = b"PK\x03\x04";

/// The signatures of a record's entry in the directory, of the directory's end, and of the same with 64-bit numbers.
const ENTRY: u32 = 0x0201_4b50;
const HEADER: u32 = 0x0403_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;

/// The lengths of those without what varies in them.
const ENTRY_BYTES: usize = 46;
const HEADER_BYTES: usize = 30;
const END_BYTES: usize = 22;
const END_64_BYTES: usize = 56;
const LOCATOR_64_BYTES: usize = 20;

/// The longest comment behind a directory.
const MOST_COMMENT: u64 = u16::MAX as u64;

/// The most that a byte of deflated data can become.
const MOST_INFLATED: u64 = 1032;

/// How many bytes are read at once.
const CHUNK: usize = 256 << 10;

/// How a record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Stored,
    Deflated,
}

/// A record as the directory and its own header describe it.
#[derive(Debug, Clone)]
pub(in crate::pytorch) struct Record {
    /// Its name, with folders.
    pub name: String,
    /// How many bytes it has.
    pub size: u64,
    method: Method,
    compressed: u64,
    crc: u32,
    /// Where its bytes are in the file.
    data: u64,
}

/// An archive, whose records are looked at by name.
#[derive(Debug)]
pub(in crate::pytorch) struct Archive<'a> {
    source: &'a Source<'a>,
    records: Vec<Record>,
    by_name: HashMap<String, usize>,
}

fn word(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn long(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

fn quad(bytes: &[u8], at: usize) -> u64 {
    u64::from(long(bytes, at)) | u64::from(long(bytes, at + 4)) << 32
}

/// Where the directory is, and how many entries it has.
struct Directory {
    start: u64,
    bytes: u64,
    entries: u64,
}

/// Reads a part of a file whose length has been looked at.
fn part(source: &Source<'_>, start: u64, bytes: u64) -> Result<Vec<u8>> {
    if start.checked_add(bytes).is_none_or(|end| end > source.length()) {
        return Err(source.error(format!(
            "its zip directory names {bytes} bytes from {start} on, beyond the file's bounds"
        )));
    }
    let mut content = Vec::new();
    reserve(&mut content, bytes as usize)?;
    content.resize(bytes as usize, 0);
    source.read(start, &mut content)?;
    Ok(content)
}

fn find_directory(source: &Source<'_>) -> Result<Directory> {
    let length = source.length();
    let tail_bytes = length.min(MOST_COMMENT + (END_BYTES + LOCATOR_64_BYTES) as u64);
    let tail = part(source, length - tail_bytes, tail_bytes)?;
    // The end's record says how long the comment behind it is, which has to be the rest of the file.
    let ends = (0..=tail.len().saturating_sub(END_BYTES)).rev();
    let mut ends = ends.filter(|&at| {
        long(&tail, at) == END && at + END_BYTES + usize::from(word(&tail, at + 20)) == tail.len()
    });
    let at = ends.next().ok_or_else(|| {
        source.error("it begins as a zip archive but has no zip directory at its end; it may be truncated")
    })?;
    if ends.next().is_some() {
        return Err(source.error("it has two zip directories; which one counts is not to be told"));
    }
    let mut directory = Directory {
        entries: u64::from(word(&tail, at + 10)),
        bytes: u64::from(long(&tail, at + 12)),
        start: u64::from(long(&tail, at + 16)),
    };
    let end = length - tail_bytes + at as u64;
    let mut after = end;
    let locator = at.checked_sub(LOCATOR_64_BYTES).filter(|&at| long(&tail, at) == LOCATOR_64);
    if let Some(locator) = locator {
        let place = quad(&tail, locator + 8);
        let record = part(source, place, END_64_BYTES as u64)?;
        if long(&record, 0) != END_64 {
            return Err(source.error("its zip64 directory is not where the file says"));
        }
        directory =
            Directory { entries: quad(&record, 32), bytes: quad(&record, 40), start: quad(&record, 48) };
        after = place;
    }
    if directory.start.checked_add(directory.bytes) != Some(after) {
        return Err(source.error(format!(
            "its zip directory of {} bytes from {} on does not end where the file's end record is ({after})",
            directory.bytes, directory.start
        )));
    }
    Ok(directory)
}

impl<'a> Archive<'a> {
    /// The directory of an archive.
    pub(in crate::pytorch) fn open(source: &'a Source<'a>) -> Result<Self> {
        let directory = find_directory(source)?;
        let content = part(source, directory.start, directory.bytes)?;
        let mut archive = Archive { source, records: Vec::new(), by_name: HashMap::new() };
        let mut spans = Vec::new();
        let mut at = 0;
        while at < content.len() {
            let (record, header, next) = archive.entry(&content, at, directory.start)?;
            spans.push((header, record.data + record.compressed, archive.records.len()));
            if archive.by_name.insert(record.name.clone(), archive.records.len()).is_some() {
                return Err(
                    source.error(format!("two records (a duplicate) have the name '{}'", record.name))
                );
            }
            archive.records.push(record);
            at = next;
        }
        if archive.records.len() as u64 != directory.entries {
            let (found, told) = (archive.records.len(), directory.entries);
            return Err(
                source.error(format!("its zip directory has {found} records where {told} are announced"))
            );
        }
        spans.sort_unstable();
        if let Some(pair) = spans.windows(2).find(|pair| pair[0].1 > pair[1].0) {
            let name = |of: usize| &archive.records[pair[of].2].name;
            return Err(source.error(format!("the records '{}' and '{}' overlap", name(0), name(1))));
        }
        Ok(archive)
    }

    /// The entry of the directory at `at`: a record, where its header is, and where the next entry is.
    fn entry(&self, directory: &[u8], at: usize, limit: u64) -> Result<(Record, u64, usize)> {
        let broken = || self.source.error("its zip directory is broken: an entry is cut short");
        let fixed = directory.get(at..at + ENTRY_BYTES).ok_or_else(broken)?;
        if long(fixed, 0) != ENTRY {
            return Err(self.source.error("its zip directory is broken: an entry has another signature"));
        }
        let (flags, method) = (word(fixed, 8), word(fixed, 10));
        let (name_bytes, extra_bytes) = (usize::from(word(fixed, 28)), usize::from(word(fixed, 30)));
        let name_at = at + ENTRY_BYTES;
        let name = directory.get(name_at..name_at + name_bytes).ok_or_else(broken)?;
        let extra =
            directory.get(name_at + name_bytes..name_at + name_bytes + extra_bytes).ok_or_else(broken)?;
        let next = name_at + name_bytes + extra_bytes + usize::from(word(fixed, 32));
        if next > directory.len() {
            return Err(broken());
        }
        let name = String::from_utf8_lossy(name).into_owned();
        let fail = |what: String| self.source.error(format!("the record '{name}' {what}"));
        if flags & 1 != 0 {
            return Err(fail("is encrypted".into()));
        }
        let method = match method {
            0 => Method::Stored,
            8 => Method::Deflated,
            other => {
                return Err(fail(format!(
                    "has the compression method {other}; stored (0) and deflate (8) are known"
                )));
            }
        };
        let mut numbers =
            [u64::from(long(fixed, 24)), u64::from(long(fixed, 20)), u64::from(long(fixed, 42))];
        widen(&mut numbers, extra).map_err(|what| fail(what.into()))?;
        let [size, compressed, header] = numbers;
        let possible = match method {
            Method::Stored => size == compressed,
            Method::Deflated => size <= compressed.saturating_mul(MOST_INFLATED),
        };
        if !possible {
            return Err(fail(format!("of {compressed} bytes claims a size of {size}, which it cannot hold")));
        }
        let data = self.data_of(&name, header)?;
        if data.checked_add(compressed).is_none_or(|end| end > limit) {
            return Err(fail(format!(
                "of {compressed} bytes from {data} on is beyond the file's bounds (truncated)"
            )));
        }
        Ok((Record { size, method, compressed, crc: long(fixed, 16), data, name }, header, next))
    }

    /// Where a record's bytes begin, by its own header.
    fn data_of(&self, name: &str, header: u64) -> Result<u64> {
        let mut fixed = [0; HEADER_BYTES];
        let fail = |what: &str| self.source.error(format!("the record '{name}': its header {what}"));
        if header.checked_add(HEADER_BYTES as u64).is_none_or(|end| end > self.source.length()) {
            return Err(fail("has an offset beyond the file's bounds"));
        }
        self.source.read(header, &mut fixed)?;
        if long(&fixed, 0) != HEADER {
            return Err(fail("is not where the directory says"));
        }
        let own_bytes = u64::from(word(&fixed, 26));
        let own = part(self.source, header + HEADER_BYTES as u64, own_bytes)?;
        if String::from_utf8_lossy(&own) != name {
            return Err(fail("has another name"));
        }
        Ok(header + HEADER_BYTES as u64 + own_bytes + u64::from(word(&fixed, 28)))
    }

    /// The records in the order of the directory.
    pub(in crate::pytorch) fn records(&self) -> &[Record] {
        &self.records
    }

    /// The file.
    pub(in crate::pytorch) fn source(&self) -> &'a Source<'a> {
        self.source
    }

    /// The record of a name.
    pub(in crate::pytorch) fn find(&self, name: &str) -> Option<&Record> {
        self.by_name.get(name).map(|&index| &self.records[index])
    }

    /// Where a record's bytes are, if they are stored as they are.
    pub(in crate::pytorch) fn stored_at(record: &Record) -> Option<u64> {
        (record.method == Method::Stored).then_some(record.data)
    }

    /// How many bytes a record takes in the file.
    pub(in crate::pytorch) fn packed(record: &Record) -> u64 {
        record.compressed
    }

    /// A record as a whole.
    pub(in crate::pytorch) fn content(&self, record: &Record) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        reserve(&mut content, record.size as usize)?;
        self.stream(record, &mut |piece| {
            content.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(content)
    }

    /// Hands the bytes of a record to `sink`, piece by piece, and checks their number and their checksum.
    pub(in crate::pytorch) fn stream(
        &self,
        record: &Record,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut crc = crc32fast::Hasher::new();
        let mut given = 0_u64;
        let mut pass = |piece: &[u8]| {
            crc.update(piece);
            given += piece.len() as u64;
            if given > record.size {
                let what = format!(
                    "the record '{}' inflates to more bytes than its size, {}",
                    record.name, record.size
                );
                return Err(self.source.error(what));
            }
            sink(piece)
        };
        match record.method {
            Method::Stored => self.copy(record, &mut pass)?,
            Method::Deflated => self.inflate(record, &mut pass)?,
        }
        if given != record.size {
            let (name, size) = (&record.name, record.size);
            return Err(self
                .source
                .error(format!("the record '{name}' has {given} bytes where its size is {size}")));
        }
        let found = crc.finalize();
        // PyTorch writes 0 where it was told not to compute it.
        if record.crc != 0 && found != record.crc {
            let (name, told) = (&record.name, record.crc);
            return Err(self.source.error(format!(
                "the record '{name}' has the checksum (crc) {found:#010x} where the file says {told:#010x}; it is damaged"
            )));
        }
        Ok(())
    }

    fn copy(&self, record: &Record, pass: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut chunk = Scratch::zeroed(CHUNK.min(record.size as usize))?;
        let mut at = 0;
        while at < record.size {
            let count = (record.size - at).min(CHUNK as u64) as usize;
            self.source.read(record.data + at, &mut chunk[..count])?;
            pass(&chunk[..count])?;
            at += count as u64;
        }
        Ok(())
    }

    fn inflate(&self, record: &Record, pass: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let fail = || self.source.error(format!("the record '{}' holds corrupt deflate data", record.name));
        let mut state = Box::new(DecompressorOxide::new());
        let mut window = Scratch::zeroed(TINFL_LZ_DICT_SIZE)?;
        let mut chunk = Scratch::zeroed(TINFL_LZ_DICT_SIZE)?;
        let (mut read, mut from, mut until, mut out) = (0, 0, 0, 0);
        loop {
            if from == until && read < record.compressed {
                until = (record.compressed - read).min(chunk.len() as u64) as usize;
                self.source.read(record.data + read, &mut chunk[..until])?;
                read += until as u64;
                from = 0;
            }
            let flags = if read < record.compressed { TINFL_FLAG_HAS_MORE_INPUT } else { 0 };
            let (status, used, made) = decompress(&mut state, &chunk[from..until], &mut window, out, flags);
            from += used;
            pass(&window[out..out + made])?;
            out = (out + made) % window.len();
            match status {
                TINFLStatus::Done if from == until && read == record.compressed => return Ok(()),
                TINFLStatus::NeedsMoreInput if read < record.compressed => {}
                TINFLStatus::HasMoreOutput => {}
                _ => return Err(fail()),
            }
        }
    }
}

/// Takes numbers that do not fit 32 bits from the extra field, where they stand in order.
fn widen(numbers: &mut [u64; 3], extra: &[u8]) -> Result<(), &'static str> {
    const WIDE: u64 = u32::MAX as u64;
    if !numbers.contains(&WIDE) {
        return Ok(());
    }
    let mut rest = extra;
    while rest.len() >= 4 {
        let (kind, bytes) = (word(rest, 0), usize::from(word(rest, 2)));
        let field = rest.get(4..4 + bytes).ok_or("has an extra field that is too short")?;
        if kind == 1 {
            let mut at = 0;
            for number in numbers.iter_mut().filter(|number| **number == WIDE) {
                if at + 8 > field.len() {
                    return Err("has a zip64 field that is too short for its size and offset");
                }
                *number = quad(field, at);
                at += 8;
            }
            return Ok(());
        }
        rest = &rest[4 + bytes..];
    }
    Err("has a size or an offset of 2**32-1 without a zip64 field")
}
