//! The CPU's allocator: blocks are recycled, so that a result costs neither a system call nor page faults.

mod block_cache;
mod chain;
mod size_class;
mod spans;
mod thread_cache;

use std::ptr::NonNull;
use std::sync::atomic::{AtomicIsize, AtomicU64, AtomicUsize, Ordering};

use rustorch_error::Result;

use super::aligned::{AlignedAllocator, HUGE_PAGE, move_block};
use super::fork::{Mutex, OnceLock};
use super::limits::physical_memory;
use super::{Block, MemoryAllocator, MemoryStats, failure};
pub use block_cache::BlockCache;
use chain::Chain;
use size_class::{COUNT, LARGEST, batch_of, capacity_of, class_of};
use spans::Spans;
use thread_cache::ThreadCache;

/// How much is carved into small blocks at a time: a mapping of its own, which can go back to the system.
const SPAN: usize = HUGE_PAGE;

/// Recycles blocks over [`AlignedAllocator`]; there is one per process, [`PoolAllocator::global`].
///
/// **Small blocks** (up to 64 KiB) come in size classes, from lists that each thread keeps for itself: no lock, no
/// atomic operation. A thread exchanges batches with shared lists when it has none or too many, and hands everything
/// over when it ends; blocks may be freed on any thread. They are carved from 2 MiB spans, which stay with the process until
/// [`empty_cache`](MemoryAllocator::empty_cache) finds them unused.
///
/// **Large blocks** are kept when they are freed and handed out again by best fit (at most a quarter larger than asked
/// for), so their pages are already there. At most a quarter of the physical memory is kept; beyond that the block that
/// has waited longest goes back to the system. When the system refuses a request, everything kept goes back and the
/// request is tried once more.
///
/// **Statistics**: large blocks are counted exactly. A thread reports its small blocks after every 64 KiB of change and
/// when it asks for [`stats`](MemoryAllocator::stats), so `allocated` is short or over by at most 64 KiB per *other*
/// running thread, `peak_allocated` by at most that per thread, and the two counters by what those threads have not
/// reported. `cached` counts large blocks and the spans' bytes that are not in use.
#[derive(Debug)]
pub struct PoolAllocator {
    source: AlignedAllocator,
    small: [Mutex<Vec<Chain>>; COUNT],
    spans: Mutex<Spans>,
    span_bytes: AtomicUsize,
    large: Mutex<BlockCache>,
    small_allocated: AtomicIsize,
    large_allocated: AtomicUsize,
    peak: AtomicUsize,
    allocations: AtomicU64,
    hits: AtomicU64,
}

/// Small allocations as a thread counts them.
#[derive(Debug, Clone, Copy)]
struct Counts {
    bytes: isize,
    allocations: u64,
    hits: u64,
}

impl Counts {
    const ZERO: Counts = Counts { bytes: 0, allocations: 0, hits: 0 };

    #[inline]
    const fn plus(self, more: Counts) -> Counts {
        Counts {
            bytes: self.bytes + more.bytes,
            allocations: self.allocations + more.allocations,
            hits: self.hits + more.hits,
        }
    }
}

static GLOBAL: PoolAllocator = PoolAllocator {
    source: AlignedAllocator::new(),
    small: [const { Mutex::new(Vec::new()) }; COUNT],
    spans: Mutex::new(Spans::new()),
    span_bytes: AtomicUsize::new(0),
    large: Mutex::new(BlockCache::new()),
    small_allocated: AtomicIsize::new(0),
    large_allocated: AtomicUsize::new(0),
    peak: AtomicUsize::new(0),
    allocations: AtomicU64::new(0),
    hits: AtomicU64::new(0),
};

impl PoolAllocator {
    /// The process-wide pool.
    #[inline]
    pub fn global() -> &'static PoolAllocator {
        &GLOBAL
    }

    /// A small block when this thread has none: a batch from the shared lists, or fresh from a span.
    #[cold]
    fn allocate_small(&self, class: usize) -> Result<Block> {
        let waiting = self.small[class].lock().pop();
        let hit = waiting.is_some();
        let mut chain = match waiting {
            Some(chain) => chain,
            None => self.carve(class)?,
        };
        let capacity = capacity_of(class);
        let block = ThreadCache::with(|cache| cache.refill(class, chain, hit)).unwrap_or_else(|| {
            // The thread is ending: what it does not use itself stays shared.
            let block = chain.pop();
            self.give(class, chain);
            self.add(Counts { bytes: capacity as isize, allocations: 1, hits: u64::from(hit) });
            block
        });
        // Chains in the shared lists are never empty, nor is a carved one.
        block.map_or_else(|| self.source.allocate(capacity), |address| Ok(Block { address, capacity }))
    }

    /// Cuts a batch of blocks from the current span.
    fn carve(&self, class: usize) -> Result<Chain> {
        let capacity = capacity_of(class);
        let mut span = self.spans.lock();
        if span.left < capacity {
            // The rest of the old span, if any, is smaller than this class and becomes blocks of smaller ones.
            span.reserve()?;
            let fresh = self.request(SPAN)?;
            if let Some(rest) = span.next.take() {
                self.scatter_rest(rest, span.left);
            }
            span.begin(fresh);
            self.span_bytes.store(span.bytes(), Ordering::Relaxed);
        }
        let mut chain = Chain::EMPTY;
        while let Some(block) = span.next
            && span.left >= capacity
            && chain.count() < batch_of(class)
        {
            // SAFETY: the span holds at least `capacity` more bytes at `block`, which nobody else has; capacities are
            // multiples of the alignment.
            unsafe {
                chain.push(block);
                span.next = Some(block.add(capacity));
            }
            span.left -= capacity;
        }
        Ok(chain)
    }

    /// Turns the end of a span into the largest blocks that fit.
    fn scatter_rest(&self, mut rest: NonNull<u8>, mut left: usize) {
        for class in (0..COUNT).rev() {
            let capacity = capacity_of(class);
            while left >= capacity {
                let mut chain = Chain::EMPTY;
                // SAFETY: as in `carve`.
                unsafe {
                    chain.push(rest);
                    rest = rest.add(capacity);
                }
                left -= capacity;
                self.give(class, chain);
            }
        }
    }

    /// Takes a batch into the shared lists.
    fn give(&self, class: usize, chain: Chain) {
        if chain.count() > 0 {
            self.small[class].lock().push(chain);
        }
    }

    fn add(&self, counts: Counts) {
        self.small_allocated.fetch_add(counts.bytes, Ordering::Relaxed);
        self.allocations.fetch_add(counts.allocations, Ordering::Relaxed);
        self.hits.fetch_add(counts.hits, Ordering::Relaxed);
        if counts.bytes > 0 {
            self.peak.fetch_max(self.allocated(), Ordering::Relaxed);
        }
    }

    fn allocated(&self) -> usize {
        let small = self.small_allocated.load(Ordering::Relaxed);
        // A block that one thread has freed and reported may not have been reported by the thread that allocated it.
        self.large_allocated.load(Ordering::Relaxed).saturating_add_signed(small.max(0))
    }

    #[cold]
    fn allocate_large(&self, bytes: usize) -> Result<Block> {
        let capacity = large_capacity(bytes);
        let kept = self.large.lock().take(bytes);
        let hit = kept.is_some();
        let block = match kept {
            Some(block) => block,
            None => self.request(capacity).or_else(|_| self.request(bytes))?,
        };
        let large = self.large_allocated.fetch_add(block.capacity, Ordering::Relaxed) + block.capacity;
        let small = self.small_allocated.load(Ordering::Relaxed).max(0);
        self.peak.fetch_max(large.saturating_add_signed(small), Ordering::Relaxed);
        self.allocations.fetch_add(1, Ordering::Relaxed);
        self.hits.fetch_add(u64::from(hit), Ordering::Relaxed);
        Ok(block)
    }

    /// A fresh block; when it is refused, gives back what is kept and tries once more.
    fn request(&self, bytes: usize) -> Result<Block> {
        self.source.allocate(bytes).or_else(|_| {
            self.empty_cache();
            self.source.allocate(bytes)
        })
    }

    /// Gives the spans in which no block is in use, nor kept by another thread, back to the system.
    fn release_spans(&self) {
        // Taken by who is asking the system for a span; then there is none to be had here either.
        let Some(mut spans) = self.spans.try_lock() else { return };
        let mut lists = self.small.each_ref().map(Mutex::lock);
        // SAFETY: the span came from `source`, and no list has a block of it any more.
        spans.release(&mut lists, |span| unsafe { self.source.deallocate(span) });
        self.span_bytes.store(spans.bytes(), Ordering::Relaxed);
    }

    /// Gives the large blocks that are kept back to the system, unless somebody has them in hand; whether there were any.
    /// It asks for no memory, and may be called by who holds the pool's locks.
    pub(super) fn give_up_kept(&self) -> bool {
        let mut any = false;
        loop {
            let Some(mut large) = self.large.try_lock() else { return any };
            let Some(block) = large.evict(0) else { return any };
            drop(large);
            // SAFETY: the block came from `source`, and the cache was its only owner.
            unsafe { self.source.deallocate(block) };
            any = true;
        }
    }

    /// Gives the blocks that have waited longest back to the system until at most `limit` bytes are kept.
    fn trim(&self, limit: usize) {
        loop {
            // The lock is not held while the system works.
            let Some(block) = self.large.lock().evict(limit) else { return };
            // SAFETY: the block came from `source`, and the cache was its only owner.
            unsafe { self.source.deallocate(block) };
        }
    }
}

/// How many bytes of large blocks are kept at most.
fn keep_limit() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(|| physical_memory().unwrap_or(4 << 30) / 4)
}

/// The size that is asked of the system for a large block: eight steps per doubling, so that requests of nearly one
/// size share blocks.
fn large_capacity(bytes: usize) -> usize {
    let step = (1usize << bytes.ilog2()) / 8;
    // Pages of a mapping that are not touched cost nothing, so from a huge page on the rounding is free.
    let step = if bytes > HUGE_PAGE { step.max(64 << 10) } else { step };
    bytes.checked_next_multiple_of(step).unwrap_or(bytes)
}

impl MemoryAllocator for PoolAllocator {
    #[inline]
    fn allocate(&self, bytes: usize) -> Result<Block> {
        failure::count(bytes)?;
        if bytes > LARGEST {
            return self.allocate_large(bytes);
        }
        let class = class_of(bytes);
        match ThreadCache::with(|cache| cache.take(class)) {
            Some(Some(address)) => Ok(Block { address, capacity: capacity_of(class) }),
            _ => self.allocate_small(class),
        }
    }

    #[inline]
    unsafe fn deallocate(&self, block: Block) {
        if block.capacity > LARGEST {
            self.large_allocated.fetch_sub(block.capacity, Ordering::Relaxed);
            let mut large = self.large.lock();
            large.put(block);
            let full = large.bytes() > keep_limit();
            drop(large);
            if full {
                self.trim(keep_limit());
            }
            return;
        }
        let class = class_of(block.capacity);
        // SAFETY: the caller gives up a block whose capacity is its class's.
        let kept = ThreadCache::with(|cache| unsafe { cache.put(self, class, block.address) });
        if kept.is_none() {
            let mut chain = Chain::EMPTY;
            // SAFETY: as above.
            unsafe { chain.push(block.address) };
            self.give(class, chain);
            self.add(Counts { bytes: -(block.capacity as isize), allocations: 0, hits: 0 });
        }
    }

    unsafe fn realloc(&self, block: Block, bytes: usize) -> Result<Block> {
        if bytes <= block.capacity && bytes >= block.capacity / 2 {
            return Ok(block);
        }
        // SAFETY: passed on to the caller.
        unsafe { move_block(self, block, bytes) }
    }

    fn stats(&self) -> MemoryStats {
        ThreadCache::with(ThreadCache::report);
        let small = self.small_allocated.load(Ordering::Relaxed).max(0).unsigned_abs();
        MemoryStats {
            allocated: self.allocated(),
            peak_allocated: self.peak.load(Ordering::Relaxed).max(self.allocated()),
            cached: self.large.lock().bytes() + self.span_bytes.load(Ordering::Relaxed).saturating_sub(small),
            peak_reserved: self.source.stats().peak_allocated,
            allocations: self.allocations.load(Ordering::Relaxed),
            cache_hits: self.hits.load(Ordering::Relaxed),
        }
    }

    fn reset_peaks(&self) {
        ThreadCache::with(ThreadCache::report);
        self.peak.store(self.allocated(), Ordering::Relaxed);
        self.source.reset_peaks();
    }

    /// Gives the large blocks back to the system, and the spans in which no small block is in use; a few that other
    /// threads keep for themselves hold on to theirs.
    fn empty_cache(&self) {
        ThreadCache::with(ThreadCache::flush);
        self.trim(0);
        self.release_spans();
    }
}

#[cfg(test)]
mod tests;
