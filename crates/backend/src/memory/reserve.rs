//! The language's allocator with something put by, for what cannot report that there is no memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::failure;
use super::pool::PoolAllocator;

/// How much is put by. Pages that are never touched cost nothing.
const RESERVE: usize = 4 << 20;

/// The largest request that is served from it: a tensor's handle, a node of a graph, a message, a thread's stack is none.
const SMALL: usize = 64 << 10;

/// The system's allocator, which a program makes its own with `#[global_allocator]`.
///
/// Lists whose length comes from data are kept in [`super::Scratch`], where the lack of memory is an error. What is left are the
/// small things that Rust allocates on the way, with no way to fail but to end the process. When the system refuses one, the
/// pool gives back what it keeps; then the reserve serves it, and the next request to the pool is refused in its stead: so the
/// op that was under way ends with an error, and what it held goes back.
#[derive(Debug)]
pub struct ReservingAllocator;

#[repr(align(64))]
struct Arena(UnsafeCell<[u8; RESERVE]>);

// SAFETY: parts of it are handed out once each, as `claim` says; nothing else reads or writes it.
unsafe impl Sync for Arena {}

static ARENA: Arena = Arena(UnsafeCell::new([0; RESERVE]));

/// In the upper half how many blocks are in use, in the lower how many bytes were handed out since none was.
static STATE: AtomicUsize = AtomicUsize::new(0);
const ONE: usize = 1 << 32;

fn start() -> *mut u8 {
    ARENA.0.get().cast()
}

fn is_reserved(block: *mut u8) -> bool {
    (block as usize).wrapping_sub(start() as usize) < RESERVE
}

/// A part of the reserve, or null.
fn claim(layout: Layout) -> *mut u8 {
    if layout.align() > 64 {
        return std::ptr::null_mut();
    }
    let mut at = 0;
    let claimed = STATE.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |state| {
        at = (state % ONE).next_multiple_of(layout.align());
        let end = at + layout.size();
        (end <= RESERVE).then_some(state / ONE * ONE + ONE + end)
    });
    if claimed.is_ok() { start().wrapping_add(at) } else { std::ptr::null_mut() }
}

/// Takes a part of the reserve back; with the last one all of it is free again.
fn release() {
    // The update never fails: the function always gives a value.
    let _ = STATE.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |state| {
        let left = state - ONE;
        Some(if left < ONE { 0 } else { left })
    });
}

#[cold]
#[inline(never)]
fn rescue(layout: Layout) -> *mut u8 {
    if PoolAllocator::global().give_up_kept() {
        // SAFETY: the caller's layout, of a size that is not 0.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            return block;
        }
    }
    if layout.size() > SMALL {
        return std::ptr::null_mut();
    }
    failure::refuse_next();
    claim(layout)
}

// SAFETY: blocks are the system's or disjoint parts of the reserve, aligned as asked, and the address tells which.
unsafe impl GlobalAlloc for ReservingAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on to the caller.
        let block = unsafe { System.alloc(layout) };
        if block.is_null() { rescue(layout) } else { block }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on to the caller.
        let block = unsafe { System.alloc_zeroed(layout) };
        if !block.is_null() {
            return block;
        }
        let block = rescue(layout);
        if !block.is_null() {
            // SAFETY: just had, of this size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_reserved(block) {
            release();
        } else {
            // SAFETY: passed on to the caller.
            unsafe { System.dealloc(block, layout) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_reserved(block) {
            // SAFETY: passed on to the caller.
            let moved = unsafe { System.realloc(block, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: the caller vouches that the size fits the alignment; the old block is given back when it is copied.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_serves_until_it_is_empty_and_again_when_all_is_back() {
        let layout = Layout::from_size_align(SMALL, 16).expect("a layout");
        for _ in 0..2 {
            let blocks: Vec<_> =
                std::iter::repeat_with(|| claim(layout)).take_while(|b| !b.is_null()).collect();
            assert_eq!(blocks.len(), RESERVE / SMALL);
            for (i, &block) in blocks.iter().enumerate() {
                assert!(is_reserved(block) && (block as usize).is_multiple_of(16));
                // SAFETY: the block is this test's, of this size.
                unsafe { block.write_bytes(i as u8, SMALL) };
            }
            for (i, &block) in blocks.iter().enumerate() {
                // SAFETY: as above; it is given back once.
                unsafe {
                    assert_eq!((*block, *block.add(SMALL - 1)), (i as u8, i as u8));
                    ReservingAllocator.dealloc(block, layout);
                }
            }
        }
        let mut own = 0_u8;
        assert!(!is_reserved(&raw mut own));
    }
}
