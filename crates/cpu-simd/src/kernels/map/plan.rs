//! How strided operands of one shape are walked: dimensions in the order of the output's memory, merged where they lie
//! one behind the other in every operand.

use rustorch_backend::{Dims, Operand, volume};
use smallvec::SmallVec;

/// The dimensions and each operand's steps through them, outermost first.
pub(crate) struct Plan {
    sizes: Dims<usize>,
    /// One row of steps per operand, in elements.
    steps: SmallVec<[Dims<isize>; 4]>,
    /// One per operand: the first element's position.
    offsets: SmallVec<[isize; 4]>,
    numel: usize,
}

/// How an operand's elements lie in the plan's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessPattern {
    /// One behind the other.
    Contiguous,
    /// All the same element.
    Single,
    /// Anything else.
    Strided,
}

impl Plan {
    /// A plan for operands of one shape; the dimensions are ordered by the steps of `operands[leader]`.
    pub(crate) fn new(operands: &[Operand<'_>], leader: usize) -> Self {
        let shape = operands[leader].layout.shape();
        let mut order: Dims<usize> = (0..shape.len()).collect();
        let lead = operands[leader].layout.strides();
        // Stable: a broadcast leader keeps its order.
        order.sort_by_key(|&d| std::cmp::Reverse(lead[d].unsigned_abs()));
        let tensors: SmallVec<[_; 4]> =
            operands.iter().map(|o| (o.layout.strides(), o.layout.offset())).collect();
        Self::over(shape, &order, &tensors)
    }

    /// A plan of the dimensions `order` of `shape`, outermost first, for tensors with these strides and offsets.
    pub(crate) fn over(shape: &[usize], order: &[usize], tensors: &[(&[isize], usize)]) -> Self {
        let mut plan = Plan {
            sizes: Dims::new(),
            steps: tensors.iter().map(|_| Dims::new()).collect(),
            offsets: tensors.iter().map(|&(_, offset)| offset as isize).collect(),
            numel: volume(order.iter().map(|&d| shape[d])),
        };
        for &d in order {
            let size = shape[d];
            if size == 1 {
                continue;
            }
            let merges = !plan.sizes.is_empty()
                && tensors
                    .iter()
                    .zip(&plan.steps)
                    .all(|((strides, _), steps)| steps[steps.len() - 1] == strides[d] * size as isize);
            let last = plan.sizes.len().wrapping_sub(1);
            if merges {
                plan.sizes[last] *= size;
            } else {
                plan.sizes.push(size);
            }
            for ((strides, _), steps) in tensors.iter().zip(&mut plan.steps) {
                if merges {
                    steps[last] = strides[d];
                } else {
                    steps.push(strides[d]);
                }
            }
        }
        plan
    }

    /// The number of positions.
    pub(crate) fn numel(&self) -> usize {
        self.numel
    }

    /// The size of the innermost dimension.
    pub(crate) fn inner(&self) -> usize {
        self.sizes.last().copied().unwrap_or(1)
    }

    /// Whether there is but one dimension, or none.
    pub(crate) fn is_line(&self) -> bool {
        self.sizes.len() <= 1
    }

    /// The operand's step through the innermost dimension.
    pub(crate) fn inner_step(&self, operand: usize) -> isize {
        self.steps[operand].last().copied().unwrap_or(0)
    }

    /// How the operand lies.
    pub(crate) fn pattern(&self, operand: usize) -> AccessPattern {
        let steps = &self.steps[operand];
        if !steps.is_empty() && steps.iter().all(|&s| s == 0) {
            return AccessPattern::Single;
        }
        let mut next = 1;
        for (&size, &step) in self.sizes.iter().zip(steps).rev() {
            if step != next {
                return AccessPattern::Strided;
            }
            next *= size as isize;
        }
        AccessPattern::Contiguous
    }

    /// The position of the operand's element at flat position `at` of the plan.
    pub(crate) fn position(&self, operand: usize, at: usize) -> isize {
        let mut rest = at;
        let mut position = self.offsets[operand];
        for (&size, &step) in self.sizes.iter().zip(&self.steps[operand]).rev() {
            position += (rest % size) as isize * step;
            rest /= size;
        }
        position
    }

    /// Calls `body(done, position, count)` for the operand's runs along the innermost dimension that cover the `n`
    /// positions from `at` on; `done` counts the positions before the run.
    #[inline(always)]
    pub(crate) fn runs(
        &self,
        operand: usize,
        at: usize,
        n: usize,
        mut body: impl FnMut(usize, isize, usize),
    ) {
        let steps = &self.steps[operand];
        let Some((&inner, outer_sizes)) = self.sizes.split_last() else {
            if n > 0 {
                body(0, self.offsets[operand], 1);
            }
            return;
        };
        let inner_step = steps[steps.len() - 1];
        let mut counters: Dims<usize> = smallvec::smallvec![0; outer_sizes.len()];
        let mut within = at % inner;
        let mut rest = at / inner;
        let mut base = self.offsets[operand];
        for d in (0..outer_sizes.len()).rev() {
            counters[d] = rest % outer_sizes[d];
            rest /= outer_sizes[d];
            base += counters[d] as isize * steps[d];
        }
        let mut done = 0;
        while done < n {
            let count = (inner - within).min(n - done);
            body(done, base + within as isize * inner_step, count);
            done += count;
            within = 0;
            for d in (0..outer_sizes.len()).rev() {
                counters[d] += 1;
                base += steps[d];
                if counters[d] < outer_sizes[d] {
                    break;
                }
                base -= outer_sizes[d] as isize * steps[d];
                counters[d] = 0;
            }
        }
    }

    /// Collects the operand's elements at the `n` positions from `at` on.
    ///
    /// # Safety
    /// `base` is the operand's memory, of elements of `size` bytes; `to` is valid for writes of `n` of them.
    pub(crate) unsafe fn gather(
        &self,
        operand: usize,
        size: usize,
        base: *const u8,
        at: usize,
        n: usize,
        to: *mut u8,
    ) {
        // SAFETY: the caller's, with a type of the elements' size.
        unsafe {
            match size {
                1 => self.gather_elements::<u8>(operand, base.cast(), at, n, to.cast()),
                2 => self.gather_elements::<u16>(operand, base.cast(), at, n, to.cast()),
                4 => self.gather_elements::<u32>(operand, base.cast(), at, n, to.cast()),
                8 => self.gather_elements::<u64>(operand, base.cast(), at, n, to.cast()),
                _ => self.gather_elements::<[u64; 2]>(operand, base.cast(), at, n, to.cast()),
            }
        }
    }

    unsafe fn gather_elements<T: Copy>(
        &self,
        operand: usize,
        base: *const T,
        at: usize,
        n: usize,
        to: *mut T,
    ) {
        let step = self.inner_step(operand);
        self.runs(operand, at, n, |done, position, count| {
            // SAFETY: the positions are the operand's; `done + count ≤ n`.
            unsafe {
                let (from, to) = (base.offset(position), to.add(done));
                match step {
                    0 => {
                        let value = *from;
                        for i in 0..count {
                            *to.add(i) = value;
                        }
                    }
                    1 => std::ptr::copy_nonoverlapping(from, to, count),
                    _ => {
                        for i in 0..count {
                            *to.add(i) = *from.offset(i as isize * step);
                        }
                    }
                }
            }
        });
    }

    /// The reverse of [`Self::gather`].
    ///
    /// # Safety
    /// `base` is the operand's memory, of elements of `size` bytes, at positions that nobody else touches; `from` is
    /// valid for reads of `n` of them.
    pub(crate) unsafe fn scatter(
        &self,
        operand: usize,
        size: usize,
        base: *mut u8,
        at: usize,
        n: usize,
        from: *const u8,
    ) {
        // SAFETY: the caller's, with a type of the elements' size.
        unsafe {
            match size {
                1 => self.scatter_elements::<u8>(operand, base.cast(), at, n, from.cast()),
                2 => self.scatter_elements::<u16>(operand, base.cast(), at, n, from.cast()),
                4 => self.scatter_elements::<u32>(operand, base.cast(), at, n, from.cast()),
                8 => self.scatter_elements::<u64>(operand, base.cast(), at, n, from.cast()),
                _ => self.scatter_elements::<[u64; 2]>(operand, base.cast(), at, n, from.cast()),
            }
        }
    }

    unsafe fn scatter_elements<T: Copy>(
        &self,
        operand: usize,
        base: *mut T,
        at: usize,
        n: usize,
        from: *const T,
    ) {
        let step = self.inner_step(operand);
        self.runs(operand, at, n, |done, position, count| {
            // SAFETY: the positions are the operand's; `done + count ≤ n`.
            unsafe {
                let (from, to) = (from.add(done), base.offset(position));
                if step == 1 {
                    std::ptr::copy_nonoverlapping(from, to, count);
                } else {
                    for i in 0..count {
                        *to.offset(i as isize * step) = *from.add(i);
                    }
                }
            }
        });
    }
}

/// The starts of two operands' matrices, and the sizes and steps of the two inner dimensions.
type Crossed = (Vec<[isize; 2]>, [(usize, [isize; 2]); 2]);

impl Plan {
    /// The plan of two operands as matrices: where each begins, and its last two dimensions.
    pub(crate) fn crossed(&self) -> Option<Crossed> {
        let n = self.sizes.len();
        let dimension = |d: usize| (self.sizes[d], [self.steps[0][d], self.steps[1][d]]);
        // The source runs along the dimension where its step is 1.
        let row = (0..n.checked_sub(1)?).rev().find(|&d| self.steps[0][d] == 1)?;
        // More matrices than this are small ones.
        if self.numel / (self.sizes[row] * self.sizes[n - 1]) > 1 << 16 {
            return None;
        }
        let mut starts = vec![[self.offsets[0], self.offsets[1]]];
        for d in (0..n - 1).filter(|&d| d != row) {
            let (size, steps) = dimension(d);
            let at = |start: [isize; 2], i: isize| [start[0] + i * steps[0], start[1] + i * steps[1]];
            starts = starts.iter().flat_map(|&s| (0..size as isize).map(move |i| at(s, i))).collect();
        }
        Some((starts, [dimension(row), dimension(n - 1)]))
    }
}
