//! `gather`: one index per element of the output.

use rustorch_backend::{Dims, Operand, kernel};
use rustorch_error::Result;
use smallvec::smallvec;

use super::check::{Bound, outside};
use crate::kernels::number::with_bytes;
use crate::kernels::walk::{Elements, Walk};
use crate::threads::try_parallel_for;

/// How many elements a thread gathers at a time.
const GRAIN: usize = 1 << 14;

/// `out[i…] = input[i… with index[i…] at dim]`, for every dtype. Indices do not count from the end.
///
/// # Errors
/// `IndexOutOfRange` for an index outside `0..input.shape[dim]`; what the output holds then is unspecified.
pub fn gather(kernel: &kernel::Gather<Operand<'_>>) -> Result<()> {
    let &kernel::Gather { input, dim, index, output } = kernel;
    let size = input.layout.shape().get(dim).copied().unwrap_or(1);
    with_bytes!(input.dtype, T => gather_elements::<T>(input, dim, size, index, output))
}

fn gather_elements<T: Copy>(
    input: Operand<'_>,
    dim: usize,
    size: usize,
    index: Operand<'_>,
    output: Operand<'_>,
) -> Result<()> {
    let shape = output.layout.shape();
    let dims: Dims<usize> = (0..shape.len()).collect();
    // The index, not the position, moves along `dim` of the input.
    let mut strides: Dims<isize> = Dims::from_slice(input.layout.strides());
    let along = if shape.is_empty() { 0 } else { std::mem::take(&mut strides[dim]) };
    if shape.is_empty() {
        strides = smallvec![];
    }
    let walk = Walk::over(
        shape,
        &dims,
        [
            (&strides[..], input.layout.offset()),
            (index.layout.strides(), index.layout.offset()),
            (output.layout.strides(), output.layout.offset()),
        ],
    );
    let [input_step, index_step, output_step] = walk.steps();
    let (from, indices, to) =
        (Elements::<T>::of(input), Elements::<i64>::of(index), Elements::<T>::of(output));
    let bound = Bound::new(size);
    try_parallel_for(walk.len(), GRAIN, |range| {
        for (_, [from_start, index_start, to_start], count) in walk.runs(range) {
            for i in 0..count as isize {
                // SAFETY: positions of the layouts, the input's by a place within its bound. Each output element belongs
                // to one range.
                unsafe {
                    let Some(at) = bound.place(indices.index(index_start + i * index_step)) else {
                        return Err(outside("gather", index, dim, size));
                    };
                    to.set(to_start + i * output_step, from.get(from_start + i * input_step + at * along));
                }
            }
        }
        Ok(())
    })
}
