//! Sorting lines, and the extreme elements of lines.
//!
//! Each element becomes an entry, one unsigned number: its key in the upper half and its place in the line in the lower.
//! Entries of a line are all different, so that any way to sort them is stable.

mod entry;
mod radix;
mod search;

use rustorch_backend::memory::Scratch;
use rustorch_backend::{DType, Operand, kernel, with_element};
use rustorch_error::{Result, RusTorchError};

use self::entry::{Entry, SortKey};
use super::walk::{Elements, Walk};
use crate::threads::{checkpoint, try_parallel_for};

pub use search::search_sorted;

/// How many elements a thread sorts at a time, about.
const GRAIN: usize = 1 << 12;

/// Entries beyond `k` that gather before a selection among them pays.
const SLACK: usize = 256;

/// Sorts the lines along `dim`, stably; NaN counts as larger than everything, and -0 equals 0. `indices` (int64) says
/// where in its line each element was. Every real dtype; `values` has `input`'s.
///
/// # Errors
/// `DType` for complex numbers, which have no order.
pub fn sort(kernel: &kernel::Sort<Operand<'_>>) -> Result<()> {
    let &kernel::Sort { input, dim, descending, values, indices } = kernel;
    arrange("sort", input, dim, descending, values, indices, &Whole)
}

/// The `k` smallest or largest elements of the lines along `dim`, where `k` is the outputs' size there. In order if
/// `sorted`; the `k`-th stands last in any case. Of equal elements the first count. Otherwise as [`sort`].
///
/// # Errors
/// `DType` for complex numbers, which have no order.
pub fn top_k(kernel: &kernel::TopK<Operand<'_>>) -> Result<()> {
    let &kernel::TopK { input, dim, largest, sorted, values, indices } = kernel;
    let k = indices.layout.shape().get(dim).copied().unwrap_or(1);
    if k == 0 {
        return Ok(());
    }
    arrange("topk", input, dim, largest, values, indices, &Best { k, sorted })
}

/// What is done with a line's entries: the first of `entries` are the result.
trait Arrangement: Sync {
    fn arrange<E: Entry>(
        &self,
        line: impl ExactSizeIterator<Item = E>,
        bits: u32,
        memory: &mut Memory<E>,
    ) -> Result<()>;
}

/// Memory that lines share.
struct Memory<E> {
    entries: Scratch<E>,
    spare: Scratch<E>,
}

struct Whole;

impl Arrangement for Whole {
    fn arrange<E: Entry>(
        &self,
        line: impl ExactSizeIterator<Item = E>,
        bits: u32,
        memory: &mut Memory<E>,
    ) -> Result<()> {
        memory.entries.clear();
        memory.entries.extend(line)?;
        radix::sort(&mut memory.entries, &mut memory.spare, bits)
    }
}

struct Best {
    k: usize,
    sorted: bool,
}

impl Arrangement for Best {
    fn arrange<E: Entry>(
        &self,
        line: impl ExactSizeIterator<Item = E>,
        bits: u32,
        memory: &mut Memory<E>,
    ) -> Result<()> {
        let k = self.k;
        let entries = &mut memory.entries;
        entries.clear();
        if line.len() > 4 * (k + SLACK) {
            // Most elements of a long line are beyond the k best of what came before.
            let mut worst = None;
            for entry in line {
                if worst.is_some_and(|worst| entry > worst) {
                    continue;
                }
                entries.push(entry)?;
                if entries.len() == 2 * k + SLACK {
                    worst = Some(*entries.select_nth_unstable(k - 1).1);
                    entries.truncate(k);
                }
            }
        } else {
            entries.extend(line)?;
        }
        if self.sorted && 2 * k >= entries.len() {
            radix::sort(entries, &mut memory.spare, bits)?;
            entries.truncate(k);
            return Ok(());
        }
        entries.select_nth_unstable(k - 1);
        entries.truncate(k);
        if self.sorted {
            entries.sort_unstable();
        }
        Ok(())
    }
}

fn arrange(
    op: &'static str,
    input: Operand<'_>,
    dim: usize,
    descending: bool,
    values: Option<Operand<'_>>,
    indices: Operand<'_>,
    how: &impl Arrangement,
) -> Result<()> {
    if indices.dtype != DType::Int64 {
        return Err(RusTorchError::dtype(op, format!("indices are int64, not {}", indices.dtype)));
    }
    let length = input.layout.shape().get(dim).copied().unwrap_or(1);
    with_element!(input.dtype, T => {
        // A place has to fit into the lower half of an entry.
        if <T as SortKey>::BITS <= 32 && u32::try_from(length).is_ok() {
            arrange_lines::<T, u64>(input, dim, descending, values, indices, how)
        } else {
            arrange_lines::<T, u128>(input, dim, descending, values, indices, how)
        }
    }, else Err(RusTorchError::dtype(
        op,
        format!("complex numbers have no order; got {}, and every real dtype works", input.dtype),
    )))
}

fn arrange_lines<T: SortKey, E: Entry>(
    input: Operand<'_>,
    dim: usize,
    descending: bool,
    values: Option<Operand<'_>>,
    indices: Operand<'_>,
    how: &impl Arrangement,
) -> Result<()> {
    // Without values a third tensor that nobody touches keeps the loop one.
    let to = values.map(Elements::<T>::of);
    let operands = [input, indices, values.unwrap_or(indices)];
    let walk = Walk::lines(input.layout.shape(), dim, operands.map(|o| o.layout));
    let [from_next, place_next, to_next] = walk.steps();
    let [from_step, place_step, to_step] =
        operands.map(|o| o.layout.strides().get(dim).copied().unwrap_or(0));
    let length = input.layout.shape().get(dim).copied().unwrap_or(1);
    let (from, places) = (Elements::<T>::of(input), Elements::<i64>::of(indices));
    // Reversing the keys, not the result, keeps equal elements in their order.
    let flip = if descending { u64::MAX >> (64 - <T as SortKey>::BITS) } else { 0 };
    try_parallel_for(walk.len(), (GRAIN / length.max(1)).max(1), |range| {
        let mut memory = Memory { entries: Scratch::new(), spare: Scratch::new() };
        for (_, [from_start, place_start, to_start], lines) in walk.runs(range) {
            for line in 0..lines as isize {
                checkpoint();
                let from_start = from_start + line * from_next;
                let place_start = place_start + line * place_next;
                let to_start = to_start + line * to_next;
                // SAFETY: a position of the input's layout, which nobody writes.
                let element = |i: usize| unsafe { from.get(from_start + i as isize * from_step) };
                how.arrange(
                    (0..length).map(|i| E::new(element(i).key() ^ flip, i)),
                    <T as SortKey>::BITS,
                    &mut memory,
                )?;
                for (k, entry) in memory.entries.iter().enumerate() {
                    let k = k as isize;
                    // SAFETY: positions of the outputs' layouts; each line belongs to one range.
                    unsafe {
                        places.set(place_start + k * place_step, entry.place() as i64);
                        if let Some(to) = to {
                            let value = T::from_key(entry.key() ^ flip);
                            to.set(to_start + k * to_step, value.unwrap_or_else(|| element(entry.place())));
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
