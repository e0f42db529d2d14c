//! The pools over a device's memory and over pinned memory of the host.

use std::collections::HashMap;
use std::ptr::NonNull;

use rustorch_backend::StreamId;
use rustorch_backend::memory::fork::{Mutex, MutexGuard};
use rustorch_backend::memory::{Block, BlockCache, Buffer, MemoryAllocator, MemoryStats, fork};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use crate::executor::KernelExecutor;
use crate::streams::StreamSet;

/// Blocks are multiples of this: what drivers align to.
const STEP: usize = 512;

/// What a pool is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemoryKind {
    /// The device's own memory.
    Device,
    /// Memory of the host that the device copies from and to at its own time.
    Pinned,
}

/// Recycles blocks by best fit; there is one per device and place.
///
/// A block of the device belongs to the stream that was current when it was allocated. Work on a stream is done in
/// order, so the block may be handed out to that stream again while the work that used it is still queued: what comes
/// next is queued behind it. Other streams that use it are told by [`Self::record_use`]; then the block waits until they
/// are done with it. Pinned memory is the host's, which is in no stream: every use is one that is waited for.
///
/// When the driver refuses a request, everything kept goes back and the request is tried once more; then it is an error.
pub struct GpuMemoryAllocator<E: KernelExecutor> {
    executor: &'static E,
    streams: &'static StreamSet<E>,
    kind: MemoryKind,
    /// The process that asked the driver.
    process: u32,
    state: Mutex<State<E>>,
}

struct State<E: KernelExecutor> {
    /// What is kept, by the stream that it belongs to.
    caches: Vec<BlockCache>,
    /// Blocks in use that belong to another stream than the default one, or that more streams than their own use.
    special: HashMap<NonNull<u8>, Special>,
    /// Blocks that were given back, and wait for events.
    waiting: Vec<Waiting<E>>,
    /// Bytes that the driver has given out.
    held: usize,
    stats: MemoryStats,
}

// SAFETY: addresses are names for memory, not access to it.
unsafe impl<E: KernelExecutor> Send for State<E> {}

#[derive(Default)]
struct Special {
    home: StreamId,
    uses: SmallVec<[StreamId; 2]>,
}

struct Waiting<E: KernelExecutor> {
    block: Block,
    home: StreamId,
    events: SmallVec<[E::Event; 2]>,
}

impl<E: KernelExecutor> State<E> {
    fn cache(&mut self, home: StreamId) -> &mut BlockCache {
        let index = home.0 as usize;
        while self.caches.len() <= index {
            self.caches.push(BlockCache::new());
        }
        &mut self.caches[index]
    }

    /// Keeps the blocks whose events are done. What cannot be asked about goes on waiting.
    fn settle(&mut self, executor: &E) {
        let is_done = |waiting: &mut Waiting<E>| {
            waiting.events.iter().all(|event| executor.is_done(event).unwrap_or(false))
        };
        let done: Vec<_> = self.waiting.extract_if(.., is_done).collect();
        for Waiting { block, home, .. } in done {
            self.cache(home).put(block);
        }
    }
}

impl<E: KernelExecutor> GpuMemoryAllocator<E> {
    /// An empty pool.
    pub(crate) fn new(executor: &'static E, streams: &'static StreamSet<E>, kind: MemoryKind) -> Self {
        let state = State {
            caches: Vec::new(),
            special: HashMap::new(),
            waiting: Vec::new(),
            held: 0,
            stats: MemoryStats::default(),
        };
        GpuMemoryAllocator { executor, streams, kind, process: fork::generation(), state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock()
    }

    /// To which stream a block belongs that is allocated now.
    fn home(&self) -> StreamId {
        match self.kind {
            MemoryKind::Device => self.streams.current(),
            MemoryKind::Pinned => StreamId::DEFAULT,
        }
    }

    /// Says that work on `stream`, queued by now, uses a buffer: its block waits for that work when it is given back.
    /// Nothing is to be done for memory that is not this pool's.
    pub(crate) fn record_use(&self, buffer: &Buffer, stream: StreamId) {
        if !buffer.allocator().is_some_and(|owner| std::ptr::addr_eq(owner, self)) {
            return;
        }
        let mut state = self.lock();
        let special = state.special.entry(buffer.address()).or_default();
        let is_home = self.kind == MemoryKind::Device && special.home == stream;
        if !is_home && !special.uses.contains(&stream) {
            special.uses.push(stream);
        }
    }

    /// A fresh block.
    fn request(&self, bytes: usize) -> Result<NonNull<u8>> {
        self.making_room(|| match self.kind {
            MemoryKind::Device => self.executor.allocate(bytes),
            MemoryKind::Pinned => self.executor.allocate_pinned(bytes),
        })
    }

    /// What `attempt` gives; when it lacks memory, everything kept goes back to the driver and it is made once more.
    pub(crate) fn making_room<T>(&self, attempt: impl Fn() -> Result<T>) -> Result<T> {
        attempt().or_else(|error| {
            if !matches!(error, RusTorchError::OutOfMemory { .. }) || self.stats().cached == 0 {
                return Err(error);
            }
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
        let refused =
            |hint| RusTorchError::OutOfMemory { bytes, device: self.executor.info().kind.to_string(), hint };
        let capacity = capacity_of(bytes).ok_or_else(|| refused(String::new()))?;
        let most = self.executor.limits().largest_allocation;
        if capacity as u64 > most {
            return Err(refused(format!("; a block has at most {most} bytes there")));
        }
        let home = self.home();
        let kept = {
            let mut state = self.lock();
            if !state.waiting.is_empty() {
                state.settle(self.executor);
            }
            state.cache(home).take(capacity)
        };
        let hit = kept.is_some();
        let block = match kept {
            Some(block) => block,
            None => Block { address: self.request(capacity)?, capacity },
        };
        let mut state = self.lock();
        if home != StreamId::DEFAULT {
            state.special.insert(block.address, Special { home, ..Special::default() });
        }
        if !hit {
            state.held += block.capacity;
        }
        let held = state.held;
        let stats = &mut state.stats;
        stats.allocated += block.capacity;
        stats.peak_allocated = stats.peak_allocated.max(stats.allocated);
        stats.peak_reserved = stats.peak_reserved.max(held);
        stats.allocations += 1;
        stats.cache_hits += u64::from(hit);
        Ok(block)
    }

    unsafe fn deallocate(&self, block: Block) {
        if fork::generation() != self.process {
            // A forked child's copy of a tensor: the block is its parent's, and the lock may be held for ever.
            return;
        }
        let mut state = self.lock();
        state.stats.allocated -= block.capacity;
        let special = if state.special.is_empty() { None } else { state.special.remove(&block.address) };
        let Special { home, uses } = special.unwrap_or_default();
        if uses.is_empty() {
            state.cache(home).put(block);
            return;
        }
        let mark = |stream: &StreamId| self.executor.record(self.streams.find(*stream)?, false);
        // A device that cannot mark a point is lost; its block is not handed out again.
        if let Ok(events) = uses.iter().map(mark).collect() {
            state.waiting.push(Waiting { block, home, events });
        }
    }

    unsafe fn realloc(&self, block: Block, bytes: usize) -> Result<Block> {
        if bytes <= block.capacity && bytes >= block.capacity / 2 {
            return Ok(block);
        }
        let moved = self.allocate(bytes)?;
        let bytes = bytes.min(block.capacity);
        // What other streams do with the block is done before it moves.
        let copied = self.streams.synchronize().and_then(|()| match self.kind {
            MemoryKind::Device => self.streams.with_current(|stream| {
                self.executor.copy(stream, (block.address, 0), (moved.address, 0), bytes)?;
                self.executor.synchronize(stream)
            }),
            // SAFETY: both blocks are host memory of at least that size, and they do not overlap.
            MemoryKind::Pinned => unsafe {
                block.address.copy_to_nonoverlapping(moved.address, bytes);
                Ok(())
            },
        });
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
        MemoryStats { cached: state.held - state.stats.allocated, ..state.stats }
    }

    fn reset_peaks(&self) {
        let mut state = self.lock();
        state.stats.peak_allocated = state.stats.allocated;
        state.stats.peak_reserved = state.held;
    }

    /// Waits for the device, and gives back what is kept.
    fn empty_cache(&self) {
        let blocks: Vec<Block> = {
            let mut state = self.lock();
            let waiting: Vec<_> = state.waiting.drain(..).map(|waiting| waiting.block).collect();
            let kept = state.caches.iter_mut().flat_map(|cache| std::iter::from_fn(|| cache.evict(0)));
            kept.chain(waiting).collect()
        };
        if blocks.is_empty() {
            return;
        }
        // The lock is not held while the driver works. A failure is that of earlier work, and the next call reports it.
        let _ = self.streams.synchronize();
        for block in blocks {
            // SAFETY: the block came from the executor, the pool was its only owner, and no work is queued.
            unsafe {
                match self.kind {
                    MemoryKind::Device => self.executor.free(block.address),
                    MemoryKind::Pinned => self.executor.free_pinned(block.address),
                }
            }
            self.lock().held -= block.capacity;
        }
    }

    fn is_pinned(&self) -> bool {
        self.kind == MemoryKind::Pinned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_in::{MEMORY, StandIn};

    fn pool_of(
        kind: MemoryKind,
    ) -> (&'static StandIn, &'static StreamSet<StandIn>, &'static GpuMemoryAllocator<StandIn>) {
        let executor: &'static StandIn = Box::leak(Box::new(StandIn::new()));
        let streams = &*Box::leak(Box::new(StreamSet::new(executor)));
        (executor, streams, Box::leak(Box::new(GpuMemoryAllocator::new(executor, streams, kind))))
    }

    fn pool() -> (&'static StandIn, &'static GpuMemoryAllocator<StandIn>) {
        let (executor, _, pool) = pool_of(MemoryKind::Device);
        (executor, pool)
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
        assert_eq!((pool.stats().peak_allocated, pool.stats().peak_reserved), (1024, 1024));
        pool.reset_peaks();
        assert_eq!((pool.stats().peak_allocated, pool.stats().peak_reserved), (0, 0));
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

    #[test]
    fn a_block_goes_back_to_the_stream_that_allocated_it() {
        let (_, streams, pool) = pool_of(MemoryKind::Device);
        let side = streams.create(0).expect("a stream");
        streams.set_current(side).expect("it is there");
        let block = pool.allocate(1000).expect("there is memory");
        streams.set_current(StreamId::DEFAULT).expect("it is there");
        // SAFETY: the block is the pool's, and is given back once; so below.
        unsafe { pool.deallocate(block) };
        let other = pool.allocate(1000).expect("there is memory");
        assert_ne!(other, block, "work of the stream may still use it");
        streams.set_current(side).expect("it is there");
        assert_eq!(pool.allocate(1000).expect("there is memory"), block);
        assert_eq!((pool.stats().allocated, pool.stats().cached), (2048, 0));
    }

    #[test]
    fn a_block_that_another_stream_uses_waits_for_it() {
        let (executor, streams, pool) = pool_of(MemoryKind::Device);
        let side = streams.create(0).expect("a stream");
        let buffer = Buffer::allocate(pool, 1000).expect("there is memory");
        let address = buffer.address();
        pool.record_use(&buffer, StreamId::DEFAULT);
        pool.record_use(&buffer, side);
        pool.record_use(&buffer, side);
        executor.stall(true);
        drop(buffer);
        assert_eq!(executor.recorded(), 1, "one event, for the one stream that is not its own");
        let other = Buffer::allocate(pool, 1000).expect("there is memory");
        assert_ne!(other.address(), address, "the other stream is not done with it");
        assert_eq!((pool.stats().allocated, pool.stats().cached), (1024, 1024));
        executor.stall(false);
        let again = Buffer::allocate(pool, 1000).expect("there is memory");
        assert_eq!(again.address(), address);
        drop((other, again));
        assert_eq!(executor.recorded(), 1, "the use was of the block's last owner");
        pool.empty_cache();
        assert_eq!((pool.stats().cached, executor.in_use()), (0, 0));
    }

    #[test]
    fn a_full_device_waits_for_what_other_streams_use() {
        let (executor, streams, pool) = pool_of(MemoryKind::Device);
        let side = streams.create(0).expect("a stream");
        let buffer = Buffer::allocate(pool, MEMORY / 4 * 3).expect("there is memory");
        pool.record_use(&buffer, side);
        executor.stall(true);
        drop(buffer);
        let waited = executor.waited();
        Buffer::allocate(pool, MEMORY / 2).expect("the streams are waited for, and the block makes room");
        assert!(executor.waited() >= waited + 2, "both streams");
    }

    #[test]
    fn pinned_memory_waits_for_every_stream_that_copies() {
        let (executor, streams, pool) = pool_of(MemoryKind::Pinned);
        assert!(pool.is_pinned());
        let buffer = Buffer::allocate(pool, 1000).expect("there is memory");
        let address = buffer.address();
        pool.record_use(&buffer, StreamId::DEFAULT);
        executor.stall(true);
        drop(buffer);
        let other = Buffer::allocate(pool, 1000).expect("there is memory");
        assert_ne!(other.address(), address, "a copy is under way");
        executor.stall(false);
        assert_eq!(Buffer::allocate(pool, 1000).expect("there is memory").address(), address);
        // It belongs to no stream.
        streams.set_current(streams.create(0).expect("a stream")).expect("it is there");
        assert_eq!(Buffer::allocate(pool, 1000).expect("there is memory").address(), address);
        streams.set_current(StreamId::DEFAULT).expect("it is there");
    }

    #[test]
    fn memory_of_others_is_left_alone() {
        let (executor, streams, pool) = pool_of(MemoryKind::Device);
        let side = streams.create(0).expect("a stream");
        let buffer = Buffer::allocate(pool, 1000).expect("there is memory");
        // SAFETY: nobody reads or writes.
        let foreign = unsafe { Buffer::from_foreign(buffer.address(), 1000, Box::new(())) };
        pool.record_use(&foreign, side);
        drop((foreign, buffer));
        assert_eq!(executor.recorded(), 0);
    }

    #[test]
    fn streams_are_handed_out_again_and_are_a_threads_own() {
        let (executor, streams, _) = pool_of(MemoryKind::Device);
        let first = streams.create(0).expect("a stream");
        let others: Vec<_> = (1..32).map(|_| streams.create(0).expect("a stream")).collect();
        assert!(!others.contains(&first) && !others.contains(&StreamId::DEFAULT));
        assert_eq!(streams.create(0).expect("a stream"), first);
        assert!(!others.contains(&streams.create(-1).expect("a stream")));
        assert_eq!(executor.streams(), 33);
        streams.set_current(first).expect("it is there");
        let elsewhere = std::thread::spawn(|| streams.current()).join().expect("it ends");
        assert_eq!((streams.current(), elsewhere), (first, StreamId::DEFAULT));
        assert!(streams.set_current(StreamId(99)).is_err());
        assert_eq!(streams.current(), first);
    }
}
