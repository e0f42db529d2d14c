//! The extreme along a dimension and where it is.

use rustorch_backend::{DType, Operand, ReduceOp, kernel, with_element};
use rustorch_error::{Result, RusTorchError};

use crate::kernels::dense::Shared;
use crate::kernels::map::plan::Plan;
use crate::threads::parallel_for;

/// Lines that are compared side by side.
const LINES: usize = 64;
/// Comparisons that are worth a second thread.
const GRAIN: usize = 16 * 1024;

/// The extreme element along `dim` and the index of its first occurrence; NaN wins.
pub fn arg_reduce(kernel: &kernel::ArgReduce<Operand<'_>>) -> Result<()> {
    let &kernel::ArgReduce { op, input, dim, values, indices } = kernel;
    let name = match op {
        ReduceOp::Max => "argmax",
        ReduceOp::Min => "argmin",
        _ => return Err(RusTorchError::unsupported("arg_reduce", "only Max and Min have a position")),
    };
    if indices.dtype != DType::Int64 {
        return Err(RusTorchError::dtype(name, format!("indices are int64, not {}", indices.dtype)));
    }
    if indices.layout.numel() == 0 {
        return Ok(());
    }
    // A 0-d tensor has one virtual dimension.
    let length = input.layout.shape().get(dim).copied().unwrap_or(1);
    if length == 0 {
        return Err(RusTorchError::argument(name, "there is no extreme of no elements"));
    }
    with_element!(input.dtype, T => extremes::<T>(op == ReduceOp::Max, input, dim, length, values, indices), else {
        return Err(RusTorchError::unsupported(name, "complex numbers have no order"));
    });
    Ok(())
}

/// Whether `x` takes the place of `best`: it is beyond it, or the first NaN.
#[inline(always)]
#[allow(clippy::eq_op, clippy::needless_bitwise_bool)]
fn beats<T: PartialOrd + Copy>(largest: bool, x: T, best: T) -> bool {
    let beyond = if largest { x > best } else { x < best };
    beyond | ((x != x) & (best == best))
}

fn extremes<T: PartialOrd + Copy + Default + Send + Sync>(
    largest: bool,
    input: Operand<'_>,
    dim: usize,
    length: usize,
    values: Option<Operand<'_>>,
    indices: Operand<'_>,
) {
    let shape = indices.layout.shape();
    let step = input.layout.strides().get(dim).copied().unwrap_or(0);
    let mut order: rustorch_backend::Dims<usize> = (0..shape.len()).filter(|&d| d != dim).collect();
    order.sort_by_key(|&d| std::cmp::Reverse(input.layout.strides()[d].unsigned_abs()));
    let place = |o: &Operand<'_>| {
        let plan = Plan::over(shape, &order, &[(o.layout.strides(), o.layout.offset())]);
        (plan, Shared::new(o.buffer.address().as_ptr()))
    };
    let (lines, source) = place(&input);
    let (index_plan, index_base) = place(&indices);
    let values = values.as_ref().map(place);
    parallel_for(lines.numel(), (GRAIN / length).max(1), |range| {
        let mut best = [T::default(); LINES];
        let mut found = [0i64; LINES];
        let mut at = range.start;
        while at < range.end {
            let n = LINES.min(range.end - at);
            let line_step = lines.inner_step(0);
            lines.runs(0, at, n, |done, position, count| {
                // SAFETY: the position is the first of a line.
                let base = unsafe { source.get().cast::<T>().offset(position) };
                let (best, found) = (&mut best[done..done + count], &mut found[done..done + count]);
                if line_step == 1 && count > 1 {
                    side_by_side(largest, base, step, length, best, found);
                } else {
                    for i in 0..count {
                        // SAFETY: as above.
                        let line = unsafe { base.offset(i as isize * line_step) };
                        (best[i], found[i]) = one_line(largest, line, step, length);
                    }
                }
            });
            // SAFETY: the positions are the outputs', and this thread alone writes them.
            unsafe {
                index_plan.scatter(0, size_of::<i64>(), index_base.get(), at, n, found.as_ptr().cast());
                if let Some((plan, base)) = &values {
                    plan.scatter(0, size_of::<T>(), base.get(), at, n, best.as_ptr().cast());
                }
            }
            at += n;
        }
    });
}

/// Neighbouring lines, compared element by element: the compiler vectorises across them.
fn side_by_side<T: PartialOrd + Copy>(
    largest: bool,
    base: *const T,
    step: isize,
    length: usize,
    best: &mut [T],
    found: &mut [i64],
) {
    for (i, best) in best.iter_mut().enumerate() {
        // SAFETY: the first elements of lines.
        *best = unsafe { *base.add(i) };
    }
    found.fill(0);
    for k in 1..length {
        for (i, (best, found)) in best.iter_mut().zip(found.iter_mut()).enumerate() {
            // SAFETY: element k of line i.
            let x = unsafe { *base.offset(k as isize * step).add(i) };
            let better = beats(largest, x, *best);
            *best = if better { x } else { *best };
            *found = if better { k as i64 } else { *found };
        }
    }
}

/// One line: blocks are first searched for anything better at all, which the compiler vectorises.
fn one_line<T: PartialOrd + Copy>(largest: bool, line: *const T, step: isize, length: usize) -> (T, i64) {
    const BLOCK: usize = 64;
    // SAFETY: the line's elements, here and below.
    let mut best = unsafe { *line };
    let mut found = 0;
    let mut start = 1;
    while start < length {
        let end = (start + BLOCK).min(length);
        let mut better = false;
        for k in start..end {
            // SAFETY: as above.
            better |= beats(largest, unsafe { *line.offset(k as isize * step) }, best);
        }
        if better {
            for k in start..end {
                // SAFETY: as above.
                let x = unsafe { *line.offset(k as isize * step) };
                if beats(largest, x, best) {
                    (best, found) = (x, k as i64);
                }
            }
        }
        start = end;
    }
    (best, found)
}
