//! Products of integer matrices, which wrap around as in PyTorch.

use rustorch_backend::Element;
use rustorch_backend::memory::Scratch;
use rustorch_backend::volume;
use rustorch_error::Result;

use super::blocking::{Product, TASK_WORK};
use super::{Batch, batch_offsets};
use crate::threads::try_parallel_for;

/// An integer that wraps around.
pub trait Integer: Element {
    /// The sum modulo 2 to the number of bits.
    fn add(self, other: Self) -> Self;
    /// The product modulo 2 to the number of bits.
    fn mul(self, other: Self) -> Self;
}

macro_rules! integers {
    ($($T:ty),*) => {$(
        impl Integer for $T {
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
        }
    )*};
}
integers!(u8, i8, i16, i32, i64);

/// Columns that are summed at a time: they stay in the first cache.
const COLUMNS: usize = 1024;

/// Computes `product` for every batch, row by row.
pub fn multiply_batches<T: Integer>(product: &Product<T>, batches: &[Batch]) -> Result<()> {
    let count = volume(batches.iter().map(|(size, _)| size));
    let row_work = product.n.saturating_mul(product.k).max(1);
    try_parallel_for(count * product.m, (TASK_WORK / 8).div_ceil(row_work), |rows| {
        let sums = Scratch::<T>::with_room(COLUMNS.min(product.n))?;
        for row in rows {
            let [a, b, c] = batch_offsets(batches, row / product.m);
            let i = (row % product.m) as isize;
            let one = product.moved([a + i * product.a_strides.0, b, c + i * product.c_strides.0]);
            for j in (0..product.n).step_by(COLUMNS) {
                // SAFETY: the operands are valid for their layouts; the scratch holds as many sums as columns.
                unsafe {
                    let columns = (product.n - j).min(COLUMNS);
                    multiply_row(&one, j, std::slice::from_raw_parts_mut(sums.as_ptr(), columns));
                }
            }
        }
        Ok(())
    })
}

/// Columns `j..j + sums.len()` of the first row.
unsafe fn multiply_row<T: Integer>(product: &Product<T>, j: usize, sums: &mut [T]) {
    let zero = T::default();
    sums.fill(zero);
    // SAFETY: the operands are valid for their layouts, as the caller vouches.
    unsafe {
        for p in 0..product.k as isize {
            let factor = *product.a.wrapping_offset(p * product.a_strides.1);
            let b = product.b.wrapping_offset(p * product.b_strides.0 + j as isize * product.b_strides.1);
            if product.b_strides.1 == 1 {
                for (q, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.add(factor.mul(*b.add(q)));
                }
            } else {
                for (q, sum) in sums.iter_mut().enumerate() {
                    *sum = sum.add(factor.mul(*b.wrapping_offset(q as isize * product.b_strides.1)));
                }
            }
        }
        for (q, &sum) in sums.iter().enumerate() {
            let to = product.c.wrapping_offset((j + q) as isize * product.c_strides.1);
            let mut value = product.alpha.mul(sum);
            if product.beta != zero {
                value = value.add(product.beta.mul(*to));
            }
            if !product.column_bias.is_null() {
                value = value.add(*product.column_bias.add(j + q));
            }
            *to = value;
        }
    }
}
