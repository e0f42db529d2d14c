//! `scatter`: the reverse of `gather`.

use rustorch_backend::{Dims, Operand, ScatterOp, kernel};
use rustorch_error::{Result, RusTorchError};
use smallvec::smallvec;

use super::check::{Bound, changed_meanwhile, check};
use crate::kernels::number::{Number as _, Ordered, with_bytes, with_number};
use crate::kernels::walk::{Elements, Walk};
use crate::threads::try_parallel_for;

/// How many elements a thread scatters at a time, about.
const GRAIN: usize = 1 << 14;

/// The fewest neighbouring elements that are worth a thread's visit: a cache line of the widest common type.
const NEIGHBOURS: usize = 16;

/// `out[i… with index[i…] at dim] op= source[i…]` in the order of `source`, for every dtype (`Max` and `Min`: every
/// real one). Half-precision sums round at each step, as PyTorch's do.
///
/// # Errors
/// `IndexOutOfRange` for an index outside `0..output.shape[dim]`, before anything is written, or for one that another
/// thread has put outside since; `DType` for an order of complex numbers.
pub fn scatter(kernel: &kernel::Scatter<Operand<'_>>) -> Result<()> {
    let &kernel::Scatter { op, dim, index, source, output } = kernel;
    let size = output.layout.shape().get(dim).copied().unwrap_or(1);
    check("scatter", index, dim, size)?;
    let plan = Plan::new(dim, Bound::new(size), index, source, output);
    match op {
        ScatterOp::Assign => with_bytes!(output.dtype, T => plan.run::<T>(source, output, |_, new| new)),
        ScatterOp::Add => with_number!(output.dtype, T => plan.run::<T>(source, output, T::add)),
        ScatterOp::Multiply => with_number!(output.dtype, T => plan.run::<T>(source, output, T::multiply)),
        ScatterOp::Max => with_order(&plan, source, output, true),
        ScatterOp::Min => with_order(&plan, source, output, false),
    }
}

fn with_order(plan: &Plan<'_>, source: Operand<'_>, output: Operand<'_>, up: bool) -> Result<()> {
    fn run<T: Ordered>(plan: &Plan<'_>, source: Operand<'_>, output: Operand<'_>, up: bool) -> Result<()> {
        if up {
            plan.run::<T>(source, output, |old, new| if new.reaches_up(old) { new } else { old })
        } else {
            plan.run::<T>(source, output, |old, new| if new.reaches_down(old) { new } else { old })
        }
    }
    rustorch_backend::with_element!(output.dtype, T => run::<T>(plan, source, output, up), else {
        Err(RusTorchError::dtype(
            "scatter",
            format!("complex numbers have no order, so 'amax' and 'amin' do not take {}; every real dtype works", output.dtype),
        ))
    })
}

/// The order of the work: threads divide the lines along `dim`, which never meet in the output; each goes along its
/// lines in the order of `source`, many neighbouring lines at a time.
pub(super) struct Plan<'a> {
    index: Operand<'a>,
    bound: Bound,
    /// The first element of each group of neighbouring lines in index, source and output.
    groups: Walk<3>,
    /// How many lines a group has, and the steps from one to the next.
    neighbours: usize,
    next: [isize; 3],
    /// The length of a line, and the steps along it; the output's is taken times the index.
    length: usize,
    along: [isize; 3],
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        dim: usize,
        bound: Bound,
        index: Operand<'a>,
        source: Operand<'a>,
        output: Operand<'a>,
    ) -> Self {
        let operands = [index, source, output];
        let mut shape: Dims<usize> = Dims::from_slice(index.layout.shape());
        let mut strides = operands.map(|o| Dims::from_slice(o.layout.strides()));
        if shape.is_empty() {
            shape = smallvec![1];
            strides = operands.map(|_| smallvec![0]);
        }
        let last = shape.len() - 1;
        let (neighbours, next) =
            if dim == last { (1, [0; 3]) } else { (shape[last], [0, 1, 2].map(|t| strides[t][last])) };
        let dims: Dims<usize> = (0..last).filter(|&d| d != dim).collect();
        let tensors = [0, 1, 2].map(|t| (&strides[t][..], operands[t].layout.offset()));
        Plan {
            index,
            bound,
            groups: Walk::over(&shape, &dims, tensors),
            neighbours,
            next,
            length: shape[dim],
            along: [0, 1, 2].map(|t| strides[t][dim]),
        }
    }

    pub(super) fn run<T: Copy>(
        &self,
        source: Operand<'_>,
        output: Operand<'_>,
        combine: impl Fn(T, T) -> T + Sync,
    ) -> Result<()> {
        let (index, from, to) =
            (Elements::<i64>::of(self.index), Elements::<T>::of(source), Elements::<T>::of(output));
        // A block is up to `width` neighbouring lines of one group.
        let width = (GRAIN / self.length.max(1)).max(NEIGHBOURS).min(self.neighbours.max(1));
        let blocks = self.neighbours.div_ceil(width);
        let grain = (GRAIN / (self.length * width).max(1)).max(1);
        try_parallel_for(self.groups.len() * blocks, grain, |range| {
            for block in range {
                let first = block % blocks * width;
                let lines = first..(first + width).min(self.neighbours);
                let group = block / blocks;
                for (_, [index_start, from_start, to_start], _) in self.groups.runs(group..group + 1) {
                    for k in 0..self.length as isize {
                        for j in lines.clone() {
                            let j = j as isize;
                            // SAFETY: positions of the layouts, the output's by a place within its bound. Lines are
                            // disjoint in the output, and each belongs to one block.
                            unsafe {
                                let at = index.index(index_start + k * self.along[0] + j * self.next[0]);
                                let Some(at) = self.bound.place(at) else {
                                    return Err(changed_meanwhile("scatter"));
                                };
                                let new = from.get(from_start + k * self.along[1] + j * self.next[1]);
                                let place = to_start + at * self.along[2] + j * self.next[2];
                                to.set(place, combine(to.get(place), new));
                            }
                        }
                    }
                }
            }
            Ok(())
        })
    }
}
