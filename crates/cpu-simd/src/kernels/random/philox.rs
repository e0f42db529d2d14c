//! Philox 4x32-10, the counter-based generator (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
//! 1, 2, 3", 2011).

// The words of all counters are counted together.
#![allow(clippy::needless_range_loop)]

use rustorch_backend::RandomKey;

/// How many 128-bit blocks are computed at a time.
const LANES: usize = 16;

/// How many 32-bit words that gives.
pub(super) const WORDS: usize = 4 * LANES;

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Ten rounds on some counters; `counters[w][l]` is word `w` of counter `l`.
#[inline(always)]
fn rounds<const LANES: usize>(mut counters: [[u32; LANES]; 4], mut key: [u32; 2]) -> [[u32; LANES]; 4] {
    for _ in 0..10 {
        let mut next = [[0; LANES]; 4];
        for l in 0..LANES {
            let first = u64::from(counters[0][l]) * u64::from(MULTIPLIERS[0]);
            let second = u64::from(counters[2][l]) * u64::from(MULTIPLIERS[1]);
            next[0][l] = (second >> 32) as u32 ^ counters[1][l] ^ key[0];
            next[1][l] = second as u32;
            next[2][l] = (first >> 32) as u32 ^ counters[3][l] ^ key[1];
            next[3][l] = first as u32;
        }
        counters = next;
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counters
}

/// The blocks from `first` on, counted from the key's offset: `words[w][l]` is word `w` of block `first + l`.
///
/// The seed is Philox's key, low word first; the block's number is the low half of its counter, low word first, and the
/// high half is 0.
#[inline(always)]
pub(super) fn blocks(key: RandomKey, first: u64) -> [[u32; LANES]; 4] {
    let mut counters = [[0; LANES]; 4];
    for l in 0..LANES {
        let number = key.offset.wrapping_add(first).wrapping_add(l as u64);
        counters[0][l] = number as u32;
        counters[1][l] = (number >> 32) as u32;
    }
    rounds(counters, [key.seed as u32, (key.seed >> 32) as u32])
}

/// As [`blocks`], in pairs of words, low word first: two 64-bit numbers per block.
#[inline(always)]
pub(super) fn wide_blocks(key: RandomKey, first: u64) -> [[u64; LANES]; 2] {
    let words = blocks(key, first);
    let mut wide = [[0; LANES]; 2];
    for l in 0..LANES {
        wide[0][l] = u64::from(words[0][l]) | u64::from(words[1][l]) << 32;
        wide[1][l] = u64::from(words[2][l]) | u64::from(words[3][l]) << 32;
    }
    wide
}

/// Two uniform numbers of (0, 1) for the `attempt`-th try at an element: the block of the element's own number whose
/// counter has the attempt in its high half. Element and attempt decide, whoever computes them.
pub(super) fn attempt(key: RandomKey, element: u64, attempt: u64) -> [f64; 2] {
    let number = key.offset.wrapping_add(element);
    let halves = [number as u32, (number >> 32) as u32, attempt as u32, (attempt >> 32) as u32];
    let words = rounds(halves.map(|half| [half]), [key.seed as u32, (key.seed >> 32) as u32]);
    [0, 2].map(|i| {
        let wide = u64::from(words[i][0]) | u64::from(words[i + 1][0]) << 32;
        // 52 bits and a half, so that neither end is met.
        ((wide >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The generator on one counter.
    fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
        rounds(counter.map(|word| [word; LANES]), key).map(|lanes| lanes[LANES - 1])
    }

    #[test]
    fn gives_the_published_known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([!0; 4], [!0; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn the_offset_moves_the_counter() {
        let from = |offset, first| blocks(RandomKey { seed: 0x299f_31d0_a409_3822, offset }, first);
        assert_eq!(from(5, 3), from(0, 8));
        assert_eq!(from(u64::from(u32::MAX), 0)[0][1], from(1 << 32, 0)[0][0]);
        assert_eq!(from(0, 0)[2][0], philox([0; 4], [0xa409_3822, 0x299f_31d0])[2]);
    }
}
