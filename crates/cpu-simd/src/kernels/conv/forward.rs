//! The convolution itself.

use rustorch_backend::memory::Scratch;
use rustorch_error::Result;

use super::implicit::{Columns, ImplicitProduct, PackedWeight};
use super::planes::{Planes, SLACK};
use super::{Element, Geometry, volume};
use crate::kernels::dense::Shared;
use crate::kernels::matmul::blocking::{Product, TASK_WORK, multiply};
use crate::kernels::matmul::tables::Kernels;
use crate::threads::{checkpoint, num_threads, try_parallel_for};

/// Computes the output of every image and group.
///
/// # Safety
/// The pointers are valid for the geometry's operands, row-major; `bias` has an element per output channel or is null.
pub unsafe fn forward<T: Element>(
    geometry: &Geometry,
    input: *const T,
    weight: *const T,
    bias: *const T,
    output: *mut T,
    kernels: &Kernels<T>,
) -> Result<()> {
    let (input_size, output_size, weight_size) = geometry.group_sizes();
    let plane = volume(geometry.output);
    if geometry.batch == 0 || output_size == 0 {
        return Ok(());
    }
    if is_plain_product(geometry) {
        // SAFETY: as the caller vouches.
        return unsafe { multiply_channels(geometry, input, weight, bias, output, kernels) };
    }
    let planes = input_planes(geometry)?;
    let offsets = tap_offsets(geometry, &planes)?;
    let columns = Columns::new(geometry.output, planes.extent, kernels.lanes)?;
    let k = geometry.channels * volume(geometry.kernel);
    let packed = Scratch::try_collect((0..geometry.groups).map(|g| {
        // SAFETY: as the caller vouches.
        unsafe { PackedWeight::new(weight.add(g * weight_size), geometry.filters, k, kernels) }
    }))?;

    let units = geometry.batch * geometry.groups;
    let cuts = column_cuts(units, geometry.work(), columns.vectors());
    let part = columns.vectors().div_ceil(cuts);
    let grain = (TASK_WORK / 4).div_ceil((geometry.work() / cuts).max(1));
    let (input, bias, output) =
        (Shared::new(input.cast_mut()), Shared::new(bias.cast_mut()), Shared::new(output));
    try_parallel_for(units * cuts, grain, |tasks| {
        let scratch = Scratch::<T>::zeroed(geometry.channels * planes.channel() + SLACK)?;
        let mut filled = usize::MAX;
        for task in tasks {
            checkpoint();
            let (unit, cut) = (task / cuts, task % cuts);
            let group = unit % geometry.groups;
            let product =
                ImplicitProduct { kernels, weight: &packed[group], offsets: &offsets, columns: &columns };
            // SAFETY: as the caller vouches; the scratch holds the planes, and tasks write different outputs.
            unsafe {
                if filled != unit {
                    planes.fill(input.get().add(unit * input_size), geometry.channels, scratch.as_ptr());
                    filled = unit;
                }
                let bias = bias.get().cast_const();
                let bias = if bias.is_null() { bias } else { bias.add(group * geometry.filters) };
                let registers = cut * part..((cut + 1) * part).min(columns.vectors());
                let out = output.get().add(unit * output_size);
                product.run(scratch.as_ptr(), out, plane, bias, registers);
            }
        }
        Ok(())
    })
}

/// Into how many parts the columns of an image are cut so that few images still occupy all threads.
pub fn column_cuts(units: usize, work: usize, vectors: usize) -> usize {
    let threads = num_threads();
    if units >= 2 * threads || work < 2 * TASK_WORK {
        return 1;
    }
    (2 * threads).div_ceil(units).min(work / TASK_WORK).min(vectors.div_ceil(4)).max(1)
}

/// Whether every output reads just the input at its own position.
fn is_plain_product(geometry: &Geometry) -> bool {
    geometry.kernel == [1; 3] && geometry.stride == [1; 3] && geometry.padding == [0; 3]
}

unsafe fn multiply_channels<T: Element>(
    geometry: &Geometry,
    input: *const T,
    weight: *const T,
    bias: *const T,
    output: *mut T,
    kernels: &Kernels<T>,
) -> Result<()> {
    let (input_size, output_size, weight_size) = geometry.group_sizes();
    let plane = volume(geometry.output) as isize;
    let units = geometry.batch * geometry.groups;
    // Large images one after the other, each on all threads; small ones side by side.
    let large = geometry.work() >= 8 * TASK_WORK;
    let grain = if large { units } else { TASK_WORK.div_ceil(geometry.work().max(1)) };
    let product = Product {
        m: geometry.filters,
        n: volume(geometry.output),
        k: geometry.channels,
        a: weight,
        a_strides: (geometry.channels as isize, 1),
        b: input,
        b_strides: (plane, 1),
        c: output,
        c_strides: (plane, 1),
        alpha: T::ONE,
        beta: T::ZERO,
        row_bias: bias,
        column_bias: std::ptr::null(),
    };
    try_parallel_for(units, grain, |range| {
        for unit in range {
            let group = unit % geometry.groups;
            let offsets = [group * weight_size, unit * input_size, unit * output_size].map(|n| n as isize);
            let mut one = product.moved(offsets);
            if !one.row_bias.is_null() {
                one.row_bias = one.row_bias.wrapping_add(group * geometry.filters);
            }
            // SAFETY: as the caller vouches; units write different outputs.
            unsafe { multiply(&one, kernels)? };
        }
        Ok(())
    })
}

/// The planes in which every tap of the kernel is a shifted view of the input.
pub fn input_planes(geometry: &Geometry) -> Result<Planes> {
    let reach: [usize; 3] = std::array::from_fn(|d| (geometry.kernel[d] - 1) * geometry.dilation[d]);
    let residues = |d: usize| {
        let taps = (0..geometry.kernel[d]).map(|k| k * geometry.dilation[d] % geometry.stride[d]);
        let mut all = Scratch::collect(taps)?;
        all.sort_unstable();
        Scratch::collect(all.chunk_by(|a, b| a == b).map(|same| same[0]))
    };
    Ok(Planes {
        source: geometry.input,
        padding: geometry.padding,
        stride: geometry.stride,
        extent: std::array::from_fn(|d| geometry.output[d] + reach[d] / geometry.stride[d]),
        residues: [residues(0)?, residues(1)?, residues(2)?],
    })
}

/// Where the view of each channel and tap begins, in the order of the weight.
pub fn tap_offsets(geometry: &Geometry, planes: &Planes) -> Result<Scratch<usize>> {
    let [d0, d1, d2] = geometry.dilation;
    let [k0, k1, k2] = geometry.kernel;
    let mut taps = Scratch::with_room(volume(geometry.kernel))?;
    for i in 0..k0 {
        for j in 0..k1 {
            taps.extend((0..k2).map(|k| planes.offset([i * d0, j * d1, k * d2])))?;
        }
    }
    let channel = planes.channel();
    let mut offsets = Scratch::with_room(geometry.channels.saturating_mul(taps.len()))?;
    for c in 0..geometry.channels {
        offsets.extend(taps.iter().map(|tap| c * channel + tap))?;
    }
    Ok(offsets)
}
