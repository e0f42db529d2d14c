//! Walks several strided tensors of one shape together.

// Several tensors' numbers are counted together.
#![allow(clippy::needless_range_loop)]

use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};

use rustorch_backend::{Dims, Layout, Operand, volume};
use smallvec::smallvec;

/// Positions of `N` tensors, in row-major order of a common shape.
///
/// Dimensions that lie one behind the other in all of the tensors are merged, so the runs are as long as they can be.
#[derive(Debug, Clone)]
pub(crate) struct Walk<const N: usize> {
    /// Sizes and steps of all but the innermost dimension.
    outer: Dims<(usize, [isize; N])>,
    /// How many positions a full run has.
    inner: usize,
    steps: [isize; N],
    start: [isize; N],
    len: usize,
}

impl<const N: usize> Walk<N> {
    /// All positions of `shape`; the tensors' strides beyond its dimensions do not count.
    pub(crate) fn new(shape: &[usize], layouts: [&Layout; N]) -> Self {
        let dims: Dims<usize> = (0..shape.len()).collect();
        Self::over(shape, &dims, layouts.map(|l| (l.strides(), l.offset())))
    }

    /// The first position of each line along `dim`; a 0-d tensor has one line.
    pub(crate) fn lines(shape: &[usize], dim: usize, layouts: [&Layout; N]) -> Self {
        let dims: Dims<usize> = (0..shape.len()).filter(|&d| d != dim).collect();
        Self::over(shape, &dims, layouts.map(|l| (l.strides(), l.offset())))
    }

    /// The positions that the given dimensions span; `tensors` are strides and offsets.
    pub(crate) fn over(shape: &[usize], dims: &[usize], tensors: [(&[isize], usize); N]) -> Self {
        let mut merged: Dims<(usize, [isize; N])> = smallvec![];
        for &d in dims {
            let (size, steps) = (shape[d], tensors.map(|(strides, _)| strides[d]));
            if size == 1 {
                continue;
            }
            match merged.last_mut() {
                Some((n, outer)) if (0..N).all(|t| outer[t] == steps[t] * size as isize) => {
                    *n *= size;
                    *outer = steps;
                }
                _ => merged.push((size, steps)),
            }
        }
        let len = volume(dims.iter().map(|&d| shape[d]));
        let (inner, steps) = merged.pop().unwrap_or((1, [0; N]));
        Walk { outer: merged, inner, steps, start: tensors.map(|(_, offset)| offset as isize), len }
    }

    /// The number of positions.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The step of each tensor from one position to the next of a run.
    pub(crate) fn steps(&self) -> [isize; N] {
        self.steps
    }

    /// The number of positions, when they are one run.
    pub(crate) fn single_run(&self) -> Option<usize> {
        self.outer.is_empty().then_some(self.len)
    }

    /// The number of positions in a full run.
    pub(crate) fn run_length(&self) -> usize {
        self.inner
    }

    /// The runs that cover `range`: each run's first position in the common order, each tensor's element there, and
    /// how many follow at [`Self::steps`].
    #[inline(always)]
    pub(crate) fn runs(&self, range: Range<usize>) -> Runs<'_, N> {
        let mut runs = Runs {
            walk: self,
            position: range.start,
            end: range.end,
            within: 0,
            counters: smallvec![0; self.outer.len()],
            base: self.start,
        };
        if !range.is_empty() {
            runs.within = range.start % self.inner;
            let mut rest = range.start / self.inner;
            for (counter, &(size, steps)) in runs.counters.iter_mut().zip(&self.outer).rev() {
                *counter = rest % size;
                rest /= size;
                for t in 0..N {
                    runs.base[t] += *counter as isize * steps[t];
                }
            }
        }
        runs
    }
}

/// What [`Walk::runs`] gives.
pub(crate) struct Runs<'a, const N: usize> {
    walk: &'a Walk<N>,
    position: usize,
    end: usize,
    /// How far the next run's start is from the start of the innermost dimension.
    within: usize,
    counters: Dims<usize>,
    base: [isize; N],
}

impl<const N: usize> Iterator for Runs<'_, N> {
    type Item = (usize, [isize; N], usize);

    // An iterator, not a function of a closure: the loops over it are inlined where the instruction set is enabled.
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.end {
            return None;
        }
        let count = (self.walk.inner - self.within).min(self.end - self.position);
        let mut offsets = self.base;
        for t in 0..N {
            offsets[t] += self.within as isize * self.walk.steps[t];
        }
        let run = (self.position, offsets, count);
        self.position += count;
        self.within = 0;
        for (counter, &(size, steps)) in self.counters.iter_mut().zip(&self.walk.outer).rev() {
            *counter += 1;
            for t in 0..N {
                self.base[t] += steps[t];
            }
            if *counter < size {
                break;
            }
            for t in 0..N {
                self.base[t] -= size as isize * steps[t];
            }
            *counter = 0;
        }
        Some(run)
    }
}

/// The elements of an operand as threads share them: an address without a claim.
///
/// Kernels split the positions among threads so that no element is written by one and touched by another.
#[derive(Debug)]
pub(crate) struct Elements<T>(*mut T);

impl<T> Clone for Elements<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Elements<T> {}

// SAFETY: the address is plain data; each access states why nobody else writes there.
unsafe impl<T> Send for Elements<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Elements<T> {}

impl<T: Copy> Elements<T> {
    /// The elements of `operand`, whose dtype has the size of `T` (or a multiple: the parts of complex numbers).
    pub(crate) fn of(operand: Operand<'_>) -> Self {
        debug_assert_eq!(operand.dtype.size() % size_of::<T>(), 0);
        Elements(operand.buffer.address().as_ptr().cast())
    }

    /// The elements that begin at an address.
    pub(crate) fn at_address(first: *const T) -> Self {
        Elements(first.cast_mut())
    }

    /// The address of the element at `offset`.
    ///
    /// # Safety
    /// `offset` is a position of the operand's layout.
    #[inline(always)]
    pub(crate) unsafe fn at(self, offset: isize) -> *mut T {
        // SAFETY: the caller's offset lies in the operand's buffer.
        unsafe { self.0.offset(offset) }
    }

    /// The element at `offset`.
    ///
    /// # Safety
    /// As [`Self::at`], and no thread writes it meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn get(self, offset: isize) -> T {
        // SAFETY: passed on to the caller.
        unsafe { self.0.offset(offset).read() }
    }

    /// Stores an element at `offset`.
    ///
    /// # Safety
    /// As [`Self::at`], and no other thread touches it meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn set(self, offset: isize, value: T) {
        // SAFETY: passed on to the caller.
        unsafe { self.0.offset(offset).write(value) }
    }
}

impl Elements<i64> {
    /// The index at `offset`, read once, whatever another thread writes there meanwhile: what is checked is what is used.
    ///
    /// # Safety
    /// As [`Self::at`].
    #[inline(always)]
    pub(crate) unsafe fn index(self, offset: isize) -> i64 {
        // SAFETY: the caller's offset is that of an element, which is aligned. An atomic has the layout of its number, and
        // a relaxed read is the plain instruction, which the compiler may not do twice.
        unsafe { AtomicI64::from_ptr(self.0.offset(offset)).load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rustorch_backend::{Dims, Layout, Shape};

    use super::*;

    fn layout(shape: &[usize], strides: &[isize], offset: usize) -> Layout {
        Layout::new("walk", Shape::from_slice(shape), Dims::from_slice(strides), offset).unwrap()
    }

    /// Offsets of every position, one at a time.
    fn expected(l: &Layout) -> Vec<isize> {
        let mut out = vec![l.offset() as isize];
        for (&n, &s) in l.shape().iter().zip(l.strides()) {
            out = out.iter().flat_map(|&o| (0..n as isize).map(move |i| o + i * s)).collect();
        }
        out
    }

    #[test]
    fn visits_every_position_in_order_from_any_start() {
        let pairs = [
            (layout(&[2, 3, 4], &[12, 4, 1], 0), layout(&[2, 3, 4], &[1, 8, 2], 5)),
            (layout(&[2, 3, 4], &[12, 4, 1], 3), layout(&[2, 3, 4], &[24, 8, 2], 0)),
            (layout(&[5], &[-1], 4), layout(&[5], &[0], 0)),
            (layout(&[], &[], 7), layout(&[], &[], 1)),
            (layout(&[3, 1, 2], &[2, 9, 1], 0), layout(&[3, 1, 2], &[0, 0, 1], 0)),
            (layout(&[3, 0, 2], &[2, 2, 1], 0), layout(&[3, 0, 2], &[0, 0, 1], 0)),
        ];
        for (a, b) in &pairs {
            let walk = Walk::new(a.shape(), [a, b]);
            let (ea, eb) = (expected(a), expected(b));
            assert_eq!(walk.len(), ea.len());
            for start in 0..=ea.len() {
                for end in start..=ea.len() {
                    let (mut seen, mut next) = (Vec::new(), start);
                    for (position, [oa, ob], count) in walk.runs(start..end) {
                        assert_eq!(position, next);
                        next += count;
                        let [sa, sb] = walk.steps();
                        seen.extend((0..count as isize).map(|i| (oa + i * sa, ob + i * sb)));
                    }
                    let both: Vec<_> =
                        ea[start..end].iter().copied().zip(eb[start..end].iter().copied()).collect();
                    assert_eq!(seen, both);
                }
            }
        }
    }

    #[test]
    fn merges_what_lies_in_one_piece() {
        let whole = Layout::contiguous("walk", &[4, 5, 6]).unwrap();
        let walk = Walk::new(whole.shape(), [&whole, &whole]);
        assert_eq!(walk.runs(0..120).collect::<Vec<_>>(), [(0, [0, 0], 120)]);
        assert_eq!(walk.single_run(), Some(120));
        assert_eq!(Walk::lines(whole.shape(), 1, [&whole]).len(), 24);
        assert_eq!(Walk::lines(&[], 0, [&Layout::contiguous("walk", &[]).unwrap()]).len(), 1);
    }
}
