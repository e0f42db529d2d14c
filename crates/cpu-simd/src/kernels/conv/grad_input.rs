//! The convolution's gradient by its input.
//!
//! Inputs whose padded position has the same residue modulo the stride are reached by the same taps, each from outputs
//! a fixed distance away. So for every residue the gradient is itself a convolution of stride 1, of the output's
//! gradient with the flipped kernel's taps of that residue.

use rustorch_backend::memory::Scratch;
use rustorch_error::Result;

use super::forward::column_cuts;
use super::implicit::{Columns, ImplicitProduct, PackedWeight};
use super::planes::{Planes, SLACK};
use super::{Element, Geometry, volume};
use crate::kernels::dense::Shared;
use crate::kernels::matmul::blocking::TASK_WORK;
use crate::kernels::matmul::tables::Kernels;
use crate::threads::{checkpoint, try_parallel_for};

/// The inputs of one residue: `first + stride * q` for `q < count`, per dimension.
struct Residue<T> {
    first: [usize; 3],
    count: [usize; 3],
    offsets: Scratch<usize>,
    columns: Columns,
    /// One per group.
    weights: Scratch<PackedWeight<T>>,
}

/// A tap that reaches a residue from `shift` outputs away.
#[derive(Clone, Copy)]
struct Tap {
    index: usize,
    shift: isize,
}

/// Computes the gradient of every image and group.
///
/// # Safety
/// The pointers are valid for the geometry's operands, row-major.
pub unsafe fn grad_input<T: Element>(
    geometry: &Geometry,
    grad: *const T,
    weight: *const T,
    output: *mut T,
    kernels: &Kernels<T>,
) -> Result<()> {
    let (input_size, grad_size, _) = geometry.group_sizes();
    if geometry.batch == 0 || input_size == 0 {
        return Ok(());
    }
    let (planes, margin) = grad_planes(geometry)?;
    let residues = Scratch::try_collect((0..volume(geometry.residues())).map(|index| {
        let [_, s1, s2] = geometry.residues();
        let first = [index / (s1 * s2), index / s2 % s1, index % s2];
        // SAFETY: as the caller vouches.
        unsafe { residue(geometry, first, &planes, margin, weight, kernels) }
    }))?;

    let direct = geometry.stride == [1; 3];
    let largest = residues.iter().map(|r| volume(r.count)).max().unwrap_or(0);
    let units = geometry.batch * geometry.groups;
    let cuts = if direct { column_cuts(units, geometry.work(), residues[0].columns.vectors()) } else { 1 };
    let grain = (TASK_WORK / 4).div_ceil((geometry.work() / cuts).max(1));
    let (grad, output) = (Shared::new(grad.cast_mut()), Shared::new(output));
    try_parallel_for(units * cuts, grain, |tasks| {
        let scratch = Scratch::<T>::zeroed(geometry.filters * planes.channel() + SLACK)?;
        let result = Scratch::<T>::with_room(if direct { 0 } else { geometry.channels * largest })?;
        let mut filled = usize::MAX;
        for task in tasks {
            checkpoint();
            let (unit, cut) = (task / cuts, task % cuts);
            // SAFETY: as the caller vouches; the scratch holds the planes, and tasks write different elements.
            unsafe {
                if filled != unit {
                    planes.fill(grad.get().add(unit * grad_size), geometry.filters, scratch.as_ptr());
                    filled = unit;
                }
                let to = output.get().add(unit * input_size);
                for residue in &residues {
                    let (weight, columns) = (&residue.weights[unit % geometry.groups], &residue.columns);
                    let product = ImplicitProduct { kernels, weight, offsets: &residue.offsets, columns };
                    let part = columns.vectors().div_ceil(cuts);
                    let registers = cut * part..((cut + 1) * part).min(columns.vectors());
                    let row = volume(residue.count);
                    let out = if direct { to } else { result.as_ptr() };
                    product.run(scratch.as_ptr(), out, row, std::ptr::null(), registers);
                    if !direct {
                        interleave(geometry, residue, result.as_ptr(), to);
                    }
                }
            }
        }
        Ok(())
    })
}

impl Geometry {
    /// How many residues modulo the stride the inputs have, per dimension.
    fn residues(&self) -> [usize; 3] {
        std::array::from_fn(|d| self.stride[d].min(self.input[d]))
    }
}

/// The taps that reach inputs of residue `first` along dimension `d`.
fn taps(geometry: &Geometry, d: usize, first: usize) -> impl Iterator<Item = Tap> {
    let stride = geometry.stride[d] as isize;
    let (origin, dilation) = ((first + geometry.padding[d]) as isize, geometry.dilation[d]);
    (0..geometry.kernel[d])
        .map(move |index| (index, origin - (index * dilation) as isize))
        .filter(move |(_, distance)| distance.rem_euclid(stride) == 0)
        .map(move |(index, distance)| Tap { index, shift: distance.div_euclid(stride) })
}

/// The planes of the output's gradient, with the zeros that some tap reaches before and after it, and how many before.
fn grad_planes(geometry: &Geometry) -> Result<(Planes, [usize; 3])> {
    let (mut margin, mut extent) = ([0; 3], [0; 3]);
    for d in 0..3 {
        let stride = geometry.stride[d];
        let all = (0..geometry.residues()[d]).flat_map(|first| taps(geometry, d, first)).map(|tap| tap.shift);
        let (low, high) = all.fold((0, 0), |(low, high), shift| (shift.min(low), shift.max(high)));
        margin[d] = low.unsigned_abs();
        extent[d] = margin[d] + geometry.input[d].div_ceil(stride) + high.unsigned_abs();
    }
    let planes = Planes {
        source: geometry.output,
        padding: margin,
        stride: [1; 3],
        extent,
        residues: [Scratch::zeroed(1)?, Scratch::zeroed(1)?, Scratch::zeroed(1)?],
    };
    Ok((planes, margin))
}

/// What the inputs of residue `first` need: their taps' offsets and the weight of those taps, transposed.
unsafe fn residue<T: Element>(
    geometry: &Geometry,
    first: [usize; 3],
    planes: &Planes,
    margin: [usize; 3],
    weight: *const T,
    kernels: &Kernels<T>,
) -> Result<Residue<T>> {
    let count: [usize; 3] =
        std::array::from_fn(|d| geometry.input[d].saturating_sub(first[d]).div_ceil(geometry.stride[d]));
    let reached = |d: usize| Scratch::collect(taps(geometry, d, first[d]));
    let [t0, t1, t2] = [reached(0)?, reached(1)?, reached(2)?];
    let mut chosen = Scratch::with_room(t0.len() * t1.len() * t2.len())?;
    for a in &t0 {
        for b in &t1 {
            for c in &t2 {
                let index = (a.index * geometry.kernel[1] + b.index) * geometry.kernel[2] + c.index;
                let at = [a, b, c].map(|tap| tap.shift);
                let at = std::array::from_fn(|d| (margin[d] as isize + at[d]) as usize);
                chosen.push((index, planes.offset(at)))?;
            }
        }
    }
    let channel = planes.channel();
    let mut offsets = Scratch::with_room(geometry.filters.saturating_mul(chosen.len()))?;
    for f in 0..geometry.filters {
        offsets.extend(chosen.iter().map(|(_, at)| f * channel + at))?;
    }
    let (_, _, weight_size) = geometry.group_sizes();
    let volume = volume(geometry.kernel);
    let transposed = Scratch::<T>::with_room(geometry.channels * offsets.len())?;
    let weights = (0..geometry.groups).map(|group| {
        let mut to = transposed.as_ptr();
        for c in 0..geometry.channels {
            for f in 0..geometry.filters {
                for &(index, _) in &chosen {
                    // SAFETY: as the caller vouches; the scratch has an element for each channel, filter and tap.
                    unsafe {
                        *to = *weight.add(group * weight_size + (f * geometry.channels + c) * volume + index);
                        to = to.add(1);
                    }
                }
            }
        }
        // SAFETY: just written.
        unsafe { PackedWeight::new(transposed.as_ptr(), geometry.channels, offsets.len(), kernels) }
    });
    let weights = Scratch::try_collect(weights)?;
    let columns = Columns::new(count, planes.extent, kernels.lanes)?;
    Ok(Residue { first, count, offsets, columns, weights })
}

/// Spreads a residue's result over the gradient.
unsafe fn interleave<T: Element>(geometry: &Geometry, residue: &Residue<T>, from: *const T, to: *mut T) {
    let [s0, s1, s2] = geometry.stride;
    let [c0, c1, c2] = residue.count;
    let [_, height, width] = geometry.input;
    let mut from = from;
    for channel in 0..geometry.channels {
        let to = to.wrapping_add(channel * volume(geometry.input));
        for i in 0..c0 {
            for j in 0..c1 {
                let row = (residue.first[0] + i * s0) * height + residue.first[1] + j * s1;
                let to = to.wrapping_add(row * width + residue.first[2]);
                for k in 0..c2 {
                    // SAFETY: as the caller vouches.
                    unsafe { *to.add(k * s2) = *from.add(k) };
                }
                from = from.wrapping_add(c2);
            }
        }
    }
}
