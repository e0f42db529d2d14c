//! Shapes, strides and the rules of views and broadcasting.

mod views;

pub use views::stepped;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use rustorch_error::{Result, RusTorchError};
use smallvec::{SmallVec, smallvec};

use crate::sizes::{MOST_IN_MEMORY, checked_numel};

/// A short list of sizes or strides; up to five dimensions need no allocation.
pub type Dims<T> = SmallVec<[T; INLINE]>;

/// The sizes of a tensor's dimensions.
pub type Shape = Dims<usize>;

/// Where the elements of a tensor lie in its storage. All numbers count elements.
///
/// Every layout can be addressed: no position of an element, and no stride or offset, is beyond
/// [`MOST_IN_MEMORY`](crate::MOST_IN_MEMORY), so that their numbers of bytes are addresses' differences; the same holds of
/// an empty layout if its sizes of 0 are taken for 1, whose number of elements is then at most as large, too. A layout that
/// shows elements more than once may have more of them than fit a `usize`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    shape: Shape,
    strides: Dims<isize>,
    offset: usize,
    /// `usize::MAX` where it is as much or more.
    numel: usize,
}

/// How many dimensions are kept without an allocation.
const INLINE: usize = 5;

/// A copy of a short list, by a loop: a call of memcpy would cost more than the copy.
#[inline]
pub fn dims_from_slice<T: Copy + Default>(values: &[T]) -> Dims<T> {
    if values.len() > INLINE {
        return Dims::from_slice(values);
    }
    let mut inline = [T::default(); INLINE];
    for (slot, &value) in inline.iter_mut().zip(values) {
        *slot = value;
    }
    Dims::from_buf_and_len(inline, values.len())
}

/// Row-major strides, of shapes that memory can hold.
#[inline]
pub fn contiguous_strides(shape: &[usize]) -> Dims<isize> {
    if shape.len() <= INLINE {
        let mut inline = [0isize; INLINE];
        let mut step = 1isize;
        for (stride, &size) in inline[..shape.len()].iter_mut().zip(shape).rev() {
            *stride = step;
            step = step.saturating_mul(size.max(1) as isize);
        }
        return Dims::from_buf_and_len(inline, shape.len());
    }
    let mut strides: Dims<isize> = smallvec![0; shape.len()];
    let mut step = 1isize;
    for (stride, &size) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step = step.saturating_mul(size.max(1) as isize);
    }
    strides
}

/// The shape that all of `shapes` broadcast to: aligned at the last dimension, sizes equal or 1.
pub fn broadcast_shapes<'a>(
    op: &'static str,
    shapes: impl IntoIterator<Item = &'a [usize]> + Clone,
) -> Result<Shape> {
    let ndim = shapes.clone().into_iter().map(<[usize]>::len).max().unwrap_or(0);
    let mut out: Shape = smallvec![1; ndim];
    for shape in shapes.clone() {
        let lead = ndim - shape.len();
        for (i, &size) in shape.iter().enumerate() {
            let seen = &mut out[lead + i];
            if *seen == 1 {
                *seen = size;
            } else if size != 1 && size != *seen {
                let all: Vec<_> = shapes.into_iter().map(|s| format!("{s:?}")).collect();
                return Err(RusTorchError::shape(
                    op,
                    format!(
                        "shapes {} do not broadcast: at dimension {} the sizes {} and {} differ and neither is 1",
                        all.join(" and "),
                        lead + i,
                        *seen,
                        size
                    ),
                ));
            }
        }
    }
    Ok(out)
}

/// Turns a dimension that may count from the end into an index.
#[inline]
pub fn normalize_dim(op: &'static str, dim: i64, ndim: usize) -> Result<usize> {
    // A 0-d tensor has one virtual dimension, as in PyTorch.
    let n = ndim.max(1) as i64;
    if (-n..n).contains(&dim) {
        Ok(if dim < 0 { dim + n } else { dim } as usize)
    } else {
        Err(RusTorchError::index(
            op,
            format!("dimension out of range (expected to be in range of [{}, {}], but got {dim})", -n, n - 1),
        ))
    }
}

impl Layout {
    /// A row-major layout that starts at the storage's first element.
    ///
    /// # Errors
    /// There are more elements than memory holds.
    #[inline]
    pub fn contiguous(op: &'static str, shape: &[usize]) -> Result<Self> {
        let numel = checked_numel(op, shape)?;
        Ok(Layout { shape: dims_from_slice(shape), strides: contiguous_strides(shape), offset: 0, numel })
    }

    /// A layout from its parts.
    ///
    /// # Errors
    /// There are not as many strides as sizes, or the elements do not lie where memory can be.
    pub fn new(op: &'static str, shape: Shape, strides: Dims<isize>, offset: usize) -> Result<Self> {
        let (mut numel, mut fits, mut empty) = (1usize, shape.len() == strides.len(), false);
        let (mut low, mut high) = (offset, offset);
        for (&size, &stride) in shape.iter().zip(&strides) {
            empty |= size == 0;
            let size = size.max(1);
            let (reach, wrapped) = (size - 1).overflowing_mul(stride.unsigned_abs());
            fits &= isize::try_from(size).is_ok()
                && !wrapped
                && reach <= MOST_IN_MEMORY
                && stride.unsigned_abs() <= MOST_IN_MEMORY;
            // Neither wraps while the rest fits: both stay below three times the bound.
            if stride < 0 {
                fits &= reach <= low;
                low = low.wrapping_sub(reach);
            } else {
                high = high.wrapping_add(reach);
                fits &= high < MOST_IN_MEMORY;
            }
            numel = numel.saturating_mul(size);
        }
        fits &= offset <= MOST_IN_MEMORY && (!empty || numel <= MOST_IN_MEMORY);
        if !fits {
            return Err(no_place(op, &shape, &strides, offset));
        }
        Ok(Layout { shape, strides, offset, numel: if empty { 0 } else { numel } })
    }

    /// The same sizes and strides from another offset on.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn at_offset(&self, op: &'static str, offset: usize) -> Result<Self> {
        Self::new(op, dims_from_slice(&self.shape), dims_from_slice(&self.strides), offset)
    }

    /// The same sizes and offset with other strides.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_strides(&self, op: &'static str, strides: Dims<isize>) -> Result<Self> {
        Self::new(op, dims_from_slice(&self.shape), strides, self.offset)
    }

    /// Sizes.
    #[inline]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Strides, in elements.
    #[inline]
    pub fn strides(&self) -> &[isize] {
        &self.strides
    }

    /// The first element's position in the storage, in elements.
    #[inline]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The number of dimensions.
    #[inline]
    pub fn ndim(&self) -> usize {
        self.shape.len()
    }

    /// The number of elements: `usize::MAX` where there are as many or more.
    #[inline]
    pub const fn numel(&self) -> usize {
        self.numel
    }

    /// Whether the elements lie in row-major order without gaps.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        let mut step = 1isize;
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if size != 1 {
                if stride != step {
                    return size == 0 || self.shape.contains(&0);
                }
                step *= size as isize;
            }
        }
        true
    }

    /// The lowest and highest storage positions that the layout reaches, or `None` when it is empty.
    pub fn span(&self) -> Option<(usize, usize)> {
        if self.numel == 0 {
            return None;
        }
        let (mut low, mut high) = (self.offset as isize, self.offset as isize);
        for (&size, &stride) in self.shape.iter().zip(&self.strides) {
            let reach = (size as isize - 1) * stride;
            if reach < 0 { low += reach } else { high += reach }
        }
        Some((low as usize, high as usize))
    }

    /// How many bytes of a storage's beginning the layout needs.
    pub fn end_in_bytes(&self, element: usize) -> usize {
        self.span().map_or(0, |(_, high)| (high + 1) * element)
    }

    /// Whether two positions may name the same element (a broadcast view: a stride of 0, or rows that overlap).
    pub fn overlaps_itself(&self) -> bool {
        if self.shape.contains(&0) {
            return false;
        }
        let mut dims: Dims<(isize, usize)> = self
            .shape
            .iter()
            .zip(&self.strides)
            .filter(|(n, _)| **n > 1)
            .map(|(&n, &s)| (s.abs(), n))
            .collect();
        dims.sort_unstable();
        let mut reach = 0;
        for (stride, size) in dims {
            if stride <= reach {
                return true;
            }
            reach += stride * (size as isize - 1);
        }
        false
    }

    /// The same elements seen under a larger shape; repeated dimensions get stride 0.
    pub fn broadcast_to(&self, op: &'static str, shape: &[usize]) -> Result<Self> {
        let fail = || {
            RusTorchError::shape(
                op,
                format!("shape {:?} does not broadcast to {shape:?}", self.shape.as_slice()),
            )
        };
        let lead = shape.len().checked_sub(self.ndim()).ok_or_else(fail)?;
        let mut strides: Dims<isize> = smallvec![0; shape.len()];
        for (i, (&size, &stride)) in self.shape.iter().zip(&self.strides).enumerate() {
            let target = shape[lead + i];
            if size == target {
                strides[lead + i] = stride;
            } else if size != 1 {
                return Err(fail());
            }
        }
        Layout::new(op, Shape::from_slice(shape), strides, self.offset)
    }

    /// The strides under which the same elements appear as `shape` without moving, if there are any.
    pub fn view_strides(&self, shape: &[usize]) -> Option<Dims<isize>> {
        if self.shape.contains(&0) {
            return Some(contiguous_strides(shape));
        }
        let mut strides: Dims<isize> = smallvec![0; shape.len()];
        // Walks both shapes from the end, one run of jointly contiguous source dimensions at a time.
        let mut view = shape.len();
        let mut i = self.ndim();
        while i > 0 {
            i -= 1;
            let base = self.strides[i];
            let mut run = self.shape[i];
            while i > 0 && (self.shape[i - 1] == 1 || self.strides[i - 1] == base * run as isize) {
                i -= 1;
                // Only elements that are shown more than once can be so many.
                run = run.checked_mul(self.shape[i])?;
            }
            let mut done = 1usize;
            while view > 0 && (done < run || shape[view - 1] == 1) {
                view -= 1;
                strides[view] = base.checked_mul(done as isize)?;
                done = done.checked_mul(shape[view])?;
            }
            if done != run {
                return None;
            }
        }
        while view > 0 {
            view -= 1;
            if shape[view] != 1 {
                return None;
            }
            strides[view] = 1;
        }
        Some(strides)
    }
}

#[cold]
fn no_place(op: &'static str, shape: &[usize], strides: &[isize], offset: usize) -> RusTorchError {
    RusTorchError::shape(
        op,
        format!(
            "elements of sizes {shape:?} with strides {strides:?} from offset {offset} on do not fit memory"
        ),
    )
}
