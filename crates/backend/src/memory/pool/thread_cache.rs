//! What a thread keeps for itself, so that a small block costs no lock.

use std::cell::Cell;
use std::ptr::NonNull;

use super::chain::Chain;
use super::size_class::{COUNT, batch_of, capacity_of};
use super::{Counts, PoolAllocator};

/// A thread reports its counts when it has handed out or taken back this much since the last time.
const REPORT_BYTES: isize = 64 << 10;

/// Free small blocks of each class, and counts that the pool does not know yet.
///
/// It serves the one process-wide pool. A block that was allocated on one thread and freed on another simply joins the
/// other's chain.
pub(super) struct ThreadCache {
    chains: [Cell<Chain>; COUNT],
    counts: Cell<Counts>,
}

thread_local! {
    static CACHE: ThreadCache = const {
        ThreadCache { chains: [const { Cell::new(Chain::EMPTY) }; COUNT], counts: Cell::new(Counts::ZERO) }
    };
}

impl ThreadCache {
    /// Calls `f` with this thread's cache, or gives `None` while the thread ends and its cache is gone.
    #[inline]
    pub(super) fn with<R>(f: impl FnOnce(&ThreadCache) -> R) -> Option<R> {
        CACHE.try_with(f).ok()
    }

    /// A block of `class`, if the thread has one.
    #[inline]
    pub(super) fn take(&self, class: usize) -> Option<NonNull<u8>> {
        let cell = &self.chains[class];
        let mut chain = cell.get();
        let block = chain.pop()?;
        cell.set(chain);
        self.count(Counts { bytes: capacity_of(class) as isize, allocations: 1, hits: 1 });
        Some(block)
    }

    /// Hands out the first block of `chain`, fresh from the shared lists, and keeps the rest.
    pub(super) fn refill(&self, class: usize, mut chain: Chain, hit: bool) -> Option<NonNull<u8>> {
        let block = chain.pop();
        self.chains[class].set(chain);
        self.count(Counts { bytes: capacity_of(class) as isize, allocations: 1, hits: u64::from(hit) });
        block
    }

    /// Keeps a free block; gives half of a class back to `pool` when the thread has too many.
    ///
    /// # Safety
    /// As [`Chain::push`], and the block is of `class`.
    #[inline]
    pub(super) unsafe fn put(&self, pool: &PoolAllocator, class: usize, block: NonNull<u8>) {
        let cell = &self.chains[class];
        let mut chain = cell.get();
        // SAFETY: passed on to the caller.
        unsafe { chain.push(block) };
        if chain.count() > 4 * batch_of(class) {
            for _ in 0..2 {
                pool.give(class, chain.split(batch_of(class)));
            }
        }
        cell.set(chain);
        self.count(Counts { bytes: -(capacity_of(class) as isize), allocations: 0, hits: 0 });
    }

    #[inline]
    fn count(&self, more: Counts) {
        let counts = self.counts.get().plus(more);
        self.counts.set(counts);
        if counts.bytes.unsigned_abs() > REPORT_BYTES.unsigned_abs() {
            self.report();
        }
    }

    /// Tells the pool what this thread has counted.
    #[cold]
    pub(super) fn report(&self) {
        PoolAllocator::global().add(self.counts.replace(Counts::ZERO));
    }

    /// Gives every block back to the shared lists.
    pub(super) fn flush(&self) {
        let pool = PoolAllocator::global();
        for (class, cell) in self.chains.iter().enumerate() {
            let mut chain = cell.replace(Chain::EMPTY);
            while chain.count() > 0 {
                pool.give(class, chain.split(batch_of(class)));
            }
        }
        self.report();
    }
}

impl Drop for ThreadCache {
    fn drop(&mut self) {
        self.flush();
    }
}
