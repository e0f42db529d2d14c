//! Discrete Fourier transforms, by rustfft and realfft: lines of any strides are gathered, transformed and scattered, one
//! dimension after the other.

mod plans;

use std::ops::Mul;

use rustfft::num_complex::Complex;
use rustorch_backend::memory::{Scratch, host_allocator};
use rustorch_backend::{Buffer, DType, Layout, Operand, kernel};
use rustorch_error::{Result, RusTorchError};

use self::plans::Real;
use super::walk::{Elements, Walk};
use crate::threads::{checkpoint, try_parallel_for};

/// How many elements a thread transforms at a time, about.
const GRAIN: usize = 1 << 14;

/// How many neighbouring lines are gathered together when the lines themselves are not in one piece.
const NEIGHBOURS: usize = 16;

/// Transforms, as [`kernel::FourierTransform`] says.
///
/// # Errors
/// Other dtypes than float32, float64 and the complex ones of them; no memory.
pub fn fourier_transform(kernel: &kernel::FourierTransform<Operand<'_>>) -> Result<()> {
    let dtypes = (kernel.input.dtype, kernel.output.dtype);
    match dtypes {
        (DType::Complex64 | DType::Float32, DType::Complex64) | (DType::Complex64, DType::Float32) => {
            transform::<f32>(kernel)
        }
        (DType::Complex128 | DType::Float64, DType::Complex128) | (DType::Complex128, DType::Float64) => {
            transform::<f64>(kernel)
        }
        _ => Err(RusTorchError::unsupported(
            "fourier_transform",
            format!("the cpu backend does not transform {} to {}", dtypes.0, dtypes.1),
        )),
    }
}

fn transform<T: Real>(kernel: &kernel::FourierTransform<Operand<'_>>) -> Result<()> {
    let &kernel::FourierTransform { ref dims, inverse, scale, input, output } = kernel;
    if output.layout.numel() == 0 {
        return Ok(());
    }
    let Some((&last, rest)) = dims.split_last() else { return super::copy::copy(input, output) };
    if !input.dtype.is_complex() {
        from_real::<T>(last, scale, input, output)?;
        return rest.iter().rev().try_for_each(|&dim| complex::<T>(dim, inverse, 1.0, output, output));
    }
    if output.dtype.is_complex() {
        complex::<T>(last, inverse, scale, input, output)?;
        return rest.iter().rev().try_for_each(|&dim| complex::<T>(dim, inverse, 1.0, output, output));
    }
    let Some((&first, others)) = rest.split_last() else { return to_real::<T>(last, scale, input, output) };
    let layout = Layout::contiguous("fourier_transform", input.layout.shape())?;
    let buffer = Buffer::allocate(host_allocator(), layout.numel() * input.dtype.size())?;
    let halfway = Operand { buffer: &buffer, layout: &layout, dtype: input.dtype };
    complex::<T>(first, inverse, 1.0, input, halfway)?;
    others.iter().rev().try_for_each(|&dim| complex::<T>(dim, inverse, 1.0, halfway, halfway))?;
    to_real::<T>(last, scale, halfway, output)
}

/// Complex lines along `dim`; the output may be the input.
fn complex<T: Real>(
    dim: usize,
    inverse: bool,
    scale: f64,
    input: Operand<'_>,
    output: Operand<'_>,
) -> Result<()> {
    let plan = T::complex_plan(input.layout.shape()[dim], inverse)?;
    let work = plan.get_outofplace_scratch_len();
    lines::<T, Complex<T>, Complex<T>>(dim, scale, input, output, work, |from, to, work| {
        plan.process_outofplace_with_scratch(from, to, work);
        Ok(())
    })
}

/// Real lines along `dim` to the non-negative frequencies.
fn from_real<T: Real>(dim: usize, scale: f64, input: Operand<'_>, output: Operand<'_>) -> Result<()> {
    let plan = T::forward_plan(input.layout.shape()[dim])?;
    let work = plan.get_scratch_len();
    lines::<T, T, Complex<T>>(dim, scale, input, output, work, |from, to, work| {
        plan.process_with_scratch(from, to, work).map_err(|e| refused(&e))
    })
}

/// The non-negative frequencies along `dim` to real lines.
fn to_real<T: Real>(dim: usize, scale: f64, input: Operand<'_>, output: Operand<'_>) -> Result<()> {
    let length = output.layout.shape()[dim];
    let plan = T::inverse_plan(length)?;
    let work = plan.get_scratch_len();
    lines::<T, Complex<T>, T>(dim, scale, input, output, work, |from, to, work| {
        // These frequencies are their own conjugates in the spectrum of real numbers; what is given beside that has no effect.
        from[0].im = T::zero();
        if length.is_multiple_of(2) {
            from[length / 2].im = T::zero();
        }
        plan.process_with_scratch(from, to, work).map_err(|e| refused(&e))
    })
}

/// Lines whose lengths are not those of the plan, which the op has checked.
#[cold]
fn refused(error: &realfft::FftError) -> RusTorchError {
    RusTorchError::argument("fourier_transform", error.to_string())
}

/// Gathers each line along `dim`, transforms it with `work` elements of working memory, scales and scatters it.
fn lines<T: Real, I: Copy + Default, O: Copy + Default + Mul<T, Output = O>>(
    dim: usize,
    scale: f64,
    input: Operand<'_>,
    output: Operand<'_>,
    work: usize,
    transform: impl Fn(&mut [I], &mut [O], &mut [Complex<T>]) -> Result<()> + Sync,
) -> Result<()> {
    let walk = Walk::lines(input.layout.shape(), dim, [input.layout, output.layout]);
    let [next_from, next_to] = walk.steps();
    let [from_length, to_length] = [input, output].map(|o| o.layout.shape()[dim]);
    let [from_step, to_step] = [input, output].map(|o| o.layout.strides()[dim]);
    let (from, to) = (Elements::<I>::of(input), Elements::<O>::of(output));
    let nearer = next_from.abs() < from_step.abs() || next_to.abs() < to_step.abs();
    let together = if nearer { NEIGHBOURS } else { 1 };
    let factor = T::of(scale);
    try_parallel_for(walk.len(), (GRAIN / from_length.max(to_length)).max(1), |range| {
        let together = together.min(range.len());
        let mut gathered = Scratch::<I>::zeroed(together * from_length)?;
        // What is in one piece is transformed where it belongs.
        let mut transformed = Scratch::<O>::zeroed(if to_step == 1 { 0 } else { together * to_length })?;
        let mut work = Scratch::<Complex<T>>::zeroed(work)?;
        for (_, [from_start, to_start], count) in walk.runs(range) {
            for first in (0..count).step_by(together) {
                checkpoint();
                let group = together.min(count - first);
                let from_start = from_start + first as isize * next_from;
                let to_start = to_start + first as isize * next_to;
                if from_step == 1 {
                    for (line, gathered) in gathered.chunks_mut(from_length).take(group).enumerate() {
                        let first = from_start + line as isize * next_from;
                        // SAFETY: the line's elements, one behind the other; the gathered ones are this thread's.
                        unsafe { from.at(first).copy_to_nonoverlapping(gathered.as_mut_ptr(), from_length) };
                    }
                } else {
                    for k in 0..from_length {
                        for line in 0..group {
                            let offset = from_start + k as isize * from_step + line as isize * next_from;
                            // SAFETY: a position of the input's layout; where it is the output's as well, the line is
                            // in this group alone.
                            gathered[line * from_length + k] = unsafe { from.get(offset) };
                        }
                    }
                }
                for line in 0..group {
                    let gathered = &mut gathered[line * from_length..][..from_length];
                    let transformed = if to_step == 1 {
                        let first = to_start + line as isize * next_to;
                        // SAFETY: the line's elements, one behind the other; each line belongs to one range.
                        unsafe { std::slice::from_raw_parts_mut(to.at(first), to_length) }
                    } else {
                        &mut transformed[line * to_length..][..to_length]
                    };
                    transform(gathered, transformed, &mut work)?;
                    if scale != 1.0 {
                        for value in transformed {
                            *value = *value * factor;
                        }
                    }
                }
                if to_step != 1 {
                    for k in 0..to_length {
                        for line in 0..group {
                            let offset = to_start + k as isize * to_step + line as isize * next_to;
                            // SAFETY: a position of the output's layout; each line belongs to one range.
                            unsafe { to.set(offset, transformed[line * to_length + k]) };
                        }
                    }
                }
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;
