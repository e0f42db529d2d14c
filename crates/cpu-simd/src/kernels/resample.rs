//! Linear maps along the last dimensions: padding by what is there, interpolation, and the gradients of both.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, DimensionMap, Operand, kernel, volume};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use super::dense::{ComputeType, Dense, Shared, address, fill_contiguous, unsupported};
use super::number::with_bytes;
use crate::threads::{parallel_for, try_parallel_for};

const OP: &str = "resample";

/// Elements read or written per task, at least.
const TASK_WORK: usize = 1 << 15;

/// Applies `maps` to the last dimensions of `input`, the last map to the last dimension.
///
/// Selections move elements of any dtype. Other maps are computed in floating point, half precisions in float32 and
/// rounded once; complex numbers by their parts. `input` is row-major.
///
/// # Errors
/// `ShapeMismatch` where the maps do not lead from one shape to the other, `Unsupported` for weights on integers.
pub fn resample(kernel: &kernel::Resample<Operand<'_>>) -> Result<()> {
    let &kernel::Resample { ref maps, input, output } = kernel;
    let (from, to) = (input.layout.shape(), output.layout.shape());
    let lead = from.len().checked_sub(maps.len());
    let fits = lead.is_some_and(|lead| {
        from.len() == to.len()
            && from[..lead] == to[..lead]
            && maps.iter().zip(&from[lead..]).all(|(map, &n)| map.input() == n)
            && maps.iter().zip(&to[lead..]).all(|(map, &n)| map.output() == n)
    });
    if !fits || !input.layout.is_contiguous() || !output.layout.is_contiguous() {
        return Err(RusTorchError::shape(OP, format!("{from:?} does not become {to:?} by these maps")));
    }
    let planes = volume(&from[..from.len() - maps.len()]);
    if planes == 0 || output.layout.numel() == 0 {
        return Ok(());
    }
    if maps.iter().all(DimensionMap::is_selection) {
        return with_bytes!(input.dtype, T => select::<T>(maps, planes, address(input), address(output)));
    }
    match output.dtype {
        DType::Float32 | DType::Float16 | DType::BFloat16 => real::<f32>(maps, planes, input, output),
        DType::Float64 => real::<f64>(maps, planes, input, output),
        // SAFETY: a complex number is two floats, and the layouts are row-major.
        DType::Complex64 => unsafe { sum::<f32>(maps, planes, 2, address(input), address(output)) },
        // SAFETY: as above.
        DType::Complex128 => unsafe { sum::<f64>(maps, planes, 2, address(input), address(output)) },
        dtype => Err(unsupported(OP, dtype)),
    }
}

/// Elements of a plane before and after the maps.
fn plane_sizes(maps: &[DimensionMap]) -> (usize, usize) {
    (volume(maps.iter().map(DimensionMap::input)), volume(maps.iter().map(DimensionMap::output)))
}

/// Pieces of the last dimension that lie one behind the other in the input too: `(output, input, length)`.
fn runs(positions: &[usize]) -> Result<Scratch<(usize, usize, usize)>> {
    let mut runs: Scratch<(usize, usize, usize)> = Scratch::new();
    for (output, &input) in positions.iter().enumerate() {
        match runs.last_mut() {
            Some((_, start, length)) if *start + *length == input => *length += 1,
            _ => runs.push((output, input, 1))?,
        }
    }
    Ok(runs)
}

/// Moves elements. Every dimension has an output.
fn select<T: Copy>(maps: &[DimensionMap], planes: usize, input: *mut T, output: *mut T) -> Result<()> {
    let Some((columns, outer)) = maps.split_last() else { return Ok(()) };
    let (in_size, _) = plane_sizes(maps);
    let rows = volume(outer.iter().map(DimensionMap::output));
    let (width, columns) = (columns.input(), columns.positions());
    let runs = runs(columns)?;
    let grain = TASK_WORK.div_ceil(columns.len());
    let (input, output) = (Shared::new(input), Shared::new(output));
    parallel_for(planes * rows, grain, |range| {
        for row in range {
            // The row's position along each outer dimension, read from the end.
            let (mut rest, mut start, mut step) = (row, 0, width);
            for map in outer.iter().rev() {
                start += map.positions()[rest % map.output()] * step;
                rest /= map.output();
                step *= map.input();
            }
            // SAFETY: positions lie inside the input's plane; rows of the output are disjoint.
            unsafe {
                let from = input.get().add(rest * in_size + start).cast_const();
                let to = output.get().add(row * columns.len());
                if runs.len() * 4 <= columns.len() {
                    for &(at, source, length) in &runs {
                        std::ptr::copy_nonoverlapping(from.add(source), to.add(at), length);
                    }
                } else {
                    for (at, &source) in columns.iter().enumerate() {
                        *to.add(at) = *from.add(source);
                    }
                }
            }
        }
    });
    Ok(())
}

/// A type that sums are computed in.
trait Float: ComputeType + std::ops::Mul<Output = Self> + std::ops::Add<Output = Self> {
    const ZERO: Self;
    const ONE: Self;
    fn from_f64(value: f64) -> Self;
}

macro_rules! float {
    ($($T:ty),*) => {$(
        impl Float for $T {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            fn from_f64(value: f64) -> Self {
                value as $T
            }
        }
    )*};
}
float!(f32, f64);

fn real<T: Float>(
    maps: &[DimensionMap],
    planes: usize,
    input: Operand<'_>,
    output: Operand<'_>,
) -> Result<()> {
    let input = Dense::<T>::contiguous(OP, input)?;
    fill_contiguous(OP, output, |output: *mut T| {
        // SAFETY: both hold the elements of their shapes, row-major.
        unsafe { sum(maps, planes, 1, input.as_ptr().cast_mut(), output) }
    })
}

/// A map whose weights are in the type that is computed in.
struct Weighted<'a, T> {
    map: &'a DimensionMap,
    weights: Scratch<T>,
}

/// Applies the maps one after the other, from the last dimension on; elements have `unit` parts.
///
/// # Safety
/// `input` and `output` hold `planes` planes of the maps' sizes, times `unit`.
unsafe fn sum<T: Float>(
    maps: &[DimensionMap],
    planes: usize,
    unit: usize,
    input: *mut T,
    output: *mut T,
) -> Result<()> {
    let (in_size, out_size) = plane_sizes(maps);
    let weighted: SmallVec<[Weighted<'_, T>; 3]> = maps
        .iter()
        .map(|map| {
            let weights = match map.weights() {
                None => Scratch::filled(map.positions().len(), T::ONE)?,
                Some(weights) => Scratch::collect(weights.iter().map(|&w| T::from_f64(w)))?,
            };
            Ok(Weighted { map, weights })
        })
        .collect::<Result<_>>()?;
    // The sizes of what is between the maps: the last dimensions are mapped, the first not yet.
    let size = |i: usize| -> usize {
        let (before, after) = maps.split_at(i);
        let sizes = before.iter().map(DimensionMap::input).chain(after.iter().map(DimensionMap::output));
        volume(sizes)
    };
    let largest = (1..maps.len()).map(size).max().unwrap_or(0);
    let work = in_size.max(out_size).max(largest) * unit * maps.len();
    let (input, output) = (Shared::new(input), Shared::new(output));
    try_parallel_for(planes, TASK_WORK.div_ceil(work.max(1)), |range| {
        let scratch = [Scratch::<T>::with_room(largest * unit)?, Scratch::<T>::with_room(largest * unit)?];
        for plane in range {
            let mut from = input.get().wrapping_add(plane * in_size * unit).cast_const();
            let mut inner = unit;
            for (i, step) in weighted.iter().enumerate().rev() {
                let outer = volume(maps[..i].iter().map(DimensionMap::input));
                let to = if i == 0 {
                    output.get().wrapping_add(plane * out_size * unit)
                } else {
                    scratch[i % 2].as_ptr()
                };
                // SAFETY: the caller vouches for planes and their sizes; the scratch holds the largest of what is
                // between, and a step does not write what it reads.
                unsafe { step.apply(outer, inner, from, to) };
                from = to.cast_const();
                inner *= step.map.output();
            }
        }
        Ok(())
    })
}

impl<T: Float> Weighted<'_, T> {
    /// Maps the middle of `(outer, input, inner)`.
    ///
    /// # Safety
    /// `from` and `to` hold that many elements, and do not overlap.
    unsafe fn apply(&self, outer: usize, inner: usize, from: *const T, to: *mut T) {
        let (positions, weights) = (self.map.positions(), &self.weights);
        let (size, count) = (self.map.input(), self.map.output());
        for block in 0..outer {
            // SAFETY: positions are below `size`; the rest is the caller's word.
            unsafe {
                let from = std::slice::from_raw_parts(from.add(block * size * inner), size * inner);
                let to = std::slice::from_raw_parts_mut(to.add(block * count * inner), count * inner);
                for (row, taps) in to.chunks_exact_mut(inner).zip(self.map.starts().windows(2)) {
                    let taps = taps[0]..taps[1];
                    let (positions, weights) = (&positions[taps.clone()], &weights[taps]);
                    if let [only] = row {
                        let terms = positions.iter().zip(weights).map(|(&p, &w)| from[p] * w);
                        *only = terms.reduce(|a, b| a + b).unwrap_or(T::ZERO);
                    } else {
                        combine(row, from, positions, weights);
                    }
                }
            }
        }
    }
}

/// A row as the weighted sum of rows.
fn combine<T: Float>(row: &mut [T], from: &[T], positions: &[usize], weights: &[T]) {
    let inner = row.len();
    let source = |p: usize| &from[p * inner..(p + 1) * inner];
    let (rest, rest_weights) = match (positions, weights) {
        (&[p, q, ref rest @ ..], &[v, w, ref rest_weights @ ..]) => {
            for ((to, &a), &b) in row.iter_mut().zip(source(p)).zip(source(q)) {
                *to = a * v + b * w;
            }
            (rest, rest_weights)
        }
        (&[p], &[w]) => {
            for (to, &a) in row.iter_mut().zip(source(p)) {
                *to = a * w;
            }
            return;
        }
        _ => {
            row.fill(T::ZERO);
            return;
        }
    };
    for (&p, &w) in rest.iter().zip(rest_weights) {
        for (to, &a) in row.iter_mut().zip(source(p)) {
            *to = *to + a * w;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use super::*;
    use crate::kernels::samples::{LayoutKind, Sample};

    /// The maps applied element by element.
    fn expected(maps: &[DimensionMap], planes: usize, input: &[f64]) -> Vec<f64> {
        let (in_size, _) = plane_sizes(maps);
        let mut out = Vec::new();
        for plane in 0..planes {
            for i in 0..maps[0].output() {
                for j in 0..maps[1].output() {
                    let taps = |map: &DimensionMap, at: usize| -> Vec<(usize, f64)> {
                        (map.starts()[at]..map.starts()[at + 1])
                            .map(|t| (map.positions()[t], map.weights().map_or(1.0, |w| w[t])))
                            .collect()
                    };
                    let mut total = 0.0;
                    for (y, v) in taps(&maps[0], i) {
                        for (x, w) in taps(&maps[1], j) {
                            total += v * w * input[plane * in_size + y * maps[1].input() + x];
                        }
                    }
                    out.push(total);
                }
            }
        }
        out
    }

    #[test]
    fn maps_are_applied_to_every_plane() {
        let lines = || {
            let taps =
                [vec![(0, 0.5), (2, 0.25)], vec![], vec![(1, 2.0), (2, 1.0), (0, -1.0)], vec![(1, 1.0)]];
            DimensionMap::weighted(3, taps).unwrap()
        };
        let columns = || DimensionMap::selection(5, [1, 0, 1, 2, 3, 4, 4]).unwrap();
        for maps in [
            [lines(), columns()],
            [DimensionMap::selection(3, [2, 1, 1]).unwrap(), columns()],
            [lines().transposed().unwrap(), columns().transposed().unwrap()],
        ] {
            let maps: Arc<[DimensionMap]> = Arc::from(maps);
            let planes = 700;
            let (in_size, _) = plane_sizes(&maps);
            let data: Vec<f64> =
                (0..planes * in_size).map(|i| f64::from((i * 37 % 101) as u8) - 50.0).collect();
            let shape = [planes, maps[0].input(), maps[1].input()];
            let input = Sample::new(DType::Float64, &shape, LayoutKind::Contiguous, &data);
            let shape = [planes, maps[0].output(), maps[1].output()];
            let output = Sample::zeros(DType::Float64, &shape, LayoutKind::Contiguous);
            resample(&kernel::Resample {
                maps: maps.clone(),
                input: input.operand(),
                output: output.operand(),
            })
            .unwrap();
            assert_eq!(output.values(), expected(&maps, planes, &data));
        }
    }
}
