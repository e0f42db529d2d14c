//! Counting and finding the elements that differ from zero.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{Layout, Operand};
use rustorch_error::Result;

use crate::kernels::dense::Shared;
use crate::kernels::number::{Number, with_number};
use crate::kernels::walk::{Elements, Walk};
use crate::threads::parallel_for;

/// How many elements are counted as one part; the parts decide where threads write, not in which order.
const PART: usize = 1 << 14;

/// The number of elements that differ from zero (NaN does), for every dtype.
pub fn count_nonzero(input: Operand<'_>) -> Result<usize> {
    let counts = with_number!(input.dtype, T => count_parts::<T>(input))?;
    Ok(counts.iter().sum())
}

/// The coordinates of the elements that differ from zero, row-major, for every dtype: `output` is int64 of shape
/// `(count, ndim)`.
pub fn nonzero(input: Operand<'_>, output: Operand<'_>) -> Result<()> {
    with_number!(input.dtype, T => find::<T>(input, output))
}

/// The count of each part of [`PART`] elements.
fn count_parts<T: Number>(input: Operand<'_>) -> Result<Scratch<usize>> {
    let walk = Walk::new(input.layout.shape(), [input.layout]);
    let [step] = walk.steps();
    let elements = Elements::<T>::of(input);
    let counts = Scratch::<usize>::zeroed(walk.len().div_ceil(PART))?;
    let slots = Shared::new(counts.as_ptr());
    parallel_for(walk.len(), PART, |range| {
        let mut start = range.start;
        while start < range.end {
            let end = (start + PART).min(range.end);
            let mut count = 0;
            for (_, [first], n) in walk.runs(start..end) {
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
    // The counts become the rows of the parts' first elements.
    let mut first_rows = count_parts::<T>(input)?;
    for first in &mut first_rows {
        row += std::mem::replace(first, row);
    }
    let shape = input.layout.shape();
    let walk = Walk::new(shape, [input.layout]);
    let [step] = walk.steps();
    let (elements, coordinates) = (Elements::<T>::of(input), Elements::<i64>::of(output));
    let out: &Layout = output.layout;
    parallel_for(walk.len(), PART, |range| {
        let mut row = first_rows[range.start / PART];
        for (position, [first], count) in walk.runs(range) {
            for i in 0..count {
                // SAFETY: a position of the layout, which nobody writes.
                if unsafe { elements.get(first + i as isize * step) } == T::ZERO {
                    continue;
                }
                let mut rest = position + i;
                for (d, &size) in shape.iter().enumerate().rev() {
                    let place = out.offset() as isize
                        + row as isize * out.strides()[0]
                        + d as isize * out.strides()[1];
                    // SAFETY: the output has a row per element found, in order of parts; rows of one part belong to
                    // one range.
                    unsafe { coordinates.set(place, (rest % size) as i64) };
                    rest /= size;
                }
                row += 1;
            }
        }
    });
    Ok(())
}
