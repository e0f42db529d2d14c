//! Free small blocks, linked through their own first bytes.

use std::ptr::NonNull;

/// A singly linked list of free blocks of one size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    head: Option<NonNull<u8>>,
    count: usize,
}

// SAFETY: a chain owns its blocks, which no thread uses while they are linked.
unsafe impl Send for Chain {}

impl Chain {
    pub(super) const EMPTY: Chain = Chain { head: None, count: 0 };

    pub(super) const fn count(self) -> usize {
        self.count
    }

    /// Links `block` in front.
    ///
    /// # Safety
    /// `block` is free, writable, aligned for a pointer, and in no other chain.
    #[inline]
    pub(super) unsafe fn push(&mut self, block: NonNull<u8>) {
        // SAFETY: the caller gives the block's bytes to the chain.
        unsafe { block.cast::<Option<NonNull<u8>>>().write(self.head) };
        self.head = Some(block);
        self.count += 1;
    }

    /// Takes the block that was pushed last.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<NonNull<u8>> {
        let block = self.head?;
        // SAFETY: `push` stored the next block here, and linked blocks are not written otherwise.
        self.head = unsafe { block.cast::<Option<NonNull<u8>>>().read() };
        self.count -= 1;
        Some(block)
    }

    /// Takes the `count` blocks that were pushed last, or all.
    pub(super) fn split(&mut self, count: usize) -> Chain {
        let mut taken = Chain::EMPTY;
        while taken.count < count {
            let Some(block) = self.pop() else { break };
            // SAFETY: the block was just unlinked from this chain.
            unsafe { taken.push(block) };
        }
        taken
    }

    /// The blocks, the one that was pushed last first.
    pub(super) fn blocks(&self) -> impl Iterator<Item = NonNull<u8>> {
        // SAFETY: as in `pop`.
        let next = |block: &NonNull<u8>| unsafe { block.cast::<Option<NonNull<u8>>>().read() };
        std::iter::successors(self.head, next)
    }

    /// Lets go of the blocks for which `keep` is false.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(NonNull<u8>) -> bool) {
        let mut kept = Chain::EMPTY;
        while let Some(block) = self.pop() {
            if keep(block) {
                // SAFETY: the block was just unlinked from this chain.
                unsafe { kept.push(block) };
            }
        }
        *self = kept;
    }
}
