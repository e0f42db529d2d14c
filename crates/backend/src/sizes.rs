//! The arithmetic of sizes. What does not fit is an error, or a bound that no memory reaches: never a small number.
//!
//! A [`Layout`](crate::Layout) is checked when it is made, so that the products and reaches of its own sizes need no
//! check after that. What goes beyond one layout (a window's reach, a padded size, a result's shape) is computed here.

use std::borrow::Borrow;

use rustorch_error::{Result, RusTorchError};

use crate::DType;

/// The most elements that memory can hold whatever their dtype, and thereby a bound of offsets and strides: their numbers
/// of bytes are addresses' differences.
pub const MOST_IN_MEMORY: usize = isize::MAX as usize / 16;

/// The most elements that a kernel takes in one tensor. No machine's memory holds as many: what is larger is a view that
/// shows elements more than once, and hours of work that nobody meant.
pub const MOST_IN_KERNELS: usize = 1 << 40;

/// The product of sizes, at most `usize::MAX`: exact for any sizes of one layout that a kernel takes.
#[inline]
pub fn volume(sizes: impl IntoIterator<Item: Borrow<usize>>) -> usize {
    let (mut product, mut empty) = (1usize, false);
    for size in sizes {
        let size = *size.borrow();
        empty |= size == 0;
        product = product.saturating_mul(size);
    }
    // After a saturated product a size of 0 still says that there is nothing.
    if empty { 0 } else { product }
}

/// The number of elements of a shape that memory can hold.
///
/// # Errors
/// No memory is as large, even if a size of 0 says that there is nothing: strides are products of the other sizes.
#[inline]
pub fn checked_numel(op: &'static str, shape: &[usize]) -> Result<usize> {
    let (mut numel, mut fits, mut empty) = (1usize, true, false);
    for &size in shape {
        empty |= size == 0;
        let (product, wrapped) = numel.overflowing_mul(size.max(1));
        (numel, fits) = (product, fits && !wrapped);
    }
    if fits && numel <= MOST_IN_MEMORY { Ok(if empty { 0 } else { numel }) } else { Err(too_many(op, shape)) }
}

/// The number of bytes of a row-major tensor.
///
/// # Errors
/// As [`checked_numel`].
#[inline]
pub fn checked_bytes(op: &'static str, shape: &[usize], dtype: DType) -> Result<usize> {
    checked_numel(op, shape).map(|numel| numel * dtype.size())
}

/// The exact product of sizes, whether or not memory can hold as much.
///
/// # Errors
/// It does not fit a `usize`.
#[inline]
pub fn checked_product(op: &'static str, sizes: &[usize]) -> Result<usize> {
    match volume(sizes) {
        usize::MAX => Err(too_many(op, sizes)),
        product => Ok(product),
    }
}

#[cold]
fn too_many(op: &'static str, shape: &[usize]) -> RusTorchError {
    RusTorchError::shape(op, format!("a tensor of shape {shape:?} has too many elements"))
}

/// The sum of sizes.
///
/// # Errors
/// It is no size.
pub fn checked_sum(op: &'static str, sizes: impl IntoIterator<Item = usize>) -> Result<usize> {
    let sum = sizes.into_iter().try_fold(0usize, usize::checked_add);
    sum.filter(|&sum| isize::try_from(sum).is_ok())
        .ok_or_else(|| RusTorchError::shape(op, "the sizes add up to more than memory can hold"))
}

/// The extent of a window along one dimension: how many elements lie between its first and its last tap, both counted.
pub fn reach(kernel: usize, dilation: usize) -> Option<usize> {
    kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)
}

/// How much padding before and after a dimension keeps its size where a window slides over it in steps of 1; what is odd
/// goes to the end.
pub fn same_padding(kernel: usize, dilation: usize) -> Option<(usize, usize)> {
    let total = reach(kernel, dilation)? - 1;
    Some((total / 2, total - total / 2))
}

/// A size with `before` and `after` elements added.
pub fn padded(size: usize, before: usize, after: usize) -> Option<usize> {
    size.checked_add(before)?.checked_add(after).filter(|&sum| isize::try_from(sum).is_ok())
}

/// Refuses tensors of more elements than a kernel takes.
///
/// # Errors
/// There are more than [`MOST_IN_KERNELS`].
#[inline]
pub fn check_extent(op: &'static str, extent: usize) -> Result<()> {
    if extent <= MOST_IN_KERNELS { Ok(()) } else { Err(too_much_work(op, extent)) }
}

#[cold]
fn too_much_work(op: &'static str, extent: usize) -> RusTorchError {
    let count = if extent == usize::MAX { format!("{extent} or more") } else { extent.to_string() };
    RusTorchError::shape(
        op,
        format!("a tensor of {count} elements is too large to be computed with: at most 2**40 can be read"),
    )
}
