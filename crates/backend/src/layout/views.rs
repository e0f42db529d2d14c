//! The layouts of views. A view of what can be addressed can be addressed, too: of the numbers here only strides along which
//! nothing lies could grow without bound, and those are bounded.

use rustorch_error::Result;

use super::{Dims, Layout, Shape, dims_from_slice};
use crate::sizes::{MOST_IN_MEMORY, volume};

/// A stride times a number of steps, or the largest stride there is: then it leads to nothing that memory holds.
pub fn stepped(stride: isize, factor: usize) -> isize {
    let most = MOST_IN_MEMORY as isize;
    stride.saturating_mul(isize::try_from(factor).unwrap_or(isize::MAX)).clamp(-most, most)
}

impl Layout {
    /// The layout with its dimensions, or some of them, in the given order.
    pub fn permute(&self, order: &[usize]) -> Self {
        let shape: Shape = order.iter().map(|&d| self.shape[d]).collect();
        let strides = order.iter().map(|&d| self.strides[d]).collect();
        let numel = if order.len() == self.ndim() { self.numel } else { volume(&shape) };
        Layout { shape, strides, offset: self.offset, numel }
    }

    fn changed(&self, change: impl FnOnce(&mut Shape, &mut Dims<isize>)) -> Self {
        let (mut shape, mut strides) = (dims_from_slice(&self.shape), dims_from_slice(&self.strides));
        change(&mut shape, &mut strides);
        let numel = volume(&shape);
        Layout { shape, strides, offset: self.offset, numel }
    }

    fn moved(&self, dim: usize, steps: usize) -> usize {
        self.offset.wrapping_add_signed((steps as isize).wrapping_mul(self.strides[dim]))
    }

    /// The layout without a dimension, at its `index`, which it has.
    pub fn select(&self, dim: usize, index: usize) -> Self {
        debug_assert!(index < self.shape[dim]);
        let offset = self.moved(dim, index);
        let selected = self.changed(|shape, strides| {
            shape.remove(dim);
            strides.remove(dim);
        });
        Layout { offset, ..selected }
    }

    /// `count` indices of a dimension, every `step`-th from `start` on. It has them.
    pub fn slice(&self, dim: usize, start: usize, count: usize, step: usize) -> Self {
        debug_assert!(count == 0 || (count - 1).saturating_mul(step).saturating_add(start) < self.shape[dim]);
        let offset = if count > 0 { self.moved(dim, start) } else { self.offset };
        let sliced = self.changed(|shape, strides| {
            shape[dim] = count;
            strides[dim] = stepped(strides[dim], step);
        });
        Layout { offset, ..sliced }
    }

    /// The layout with a dimension of size 1 before `at`.
    pub fn unsqueeze(&self, at: usize) -> Self {
        let stride = self.shape.get(at).map_or(1, |&size| stepped(self.strides[at], size));
        self.changed(|shape, strides| {
            shape.insert(at, 1);
            strides.insert(at, stride);
        })
    }

    /// The windows of `size` along a dimension, every `step`-th of them, as a last dimension. They fit the dimension.
    ///
    /// # Errors
    /// An empty layout's windows may be too many.
    pub fn unfold(&self, op: &'static str, dim: usize, size: usize, step: usize) -> Result<Self> {
        debug_assert!(size <= self.shape[dim] && step > 0);
        let (mut shape, mut strides) = (dims_from_slice(&self.shape), dims_from_slice(&self.strides));
        let along = strides[dim];
        shape[dim] = (shape[dim] - size) / step + 1;
        strides[dim] = stepped(along, step);
        shape.push(size);
        strides.push(along);
        Self::new(op, shape, strides, self.offset)
    }

    /// The diagonal of two dimensions as a last one; `offset` is above the main diagonal if positive.
    pub fn diagonal(&self, offset: i64, rows: usize, columns: usize) -> Self {
        let beside = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        let (row, column) = if offset < 0 { (beside, 0) } else { (0, beside) };
        let length = self.shape[rows].saturating_sub(row).min(self.shape[columns].saturating_sub(column));
        let start = match length {
            0 => self.offset,
            _ if offset < 0 => self.moved(rows, row),
            _ => self.moved(columns, column),
        };
        // Both are bounded, so that their sum is a number; where more than one element lies along it, also a bounded one.
        let stride = stepped(self.strides[rows] + self.strides[columns], 1);
        let rest: Dims<usize> = (0..self.ndim()).filter(|&d| d != rows && d != columns).collect();
        let diagonal = self.permute(&rest).changed(|shape, strides| {
            shape.push(length);
            strides.push(stride);
        });
        Layout { offset: start, ..diagonal }
    }

    /// A dimension backward.
    pub fn flip(&self, dim: usize) -> Self {
        let offset = self.moved(dim, self.shape[dim].saturating_sub(1));
        Layout { offset, ..self.changed(|_, strides| strides[dim] = -strides[dim]) }
    }

    /// Each element once: the dimensions along which the same ones are repeated get size 1.
    pub fn without_repetitions(&self) -> Self {
        self.changed(|shape, strides| {
            for (size, _) in shape.iter_mut().zip(strides).filter(|(_, stride)| **stride == 0) {
                *size = (*size).min(1);
            }
        })
    }

    /// The layout of complex numbers' real parts (`part` 0) or imaginary parts (1).
    ///
    /// # Errors
    /// Twice the positions do not fit memory.
    pub fn part(&self, op: &'static str, part: usize) -> Result<Self> {
        let strides = self.strides.iter().map(|stride| stride * 2).collect();
        Self::new(op, dims_from_slice(&self.shape), strides, self.offset * 2 + part)
    }

    /// The layout of complex numbers' parts, as a last dimension of 2.
    ///
    /// # Errors
    /// As [`Self::part`].
    pub fn parts(&self, op: &'static str) -> Result<Self> {
        let strides = self.strides.iter().map(|stride| stride * 2).chain([1]).collect();
        let shape = self.shape.iter().copied().chain([2]).collect();
        Self::new(op, shape, strides, self.offset * 2)
    }
}
