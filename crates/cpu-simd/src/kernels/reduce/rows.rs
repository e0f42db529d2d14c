//! Reductions whose input runs along reduced dimensions: each output is the reduction of whole rows.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Operand, ReduceOp};
use rustorch_error::Result;
use rustorch_simd::level;
use rustorch_simd::ops::reduction::{RowKernel, RowReduction, row_kernel};

use super::{PIECE, Partial, Sink, Split};
use crate::kernels::dense::Shared;
use crate::kernels::map::plan::Plan;
use crate::threads::parallel_for;

/// Elements that are collected at a time where they do not lie one behind the other.
const TILE: usize = 1024;
/// Outputs that are computed before they are stored.
const BATCH: usize = 64;

pub(super) fn reduce<P: Partial>(
    op: ReduceOp,
    compute: DType,
    input: Operand<'_>,
    split: &Split,
    sink: &Sink<P>,
) -> Result<()> {
    let layout = input.layout;
    let zero_offset = [(layout.strides(), 0)];
    let kept = Plan::over(layout.shape(), &split.kept, &[(layout.strides(), layout.offset())]);
    let reduced = Plan::over(layout.shape(), &split.reduced, &zero_offset);
    let row = Row::<P> {
        op,
        kernel: row_kernel(row_reduction(op), compute, level()),
        elements: Rows {
            size: compute.size(),
            base: Shared::new(input.buffer.address().as_ptr()),
            reduced: &reduced,
        },
        partial: std::marker::PhantomData,
    };
    let (outputs, length) = (kept.numel(), reduced.numel());
    let pieces = length.div_ceil(PIECE);
    if pieces == 1 || outputs >= 64 {
        let grain = (PIECE / length).max(1);
        parallel_for(outputs, grain, |range| {
            let mut results = [P::default(); BATCH];
            let mut at = range.start;
            while at < range.end {
                let n = BATCH.min(range.end - at);
                let step = kept.inner_step(0);
                kept.runs(0, at, n, |done, position, count| {
                    for (i, result) in results[done..done + count].iter_mut().enumerate() {
                        *result = row.reduce(position + i as isize * step, 0, length);
                    }
                });
                sink.store(at, &mut results[..n]);
                at += n;
            }
        });
        return Ok(());
    }
    // Few long rows: in pieces of one length, whose partial results are combined in order.
    let partials = Scratch::filled(outputs * pieces, P::default())?;
    let shared = Shared::new(partials.as_ptr());
    parallel_for(outputs * pieces, 1, |range| {
        for task in range {
            let (output, piece) = (task / pieces, task % pieces);
            let n = PIECE.min(length - piece * PIECE);
            let partial = row.reduce(kept.position(0, output), piece * PIECE, n);
            // SAFETY: each task has its own element, and the partial results outlive the loop.
            unsafe { shared.get().add(task).write(partial) };
        }
    });
    for (output, partials) in partials.chunks(pieces).enumerate() {
        let total = partials.iter().fold(P::identity(op), |a, &b| a.combine(b, op));
        sink.store(output, &mut [total]);
    }
    Ok(())
}

/// What becomes of a row, of which the rest of the operation (a division, a root, a comparison) makes the result.
const fn row_reduction(op: ReduceOp) -> RowReduction {
    match op {
        ReduceOp::Sum | ReduceOp::Mean => RowReduction::Sum,
        ReduceOp::Prod => RowReduction::Product,
        ReduceOp::Norm => RowReduction::SumOfSquares,
        ReduceOp::Max | ReduceOp::Any => RowReduction::Max,
        ReduceOp::Min | ReduceOp::All => RowReduction::Min,
    }
}

/// The rows of an input.
struct Row<'a, P> {
    op: ReduceOp,
    kernel: RowKernel,
    elements: Rows<'a>,
    partial: std::marker::PhantomData<P>,
}

impl<P: Partial> Row<'_, P> {
    /// Reduces the `n` elements from number `at` on, of those that begin at `position`.
    #[inline]
    fn reduce(&self, position: isize, at: usize, n: usize) -> P {
        let mut total = P::identity(self.op);
        self.elements.visit(position, at, n, |from, n| {
            let mut partial = P::default();
            // SAFETY: n elements of the kernel's dtype; the partial result's type is the dtype's.
            unsafe { (self.kernel)(from, n, (&raw mut partial).cast()) };
            total = total.combine(partial, self.op);
        });
        total
    }
}

/// The elements that belong to one output, piece by piece.
pub(super) struct Rows<'a> {
    /// Bytes of an element.
    pub(super) size: usize,
    pub(super) base: Shared<u8>,
    /// The reduced dimensions, from position 0.
    pub(super) reduced: &'a Plan,
}

impl Rows<'_> {
    /// Calls `body` with pieces of contiguous memory that hold the `n` elements from number `at` on, of those that
    /// begin at `position`, in order.
    #[inline]
    pub(super) fn visit(&self, position: isize, at: usize, n: usize, mut body: impl FnMut(*const u8, usize)) {
        let element = |at: isize| self.base.get().wrapping_offset(at * self.size as isize).cast_const();
        let (step, inner) = (self.reduced.inner_step(0), self.reduced.inner());
        if self.reduced.is_line() && (step == 1 || n == 1) {
            return body(element(position + at as isize * step), n);
        }
        if self.reduced.numel() == 1 || step == 1 && (inner >= 64 || inner == self.reduced.numel()) {
            self.reduced.runs(0, at, n, |_, offset, count| body(element(position + offset), count));
            return;
        }
        let mut tile = [0u64; TILE];
        let tile = tile.as_mut_ptr().cast::<u8>();
        let mut done = 0;
        while done < n {
            let count = TILE.min(n - done);
            // SAFETY: the tile has room for TILE elements of up to 8 bytes; the positions are the operand's.
            unsafe { self.reduced.gather(0, self.size, element(position), at + done, count, tile) };
            body(tile, count);
            done += count;
        }
    }
}
