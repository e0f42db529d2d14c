#![allow(clippy::unwrap_used)]

use std::sync::mpsc;

use super::super::ALIGNMENT;
use super::*;

fn pool() -> &'static PoolAllocator {
    PoolAllocator::global()
}

/// Fills a block with a pattern of its own.
fn mark(block: Block, seed: usize) {
    for i in 0..block.capacity {
        // SAFETY: within the capacity of a block that the test owns.
        unsafe { block.address.as_ptr().add(i).write((i * 31 + seed) as u8) };
    }
}

fn is_marked(block: Block, seed: usize, bytes: usize) -> bool {
    // SAFETY: within the capacity of a block that the test owns.
    (0..bytes).all(|i| unsafe { block.address.as_ptr().add(i).read() } == (i * 31 + seed) as u8)
}

fn free(block: Block) {
    // SAFETY: each test frees each of its blocks once.
    unsafe { pool().deallocate(block) };
}

fn free_all(blocks: impl IntoIterator<Item = Block>) {
    for block in blocks {
        free(block);
    }
}

#[test]
fn live_blocks_are_aligned_large_enough_and_apart() {
    let sizes =
        [0, 1, 4, 63, 64, 65, 300, 4096, 40_000, LARGEST, LARGEST + 1, 1 << 20, (2 << 20) + 1, 5 << 20];
    let blocks: Vec<_> = sizes.iter().cycle().take(200).map(|&n| (n, pool().allocate(n).unwrap())).collect();
    for (seed, &(bytes, block)) in blocks.iter().enumerate() {
        assert_eq!(block.address.as_ptr() as usize % ALIGNMENT, 0);
        assert!(block.capacity >= bytes.max(1) && block.capacity <= bytes.max(64) + bytes / 4 + 64);
        mark(block, seed);
    }
    for (seed, &(_, block)) in blocks.iter().enumerate() {
        assert!(is_marked(block, seed, block.capacity), "block {seed} was overwritten by another");
    }
    free_all(blocks.into_iter().map(|(_, block)| block));
}

#[test]
fn a_freed_small_block_is_the_next_of_its_size() {
    for bytes in [4, 100, 1000, 60_000] {
        let first = pool().allocate(bytes).unwrap();
        free(first);
        let second = pool().allocate(bytes).unwrap();
        assert_eq!(first, second);
        free(second);
    }
}

#[test]
fn a_freed_large_block_is_found_again() {
    // A size that no other test uses, so that tests on other threads do not take it.
    let bytes = 37 << 20;
    let first = pool().allocate(bytes).unwrap();
    let hits = pool().stats().cache_hits;
    free(first);
    let second = pool().allocate(bytes - 12345).unwrap();
    assert_eq!(first, second);
    assert!(pool().stats().cache_hits > hits);
    free(second);
}

#[test]
fn an_impossible_size_is_an_error_and_the_pool_goes_on() {
    for bytes in [4_000_000_000_000_000, usize::MAX, isize::MAX as usize, isize::MAX as usize - 4096] {
        let message = pool().allocate(bytes).unwrap_err().to_string();
        assert!(message.starts_with(&format!("out of memory: could not allocate {bytes}")), "{message}");
        assert!(message.contains("use a smaller shape"), "{message}");
    }
    free(pool().allocate(1000).unwrap());
}

#[test]
fn realloc_keeps_contents_and_a_failed_one_the_block() {
    let mut block = pool().allocate(10).unwrap();
    let mut bytes = 10;
    mark(block, 5);
    for next in [64, 65, 1000, 100_000, 3 << 20, 9 << 20, 200_000, 70, 1] {
        // SAFETY: the block is live and this test's own.
        block = unsafe { pool().realloc(block, next) }.unwrap();
        assert!(block.capacity >= next);
        assert!(is_marked(block, 5, bytes.min(next)));
        mark(block, 5);
        bytes = next;
    }
    // SAFETY: as above.
    assert!(unsafe { pool().realloc(block, 4_000_000_000_000_000) }.is_err());
    assert!(is_marked(block, 5, block.capacity));
    free(block);
}

#[test]
fn blocks_travel_between_threads() {
    let (sender, receiver) = mpsc::channel::<(usize, Block)>();
    let producers: Vec<_> = (0..3usize)
        .map(|t| {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut state = t as u64 + 1;
                let mut kept = Vec::new();
                for i in 0..20_000usize {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    let bytes = 1 + (state >> 33) as usize % if i % 100 == 0 { 200_000 } else { 3000 };
                    let block = pool().allocate(bytes).unwrap();
                    mark(Block { capacity: block.capacity.min(256), ..block }, i + t);
                    if i % 3 == 0 {
                        sender.send((i + t, block)).unwrap();
                    } else {
                        kept.push((i + t, block));
                    }
                    if kept.len() > 500 {
                        for (seed, block) in kept.drain(..) {
                            assert!(is_marked(block, seed, block.capacity.min(256)));
                            free(block);
                        }
                    }
                }
                free_all(kept.into_iter().map(|(_, block)| block));
            })
        })
        .collect();
    drop(sender);
    for (seed, block) in receiver {
        assert!(is_marked(block, seed, block.capacity.min(256)));
        free(block);
    }
    for producer in producers {
        producer.join().unwrap();
    }
}

#[test]
fn a_thread_that_ends_leaves_its_blocks_to_others() {
    // Nearly all of a class's blocks were last freed by the thread that ended; a batch of them comes here.
    let addresses = std::thread::spawn(|| {
        let blocks: Vec<_> = (0..50).map(|_| pool().allocate(50_000).unwrap()).collect();
        let addresses: Vec<_> = blocks.iter().map(|b| b.address.as_ptr() as usize).collect();
        free_all(blocks);
        addresses
    })
    .join()
    .unwrap();
    let blocks: Vec<_> = (0..200).map(|_| pool().allocate(50_000).unwrap()).collect();
    let found = blocks.iter().filter(|b| addresses.contains(&(b.address.as_ptr() as usize))).count();
    assert!(found > 0);
    free_all(blocks);
}

#[test]
fn statistics_follow_large_blocks_exactly() {
    let before = pool().stats();
    let block = pool().allocate(1 << 30).unwrap();
    let during = pool().stats();
    assert!(during.allocated >= 1 << 30 && during.peak_allocated >= during.allocated);
    assert!(during.allocations > before.allocations);
    free(block);
    assert!(pool().stats().cached >= 1 << 30);
}

#[test]
fn small_blocks_that_nobody_uses_go_back_to_the_system() {
    // Enough of one class for dozens of spans, which other tests' blocks do not reach into.
    let blocks: Vec<_> = (0..10_000).map(|_| pool().allocate(10_000).unwrap()).collect();
    let held = pool().span_bytes.load(Ordering::Relaxed);
    let (kept, freed): (Vec<_>, Vec<_>) = blocks.into_iter().enumerate().partition(|(i, _)| i % 2500 == 0);
    for &(i, block) in &kept {
        mark(block, i);
    }
    free_all(freed.into_iter().map(|(_, block)| block));
    // Beside a thread that is asking the system for a span none is given back: other tests do that.
    let left = (0..100)
        .map(|_| {
            pool().empty_cache();
            std::thread::sleep(std::time::Duration::from_millis(1));
            pool().span_bytes.load(Ordering::Relaxed)
        })
        .find(|left| left + 80_000_000 < held)
        .unwrap_or(held);
    assert!(left + 80_000_000 < held, "{left} of {held} bytes are left");
    for (i, block) in kept {
        assert!(is_marked(block, i, block.capacity));
        free(block);
    }
    let again: Vec<_> = (0..100).map(|_| pool().allocate(10_000).unwrap()).collect();
    for (i, &block) in again.iter().enumerate() {
        mark(block, i);
    }
    assert!(again.iter().enumerate().all(|(i, &block)| is_marked(block, i, block.capacity)));
    free_all(again);
}
