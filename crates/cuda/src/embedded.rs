//! PTX of the kernels that networks need. `ptx/pack.py` makes the file and says how it is laid out.

use std::io::Read;

use rustorch_gpu::fnv1a;
use ruzstd::decoding::StreamingDecoder;

static PACK: &[u8] = include_bytes!("../ptx/kernels.ptx.zst");

/// Bytes that the index has for a kernel.
const ENTRY: usize = 28;

/// The PTX of a text, if the file has it, and a driver of CUDA `version` (12040 for 12.4) and the device take it.
pub(crate) fn ptx(text: &str, version: i32, capability: u32) -> Option<Vec<u8>> {
    // Whoever makes the file does without it.
    let is_off = std::env::var_os("RUSTORCH_EMBEDDED_KERNELS").is_some_and(|value| value == "0");
    if version < 12_040 || capability < 70 || is_off {
        return None;
    }
    let [kernels, frames] = [number(PACK, 0)?, number(PACK, 4)?];
    let (index, rest) = PACK.get(8..)?.split_at_checked(kernels * ENTRY)?;
    let (lengths, mut frames) = rest.split_at_checked(frames * 4)?;
    let entries = index.as_chunks::<ENTRY>().0;
    let key = |entry: &[u8; ENTRY]| entry.first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes));
    let at = entries.binary_search_by_key(&fnv1a(essential(text).as_bytes()), key).ok()?;
    let [frame, start, length] = [16, 20, 24].map(|place| number(&entries[at], place));
    for (n, bytes) in lengths.as_chunks::<4>().0.iter().enumerate() {
        let (compressed, rest) = frames.split_at_checked(u32::from_le_bytes(*bytes) as usize)?;
        if n == frame? {
            let mut ptx = Vec::new();
            StreamingDecoder::new(compressed).ok()?.read_to_end(&mut ptx).ok()?;
            return ptx.get(start?..start? + length?).map(<[u8]>::to_vec);
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

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize)
}
