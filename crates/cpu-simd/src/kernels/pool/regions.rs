//! Max pooling of windows that lie anywhere: adaptive and fractional pooling.

use std::ops::Range;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Operand, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use super::{Maximum, OP, TASK_WORK, by_float, by_maximum, check_indices};
use crate::kernels::dense::{Dense, Shared, fill_contiguous, unsupported};
use crate::threads::parallel_for;

/// The largest element of each window of `(N, C, *in)`, and its flat position in the plane as int64.
///
/// `regions` has for each spatial dimension the part of it that each output covers; for every plane of its own, one
/// plane after the other, if there are that many.
///
/// # Errors
/// `ShapeMismatch` for regions that are empty, reach beyond the input, or are not as many as the output needs.
pub fn max_pool_regions(kernel: &kernel::MaxPoolRegions<Operand<'_>>) -> Result<()> {
    let &kernel::MaxPoolRegions { ref regions, input, output, indices } = kernel;
    check_indices(indices, output)?;
    let (from, to) = (input.layout.shape(), output.layout.shape());
    let fail = || RusTorchError::shape(OP, format!("windows do not lead from {from:?} to {to:?}"));
    let spatial = regions.len();
    if !(1..=3).contains(&spatial) || [from.len(), to.len()] != [spatial + 2; 2] || from[..2] != to[..2] {
        return Err(fail());
    }
    let planes = from[0] * from[1];
    for (d, windows) in regions.iter().enumerate() {
        let (size, count) = (from[d + 2], to[d + 2]);
        let inside = windows.iter().all(|window| window.start < window.end && window.end <= size);
        if !inside || (windows.len() != count && windows.len() != planes * count) {
            return Err(fail());
        }
    }
    if output.layout.numel() == 0 {
        return Ok(());
    }
    by_maximum!(output.dtype, T => maximum::<T>(regions, planes, input, output, indices))
}

fn maximum<T: Maximum>(
    regions: &[Scratch<Range<usize>>],
    planes: usize,
    input: Operand<'_>,
    output: Operand<'_>,
    indices: Operand<'_>,
) -> Result<()> {
    let pad = 3 - regions.len();
    let mut sizes = [1; 3];
    sizes[pad..].copy_from_slice(&input.layout.shape()[2..]);
    let [depth, height, width] = sizes;
    let mut counts = [1; 3];
    counts[pad..].copy_from_slice(&output.layout.shape()[2..]);
    let (in_size, out_size) = (depth * height * width, volume(counts));
    // A plane's windows along dimension `d`; those of a missing dimension are the whole of it.
    let windows = |d: usize, plane: usize| -> &[Range<usize>] {
        const WHOLE: &Range<usize> = &(0..1);
        let Some(all) = d.checked_sub(pad).map(|d| &regions[d]) else {
            return std::slice::from_ref(WHOLE);
        };
        if all.len() == counts[d] { &all[..] } else { &all[plane * counts[d]..(plane + 1) * counts[d]] }
    };
    let input = Dense::<T>::contiguous(OP, input)?;
    let input = Shared::new(input.as_ptr().cast_mut());
    fill_contiguous(OP, output, |output: *mut T| {
        let output = Shared::new(output);
        fill_contiguous(OP, indices, |indices: *mut i64| {
            let indices = Shared::new(indices);
            parallel_for(planes, TASK_WORK.div_ceil(in_size.max(out_size)), |range| {
                for plane in range {
                    // SAFETY: the operands are contiguous and of these sizes, windows lie inside the input; planes are
                    // disjoint.
                    let (from, values, places) = unsafe {
                        (
                            std::slice::from_raw_parts(
                                input.get().add(plane * in_size).cast_const(),
                                in_size,
                            ),
                            std::slice::from_raw_parts_mut(output.get().add(plane * out_size), out_size),
                            std::slice::from_raw_parts_mut(indices.get().add(plane * out_size), out_size),
                        )
                    };
                    let mut at = 0;
                    for a in windows(0, plane) {
                        for b in windows(1, plane) {
                            for c in windows(2, plane) {
                                let (best, index) = largest(from, [height, width], [a, b, c]);
                                (values[at], places[at]) = (best, index as i64);
                                at += 1;
                            }
                        }
                    }
                }
            });
            Ok(())
        })
    })
}

/// The first of the largest elements of a box that is not empty, and its flat position.
#[inline(always)]
fn largest<T: Maximum>(
    plane: &[T],
    [height, width]: [usize; 2],
    [a, b, c]: [&Range<usize>; 3],
) -> (T, usize) {
    let mut index = (a.start * height + b.start) * width + c.start;
    let mut best = plane[index];
    for z in a.clone() {
        for y in b.clone() {
            let row = (z * height + y) * width;
            for (x, &value) in plane[row + c.start..row + c.end].iter().enumerate() {
                if value.beats(best) {
                    (best, index) = (value, row + c.start + x);
                }
            }
        }
    }
    (best, index)
}
