//! Reductions whose input runs along kept dimensions: rows are combined with rows, element by element.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, ElementwiseOp, Operand, ReduceOp};
use rustorch_error::{Result, RusTorchError};
use rustorch_simd::level;
use rustorch_simd::ops::kernel;

use super::{PIECE, Partial, Sink, Split};
use crate::kernels::dense::Shared;
use crate::kernels::map::convert::convert;
use crate::kernels::map::plan::Plan;
use crate::threads::parallel_for;

/// Columns of a task: their sums stay in the first-level cache.
const COLUMNS: usize = 512;
/// Rows that are summed in the compute dtype before the sums go to float64.
const ROWS: usize = 16;

/// What combines two rows.
const fn combination(op: ReduceOp) -> ElementwiseOp {
    match op {
        ReduceOp::Sum | ReduceOp::Mean | ReduceOp::Norm => ElementwiseOp::Add,
        ReduceOp::Prod => ElementwiseOp::Mul,
        ReduceOp::Max | ReduceOp::Any => ElementwiseOp::Maximum,
        ReduceOp::Min | ReduceOp::All => ElementwiseOp::Minimum,
    }
}

#[allow(
    clippy::too_many_lines,
    reason = "one loop over rows, in whole columns or in pieces, whose parts share its state"
)]
pub(super) fn reduce<P: Partial>(
    op: ReduceOp,
    compute: DType,
    input: Operand<'_>,
    split: &Split,
    sink: &Sink<P>,
) -> Result<()> {
    let layout = input.layout;
    let Some((&inner_dim, outer_dims)) = split.kept.split_last() else {
        return Err(RusTorchError::unsupported("reduce", "no kept dimension to run along"));
    };
    let outer = Plan::over(layout.shape(), outer_dims, &[(layout.strides(), layout.offset())]);
    let reduced = Plan::over(layout.shape(), &split.reduced, &[(layout.strides(), 0)]);
    let width = layout.shape()[inner_dim];
    let size = compute.size();
    let base = Shared::new(input.buffer.address().as_ptr());
    let combine = combination(op);
    let lacks =
        || RusTorchError::unsupported(combine.name(), format!("not defined for {compute} on the cpu"));
    let narrow = kernel(combine, compute, level()).ok_or_else(lacks)?;
    let wide = kernel(combine, P::DTYPE, level()).ok_or_else(lacks)?;
    let widen = convert(compute, P::DTYPE, level());
    // Squares are made in float64, of one row after the other.
    let square = if op == ReduceOp::Norm {
        Some(kernel(ElementwiseOp::Square, P::DTYPE, level()).ok_or_else(lacks)?)
    } else {
        None
    };
    let group = match op {
        ReduceOp::Norm => 1,
        _ if compute == P::DTYPE => usize::MAX,
        ReduceOp::Sum | ReduceOp::Mean => ROWS,
        // A product may overflow where its whole does not, and rounds with a bias.
        ReduceOp::Prod => 1,
        _ => usize::MAX,
    };

    // Sums of `columns` columns from `left` on over the reduced positions `rows`, into `totals`.
    let sum = |start: isize, left: usize, columns: usize, rows: std::ops::Range<usize>, totals: &mut [P]| {
        let mut sums = [[0u64; 1]; COLUMNS];
        let sums = sums.as_mut_ptr().cast::<u8>();
        let mut widened = [P::default(); COLUMNS];
        totals.fill(P::identity(op));
        let mut in_group = 0;
        let flush = |totals: &mut [P], widened: &mut [P; COLUMNS]| {
            // SAFETY: tiles of `columns ≤ COLUMNS` elements of the kernels' dtypes.
            unsafe {
                widen(sums, widened.as_mut_ptr().cast(), columns);
                if let Some(square) = square {
                    let row = widened.as_mut_ptr().cast::<u8>();
                    square(&[row.cast_const(); 3], row, columns, false);
                }
                let totals = totals.as_mut_ptr().cast::<u8>();
                let arguments = [totals.cast_const(), widened.as_ptr().cast(), totals.cast_const()];
                wide(&arguments, totals, columns, false);
            }
        };
        let step = reduced.inner_step(0);
        reduced.runs(0, rows.start, rows.len(), |_, offset, count| {
            for i in 0..count as isize {
                let position = start + offset + i * step + left as isize;
                let row = base.get().wrapping_offset(position * size as isize).cast_const();
                // SAFETY: the row's columns are contiguous elements of the compute dtype, within the operand.
                unsafe {
                    if in_group == 0 {
                        std::ptr::copy_nonoverlapping(row, sums, columns * size);
                    } else {
                        narrow(&[sums.cast_const(), row, row], sums, columns, false);
                    }
                }
                in_group += 1;
                if in_group == group {
                    flush(totals, &mut widened);
                    in_group = 0;
                }
            }
        });
        if in_group > 0 {
            flush(totals, &mut widened);
        }
    };

    let bands = width.div_ceil(COLUMNS);
    let length = reduced.numel();
    let rows_of_piece = (PIECE / width.min(COLUMNS)).max(1);
    let tasks = outer.numel() * bands;
    let pieces = if tasks >= 64 { 1 } else { length.div_ceil(rows_of_piece) };
    let rows_of_piece = length.div_ceil(pieces);
    let place = |task: usize| {
        let (at, left) = (task / bands, task % bands * COLUMNS);
        (at, left, COLUMNS.min(width - left))
    };
    if pieces == 1 {
        let grain = (PIECE / (length * width.min(COLUMNS))).max(1);
        parallel_for(tasks, grain, |range| {
            for task in range {
                let (at, left, columns) = place(task);
                let mut totals = [P::default(); COLUMNS];
                sum(outer.position(0, at), left, columns, 0..length, &mut totals[..columns]);
                sink.store(at * width + left, &mut totals[..columns]);
            }
        });
        return Ok(());
    }
    let partials = Scratch::filled(tasks * pieces * COLUMNS.min(width), P::default())?;
    let stride = COLUMNS.min(width);
    let shared = Shared::new(partials.as_ptr());
    parallel_for(tasks * pieces, 1, |range| {
        for i in range {
            let (task, piece) = (i / pieces, i % pieces);
            let (at, left, columns) = place(task);
            let rows = piece * rows_of_piece..((piece + 1) * rows_of_piece).min(length);
            // SAFETY: each task has its own stretch, and the partial results outlive the loop.
            let totals = unsafe { std::slice::from_raw_parts_mut(shared.get().add(i * stride), columns) };
            sum(outer.position(0, at), left, columns, rows, totals);
        }
    });
    for task in 0..tasks {
        let (at, left, columns) = place(task);
        let mut totals = [P::default(); COLUMNS];
        totals[..columns].fill(P::identity(op));
        for piece in 0..pieces {
            let partial = &partials[(task * pieces + piece) * stride..][..columns];
            for (total, &value) in totals.iter_mut().zip(partial) {
                *total = total.combine(value, op);
            }
        }
        sink.store(at * width + left, &mut totals[..columns]);
    }
    Ok(())
}
