//! Where small blocks are carved from, and how that goes back to the system.

use std::ptr::NonNull;

use rustorch_error::{Result, RusTorchError};

use super::super::Block;
use super::chain::Chain;
use super::size_class::{COUNT, capacity_of};

/// The spans, and what is left of the one that is being carved.
#[derive(Debug)]
pub(super) struct Spans {
    pub(super) next: Option<NonNull<u8>>,
    pub(super) left: usize,
    /// Every span that small blocks lie in.
    all: Vec<Span>,
}

#[derive(Debug)]
struct Span {
    block: Block,
    /// How many of its bytes are known to be free, while they are counted.
    free: usize,
}

// SAFETY: the spans' free bytes belong to the pool alone, under the lock around this.
unsafe impl Send for Spans {}

impl Spans {
    pub(super) const fn new() -> Self {
        Spans { next: None, left: 0, all: Vec::new() }
    }

    /// Makes room for the name of one more span.
    pub(super) fn reserve(&mut self) -> Result<()> {
        let bytes = size_of::<Span>();
        self.all.try_reserve(1).map_err(|_| RusTorchError::OutOfMemory {
            bytes,
            device: "cpu".into(),
            hint: String::new(),
        })
    }

    /// Carves from `block` from now on; what was left before is the caller's. [`Self::reserve`] made room.
    pub(super) fn begin(&mut self, block: Block) {
        self.all.push(Span { block, free: 0 });
        (self.next, self.left) = (Some(block.address), block.capacity);
    }

    /// The bytes of all spans.
    pub(super) fn bytes(&self) -> usize {
        self.all.iter().map(|span| span.block.capacity).sum()
    }

    /// The span in which a block lies. The spans are sorted.
    fn find(&mut self, block: NonNull<u8>) -> Option<&mut Span> {
        let index = self.all.partition_point(|span| span.block.address <= block).checked_sub(1)?;
        Some(&mut self.all[index])
    }

    /// Takes the blocks of those spans out of `lists` in which nothing is in use, and hands the spans to `give_back`.
    pub(super) fn release(&mut self, lists: &mut [impl AsMut<Vec<Chain>>; COUNT], give_back: impl Fn(Block)) {
        self.all.sort_unstable_by_key(|span| span.block.address);
        for span in &mut self.all {
            span.free = 0;
        }
        if let Some(rest) = self.next {
            let left = self.left;
            // A span that is carved to its end has its rest behind it, which is nobody's.
            if let Some(span) = self.find(rest).filter(|_| left > 0) {
                span.free = left;
            }
        }
        for (class, list) in lists.iter_mut().enumerate() {
            for chain in list.as_mut() {
                for block in chain.blocks() {
                    if let Some(span) = self.find(block) {
                        span.free += capacity_of(class);
                    }
                }
            }
        }
        if self.all.iter().all(|span| span.free < span.block.capacity) {
            return;
        }
        for list in lists.iter_mut() {
            list.as_mut().retain_mut(|chain| {
                chain.retain(|block| self.find(block).is_none_or(|span| span.free < span.block.capacity));
                chain.count() > 0
            });
        }
        if let Some(rest) = self.next
            && self.left > 0
            && self.find(rest).is_some_and(|span| span.free == span.block.capacity)
        {
            (self.next, self.left) = (None, 0);
        }
        self.all.retain(|span| {
            let is_used = span.free < span.block.capacity;
            if !is_used {
                give_back(span.block);
            }
            is_used
        });
    }
}
