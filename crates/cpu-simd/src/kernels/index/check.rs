//! Indices are checked before anything is written.

use rustorch_backend::Operand;
use rustorch_error::{Result, RusTorchError};

use crate::kernels::walk::{Elements, Walk};
use crate::threads::try_parallel_for;

/// How many indices a thread checks at a time.
const GRAIN: usize = 1 << 15;

/// Fails unless all of `index` lie in `0..size`, where `size` is that of `dim`.
pub(crate) fn check(op: &'static str, index: Operand<'_>, dim: usize, size: usize) -> Result<()> {
    let layout = index.layout.without_repetitions();
    let walk = Walk::new(layout.shape(), [&layout]);
    let [step] = walk.steps();
    let elements = Elements::<i64>::of(index);
    // Negative numbers are large as unsigned ones, so one comparison checks both ends.
    let outside = |value: i64| value as u64 >= size as u64;
    try_parallel_for(walk.len(), GRAIN, |range| {
        let mut wrong = false;
        for (_, [start], count) in walk.runs(range.clone()) {
            if step == 1 {
                // SAFETY: the run is `count` neighbours of the layout, which nobody writes.
                let run = unsafe { std::slice::from_raw_parts(elements.at(start), count) };
                wrong |= run.iter().fold(false, |wrong, &value| wrong | outside(value));
            } else {
                // SAFETY: these are positions of the layout, which nobody writes.
                wrong |= (0..count as isize).any(|i| outside(unsafe { elements.get(start + i * step) }));
            }
        }
        if wrong { Err(first_outside(op, elements, &walk, range, outside, dim, size)) } else { Ok(()) }
    })
}

/// The error that names the first index outside.
#[cold]
fn first_outside(
    op: &'static str,
    elements: Elements<i64>,
    walk: &Walk<1>,
    range: std::ops::Range<usize>,
    outside: impl Fn(i64) -> bool,
    dim: usize,
    size: usize,
) -> RusTorchError {
    let [step] = walk.steps();
    let mut first = None;
    for (_, [start], count) in walk.runs(range) {
        if first.is_none() {
            // SAFETY: these are positions of the layout, which nobody writes.
            first =
                (0..count as isize).map(|i| unsafe { elements.get(start + i * step) }).find(|&v| outside(v));
        }
    }
    out_of_bounds(op, first.unwrap_or_default(), dim, size)
}

/// The error of one index.
#[cold]
pub(super) fn out_of_bounds(op: &'static str, value: i64, dim: usize, size: usize) -> RusTorchError {
    RusTorchError::index(op, format!("index {value} is out of bounds for dimension {dim} with size {size}"))
}
