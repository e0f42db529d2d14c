//! The pool over a device's memory.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustorch_backend::memory::{Block, BlockCache, MemoryAllocator, MemoryStats};
use rustorch_error::{Result, RusTorchError};

use crate::executor::KernelExecutor;

/// Blocks are multiples of this: what drivers align to.
const STEP: usize = 512;

/// Recycles device blocks by best fit; there is one per device.
///
/// Work on a device is queued in order, so a block may be handed out again while the work that used it is still
/// queued: what comes next is queued behind it. When the device refuses a request, everything kept goes back and
/// the request is tried once more; then it is an error.
pub struct GpuMemoryAllocator<E: KernelExecutor> {
    executor: &'static E,
    state: Mutex<State>,
}

struct State {
    cache: BlockCache,
    stats: MemoryStats,
}

impl<E: KernelExecutor> GpuMemoryAllocator<E> {
    /// An empty pool.
    pub fn new(executor: &'static E) -> Self {
        let state = State { cache: BlockCache::new(), stats: MemoryStats::default() };
        GpuMemoryAllocator { executor, state: Mutex::new(state) }
    }

    /// No code panics while it holds the lock; should it be poisoned all the same, the lists are whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `attempt` gives; when it lacks memory, everything kept goes back to the driver and it is made once more.
    pub(crate) fn making_room<T>(&self, attempt: impl Fn() -> Result<T>) -> Result<T> {
        attempt().or_else(|error| {
            if !matches!(error, RusTorchError::OutOfMemory { .. }) || self.lock().cache.bytes() == 0 {
                return Err(error);
            }
            // A driver keeps a block until the work that uses it is done.
            self.executor.synchronize()?;
            self.empty_cache();
            attempt()
        })
    }
}

/// The size that is asked of the device: eight steps per doubling, so that requests of nearly one size share blocks.
fn capacity_of(bytes: usize) -> Option<usize> {
    let bytes = bytes.max(1);
    bytes.checked_next_multiple_of((1usize << bytes.ilog2()).div_euclid(8).max(STEP))
}

impl<E: KernelExecutor> MemoryAllocator for GpuMemoryAllocator<E> {
    fn allocate(&self, bytes: usize) -> Result<Block> {
        let refused = || RusTorchError::OutOfMemory {
            bytes,
            device: self.executor.info().kind.to_string(),
            hint: String::new(),
        };
        let capacity = capacity_of(bytes).ok_or_else(refused)?;
        if capacity as u64 > self.executor.limits().largest_allocation {
            return Err(RusTorchError::OutOfMemory {
                bytes,
                device: self.executor.info().kind.to_string(),
                hint: format!(
                    "; a block has at most {} bytes there",
                    self.executor.limits().largest_allocation
                ),
            });
        }
        let kept = self.lock().cache.take(capacity);
        let hit = kept.is_some();
        let block = match kept {
            Some(block) => block,
            None => Block { address: self.making_room(|| self.executor.allocate(capacity))?, capacity },
        };
        let stats = &mut self.lock().stats;
        stats.allocated += block.capacity;
        stats.peak_allocated = stats.peak_allocated.max(stats.allocated);
        stats.allocations += 1;
        stats.cache_hits += u64::from(hit);
        Ok(block)
    }

    unsafe fn deallocate(&self, block: Block) {
        let mut state = self.lock();
        state.stats.allocated -= block.capacity;
        state.cache.put(block);
    }

    unsafe fn realloc(&self, block: Block, bytes: usize) -> Result<Block> {
        if bytes <= block.capacity && bytes >= block.capacity / 2 {
            return Ok(block);
        }
        let moved = self.allocate(bytes)?;
        let copied = self.executor.copy((block.address, 0), (moved.address, 0), bytes.min(block.capacity));
        let (given_back, result) = match copied {
            Ok(()) => (block, Ok(moved)),
            Err(error) => (moved, Err(error)),
        };
        // SAFETY: the caller gives up `block` when this succeeds; `moved` is nobody else's.
        unsafe { self.deallocate(given_back) };
        result
    }

    fn stats(&self) -> MemoryStats {
        let state = self.lock();
        MemoryStats { cached: state.cache.bytes(), ..state.stats }
    }

    fn empty_cache(&self) {
        loop {
            // The lock is not held while the driver works.
            let Some(block) = self.lock().cache.evict(0) else { return };
            // SAFETY: the block came from the executor, and the cache was its only owner.
            unsafe { self.executor.free(block.address) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::{MEMORY, StandIn};

    fn pool() -> (&'static StandIn, GpuMemoryAllocator<StandIn>) {
        let executor: &'static StandIn = Box::leak(Box::new(StandIn::new()));
        (executor, GpuMemoryAllocator::new(executor))
    }

    #[test]
    fn blocks_are_used_again_and_given_back_when_asked() {
        let (executor, pool) = pool();
        let first = pool.allocate(1000).expect("there is memory");
        assert_eq!(first.capacity, 1024);
        // SAFETY: the block is the pool's, and is given back once.
        unsafe { pool.deallocate(first) };
        assert_eq!(pool.allocate(1020).expect("there is memory"), first);
        let stats = pool.stats();
        assert_eq!((stats.allocations, stats.cache_hits, stats.allocated, stats.cached), (2, 1, 1024, 0));
        // SAFETY: as above.
        unsafe { pool.deallocate(first) };
        assert_eq!((pool.stats().allocated, pool.stats().cached), (0, 1024));
        pool.empty_cache();
        assert_eq!((pool.stats().cached, executor.in_use()), (0, 0));
    }

    #[test]
    fn when_the_device_is_full_what_is_kept_goes_back_and_the_request_is_tried_again() {
        let (executor, pool) = pool();
        let half = pool.allocate(MEMORY / 2).expect("there is memory");
        // SAFETY: the block is the pool's, and is given back once.
        unsafe { pool.deallocate(half) };
        // It fits only without the half that is kept, which is too small.
        let most = pool.allocate(MEMORY / 4 * 3).expect("what was kept makes room");
        assert_eq!(executor.in_use(), most.capacity);
        let error = pool.allocate(MEMORY / 2).expect_err("there is no room, and nothing to give back");
        assert!(matches!(error, RusTorchError::OutOfMemory { .. }), "{error}");
        let error = pool.allocate(usize::MAX).expect_err("no device has that much");
        assert!(matches!(error, RusTorchError::OutOfMemory { .. }), "{error}");
        assert_eq!(pool.stats().allocated, most.capacity, "a refused request changes nothing");
    }
}
