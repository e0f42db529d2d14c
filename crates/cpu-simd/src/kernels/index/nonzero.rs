//! Counting and finding the elements that differ from zero.

use std::ops::Range;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Operand, Scalar, kernel};
use rustorch_error::{Result, RusTorchError};
use rustorch_simd::ops::reduction::count_true;

use crate::kernels::copy::fill;
use crate::kernels::dense::Shared;
use crate::kernels::number::{Number, with_number};
use crate::kernels::walk::{Elements, Walk};
use crate::threads::{parallel_for, try_parallel_for};

/// How many elements are counted as one part; the parts decide where threads write, not in which order.
const PART: usize = 1 << 14;

/// The number of elements that differ from zero (NaN does), for every dtype.
pub fn count_nonzero(kernel: &kernel::CountNonzero<Operand<'_>>) -> Result<()> {
    let &kernel::CountNonzero { input, output } = kernel;
    let counts = with_number!(input.dtype, T => count_parts::<T>(input))?;
    fill(output, Scalar::Int(counts.iter().sum::<usize>() as i64))
}

/// The coordinates of the elements that differ from zero, row-major, for every dtype: `output` is int64 of shape
/// `(count, ndim)`.
///
/// # Errors
/// `InvalidArgument` where there are more or fewer of them than `count`: another thread writes to `input`.
pub fn nonzero(kernel: &kernel::Nonzero<Operand<'_>>) -> Result<()> {
    let &kernel::Nonzero { input, output } = kernel;
    with_number!(input.dtype, T => find::<T>(input, output))
}

/// Whether as many were found as there is room for: what was counted may have changed since.
fn as_counted(found: bool) -> Result<()> {
    let message = "another thread wrote to the input while its elements were counted and found; leave it as it is until \
                   the call returns";
    if found { Ok(()) } else { Err(RusTorchError::argument("nonzero", message)) }
}

/// The count of each part of [`PART`] elements.
fn count_parts<T: Number>(input: Operand<'_>) -> Result<Scratch<usize>> {
    let walk = Walk::new(input.layout.shape(), [input.layout]);
    let [step] = walk.steps();
    let elements = Elements::<T>::of(input);
    let bytes = step == 1 && input.dtype == DType::Bool;
    let counts = Scratch::<usize>::zeroed(walk.len().div_ceil(PART))?;
    let slots = Shared::new(counts.as_ptr());
    parallel_for(walk.len(), PART, |range| {
        let mut start = range.start;
        while start < range.end {
            let end = (start + PART).min(range.end);
            let mut count = 0;
            for (_, [first], n) in walk.runs(start..end) {
                if bytes {
                    // SAFETY: the run is `n` neighbours of the layout, each a byte.
                    count += unsafe { count_true(elements.at(first).cast(), n) };
                    continue;
                }
                for i in 0..n as isize {
                    // SAFETY: positions of the layout, which nobody writes.
                    count += usize::from(unsafe { elements.get(first + i * step) } != T::ZERO);
                }
            }
            // SAFETY: ranges begin at multiples of a part, so each part belongs to one range.
            unsafe { slots.get().add(start / PART).write(count) };
            start = end;
        }
    });
    Ok(counts)
}

fn find<T: Number>(input: Operand<'_>, output: Operand<'_>) -> Result<()> {
    let mut row = 0;
    // The counts become the rows of the parts' first elements, and the last one's end.
    let mut first_rows = count_parts::<T>(input)?;
    for first in &mut first_rows {
        row += std::mem::replace(first, row);
    }
    let end_of = |part: usize| first_rows.get(part + 1).copied().unwrap_or(row);
    // From here on the counts decide who writes where, whatever the elements have become.
    as_counted(row == output.layout.shape()[0])?;
    let walk = Walk::new(input.layout.shape(), [input.layout]);
    try_parallel_for(walk.len(), PART, |range| {
        let parts = range.start / PART..range.end.div_ceil(PART);
        parts.into_iter().try_for_each(|part| {
            let positions = part * PART..((part + 1) * PART).min(range.end);
            as_counted(write_rows::<T>(input, &walk, positions, output, first_rows[part]..end_of(part)))
        })
    })
}

/// Writes the coordinates of the elements among `positions` into `rows` of the output; whether they were as many.
pub(super) fn write_rows<T: Number>(
    input: Operand<'_>,
    walk: &Walk<1>,
    positions: Range<usize>,
    output: Operand<'_>,
    rows: Range<usize>,
) -> bool {
    let [step] = walk.steps();
    let (elements, coordinates) = (Elements::<T>::of(input), Elements::<i64>::of(output));
    let out = output.layout;
    let mut row = rows.start;
    for (position, [first], count) in walk.runs(positions) {
        for i in 0..count {
            // SAFETY: a position of the layout.
            if unsafe { elements.get(first + i as isize * step) } == T::ZERO {
                continue;
            }
            if row == rows.end {
                return false;
            }
            let mut rest = position + i;
            for (d, &size) in input.layout.shape().iter().enumerate().rev() {
                let place =
                    out.offset() as isize + row as isize * out.strides()[0] + d as isize * out.strides()[1];
                // SAFETY: the row is one of the part's, which belong to one range, and the output's have been counted.
                unsafe { coordinates.set(place, (rest % size) as i64) };
                rest /= size;
            }
            row += 1;
        }
    }
    row == rows.end
}
