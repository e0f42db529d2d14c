//! Blocks on cache-line boundaries, and large ones on huge pages.

use std::ptr::NonNull;

use rustorch_error::Result;

use super::failure::refused;
use super::system::{UseCount, block_layout, layout_of};
use super::{Block, MemoryAllocator, MemoryStats};

/// From this size on, a block is a mapping of its own that starts on a huge page.
pub(super) const HUGE_PAGE: usize = 2 << 20;

/// 64-byte aligned blocks; those of 2 MiB and more start on a 2 MiB boundary and ask for huge pages (Linux).
///
/// A huge page costs one page fault where small pages cost 512, and one entry of the address-translation cache.
/// Elsewhere every block comes from `std::alloc`. Nothing is kept; the statistics are exact.
#[derive(Debug, Default)]
pub struct AlignedAllocator {
    use_count: UseCount,
}

impl AlignedAllocator {
    /// An allocator with its own statistics.
    pub const fn new() -> Self {
        AlignedAllocator { use_count: UseCount::new() }
    }

    /// The process-wide instance.
    pub fn global() -> &'static AlignedAllocator {
        static GLOBAL: AlignedAllocator = AlignedAllocator::new();
        &GLOBAL
    }
}

impl MemoryAllocator for AlignedAllocator {
    fn allocate(&self, bytes: usize) -> Result<Block> {
        let layout = block_layout(bytes)?;
        self.use_count.reserve(layout.size(), bytes)?;
        let address = if is_mapped(layout.size()) {
            map_huge(layout.size())
        } else {
            // SAFETY: the layout's size is not 0.
            NonNull::new(unsafe { std::alloc::alloc(layout) })
        };
        if let Some(address) = address {
            Ok(Block { address, capacity: layout.size() })
        } else {
            self.use_count.release(layout.size());
            Err(refused(bytes))
        }
    }

    unsafe fn deallocate(&self, block: Block) {
        // SAFETY: the caller gives back what `allocate` returned, and the capacity tells which way it was had.
        unsafe {
            if is_mapped(block.capacity) {
                unmap(block);
            } else {
                std::alloc::dealloc(block.address.as_ptr(), layout_of(block));
            }
        }
        self.use_count.release(block.capacity);
    }

    unsafe fn realloc(&self, block: Block, bytes: usize) -> Result<Block> {
        if block_layout(bytes)?.size() == block.capacity {
            return Ok(block);
        }
        // SAFETY: passed on to the caller.
        unsafe { move_block(self, block, bytes) }
    }

    fn stats(&self) -> MemoryStats {
        self.use_count.stats()
    }

    fn reset_peaks(&self) {
        self.use_count.reset_peak();
    }

    fn empty_cache(&self) {}
}

/// Allocates, copies what fits, and gives the old block back.
///
/// # Safety
/// As [`MemoryAllocator::realloc`].
pub(super) unsafe fn move_block(
    allocator: &dyn MemoryAllocator,
    block: Block,
    bytes: usize,
) -> Result<Block> {
    let moved = allocator.allocate(bytes)?;
    // SAFETY: both blocks are valid for the smaller of their capacities, and a fresh block overlaps no live one; the
    // caller gives `block` up.
    unsafe {
        let length = block.capacity.min(moved.capacity);
        std::ptr::copy_nonoverlapping(block.address.as_ptr(), moved.address.as_ptr(), length);
        allocator.deallocate(block);
    }
    Ok(moved)
}

/// Whether a block of this capacity is a mapping of its own.
const fn is_mapped(capacity: usize) -> bool {
    cfg!(target_os = "linux") && capacity >= HUGE_PAGE
}

#[cfg(target_os = "linux")]
fn map_huge(bytes: usize) -> Option<NonNull<u8>> {
    // Room to move the start to a boundary; what lies outside is unmapped again.
    let reserved = bytes.checked_add(HUGE_PAGE)?;
    // SAFETY: an anonymous private mapping at an address of the kernel's choice touches no memory of ours; the two
    // `munmap` calls cut off page-aligned ends of that same mapping, and `madvise` only advises.
    unsafe {
        let start = libc::mmap(
            std::ptr::null_mut(),
            reserved,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if start == libc::MAP_FAILED {
            return None;
        }
        let head = start.cast::<u8>().align_offset(HUGE_PAGE);
        let address = start.cast::<u8>().add(head);
        if head > 0 {
            libc::munmap(start, head);
        }
        let end = page_multiple(bytes);
        let tail = reserved - head - end;
        if tail > 0 {
            libc::munmap(address.add(end).cast(), tail);
        }
        // Refused where the kernel has no huge pages: then the block has small ones.
        libc::madvise(address.cast(), end, libc::MADV_HUGEPAGE);
        NonNull::new(address)
    }
}

/// # Safety
/// `block` came from `map_huge` and is not used afterwards.
#[cfg(target_os = "linux")]
unsafe fn unmap(block: Block) {
    // SAFETY: the mapping has exactly this start and length.
    unsafe { libc::munmap(block.address.as_ptr().cast(), page_multiple(block.capacity)) };
}

#[cfg(target_os = "linux")]
fn page_multiple(bytes: usize) -> usize {
    // SAFETY: `sysconf` reads a constant of the system.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    bytes.next_multiple_of(usize::try_from(page).unwrap_or(4096))
}

#[cfg(not(target_os = "linux"))]
fn map_huge(_bytes: usize) -> Option<NonNull<u8>> {
    None
}

/// # Safety
/// Never called: `is_mapped` is false here.
#[cfg(not(target_os = "linux"))]
unsafe fn unmap(_block: Block) {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::ALIGNMENT;
    use super::*;

    #[test]
    fn large_blocks_start_on_huge_pages_and_are_usable_to_the_last_byte() {
        let allocator = AlignedAllocator::new();
        for bytes in [1, 1000, HUGE_PAGE - 64, HUGE_PAGE, HUGE_PAGE + 1, 3 * HUGE_PAGE + 4096 + 64] {
            let block = allocator.allocate(bytes).unwrap();
            let boundary =
                if cfg!(target_os = "linux") && bytes >= HUGE_PAGE { HUGE_PAGE } else { ALIGNMENT };
            assert_eq!(block.address.as_ptr() as usize % boundary, 0);
            // SAFETY: within the capacity; given back once.
            unsafe {
                block.address.as_ptr().write_bytes(3, block.capacity);
                allocator.deallocate(block);
            }
        }
        assert_eq!(allocator.stats().allocated, 0);
        assert_eq!(allocator.stats().allocations, 6);
    }

    #[test]
    fn realloc_keeps_contents_across_the_two_kinds_of_block() {
        let allocator = AlignedAllocator::new();
        let sizes = [100, HUGE_PAGE + 10, 2 * HUGE_PAGE, 50_000, 64];
        let mut block = allocator.allocate(sizes[0]).unwrap();
        let mut filled = 0;
        for &size in &sizes {
            // SAFETY: all accesses are below the block's size, which `realloc` guarantees.
            unsafe {
                block = allocator.realloc(block, size).unwrap();
                for i in 0..filled.min(size) {
                    assert_eq!(*block.address.as_ptr().add(i), (i % 251) as u8);
                }
                for i in 0..size {
                    *block.address.as_ptr().add(i) = (i % 251) as u8;
                }
            }
            filled = size;
        }
        // SAFETY: given back once.
        unsafe { allocator.deallocate(block) };
        assert_eq!(allocator.stats().allocated, 0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn blocks_that_together_exceed_the_machine_are_refused() {
        let allocator = AlignedAllocator::new();
        let half = super::super::limits::memory_limit() / 2 + HUGE_PAGE;
        let first = allocator.allocate(half).unwrap();
        let error = allocator.allocate(half).unwrap_err().to_string();
        assert!(error.contains("are in use here"), "{error}");
        // SAFETY: given back once.
        unsafe { allocator.deallocate(first) };
        let again = allocator.allocate(half).unwrap();
        // SAFETY: given back once.
        unsafe { allocator.deallocate(again) };
    }
}
