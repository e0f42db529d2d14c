//! Large blocks that wait for their next use.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::Block;

/// Free blocks, found by size and forgotten by age.
///
/// Knows nothing of where they came from, so it serves any device's blocks. All operations cost O(log n).
#[derive(Debug, Default)]
pub struct BlockCache {
    /// By capacity and, within one, the latest first: its pages are the likeliest to be in the processor's cache.
    by_size: BTreeMap<(usize, Reverse<u64>), Block>,
    /// The capacity of each block, the oldest first.
    by_age: BTreeMap<u64, usize>,
    bytes: usize,
    clock: u64,
}

impl BlockCache {
    /// Without blocks.
    pub const fn new() -> Self {
        BlockCache { by_size: BTreeMap::new(), by_age: BTreeMap::new(), bytes: 0, clock: 0 }
    }

    /// The total capacity of the blocks.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The smallest block of at least `bytes` and at most a quarter more.
    pub fn take(&mut self, bytes: usize) -> Option<Block> {
        let most = bytes.saturating_add(bytes / 4);
        let (&key, _) = self.by_size.range((bytes, Reverse(u64::MAX))..=(most, Reverse(0))).next()?;
        self.remove(key)
    }

    /// Keeps `block`.
    pub fn put(&mut self, block: Block) {
        self.clock += 1;
        self.by_size.insert((block.capacity, Reverse(self.clock)), block);
        self.by_age.insert(self.clock, block.capacity);
        self.bytes += block.capacity;
    }

    /// Removes the block that has waited longest, if together they exceed `limit` bytes.
    pub fn evict(&mut self, limit: usize) -> Option<Block> {
        if self.bytes <= limit {
            return None;
        }
        let (&age, &capacity) = self.by_age.first_key_value()?;
        self.remove((capacity, Reverse(age)))
    }

    fn remove(&mut self, key: (usize, Reverse<u64>)) -> Option<Block> {
        let block = self.by_size.remove(&key)?;
        self.by_age.remove(&key.1.0);
        self.bytes -= block.capacity;
        Some(block)
    }
}

#[cfg(test)]
mod tests {
    use std::ptr::NonNull;

    use super::*;

    fn block(name: usize, capacity: usize) -> Block {
        Block { address: NonNull::without_provenance(name.try_into().expect("names start at 1")), capacity }
    }

    #[test]
    fn takes_the_best_fit_the_latest_first_and_forgets_the_oldest() {
        let mut cache = BlockCache::new();
        for (name, capacity) in [(1, 100), (2, 120), (3, 100), (4, 1000)] {
            cache.put(block(name, capacity));
        }
        assert_eq!(cache.bytes(), 1320);
        assert_eq!(cache.take(99), Some(block(3, 100)));
        assert_eq!(cache.take(99), Some(block(1, 100)));
        assert_eq!(cache.take(99), Some(block(2, 120)));
        assert_eq!(cache.take(99), None, "1000 bytes would waste too many");
        cache.put(block(5, 10));
        cache.put(block(6, 20));
        assert_eq!(cache.evict(1030), None);
        assert_eq!(cache.evict(1000), Some(block(4, 1000)));
        assert_eq!(cache.evict(10), Some(block(5, 10)));
        assert_eq!(cache.evict(10), Some(block(6, 20)));
        assert_eq!(cache.bytes(), 0);
        assert_eq!(cache.evict(0), None);
    }
}
