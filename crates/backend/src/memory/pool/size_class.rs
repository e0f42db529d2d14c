//! The sizes of small blocks.

use super::super::ALIGNMENT;

/// The largest small block.
pub(super) const LARGEST: usize = 64 << 10;

/// How many sizes there are: 64, 128, 192, 256, then four steps per doubling, so that at most a fifth is unused.
pub(super) const COUNT: usize = 36;

/// The class of a request of `bytes`, which is at most [`LARGEST`].
#[inline]
pub(super) const fn class_of(bytes: usize) -> usize {
    let unit = bytes.saturating_sub(1) / ALIGNMENT;
    if unit < 4 {
        return unit;
    }
    let exponent = unit.ilog2() as usize;
    (exponent - 1) * 4 + ((unit >> (exponent - 2)) & 3)
}

/// The capacity of a class's blocks, in bytes.
#[inline]
pub(super) const fn capacity_of(class: usize) -> usize {
    let units = if class < 4 { class + 1 } else { (5 + (class & 3)) << (class / 4 - 1) };
    units * ALIGNMENT
}

/// How many blocks of a class move between a thread and the shared lists at a time: about 32 KiB.
#[inline]
pub(super) const fn batch_of(class: usize) -> usize {
    BATCHES[class] as usize
}

/// A table, because a division takes longer than all else that freeing a block does.
const BATCHES: [u8; COUNT] = {
    let mut batches = [1; COUNT];
    let mut class = 0;
    while class < COUNT {
        let blocks = (32 << 10) / capacity_of(class);
        if blocks > 64 {
            batches[class] = 64;
        } else if blocks > 1 {
            batches[class] = blocks as u8;
        }
        class += 1;
    }
    batches
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_gets_the_smallest_class_that_holds_it() {
        for bytes in 0..=LARGEST {
            let class = class_of(bytes);
            assert!(class < COUNT);
            assert!(capacity_of(class) >= bytes.max(1));
            assert!(class == 0 || capacity_of(class - 1) < bytes);
            assert!(bytes <= 256 || capacity_of(class) * 4 < bytes * 5 + 4 * ALIGNMENT);
            assert_eq!(class_of(capacity_of(class)), class);
        }
        assert_eq!(capacity_of(COUNT - 1), LARGEST);
    }
}
