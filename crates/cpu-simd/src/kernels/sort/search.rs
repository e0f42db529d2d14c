//! Binary search in sorted lines.

use rustorch_backend::{DType, Dims, Operand, kernel, with_element};
use rustorch_error::{Result, RusTorchError};

use crate::kernels::index::{Bound, changed_meanwhile, check};
use crate::kernels::walk::{Elements, Walk};
use crate::threads::try_parallel_for;

/// How many values a thread looks for at a time.
const GRAIN: usize = 1 << 11;

/// For each value the number of elements of its line of `sorted` that are smaller, or with `right` not larger: where it
/// would have to be inserted. `sorted` has `values`' dtype and leading dimensions (stride 0 broadcasts); `sorter`
/// (int64) of its shape gives the order of its elements where they are not sorted. `output` is int64 or int32.
///
/// # Errors
/// `IndexOutOfRange` for a place in `sorter` that is not one of the line's, before anything is written or when another
/// thread writes it; `DType` for complex numbers.
pub fn search_sorted(kernel: &kernel::SearchSorted<Operand<'_>>) -> Result<()> {
    let &kernel::SearchSorted { sorted, sorter, values, right, output } = kernel;
    let last = sorted.layout.shape().len() - 1;
    if let Some(sorter) = sorter {
        check("searchsorted", sorter, last, sorted.layout.shape()[last])?;
    }
    with_element!(values.dtype, T => match (output.dtype, right) {
        (DType::Int32, false) => search(sorted, sorter, values, output, |a: T, b: T| a >= b, |n| n as i32),
        (DType::Int32, true) => search(sorted, sorter, values, output, |a: T, b: T| a > b, |n| n as i32),
        (_, false) => search(sorted, sorter, values, output, |a: T, b: T| a >= b, |n| n as i64),
        (_, true) => search(sorted, sorter, values, output, |a: T, b: T| a > b, |n| n as i64),
    }, else Err(RusTorchError::dtype(
        "searchsorted",
        format!("complex numbers have no order; got {}, and every real dtype works", values.dtype),
    )))
}

/// The first place of a line whose element is `beyond` the value, for each value.
pub(super) fn search<T: Copy + Send + Sync, I: Copy + Send + Sync>(
    sorted: Operand<'_>,
    sorter: Option<Operand<'_>>,
    values: Operand<'_>,
    output: Operand<'_>,
    beyond: impl Fn(T, T) -> bool + Sync,
    count: impl Fn(usize) -> I + Sync,
) -> Result<()> {
    let shape = values.layout.shape();
    let dims: Dims<usize> = (0..shape.len()).collect();
    let last = sorted.layout.shape().len() - 1;
    let length = sorted.layout.shape()[last];
    // All values along the last dimension are looked for in the same line.
    let line = |operand: Operand<'_>| {
        let mut strides: Dims<isize> = operand.layout.strides()[..last].into();
        strides.resize(shape.len(), 0);
        strides
    };
    let order = sorter.unwrap_or(sorted);
    let (sorted_strides, order_strides) = (line(sorted), line(order));
    let walk = Walk::over(
        shape,
        &dims,
        [
            (&sorted_strides[..], sorted.layout.offset()),
            (&order_strides[..], order.layout.offset()),
            (values.layout.strides(), values.layout.offset()),
            (output.layout.strides(), output.layout.offset()),
        ],
    );
    let (sorted_along, order_along) = (sorted.layout.strides()[last], order.layout.strides()[last]);
    let (elements, places) = (Elements::<T>::of(sorted), sorter.map(Elements::<i64>::of));
    let (from, to) = (Elements::<T>::of(values), Elements::<I>::of(output));
    let steps = walk.steps();
    let bound = Bound::new(length);
    try_parallel_for(walk.len(), GRAIN, |range| {
        for (_, starts, run) in walk.runs(range) {
            for i in 0..run as isize {
                let at = |t: usize| starts[t] + i * steps[t];
                // SAFETY: positions of the layouts, those of a line within its bound; each result belongs to one range.
                unsafe {
                    let value = from.get(at(2));
                    let (mut low, mut high) = (0, length);
                    while low < high {
                        let middle = low + (high - low) / 2;
                        let place = match places {
                            Some(places) => {
                                let place = places.index(at(1) + middle as isize * order_along);
                                let Some(place) = bound.place(place) else {
                                    return Err(changed_meanwhile("searchsorted"));
                                };
                                place
                            }
                            None => middle as isize,
                        };
                        if beyond(elements.get(at(0) + place * sorted_along), value) {
                            high = middle;
                        } else {
                            low = middle + 1;
                        }
                    }
                    to.set(at(3), count(low));
                }
            }
        }
        Ok(())
    })
}
