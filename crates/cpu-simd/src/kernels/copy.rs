//! Copies between layouts and dtypes, and fills.

use rustorch_backend::{DType, Element, Operand, Scalar, with_element};
use rustorch_error::Result;
use rustorch_simd::level;

use super::dense::Shared;
use super::map::convert::convert;
use super::map::plan::{AccessPattern, Plan};
use crate::threads::parallel_for;

/// Bytes that are worth a second thread.
const GRAIN_BYTES: usize = 256 * 1024;
/// Elements that are collected, converted and spread at a time.
const TILE: usize = 512;
/// The side of the square in which a transposition goes: its rows and columns both stay in the first-level cache.
const BLOCK: usize = 32;

/// Copies between layouts and dtypes of one shape.
pub fn copy(source: Operand<'_>, destination: Operand<'_>) -> Result<()> {
    let n = destination.layout.numel();
    if n == 0 {
        return Ok(());
    }
    let same = source.dtype == destination.dtype;
    let (from_size, to_size) = (source.dtype.size(), destination.dtype.size());
    let from = Shared::new(source.buffer.address().as_ptr());
    let to = Shared::new(destination.buffer.address().as_ptr());
    let grain = (GRAIN_BYTES / to_size).next_multiple_of(TILE);
    if source.layout.is_contiguous() && destination.layout.is_contiguous() {
        let convert = convert(source.dtype, destination.dtype, level());
        let starts = [source.layout.offset(), destination.layout.offset()];
        parallel_for(n, grain, |range| {
            let from = from.get().wrapping_add((starts[0] + range.start) * from_size);
            let to = to.get().wrapping_add((starts[1] + range.start) * to_size);
            // SAFETY: both are contiguous and hold the range; the ranges are disjoint.
            unsafe { convert(from, to, range.len()) };
        });
        return Ok(());
    }
    let operands = [source, destination];
    let plan = Plan::new(&operands, 1);
    let patterns = [plan.pattern(0), plan.pattern(1)];
    let starts = [plan.position(0, 0), plan.position(1, 0)];
    if same && let Some(transposition) = Transposition::of(&plan) {
        transposition.run(to_size, from, to);
        return Ok(());
    }
    let convert = convert(source.dtype, destination.dtype, level());
    parallel_for(n, grain, |range| {
        let element = |base: Shared<u8>, start: isize, size: usize, at: usize| {
            base.get().wrapping_offset((start + at as isize) * size as isize)
        };
        if patterns == [AccessPattern::Contiguous, AccessPattern::Contiguous] {
            let from = element(from, starts[0], from_size, range.start);
            let to = element(to, starts[1], to_size, range.start);
            // SAFETY: both are contiguous and hold the range; the ranges are disjoint.
            unsafe { convert(from, to, range.len()) };
            return;
        }
        let mut staging = [[0u64; 2]; TILE];
        let mut converted = [[0u64; 2]; TILE];
        let (staging, converted) = (staging.as_mut_ptr().cast::<u8>(), converted.as_mut_ptr().cast::<u8>());
        let mut at = range.start;
        while at < range.end {
            let n = TILE.min(range.end - at);
            let direct = patterns[1] == AccessPattern::Contiguous;
            let target = if direct { element(to, starts[1], to_size, at) } else { converted };
            // SAFETY: tiles have room for TILE elements of any dtype; the positions are the operands', and this
            // thread alone writes them.
            unsafe {
                if same && direct {
                    plan.gather(0, from_size, from.get(), at, n, target);
                } else if patterns[0] == AccessPattern::Contiguous {
                    convert(element(from, starts[0], from_size, at), target, n);
                } else {
                    plan.gather(0, from_size, from.get(), at, n, staging);
                    convert(staging, target, n);
                }
                if !direct {
                    plan.scatter(1, to_size, to.get(), at, n, converted);
                }
            }
            at += n;
        }
    });
    Ok(())
}

/// A plan whose two inner dimensions are crossed: one operand runs along the first of them, the other along the second.
struct Transposition {
    outer: Vec<[isize; 2]>,
    rows: usize,
    columns: usize,
    row_steps: [isize; 2],
    column_steps: [isize; 2],
}

impl Transposition {
    /// The transposition that `plan` is, if both of its crossed dimensions are long enough to pay.
    fn of(plan: &Plan) -> Option<Self> {
        let (outer, [(rows, row_steps), (columns, column_steps)]) = plan.crossed()?;
        let crossed = row_steps[0] == 1 && column_steps[1] == 1;
        (crossed && rows >= 8 && columns >= 8).then_some(Transposition {
            outer,
            rows,
            columns,
            row_steps,
            column_steps,
        })
    }

    fn run(&self, size: usize, from: Shared<u8>, to: Shared<u8>) {
        match size {
            1 => self.run_elements::<u8>(from, to),
            2 => self.run_elements::<u16>(from, to),
            4 => self.run_elements::<u32>(from, to),
            8 => self.run_elements::<u64>(from, to),
            _ => self.run_elements::<[u64; 2]>(from, to),
        }
    }

    fn run_elements<T: Copy + Default>(&self, from: Shared<u8>, to: Shared<u8>) {
        let bands = self.rows.div_ceil(BLOCK);
        let grain = (GRAIN_BYTES / (BLOCK * self.columns * size_of::<T>())).max(1);
        let (source_step, target_step) = (self.column_steps[0], self.row_steps[1]);
        parallel_for(self.outer.len() * bands, grain, |range| {
            // Both operands are touched along their memory only; what crosses stays in this square.
            let mut square = [[T::default(); BLOCK]; BLOCK];
            for band in range {
                let [source, target] = self.outer[band / bands];
                let top = band % bands * BLOCK;
                let height = BLOCK.min(self.rows - top);
                for left in (0..self.columns).step_by(BLOCK) {
                    let width = BLOCK.min(self.columns - left);
                    // SAFETY: the positions are the operands'; each is written once, by one thread.
                    unsafe {
                        let from = from.get().cast::<T>().offset(source + top as isize);
                        for (column, line) in square.iter_mut().enumerate().take(width) {
                            let from = from.offset((left + column) as isize * source_step);
                            std::ptr::copy_nonoverlapping(from, line.as_mut_ptr(), height);
                        }
                        let to = to.get().cast::<T>().offset(target + left as isize);
                        for row in 0..height {
                            let to = to.offset((top + row) as isize * target_step);
                            for (column, line) in square.iter().enumerate().take(width) {
                                to.add(column).write(line[row]);
                            }
                        }
                    }
                }
            }
        });
    }
}

/// Sets every element.
pub fn fill(destination: Operand<'_>, value: Scalar) -> Result<()> {
    match destination.dtype {
        DType::Complex64 | DType::Complex128 => {
            let (re, im) = match value {
                Scalar::Complex(re, im) => (re, im),
                real => (real.to_f64(), 0.0),
            };
            if destination.dtype == DType::Complex64 {
                fill_elements(destination, [re as f32, im as f32]);
            } else {
                fill_elements(destination, [re, im]);
            }
        }
        real => with_element!(real, T => fill_elements(destination, T::from_scalar(value)), else {}),
    }
    Ok(())
}

fn fill_elements<T: Copy + Sync>(destination: Operand<'_>, value: T) {
    if destination.layout.numel() == 0 {
        return;
    }
    let to = Shared::new(destination.buffer.address().as_ptr());
    let grain = GRAIN_BYTES / size_of::<T>();
    if destination.layout.is_contiguous() {
        parallel_for(destination.layout.numel(), grain, |range| {
            let start = to.get().cast::<T>().wrapping_add(destination.layout.offset() + range.start);
            // SAFETY: the range is the operand's, and this thread alone writes it.
            unsafe { std::slice::from_raw_parts_mut(start, range.len()).fill(value) };
        });
        return;
    }
    let plan = Plan::new(&[destination], 0);
    parallel_for(plan.numel(), grain, |range| {
        let step = plan.inner_step(0);
        plan.runs(0, range.start, range.len(), |_, position, count| {
            // SAFETY: the positions are the operand's, and this thread alone writes them.
            unsafe {
                let to = to.get().cast::<T>().offset(position);
                if step == 1 {
                    std::slice::from_raw_parts_mut(to, count).fill(value);
                } else {
                    for i in 0..count as isize {
                        to.offset(i * step).write(value);
                    }
                }
            }
        });
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rustorch_backend::{Dims, Layout, Shape};

    use super::*;
    use crate::kernels::number::Complex;
    use crate::kernels::samples::{LAYOUT_KINDS, LayoutKind, Sample, noise};

    const SHAPES: [&[usize]; 8] =
        [&[], &[0, 3], &[1], &[7], &[33, 65], &[3, 40, 50], &[2, 9, 8, 10], &[700, 3]];

    #[test]
    fn layouts_and_dtypes_agree_element_by_element() {
        for shape in SHAPES {
            let n = shape.iter().product();
            let values: Vec<f64> = noise(1, n).into_iter().map(|v| (v * 60.0).round().abs()).collect();
            for from in DType::ALL {
                for to in DType::ALL {
                    for (a, b) in LAYOUT_KINDS.into_iter().flat_map(|a| LAYOUT_KINDS.map(|b| (a, b))) {
                        if shape.len() > 2 && from != to {
                            continue;
                        }
                        let source = Sample::new(from, shape, a, &values);
                        let target = Sample::zeros(to, shape, b);
                        copy(source.operand(), target.operand()).expect("copy");
                        let expected: Vec<f64> = if from == DType::Bool || to == DType::Bool {
                            values.iter().map(|&v| f64::from(u8::from(v != 0.0))).collect()
                        } else {
                            values.clone()
                        };
                        assert_eq!(target.values(), expected, "{shape:?} {from} {a:?} to {to} {b:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn permuted_dimensions_are_moved() {
        for shape in [[16, 33, 40], [5, 100, 9], [70, 8, 8]] {
            let n = shape.iter().product();
            let values: Vec<f64> = (0..n).map(|i| i as f64).collect();
            let whole = Sample::new(DType::Float32, &shape, LayoutKind::Contiguous, &values);
            for order in [[0, 2, 1], [1, 0, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
                let layout = whole.layout.permute(&order);
                let target = Sample::zeros(DType::Float32, layout.shape(), LayoutKind::Contiguous);
                copy(Operand { layout: &layout, ..whole.operand() }, target.operand()).expect("copy");
                let strides = layout.strides();
                let mut expected = Vec::new();
                for i in 0..layout.shape()[0] as isize {
                    for j in 0..layout.shape()[1] as isize {
                        for k in 0..layout.shape()[2] as isize {
                            expected.push((i * strides[0] + j * strides[1] + k * strides[2]) as f64);
                        }
                    }
                }
                assert_eq!(target.values(), expected, "{shape:?} {order:?}");
            }
        }
    }

    #[test]
    fn a_broadcast_source_fills_its_destination() {
        let row = Sample::new(DType::Int16, &[5], LayoutKind::Contiguous, &[1.0, 2.0, 3.0, 4.0, 5.0]);
        let layout =
            Layout::new("copy", Shape::from_slice(&[4000, 5]), Dims::from_slice(&[0, 1]), 0).unwrap();
        let target = Sample::zeros(DType::Float64, &[4000, 5], LayoutKind::Contiguous);
        copy(Operand { layout: &layout, ..row.operand() }, target.operand()).expect("copy");
        assert!(target.values().chunks(5).all(|r| r == [1.0, 2.0, 3.0, 4.0, 5.0]));
    }

    #[test]
    fn conversions_truncate_wrap_and_keep_nan_true() {
        let source =
            Sample::raw(DType::Float32, &[5], LayoutKind::Contiguous, &[-1.7f32, 2.9, 300.5, f32::NAN, -0.0]);
        let check = |to: DType, expected: [f64; 5]| {
            let target = Sample::zeros(to, &[5], LayoutKind::Contiguous);
            copy(source.operand(), target.operand()).expect("copy");
            assert_eq!(target.values(), expected, "{to}");
        };
        check(DType::Int32, [-1.0, 2.0, 300.0, -2_147_483_648.0, 0.0]);
        check(DType::UInt8, [255.0, 2.0, 44.0, 0.0, 0.0]);
        check(DType::Bool, [1.0, 1.0, 1.0, 1.0, 0.0]);
        let values = [65504.0f32, 65520.0, 1e-8, -6e-8, 1.000_488_3, 0.1, f32::INFINITY, f32::NAN, 3.0];
        let source = Sample::raw(DType::Float32, &[9], LayoutKind::Contiguous, &values);
        for to in [DType::Float16, DType::BFloat16] {
            let target = Sample::zeros(to, &[9], LayoutKind::Contiguous);
            copy(source.operand(), target.operand()).expect("copy");
            let expected: Vec<u16> = values
                .iter()
                .map(|&v| {
                    if to == DType::Float16 {
                        half::f16::from_f32(v).to_bits()
                    } else {
                        half::bf16::from_f32(v).to_bits()
                    }
                })
                .collect();
            for (got, expected) in target.elements::<u16>().into_iter().zip(expected) {
                let nan = if to == DType::Float16 { got & 0x7fff > 0x7c00 } else { got & 0x7fff > 0x7f80 };
                assert!(got == expected || nan && expected & 0x7fff > 0x7c00, "{to} {got:x} {expected:x}");
            }
        }
    }

    #[test]
    fn fills_set_every_element_and_nothing_else() {
        for dtype in DType::ALL {
            for layout_kind in LAYOUT_KINDS {
                let target = Sample::zeros(dtype, &[7, 9], layout_kind);
                fill(target.operand(), Scalar::Int(1)).expect("fill");
                assert!(target.values().iter().all(|&v| v == 1.0), "{dtype} {layout_kind:?}");
            }
        }
        let complex = Sample::zeros(DType::Complex64, &[3], LayoutKind::Gaps);
        fill(complex.operand(), Scalar::Complex(1.0, -2.0)).expect("fill");
        assert!(complex.elements::<Complex<f32>>().iter().all(|z| z.re == 1.0 && z.im == -2.0));
        let whole = Sample::zeros(DType::Float32, &[9], LayoutKind::Contiguous);
        let layout = Layout::new("copy", Shape::from_slice(&[4]), Dims::from_slice(&[2]), 1).unwrap();
        fill(Operand { layout: &layout, ..whole.operand() }, Scalar::Float(2.5)).expect("fill");
        assert_eq!(whole.values(), [0.0, 2.5, 0.0, 2.5, 0.0, 2.5, 0.0, 2.5, 0.0]);
    }
}
