//! Sorting entries whose places ascend.

use rustorch_backend::memory::Scratch;
use rustorch_error::Result;

use super::entry::Entry;
use crate::threads::checkpoint;

/// Bits that one pass sorts by.
const DIGIT: u32 = 8;

/// Entries between two moments at which the sort may be stopped: milliseconds.
const STEP: usize = 1 << 20;

/// Entries per pass from which on counting beats comparing.
const PER_PASS: usize = 200;

/// Sorts entries with keys of `bits` bits. In `entries`, places ascend among equal keys; `spare` is scratch memory.
///
/// Long lines are sorted by one byte of the key after another, from the least significant one on; bytes in which all
/// keys agree are skipped.
pub(super) fn sort<E: Entry>(entries: &mut Scratch<E>, spare: &mut Scratch<E>, bits: u32) -> Result<()> {
    let passes = bits.div_ceil(DIGIT) as usize;
    if entries.len() < passes * PER_PASS {
        entries.sort_unstable();
        return Ok(());
    }
    let digit = |entry: E, pass: usize| (entry.key() >> (pass as u32 * DIGIT)) as u8 as usize;
    let mut counts = [[0usize; 1 << DIGIT]; 8];
    for &entry in entries.iter() {
        for (pass, counts) in counts[..passes].iter_mut().enumerate() {
            counts[digit(entry, pass)] += 1;
        }
    }
    spare.clear();
    spare.resize(entries.len(), E::default())?;
    for (pass, counts) in counts[..passes].iter_mut().enumerate() {
        if counts[digit(entries[0], pass)] == entries.len() {
            continue;
        }
        let mut before = 0;
        for count in counts.iter_mut() {
            before += std::mem::replace(count, before);
        }
        for some in entries.chunks(STEP) {
            checkpoint();
            for &entry in some {
                let place = &mut counts[digit(entry, pass)];
                spare[*place] = entry;
                *place += 1;
            }
        }
        std::mem::swap(entries, spare);
    }
    Ok(())
}
