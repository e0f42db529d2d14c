//! Indices are checked where they are used: their memory may be shared with another thread, or with NumPy, and be written
//! to after any check before. What writes into a tensor of the caller's checks all of them before, too, so that a wrong
//! index leaves it as it was.

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
                // SAFETY: the run is `count` neighbours of the layout. Who writes there meanwhile changes the answer, which
                // is why it is asked again at each use.
                let run = unsafe { std::slice::from_raw_parts(elements.at(start), count) };
                wrong |= run.iter().fold(false, |wrong, &value| wrong | outside(value));
            } else {
                // SAFETY: these are positions of the layout; else as above.
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
            // SAFETY: these are positions of the layout.
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

/// Where indices may lead, for whoever uses one: it is read once, there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound(u64);

impl Bound {
    /// The places `0..size`.
    pub(crate) fn new(size: usize) -> Self {
        Bound(size as u64)
    }

    /// The place that `index` names, if there is one.
    #[inline(always)]
    pub(crate) fn place(self, index: i64) -> Option<isize> {
        ((index as u64) < self.0).then_some(index as isize)
    }
}

/// The error for indices of which one was outside when it was used.
#[cold]
pub(super) fn outside(op: &'static str, index: Operand<'_>, dim: usize, size: usize) -> RusTorchError {
    check(op, index, dim, size).err().unwrap_or_else(|| changed_meanwhile(op))
}

/// The error for an index that was inside when it was checked, and outside when it was used.
#[cold]
pub(crate) fn changed_meanwhile(op: &'static str) -> RusTorchError {
    RusTorchError::index(
        op,
        "another thread wrote an index that is out of bounds while this ran; leave indices as they are until the call returns",
    )
}
