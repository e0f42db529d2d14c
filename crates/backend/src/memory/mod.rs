//! Memory: allocators, and buffers that give their memory back.
// Handing out memory is what `unsafe` is for; the rest of the crate does without.
#![allow(unsafe_code)]

mod aligned;
mod buffer;
mod failure;
pub mod fork;
mod host;
mod host_allocator;
mod limits;
mod mapping;
mod pool;
mod reserve;
mod scratch;
mod sharing;
mod system;

use std::ptr::NonNull;

use rustorch_error::Result;

pub use aligned::AlignedAllocator;
pub use buffer::{Buffer, as_bytes, from_bytes};
pub use failure::{refuse_after, refuse_no_more};
pub use host::HostBuffer;
pub use host_allocator::{check_host_allocator, host_allocator};
pub use limits::physical_memory;
pub use mapping::Mapping;
pub use pool::{BlockCache, PoolAllocator};
pub use reserve::ReservingAllocator;
pub use scratch::{Scratch, gathered, reserve};
pub use sharing::Sharing;
pub use system::SystemAllocator;

/// The alignment of every block, in bytes: a cache line and the widest vector.
pub const ALIGNMENT: usize = 64;

/// Memory as an allocator hands it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The first byte on a CPU; a device's handle elsewhere.
    pub address: NonNull<u8>,
    /// How many bytes may be used; at least what was asked for.
    pub capacity: usize,
}

// SAFETY: a block is a name for memory, not access to it; whoever reads or writes through it states why it may.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

/// What an allocator has handed out and keeps, in bytes unless named otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryStats {
    /// In use now.
    pub allocated: usize,
    /// The most that was in use at once.
    pub peak_allocated: usize,
    /// Kept for reuse, not in use.
    pub cached: usize,
    /// The most that was held at once, in use or kept.
    pub peak_reserved: usize,
    /// The number of allocations so far.
    pub allocations: u64,
    /// How many of them were served from the cache.
    pub cache_hits: u64,
}

/// Where buffers come from.
///
/// An impossible request is an error ([`rustorch_error::RusTorchError::OutOfMemory`]), never an abort.
pub trait MemoryAllocator: Send + Sync {
    /// At least `bytes` bytes, aligned to [`ALIGNMENT`], contents unspecified. 0 bytes give a valid block.
    fn allocate(&self, bytes: usize) -> Result<Block>;

    /// Takes a block back.
    ///
    /// # Safety
    /// `block` came from `allocate` or `realloc` of this allocator, is given back once, and is not used afterwards.
    unsafe fn deallocate(&self, block: Block);

    /// A block of at least `bytes` that begins with the contents of `block`, which is taken back.
    /// On an error `block` is unchanged and still the caller's.
    ///
    /// # Safety
    /// As [`Self::deallocate`], when it succeeds.
    unsafe fn realloc(&self, block: Block, bytes: usize) -> Result<Block>;

    /// Use, now and so far.
    fn stats(&self) -> MemoryStats;

    /// Counts the peaks anew, from what is in use and kept now.
    fn reset_peaks(&self);

    /// Gives what is kept for reuse back to the system.
    fn empty_cache(&self);

    /// Whether this is host memory that a device copies from and to at its own time.
    fn is_pinned(&self) -> bool {
        false
    }
}
