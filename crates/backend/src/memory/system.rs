//! The language's own allocator, at the alignment that kernels expect.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rustorch_error::{Result, RusTorchError};

use super::failure::{count, refused};
use super::limits::memory_limit;
use super::{ALIGNMENT, Block, MemoryAllocator, MemoryStats};

/// Every block straight from `std::alloc` and straight back to it: nothing is kept, and a block is exactly as long as asked for.
///
/// The reference that the other allocators are compared with, and the choice (`RUSTORCH_ALLOCATOR=system`) for hunting memory
/// errors with tools that watch the system's allocator: the first byte behind a buffer is nobody's. Its statistics are exact.
#[derive(Debug, Default)]
pub struct SystemAllocator {
    use_count: UseCount,
}

impl SystemAllocator {
    /// An allocator with its own statistics.
    pub const fn new() -> Self {
        SystemAllocator { use_count: UseCount::new() }
    }

    /// The process-wide instance.
    pub fn global() -> &'static SystemAllocator {
        static GLOBAL: SystemAllocator = SystemAllocator::new();
        &GLOBAL
    }
}

impl MemoryAllocator for SystemAllocator {
    fn allocate(&self, bytes: usize) -> Result<Block> {
        count(bytes)?;
        let layout = exact_layout(bytes)?;
        self.use_count.reserve(layout.size(), bytes)?;
        // SAFETY: the layout's size is not 0.
        let address = unsafe { std::alloc::alloc(layout) };
        if let Some(address) = NonNull::new(address) {
            Ok(Block { address, capacity: layout.size() })
        } else {
            self.use_count.release(layout.size());
            Err(refused(bytes))
        }
    }

    unsafe fn deallocate(&self, block: Block) {
        // SAFETY: the block came from `alloc` with exactly this layout, as the caller promises.
        unsafe { std::alloc::dealloc(block.address.as_ptr(), layout_of(block)) };
        self.use_count.release(block.capacity);
    }

    unsafe fn realloc(&self, block: Block, bytes: usize) -> Result<Block> {
        count(bytes)?;
        let layout = exact_layout(bytes)?;
        self.use_count.reserve(layout.size(), bytes)?;
        // SAFETY: the block came from `alloc` with this layout; the new size is not 0 and was checked by `exact_layout`.
        let address = unsafe { std::alloc::realloc(block.address.as_ptr(), layout_of(block), layout.size()) };
        if let Some(address) = NonNull::new(address) {
            self.use_count.release(block.capacity);
            Ok(Block { address, capacity: layout.size() })
        } else {
            self.use_count.release(layout.size());
            Err(refused(bytes))
        }
    }

    fn stats(&self) -> MemoryStats {
        self.use_count.stats()
    }

    fn reset_peaks(&self) {
        self.use_count.reset_peak();
    }

    fn empty_cache(&self) {}
}

/// What an allocator without a cache has handed out.
#[derive(Debug, Default)]
pub(super) struct UseCount {
    allocated: AtomicUsize,
    peak: AtomicUsize,
    allocations: AtomicU64,
}

impl UseCount {
    pub(super) const fn new() -> Self {
        UseCount { allocated: AtomicUsize::new(0), peak: AtomicUsize::new(0), allocations: AtomicU64::new(0) }
    }

    /// Counts `size` bytes as handed out to a request of `bytes`, unless that would be more than the machine has.
    pub(super) fn reserve(&self, size: usize, bytes: usize) -> Result<()> {
        // Compared before it is added, so that a request that is refused never crowds out another thread's.
        let mut before = self.allocated.load(Ordering::Relaxed);
        let now = loop {
            let now = before.saturating_add(size);
            if now > memory_limit() {
                return Err(beyond_machine(bytes, before));
            }
            match self.allocated.compare_exchange_weak(before, now, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break now,
                Err(changed) => before = changed,
            }
        };
        self.peak.fetch_max(now, Ordering::Relaxed);
        self.allocations.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn release(&self, bytes: usize) {
        self.allocated.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn reset_peak(&self) {
        self.peak.store(self.allocated.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> MemoryStats {
        MemoryStats {
            allocated: self.allocated.load(Ordering::Relaxed),
            peak_allocated: self.peak.load(Ordering::Relaxed),
            cached: 0,
            peak_reserved: self.peak.load(Ordering::Relaxed),
            allocations: self.allocations.load(Ordering::Relaxed),
            cache_hits: 0,
        }
    }
}

/// The layout of a block of exactly `bytes`, but for the least of one byte.
fn exact_layout(bytes: usize) -> Result<Layout> {
    Layout::from_size_align(bytes.max(1), ALIGNMENT).map_err(|_| beyond_machine(bytes, 0))
}

/// The layout of a block of at least `bytes`: a whole, positive number of [`ALIGNMENT`] units.
pub(super) fn block_layout(bytes: usize) -> Result<Layout> {
    bytes
        .max(1)
        .checked_next_multiple_of(ALIGNMENT)
        .and_then(|size| Layout::from_size_align(size, ALIGNMENT).ok())
        .ok_or_else(|| beyond_machine(bytes, 0))
}

/// The layout with which `block` was allocated.
pub(super) fn layout_of(block: Block) -> Layout {
    // SAFETY: `block_layout` or `exact_layout` made this size and alignment when the block was allocated.
    unsafe { Layout::from_size_align_unchecked(block.capacity, ALIGNMENT) }
}

/// More than the machine has; asking the system could end the process later, when the pages are touched.
#[cold]
fn beyond_machine(bytes: usize, in_use: usize) -> RusTorchError {
    RusTorchError::OutOfMemory {
        bytes,
        device: "cpu".into(),
        hint: format!(
            "; the machine has {} bytes of memory and swap, of which {in_use} are in use here: use a smaller shape or \
             dtype, or free tensors you no longer need",
            memory_limit()
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_hold_what_is_written_and_are_counted() {
        let allocator = SystemAllocator::new();
        for bytes in [0, 1, 63, 64, 65, 4096, 1 << 20] {
            let block = allocator.allocate(bytes).unwrap();
            assert_eq!(block.address.as_ptr() as usize % ALIGNMENT, 0);
            assert_eq!(block.capacity, bytes.max(1));
            assert_eq!(allocator.stats().allocated, block.capacity);
            // SAFETY: the block has this capacity; it is given back once.
            unsafe {
                block.address.as_ptr().write_bytes(7, block.capacity);
                let grown = allocator.realloc(block, bytes * 2 + 1).unwrap();
                for i in 0..bytes {
                    assert_eq!(*grown.address.as_ptr().add(i), 7);
                }
                allocator.deallocate(grown);
            }
            assert_eq!(allocator.stats().allocated, 0);
        }
    }

    #[test]
    fn an_impossible_size_is_an_error() {
        let allocator = SystemAllocator::new();
        for bytes in [4_000_000_000_000_000, usize::MAX, usize::MAX - 63, isize::MAX as usize] {
            let error = allocator.allocate(bytes).unwrap_err();
            assert!(error.to_string().starts_with("out of memory: could not allocate"), "{error}");
        }
        assert_eq!(allocator.stats(), MemoryStats::default());
    }
}
