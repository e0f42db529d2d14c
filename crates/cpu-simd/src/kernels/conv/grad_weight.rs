//! The convolution's gradient by its weight.
//!
//! For every channel and tap, the products of the shifted plane with the output's gradient, summed over positions and
//! images: a matrix product whose left rows are read from the planes where they lie, and whose right matrix, the
//! gradient with its channels along the registers, is packed.

use rustorch_backend::memory::Scratch;
use rustorch_error::Result;

use super::forward::{input_planes, tap_offsets};
use super::planes::{Planes, SLACK};
use super::{Element, Geometry, volume};
use crate::kernels::dense::Shared;
use crate::kernels::matmul::blocking::TASK_WORK;
use crate::kernels::matmul::microkernel::{MAX_ROWS, Output};
use crate::kernels::matmul::pack::SPILL;
use crate::kernels::matmul::tables::Kernels;
use crate::kernels::matmul::vector::Float;
use crate::threads::{checkpoint, try_parallel_for};

/// Sums are kept apart for this many shares of the batch, whatever the number of threads: so the result does not depend
/// on it.
const SHARES: usize = 8;
/// The most memory for such sums.
const SUMS_BYTES: usize = 64 << 20;
/// Positions of the gradient that are multiplied at a time, so that they stay in the first cache.
const POSITIONS: usize = 128;

/// Computes the gradient of every group.
///
/// # Safety
/// The pointers are valid for the geometry's operands, row-major.
pub unsafe fn grad_weight<T: Element>(
    geometry: &Geometry,
    grad: *const T,
    input: *const T,
    output: *mut T,
    kernels: &Kernels<T>,
) -> Result<()> {
    let (_, grad_size, weight_size) = geometry.group_sizes();
    if weight_size == 0 {
        return Ok(());
    }
    if geometry.batch == 0 || grad_size == 0 {
        // SAFETY: as the caller vouches; all bytes 0 is the number 0.
        unsafe { output.write_bytes(0, weight_size * geometry.groups) };
        return Ok(());
    }
    let planes = input_planes(geometry)?;
    let offsets = tap_offsets(geometry, &planes)?;
    let width = geometry.filters.next_multiple_of(kernels.lanes);
    let sums_size = offsets.len() * width;
    let affordable = SUMS_BYTES / (sums_size * size_of::<T>() * geometry.groups).max(1);
    let shares = geometry.batch.min(SHARES).min(affordable).max(1);
    let images = geometry.batch.div_ceil(shares);
    let shares = geometry.batch.div_ceil(images);

    let sums = Scratch::<T>::with_room(sums_size * shares * geometry.groups)?;
    let plan = Plan { geometry, kernels, planes: &planes, offsets: &offsets, width };
    let work = geometry.work().saturating_mul(images).max(1);
    let (grad, input) = (Shared::new(grad.cast_mut()), Shared::new(input.cast_mut()));
    let (sums, output) = (Shared::new(sums.as_ptr()), (Shared::new(output), sums));
    try_parallel_for(shares * geometry.groups, (TASK_WORK / 4).div_ceil(work), |tasks| {
        let memory = plan.memory()?;
        for task in tasks {
            checkpoint();
            let (share, group) = (task / geometry.groups, task % geometry.groups);
            let batch = share * images..((share + 1) * images).min(geometry.batch);
            // SAFETY: as the caller vouches; each task has sums of its own.
            unsafe {
                plan.sum(&memory, batch, group, grad.get(), input.get(), sums.get().add(task * sums_size));
            };
        }
        Ok(())
    })?;

    // Adds the shares up, in their order, and transposes into the weight's order.
    let rows = offsets.len();
    let (output, _sums) = output;
    try_parallel_for(geometry.groups * geometry.filters, (1 << 15) / (rows * shares).max(1) + 1, |filters| {
        for filter in filters {
            let (group, column) = (filter / geometry.filters, filter % geometry.filters);
            for row in 0..rows {
                // SAFETY: as the caller vouches; all sums are written.
                unsafe {
                    let mut total = T::ZERO;
                    for share in 0..shares {
                        let task = share * geometry.groups + group;
                        total = total + *sums.get().add(task * sums_size + row * width + column);
                    }
                    *output.get().add(filter * rows + row) = total;
                }
            }
        }
        Ok(())
    })
}

struct Plan<'a, T: 'static> {
    geometry: &'a Geometry,
    kernels: &'a Kernels<T>,
    planes: &'a Planes,
    offsets: &'a [usize],
    /// Columns of the sums: the filters, rounded up to whole registers.
    width: usize,
}

/// A task's planes and packed gradient.
struct Memory<T> {
    planes: Scratch<T>,
    grad: Scratch<T>,
}

impl<T: Element> Plan<'_, T> {
    fn memory(&self) -> Result<Memory<T>> {
        Ok(Memory {
            planes: Scratch::zeroed(self.geometry.channels * self.planes.channel() + SLACK)?,
            grad: Scratch::with_room(volume(self.geometry.output) * self.width + SPILL)?,
        })
    }

    /// Sums over the images of `batch`.
    unsafe fn sum(
        &self,
        memory: &Memory<T>,
        batch: std::ops::Range<usize>,
        group: usize,
        grad: *const T,
        input: *const T,
        sums: *mut T,
    ) {
        let geometry = self.geometry;
        let (input_size, grad_size, _) = geometry.group_sizes();
        let positions = volume(geometry.output);
        let [_, height, width] = geometry.output;
        let run_block = (POSITIONS / width.max(1)).clamp(1, height);
        let start = batch.start;
        for image in batch {
            let unit = image * geometry.groups + group;
            // SAFETY: as the caller vouches; the memory holds one image's planes and gradient.
            unsafe {
                self.planes.fill(input.add(unit * input_size), geometry.channels, memory.planes.as_ptr());
                self.for_each_panel(|column, vectors| {
                    let count = (geometry.filters - column).min(vectors * self.kernels.lanes);
                    let from = grad.add(unit * grad_size + column * positions);
                    let to = memory.grad.as_ptr().add(column * positions);
                    let panel_width = vectors * self.kernels.lanes;
                    (self.kernels.pack)(positions, from, positions as isize, 1, count, panel_width, to);
                });
                for depth in 0..geometry.output[0] {
                    for row in (0..height).step_by(run_block) {
                        let runs = (height - row).min(run_block);
                        let first = image == start && depth == 0 && row == 0;
                        self.multiply(memory, [depth, row], runs, first, sums);
                    }
                }
            }
        }
    }

    fn for_each_panel(&self, mut each: impl FnMut(usize, usize)) {
        let lanes = self.kernels.lanes;
        let panel = self.kernels.tiling.vectors * lanes;
        for column in (0..self.width).step_by(panel) {
            each(column, (self.width - column).min(panel) / lanes);
        }
    }

    /// Adds the products of `runs` rows of positions, from `depth` and `row` on.
    unsafe fn multiply(
        &self,
        memory: &Memory<T>,
        [depth, row]: [usize; 2],
        runs: usize,
        first: bool,
        sums: *mut T,
    ) {
        let extent = self.planes.extent;
        let [_, height, width] = self.geometry.output;
        let positions = volume(self.geometry.output);
        let rows = self.offsets.len();
        let tile = rows.div_ceil(rows.div_ceil(self.kernels.tiling.scattered_tile_rows()));
        // SAFETY: as the caller vouches.
        unsafe {
            let planes = memory.planes.as_ptr().add((depth * extent[1] + row) * extent[2]).cast_const();
            let mut starts = [planes; MAX_ROWS];
            self.for_each_panel(|column, vectors| {
                let step = vectors * self.kernels.lanes;
                let at = column * positions + (depth * height + row) * width * step;
                let b = memory.grad.as_ptr().add(at);
                for i in (0..rows).step_by(tile) {
                    let count = (rows - i).min(tile);
                    for (start, offset) in starts.iter_mut().zip(&self.offsets[i..i + count]) {
                        *start = planes.add(*offset);
                    }
                    let mut out = Output::rows(sums.add(i * self.width + column), self.width as isize, step);
                    out.beta = if first { T::ZERO } else { <T as Float>::ONE };
                    let kernel = self.kernels.scattered(count, vectors);
                    kernel(runs, width, starts.as_ptr(), extent[2] as isize, b, step as isize, &out);
                }
            });
        }
    }
}
