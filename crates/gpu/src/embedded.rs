//! Compiled programs of the kernels that networks need, which a build brings along, so that a compiler is wanted only for
//! others. `crates/cuda/ptx/pack.py` makes such a file and says how it is laid out.

use std::io::Read;

use ruzstd::decoding::StreamingDecoder;

use crate::program_cache::fnv1a;

/// A file of compiled programs.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedPrograms(pub &'static [u8]);

impl EmbeddedPrograms {
    /// The program of a text, if the file has it.
    pub fn find(self, text: &str) -> Option<Vec<u8>> {
        find(self.0, text)
    }
}

fn find(pack: &[u8], text: &str) -> Option<Vec<u8>> {
    // A build for development, and whoever makes the file, can do without it.
    if std::env::var_os("RUSTORCH_EMBEDDED_KERNELS").is_some_and(|value| value == "0") {
        return None;
    }
    let (kernels, rest) = head(pack)?;
    let (index, rest) = rest.split_at_checked(kernels.0 * ENTRY)?;
    let (lengths, mut frames) = rest.split_at_checked(kernels.1 * 4)?;
    let entries = index.as_chunks::<ENTRY>().0;
    let key = |entry: &[u8; ENTRY]| entry.first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes));
    let at = entries.binary_search_by_key(&fnv1a(essential(text).as_bytes()), key).ok()?;
    let [frame, start, length] = [16, 20, 24].map(|place| number(&entries[at], place));
    for (n, bytes) in lengths.as_chunks::<4>().0.iter().enumerate() {
        let (compressed, rest) = frames.split_at_checked(u32::from_le_bytes(*bytes) as usize)?;
        if n == frame? {
            let mut decoder = StreamingDecoder::new(compressed).ok()?;
            let mut programs = Vec::new();
            decoder.read_to_end(&mut programs).ok()?;
            return programs.get(start?..start? + length?).map(<[u8]>::to_vec);
        }
        frames = rest;
    }
    None
}

/// A text without the macros that nothing in it names, so that a new one in the prelude makes no entry stale.
fn essential(text: &str) -> String {
    let is_used = |line: &&str| {
        let Some(definition) = line.strip_prefix("#define ") else { return true };
        let name = definition.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        text.matches(name).count() > 1
    };
    text.split('\n').filter(is_used).collect::<Vec<_>>().join("\n")
}

/// Bytes that the index has for a kernel.
const ENTRY: usize = 28;

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize)
}

/// The numbers of kernels and of frames, and what follows.
fn head(pack: &[u8]) -> Option<((usize, usize), &[u8])> {
    Some(((number(pack, 0)?, number(pack, 4)?), pack.get(8..)?))
}
