//! `index_read` and `index_write`: rows named by one index per leading dimension.

use std::ops::Range;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{Dims, Layout, Operand, kernel, volume};
use rustorch_error::Result;

use super::check::out_of_bounds;
use crate::kernels::dense::Shared;
use crate::kernels::number::{Number as _, with_bytes, with_number};
use crate::kernels::walk::{Elements, Walk};
use crate::threads::{parallel_for, try_parallel_for};

/// How many indices a thread looks up at a time.
const GRAIN: usize = 1 << 14;

/// How many bytes a thread copies at a time, at least.
const COPY_BYTES: usize = 1 << 15;

/// `out[i…, r…] = input[indices[0][i…], …, r…]`, for every dtype. Negative indices count from the end.
///
/// Rows that lie in one piece are copied whole.
///
/// # Errors
/// `IndexOutOfRange` for an index outside its dimension, before anything is written.
pub fn index_read(kernel: &kernel::IndexRead<Operand<'_>>) -> Result<()> {
    let &kernel::IndexRead { input, ref indices, output } = kernel;
    let rows = Rows::find("index", indices, input.layout)?;
    with_bytes!(input.dtype, T => rows.read::<T>(input, output));
    Ok(())
}

/// `out[indices[0][i…], …, r…] = source[i…, r…]`, or `+=` when `accumulate`, in the order of `source`, so the last of
/// several writes to a place wins and sums are the same for any number of threads. For every dtype.
///
/// # Errors
/// As [`index_read`].
pub fn index_write(kernel: &kernel::IndexWrite<Operand<'_>>) -> Result<()> {
    let &kernel::IndexWrite { accumulate, ref indices, source, output } = kernel;
    let rows = Rows::find("index_put", indices, output.layout)?;
    if accumulate {
        with_number!(output.dtype, T => rows.write::<T>(source, output, T::add));
    } else {
        with_bytes!(output.dtype, T => rows.write::<T>(source, output, |_, new| new));
    }
    Ok(())
}

/// Where each named row begins.
pub(super) struct Rows {
    /// The first element of each row, counted from the operand's.
    offsets: Scratch<i64>,
    count: usize,
    /// How many dimensions the indices have, and how many they replace.
    index_dims: usize,
    indexed: usize,
}

impl Rows {
    pub(super) fn find(op: &'static str, indices: &[Operand<'_>], layout: &Layout) -> Result<Self> {
        let shape = indices.first().map_or(&[][..], |index| index.layout.shape());
        let count = volume(shape);
        let offsets = Scratch::<i64>::zeroed(count)?;
        let found = Shared::new(offsets.as_ptr());
        for (dim, index) in indices.iter().enumerate() {
            let (size, stride) = (layout.shape()[dim], layout.strides()[dim] as i64);
            let walk = Walk::new(shape, [index.layout]);
            let [step] = walk.steps();
            let elements = Elements::<i64>::of(*index);
            try_parallel_for(count, GRAIN, |range| {
                for (position, [start], run) in walk.runs(range) {
                    for i in 0..run as isize {
                        // SAFETY: a position of the index, and the number of the same row in `offsets`, which belongs
                        // to one range.
                        unsafe {
                            let value = elements.index(start + i * step);
                            let at = if value < 0 { value.wrapping_add(size as i64) } else { value };
                            if at as u64 >= size as u64 {
                                return Err(out_of_bounds(op, value, dim, size));
                            }
                            *found.get().offset(position as isize + i) += at * stride;
                        }
                    }
                }
                Ok(())
            })?;
        }
        Ok(Rows { offsets, count, index_dims: shape.len(), indexed: indices.len() })
    }

    /// The first element of row `i`, counted from the operand's first.
    ///
    /// # Safety
    /// `i < self.count`.
    #[inline(always)]
    unsafe fn offset(&self, i: usize) -> isize {
        // SAFETY: `find` wrote `count` numbers here.
        unsafe { self.offsets.as_ptr().add(i).read() as isize }
    }

    /// The elements of one row, of `indexed` (whose rows are named) and of `listed` (which has them all in order);
    /// offsets are relative to the row.
    fn row(&self, indexed: &Layout, listed: &Layout) -> Walk<2> {
        let shape = &listed.shape()[self.index_dims..];
        let dims: Dims<usize> = (0..shape.len()).collect();
        Walk::over(
            shape,
            &dims,
            [(&indexed.strides()[self.indexed..], 0), (&listed.strides()[self.index_dims..], 0)],
        )
    }

    /// The first element of each row of `listed`.
    fn listed(&self, listed: &Layout) -> Walk<1> {
        let dims: Dims<usize> = (0..self.index_dims).collect();
        Walk::over(listed.shape(), &dims, [(listed.strides(), listed.offset())])
    }

    fn read<T: Copy>(&self, input: Operand<'_>, output: Operand<'_>) {
        let row = self.row(input.layout, output.layout);
        let listed = self.listed(output.layout);
        let [listed_step] = listed.steps();
        let (from, to) = (Elements::<T>::of(input), Elements::<T>::of(output));
        let first = input.layout.offset() as isize;
        let [from_step, to_step] = row.steps();
        let piece = row.single_run().filter(|_| from_step == 1 && to_step == 1);
        let grain = (COPY_BYTES / (row.len() * size_of::<T>()).max(1)).clamp(1, GRAIN);
        parallel_for(self.count, grain, |range| {
            for (position, [start], count) in listed.runs(range) {
                for i in 0..count {
                    // SAFETY: rows named by checked indices are in the input, listed ones in the output; each output
                    // row belongs to one range.
                    unsafe {
                        let source = first + self.offset(position + i);
                        let place = start + i as isize * listed_step;
                        match piece {
                            Some(1) => to.set(place, from.get(source)),
                            Some(n) => std::ptr::copy_nonoverlapping(from.at(source), to.at(place), n),
                            None => {
                                for (_, [a, b], n) in row.runs(0..row.len()) {
                                    for k in 0..n as isize {
                                        to.set(place + b + k * to_step, from.get(source + a + k * from_step));
                                    }
                                }
                            }
                        }
                    }
                }
            }
        });
    }

    /// Threads divide the columns, so each place sees its writes in the order of the rows.
    pub(super) fn write<T: Copy>(
        &self,
        source: Operand<'_>,
        output: Operand<'_>,
        combine: impl Fn(T, T) -> T + Sync,
    ) {
        let row = self.row(output.layout, source.layout);
        let listed = self.listed(source.layout);
        let [listed_step] = listed.steps();
        let (from, to) = (Elements::<T>::of(source), Elements::<T>::of(output));
        let first = output.layout.offset() as isize;
        let [to_step, from_step] = row.steps();
        let piece = row.single_run().is_some();
        // A column's share of a row is at least a cache line.
        let grain = (COPY_BYTES / (self.count * size_of::<T>()).max(1)).max(64 / size_of::<T>());
        let body = |columns: Range<usize>| {
            for (position, [start], count) in listed.runs(0..self.count) {
                for i in 0..count {
                    // SAFETY: rows named by checked indices are in the output, listed ones in the source; each column
                    // of the output belongs to one range.
                    unsafe {
                        let place = first + self.offset(position + i);
                        let source = start + i as isize * listed_step;
                        let run = |a: isize, b: isize, n: usize| {
                            if to_step == 1 && from_step == 1 {
                                for k in 0..n as isize {
                                    let (old, new) = (to.get(place + a + k), from.get(source + b + k));
                                    to.set(place + a + k, combine(old, new));
                                }
                            } else {
                                for k in 0..n as isize {
                                    let at = place + a + k * to_step;
                                    to.set(at, combine(to.get(at), from.get(source + b + k * from_step)));
                                }
                            }
                        };
                        if piece {
                            let skip = columns.start as isize;
                            run(skip * to_step, skip * from_step, columns.len());
                        } else {
                            for (_, [a, b], n) in row.runs(columns.clone()) {
                                run(a, b, n);
                            }
                        }
                    }
                }
            }
        };
        parallel_for(row.len(), grain, body);
    }
}
