//! Pooling over one to three spatial dimensions, and its gradient.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Operand, PoolOp, PoolParams, kernel, volume};
use rustorch_error::{Result, RusTorchError};

use super::dense::{ComputeType, Dense, Shared, fill_contiguous, unsupported};
use super::walk::Elements;
use crate::threads::{parallel_for, try_parallel_for};

mod average;
mod regions;
#[cfg(test)]
mod tests;

use average::{average, average_grad};
pub use regions::max_pool_regions;

const OP: &str = "pool";

/// Window elements per task, at least.
const TASK_WORK: usize = 1 << 15;

/// A pooling's sizes, always with three spatial dimensions: those that are missing have size 1.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    /// Images times channels.
    count: usize,
    input: [usize; 3],
    output: [usize; 3],
    kernel: [usize; 3],
    stride: [usize; 3],
    padding: [usize; 3],
    dilation: [usize; 3],
}

/// The part of a window that lies inside the input, along one dimension.
#[derive(Clone, Copy)]
struct Window {
    /// The first tap's position and the number of taps.
    first: usize,
    taps: usize,
    /// The number of taps inside input and padding, which is what `count_include_pad` counts.
    padded: usize,
}

fn misfit(params: &PoolParams, input: &[usize], output: &[usize]) -> RusTorchError {
    RusTorchError::shape(OP, format!("input {input:?} and output {output:?} do not fit {params:?}"))
}

impl Geometry {
    /// The sizes alone; where windows lie is not looked at.
    fn sizes(params: &PoolParams, input: &[usize], output: &[usize]) -> Result<Self> {
        let spatial = params.spatial;
        if !(1..=3).contains(&spatial)
            || [input.len(), output.len()] != [spatial + 2; 2]
            || input[..2] != output[..2]
        {
            return Err(misfit(params, input, output));
        }
        let sizes = |shape: &[usize], fill| {
            let mut all = [fill; 3];
            all[3 - spatial..].copy_from_slice(&shape[..spatial]);
            all
        };
        Ok(Geometry {
            count: input[0] * input[1],
            input: sizes(&input[2..], 1),
            output: sizes(&output[2..], 1),
            kernel: sizes(&params.kernel, 1),
            stride: sizes(&params.stride, 1),
            padding: sizes(&params.padding, 0),
            dilation: sizes(&params.dilation, 1),
        })
    }

    fn new(params: &PoolParams, input: &[usize], output: &[usize]) -> Result<Self> {
        let geometry = Self::sizes(params, input, output)?;
        // Every window touches the input or its padding; it may stick out at the end (`ceil_mode`).
        let fits = (0..3).all(|d| {
            let positive = geometry.kernel[d] > 0 && geometry.stride[d] > 0 && geometry.dilation[d] > 0;
            let reach = geometry.kernel[d].saturating_sub(1) * geometry.dilation[d];
            let last = geometry.output[d].saturating_sub(1) * geometry.stride[d];
            positive && geometry.padding[d] <= reach.div_ceil(2) && {
                geometry.output[d] == 0 || last < geometry.input[d] + geometry.padding[d]
            }
        });
        if fits { Ok(geometry) } else { Err(misfit(params, input, output)) }
    }

    /// The windows along dimension `d`.
    fn windows(&self, d: usize) -> Result<Scratch<Window>> {
        let (dilation, padding, kernel) = (self.dilation[d], self.padding[d], self.kernel[d]);
        let window = |o: usize| {
            let start = o * self.stride[d];
            // Taps before the input, and the first tap behind it.
            let skipped = padding.saturating_sub(start).div_ceil(dilation).min(kernel);
            let end =
                (self.input[d] + padding).saturating_sub(start).div_ceil(dilation).min(kernel).max(skipped);
            let padded = (self.input[d] + 2 * padding).saturating_sub(start).min(kernel);
            let first = (start + skipped * dilation).saturating_sub(padding);
            Window { first, taps: end - skipped, padded }
        };
        Scratch::collect((0..self.output[d]).map(window))
    }

    /// Calls `visit` with each window's output position and its parts along the three dimensions.
    #[inline(always)]
    fn for_each_window(windows: &[Scratch<Window>; 3], mut visit: impl FnMut(usize, [Window; 3])) {
        let mut at = 0;
        for &a in &windows[0] {
            for &b in &windows[1] {
                for &c in &windows[2] {
                    visit(at, [a, b, c]);
                    at += 1;
                }
            }
        }
    }

    /// Calls `visit` with the position in the input's plane of each tap.
    #[inline(always)]
    fn for_each_tap(&self, window: [Window; 3], mut visit: impl FnMut(usize)) {
        let [_, height, width] = self.input;
        for i in 0..window[0].taps {
            for j in 0..window[1].taps {
                let (y, x) = (window[0].first + i * self.dilation[0], window[1].first + j * self.dilation[1]);
                let row = (y * height + x) * width + window[2].first;
                for k in 0..window[2].taps {
                    visit(row + k * self.dilation[2]);
                }
            }
        }
    }

    /// Planes per task.
    fn grain(&self) -> usize {
        let work = volume(self.output).saturating_mul(volume(self.kernel)).max(volume(self.input));
        (TASK_WORK / work.max(1)).max(1)
    }

    /// Whether windows are 2 × 2 squares side by side, all inside the input.
    fn is_halving(&self) -> bool {
        self.kernel == [1, 2, 2]
            && self.stride == [1, 2, 2]
            && self.padding == [0; 3]
            && self.dilation == [1; 3]
            && self.input[0] == self.output[0]
            && (1..3).all(|d| 2 * self.output[d] <= self.input[d])
    }
}

/// An element that has a maximum.
trait Maximum: ComputeType {
    /// What every element is larger than, or equal to.
    const LOWEST: Self;
    /// Whether `self` takes the place of `best`: it is larger, or NaN.
    fn beats(self, best: Self) -> bool;
}

macro_rules! maximum {
    ($($T:ty, $lowest:expr, $beats:expr;)*) => {$(
        impl Maximum for $T {
            const LOWEST: Self = $lowest;
            #[inline(always)]
            #[allow(clippy::redundant_closure_call)]
            fn beats(self, best: Self) -> bool {
                ($beats)(self, best)
            }
        }
    )*};
}
maximum! {
    f32, f32::NEG_INFINITY, |x: f32, best| x > best || x.is_nan();
    f64, f64::NEG_INFINITY, |x: f64, best| x > best || x.is_nan();
    u8, u8::MIN, |x, best| x > best;
    i8, i8::MIN, |x, best| x > best;
    i16, i16::MIN, |x, best| x > best;
    i32, i32::MIN, |x, best| x > best;
    i64, i64::MIN, |x, best| x > best;
}

/// An element that has a mean.
trait Mean: ComputeType {
    const ZERO: Self;
    fn plus(self, other: Self) -> Self;
    fn over(self, count: i64) -> Self;
}

macro_rules! mean {
    ($($T:ty),*) => {$(
        impl Mean for $T {
            const ZERO: Self = 0.0;
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn over(self, count: i64) -> Self {
                self / count as $T
            }
        }
    )*};
}
mean!(f32, f64);

impl Mean for i64 {
    const ZERO: Self = 0;
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn over(self, count: i64) -> Self {
        self.wrapping_div(count)
    }
}

macro_rules! by_float {
    ($dtype:expr, $T:ident => $body:expr, else $dtype_else:ident => $other:expr) => {
        match $dtype {
            DType::Float32 | DType::Float16 | DType::BFloat16 => {
                type $T = f32;
                $body
            }
            DType::Float64 => {
                type $T = f64;
                $body
            }
            $dtype_else => $other,
        }
    };
}

/// As `by_float`, for every dtype that has an order.
macro_rules! by_maximum {
    ($dtype:expr, $T:ident => $body:expr) => {
        by_float!($dtype, $T => $body, else dtype => {
            match dtype {
                DType::UInt8 => { type $T = u8; $body }
                DType::Int8 => { type $T = i8; $body }
                DType::Int16 => { type $T = i16; $body }
                DType::Int32 => { type $T = i32; $body }
                DType::Int64 => { type $T = i64; $body }
                dtype => Err(unsupported(OP, dtype)),
            }
        })
    };
}
use {by_float, by_maximum};

/// Pools the windows of `(N, C, *in)` into `(N, C, *out)`.
///
/// The maximum of a window ignores the padding, and NaN wins; `indices` (int64) receives its flat position in the
/// input's plane. Windows may stick out at the end. Half precisions are averaged in float32 and rounded once.
pub fn pool(kernel: &kernel::Pool<Operand<'_>>) -> Result<()> {
    let &kernel::Pool { ref params, input, output, indices } = kernel;
    let geometry = Geometry::new(params, input.layout.shape(), output.layout.shape())?;
    match params.op {
        PoolOp::Average { count_include_pad, divisor_override } => {
            by_float!(output.dtype, T => {
                average::<T>(&geometry, count_include_pad, divisor_override, input, output)
            }, else dtype => match dtype {
                DType::Int64 => average::<i64>(&geometry, count_include_pad, divisor_override, input, output),
                dtype => Err(unsupported(OP, dtype)),
            })
        }
        PoolOp::Max => by_maximum!(output.dtype, T => maximum::<T>(&geometry, input, output, indices)),
    }
}

fn maximum<T: Maximum>(
    geometry: &Geometry,
    input: Operand<'_>,
    output: Operand<'_>,
    indices: Option<Operand<'_>>,
) -> Result<()> {
    if let Some(indices) = indices {
        check_indices(indices, output)?;
    }
    let input = Dense::<T>::contiguous(OP, input)?;
    let input = Shared::new(input.as_ptr().cast_mut());
    fill_contiguous(OP, output, |output: *mut T| {
        let fill =
            |indices: *mut i64| fill_maximum(geometry, input, Shared::new(output), Shared::new(indices));
        if let Some(indices) = indices {
            fill_contiguous(OP, indices, fill)
        } else {
            fill(std::ptr::null_mut())
        }
    })
}

fn check_indices(indices: Operand<'_>, output: Operand<'_>) -> Result<()> {
    if indices.dtype != DType::Int64 {
        return Err(RusTorchError::dtype(OP, format!("indices are {}; they must be int64", indices.dtype)));
    }
    if indices.layout.shape() != output.layout.shape() {
        let (indices, output) = (indices.layout.shape(), output.layout.shape());
        return Err(RusTorchError::shape(
            OP,
            format!("indices {indices:?} do not fit the pooled {output:?}"),
        ));
    }
    Ok(())
}

fn fill_maximum<T: Maximum>(
    geometry: &Geometry,
    input: Shared<T>,
    output: Shared<T>,
    indices: Shared<i64>,
) -> Result<()> {
    let windows = [geometry.windows(0)?, geometry.windows(1)?, geometry.windows(2)?];
    let (in_size, out_size) = (volume(geometry.input), volume(geometry.output));
    parallel_for(geometry.count, geometry.grain(), |planes| {
        for plane in planes {
            let input = input.get().wrapping_add(plane * in_size).cast_const();
            let output = output.get().wrapping_add(plane * out_size);
            let indices = indices.get();
            let indices = if indices.is_null() { indices } else { indices.wrapping_add(plane * out_size) };
            // SAFETY: the operands are contiguous and of the geometry's sizes; planes are disjoint.
            unsafe {
                if geometry.is_halving() {
                    halve(geometry, input, output, indices);
                    continue;
                }
                Geometry::for_each_window(&windows, |at, window| {
                    let (mut best, mut index) = (T::LOWEST, None);
                    geometry.for_each_tap(window, |tap| {
                        let value = *input.add(tap);
                        if index.is_none() || value.beats(best) {
                            (best, index) = (value, Some(tap));
                        }
                    });
                    *output.add(at) = best;
                    if !indices.is_null() {
                        *indices.add(at) = index.unwrap_or(0) as i64;
                    }
                });
            }
        }
    });
    Ok(())
}

/// The maxima of 2 × 2 squares, without branches.
#[inline(always)]
unsafe fn halve<T: Maximum>(geometry: &Geometry, input: *const T, output: *mut T, indices: *mut i64) {
    let [depth, height, width] = geometry.input;
    let [_, rows, columns] = geometry.output;
    // SAFETY: the operands are of the geometry's sizes, as the caller vouches.
    unsafe {
        for row in 0..depth * rows {
            let start = (row / rows * height + row % rows * 2) * width;
            let (top, bottom) = (input.add(start), input.add(start + width));
            for column in 0..columns {
                let [a, b] = [*top.add(2 * column), *top.add(2 * column + 1)];
                let [c, d] = [*bottom.add(2 * column), *bottom.add(2 * column + 1)];
                let (mut best, mut index) = (a, 0);
                for (value, at) in [(b, 1), (c, width), (d, width + 1)] {
                    let beats = value.beats(best);
                    best = if beats { value } else { best };
                    index = if beats { at } else { index };
                }
                let at = row * columns + column;
                *output.add(at) = best;
                if !indices.is_null() {
                    *indices.add(at) = (start + 2 * column + index) as i64;
                }
            }
        }
    }
}

/// The gradient of [`pool`] by its input, from the gradient of its output. `indices` as `pool` gave them, for maxima.
pub fn pool_grad(kernel: &kernel::PoolGrad<Operand<'_>>) -> Result<()> {
    let &kernel::PoolGrad { ref params, grad, indices, grad_input } = kernel;
    // The indices alone say where the gradients of maxima go, whatever windows gave them.
    let geometry = match params.op {
        PoolOp::Max => Geometry::sizes,
        PoolOp::Average { .. } => Geometry::new,
    };
    let geometry = geometry(params, grad_input.layout.shape(), grad.layout.shape())?;
    by_float!(grad_input.dtype, T => match (params.op, indices) {
        (PoolOp::Average { count_include_pad, divisor_override }, _) => {
            average_grad::<T>(&geometry, count_include_pad, divisor_override, grad, grad_input)
        }
        (PoolOp::Max, Some(indices)) => {
            check_indices(indices, grad)?;
            maximum_grad::<T>(&geometry, grad, indices, grad_input)
        }
        (PoolOp::Max, None) => {
            Err(RusTorchError::argument(OP, "the gradient of max pooling needs the indices that pooling gave"))
        }
    }, else dtype => Err(unsupported(OP, dtype)))
}

fn maximum_grad<T: Mean>(
    geometry: &Geometry,
    grad: Operand<'_>,
    indices: Operand<'_>,
    grad_input: Operand<'_>,
) -> Result<()> {
    let (grad, indices) = (Dense::<T>::contiguous(OP, grad)?, Dense::<i64>::contiguous(OP, indices)?);
    let (grad, indices) = (Shared::new(grad.as_ptr().cast_mut()), Elements::at_address(indices.as_ptr()));
    let (in_size, out_size) = (volume(geometry.input), volume(geometry.output));
    fill_contiguous(OP, grad_input, |to: *mut T| {
        let to = Shared::new(to);
        try_parallel_for(geometry.count, geometry.grain(), |planes| {
            for plane in planes {
                let to = to.get().wrapping_add(plane * in_size);
                // SAFETY: the operands are contiguous and of the geometry's sizes; planes are disjoint; each
                // index is checked where it is used.
                unsafe {
                    std::slice::from_raw_parts_mut(to, in_size).fill(T::ZERO);
                    for at in plane * out_size..(plane + 1) * out_size {
                        let index = indices.index(at as isize);
                        if !(0..in_size as i64).contains(&index) {
                            let message =
                                format!("index {index} is outside the input's plane of {in_size} elements");
                            return Err(RusTorchError::index(OP, message));
                        }
                        let to = to.add(index as usize);
                        *to = (*to).plus(*grad.get().add(at));
                    }
                }
            }
            Ok(())
        })
    })
}
