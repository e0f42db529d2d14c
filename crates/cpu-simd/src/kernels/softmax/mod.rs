//! Softmax, its logarithm, and their gradients.

mod columns;
mod row;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Operand, kernel};
use rustorch_error::{Result, RusTorchError};

use super::rowwise::{FloatComputeType, Rows, StorageType, rows_together, staged_step, with_storage_type};
use super::walk::{Elements, Walk};
use crate::threads::{parallel_for, try_parallel_for};
use columns::Columns;
use row::{Gradient, Softmax};

/// How many elements a thread takes at a time, about.
const GRAIN: usize = 1 << 14;

/// From this size on, an output is written around the caches: it would not stay in them, and a store that goes through
/// them reads the memory first.
const STREAM_BYTES: usize = 16 << 20;

/// The longest row whose exponentials wait in a first-level cache until the row's sum is known.
const STREAM_ROW_BYTES: usize = 16 << 10;

/// `exp(x_i - max x) / Σ_j exp(x_j - max x)` along `dim`, or its logarithm `x_i - max x - log Σ_j exp(x_j - max x)`.
///
/// Every floating-point dtype; half precision is computed in float32. A row that holds NaN, `inf`, or nothing but
/// `-inf` becomes NaN, as in PyTorch.
///
/// # Errors
/// `DType` for a dtype that is not floating point.
pub fn softmax(kernel: &kernel::Softmax<Operand<'_>>) -> Result<()> {
    let &kernel::Softmax { log, input, dim, output } = kernel;
    let op = if log { "log_softmax" } else { "softmax" };
    with_storage_type!(input.dtype, S => forward::<S>(log, input, dim, output), else Err(not_floating(op, input.dtype)))
}

/// The gradient by the input: `y (g - Σ g y)` for a softmax `y`, `g - exp(y) Σ g` for a log-softmax.
///
/// # Errors
/// As [`softmax`].
pub fn softmax_grad(kernel: &kernel::SoftmaxGrad<Operand<'_>>) -> Result<()> {
    let &kernel::SoftmaxGrad { log, grad, result, dim, output } = kernel;
    let op = if log { "log_softmax_backward" } else { "softmax_backward" };
    with_storage_type!(
        grad.dtype,
        S => backward::<S>(log, grad, result, dim, output),
        else Err(not_floating(op, grad.dtype))
    )
}

#[cold]
fn not_floating(op: &'static str, dtype: DType) -> RusTorchError {
    RusTorchError::dtype(op, format!("got {dtype}; float16, bfloat16, float32 and float64 work"))
}

/// Whether rows along `dim` can be computed where they are.
fn in_place<S: StorageType>(dim: usize, operands: &[Operand<'_>]) -> bool {
    size_of::<S>() == size_of::<S::Compute>()
        && operands.iter().all(|o| {
            o.layout.strides().get(dim).is_none_or(|&s| s == 1)
                || o.layout.shape().get(dim).is_none_or(|&n| n == 1)
        })
}

fn forward<S: StorageType>(log: bool, input: Operand<'_>, dim: usize, output: Operand<'_>) -> Result<()> {
    let shape = input.layout.shape();
    let length = shape.get(dim).copied().unwrap_or(1);
    let across = Walk::lines(shape, dim, [input.layout, output.layout]);
    if size_of::<S>() == size_of::<S::Compute>() && across.steps() == [1, 1] && length > 1 {
        columns::<S::Compute>(log, input, dim, output, &across);
        return Ok(());
    }
    if !in_place::<S>(dim, &[input, output]) {
        return staged::<S, 2>([input, output], dim, |[input, output]| {
            // SAFETY: `staged` hands over rows of this length in scratch memory.
            unsafe { S::Compute::run(Softmax { log, input, output, length, wait: None }) }
        });
    }
    let lines = across;
    let (from, to) = (Elements::<S::Compute>::of(input), Elements::<S::Compute>::of(output));
    let [next_from, next_to] = lines.steps();
    let bytes = length * size_of::<S>();
    // Vectors that are stored around the caches must be aligned, so every row must be.
    let aligned =
        |o: Operand<'_>| (o.layout.offset() * size_of::<S>()).is_multiple_of(64) && bytes.is_multiple_of(64);
    let stream = lines.len() * bytes >= STREAM_BYTES
        && bytes <= STREAM_ROW_BYTES
        && output.layout.is_contiguous()
        && input.buffer.address() != output.buffer.address()
        && aligned(output)
        && (output.buffer.address().as_ptr() as usize).is_multiple_of(64);
    parallel_for(lines.len(), (GRAIN / length.max(1)).max(1), |range| {
        let mut waiting = std::mem::MaybeUninit::<[u64; STREAM_ROW_BYTES / 8 + 8]>::uninit();
        let room = waiting.as_mut_ptr().cast::<u8>();
        // SAFETY: the offset is less than the 64 bytes that the array has to spare.
        let room = unsafe { room.add(room.align_offset(64) % 64) };
        let wait = stream.then_some(room.cast());
        for (_, [from_start, to_start], count) in lines.runs(range) {
            for line in 0..count as isize {
                // SAFETY: rows of this length lie in one piece in both operands; each output row belongs to one range.
                unsafe {
                    let (input, output) =
                        (from.at(from_start + line * next_from), to.at(to_start + line * next_to));
                    S::Compute::run(Softmax { log, input, output, length, wait });
                }
            }
        }
        if stream {
            // What was stored around the caches is there before another thread is told that it is.
            std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
        }
    });
    Ok(())
}

/// Softmax of neighbouring lines whose elements are neighbours: vectors go across the lines.
fn columns<T: FloatComputeType>(
    log: bool,
    input: Operand<'_>,
    dim: usize,
    output: Operand<'_>,
    lines: &Walk<2>,
) {
    let length = input.layout.shape()[dim];
    let steps = [input, output].map(|o| o.layout.strides()[dim]);
    let (from, to) = (Elements::<T>::of(input), Elements::<T>::of(output));
    parallel_for(lines.len(), (GRAIN / length).max(columns::WIDTH), |range| {
        for (_, [from_start, to_start], count) in lines.runs(range) {
            // SAFETY: `count` lines lie side by side in both operands; each output line belongs to one range.
            unsafe {
                let (input, output) = (from.at(from_start), to.at(to_start));
                T::run(Columns { log, input, output, steps, length, count });
            }
        }
    });
}

fn backward<S: StorageType>(
    log: bool,
    grad: Operand<'_>,
    result: Operand<'_>,
    dim: usize,
    output: Operand<'_>,
) -> Result<()> {
    let shape = grad.layout.shape();
    let length = shape.get(dim).copied().unwrap_or(1);
    if !in_place::<S>(dim, &[grad, result, output]) {
        return staged::<S, 3>([grad, result, output], dim, |[grad, result, output]| {
            // SAFETY: `staged` hands over rows of this length in scratch memory.
            unsafe { S::Compute::run(Gradient { log, grad, result, output, length }) }
        });
    }
    let lines = Walk::lines(shape, dim, [grad.layout, result.layout, output.layout]);
    let elements = [grad, result, output].map(Elements::<S::Compute>::of);
    let steps = lines.steps();
    parallel_for(lines.len(), (GRAIN / length.max(1)).max(1), |range| {
        for (_, start, count) in lines.runs(range) {
            for line in 0..count as isize {
                // SAFETY: rows of this length lie in one piece in all operands; each output row belongs to one range.
                unsafe {
                    let [grad, result, output] =
                        [0, 1, 2].map(|t| elements[t].at(start[t] + line * steps[t]));
                    S::Compute::run(Gradient { log, grad, result, output, length });
                }
            }
        }
    });
    Ok(())
}

/// Copies groups of neighbouring rows of the operands but the last to scratch memory, calls `compute` with the rows of
/// one line, and copies what it left in the last to the output, which is the last operand.
fn staged<S: StorageType, const N: usize>(
    operands: [Operand<'_>; N],
    dim: usize,
    compute: impl Fn([*mut S::Compute; N]) + Sync,
) -> Result<()> {
    let shape = operands[0].layout.shape();
    let length = shape.get(dim).copied().unwrap_or(1);
    let together = rows_together::<S::Compute>(length);
    let step = staged_step::<S::Compute>(length);
    let row_dims: &[usize] = if shape.is_empty() { &[] } else { &[dim] };
    let positions = operands.map(|o| Walk::over(shape, row_dims, [(o.layout.strides(), 0)]));
    let elements = operands.map(Elements::<S>::of);
    let lines = Walk::lines(shape, dim, operands.map(|o| o.layout));
    let steps = lines.steps();
    try_parallel_for(lines.len(), (GRAIN / length.max(1)).max(together), |range| {
        let scratch = Scratch::<S::Compute>::with_room(N * together * step)?;
        for (_, start, count) in lines.runs(range) {
            for done in (0..count).step_by(together) {
                let group = (count - done).min(together);
                let rows = |t: usize| Rows {
                    elements: elements[t],
                    positions: &positions[t],
                    first: start[t] + done as isize * steps[t],
                    step: steps[t],
                    count: group,
                };
                // SAFETY: the scratch memory holds `together` rows of each operand; the rows' positions lie in the
                // operands, and each output row belongs to one range.
                unsafe {
                    let staged: [_; N] = std::array::from_fn(|t| scratch.as_ptr().add(t * together * step));
                    for (t, &first) in staged[..N - 1].iter().enumerate() {
                        rows(t).read(first);
                    }
                    for row in 0..group {
                        compute(staged.map(|first| first.add(row * step)));
                    }
                    rows(N - 1).write(staged[N - 1]);
                }
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;
