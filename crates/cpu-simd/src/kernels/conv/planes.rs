//! Padded planes: an image as the taps of a kernel see it.
//!
//! With stride `s`, tap `k` of a window that stands at output `o` reads padded position `o s + k d`, which has residue
//! `k d mod s`. Positions of one residue are kept together, in a plane of their own, where the tap reads position
//! `o + k d / s`: from every output the same distance away.

use rustorch_backend::memory::Scratch;
use rustorch_backend::volume;

use crate::kernels::matmul::vector::Float;

/// Elements behind the last plane that a microkernel may read.
pub const SLACK: usize = 64;

/// How the planes of one channel lie in memory.
#[derive(Debug)]
pub struct Planes {
    /// Sizes of the channel as it is.
    pub source: [usize; 3],
    /// Zeros before the channel's first element.
    pub padding: [usize; 3],
    /// Steps between elements of a plane.
    pub stride: [usize; 3],
    /// Sizes of a plane.
    pub extent: [usize; 3],
    /// The residues that some tap reads, per dimension.
    pub residues: [Scratch<usize>; 3],
}

impl Planes {
    /// Elements of a plane.
    pub fn plane(&self) -> usize {
        volume(self.extent)
    }

    /// Elements of a channel's planes.
    pub fn channel(&self) -> usize {
        self.plane() * volume(self.residues.iter().map(|r| r.len()))
    }

    /// Where padded position `at` lies in a channel's planes. Its residues are among those kept.
    pub fn offset(&self, at: [usize; 3]) -> usize {
        let (mut plane, mut position) = (0, 0);
        for (d, at) in at.into_iter().enumerate() {
            let residue = at % self.stride[d];
            let index = self.residues[d].iter().position(|&r| r == residue).unwrap_or(0);
            plane = plane * self.residues[d].len() + index;
            position = position * self.extent[d] + at / self.stride[d];
        }
        plane * self.plane() + position
    }

    /// Copies `channels` channels into their planes. The padding is zero already and stays so.
    ///
    /// # Safety
    /// `from` is valid for the channels and `to` for their planes.
    pub unsafe fn fill<T: Float>(&self, from: *const T, channels: usize, to: *mut T) {
        let [_, height, width] = self.source;
        let mut plane = to;
        for channel in 0..channels {
            let from = from.wrapping_add(channel * volume(self.source));
            for &r0 in &self.residues[0] {
                for &r1 in &self.residues[1] {
                    for &r2 in &self.residues[2] {
                        let inside = [r0, r1, r2];
                        let ranges: [_; 3] = std::array::from_fn(|d| self.covered(d, inside[d]));
                        let source = |d: usize, y: usize| y * self.stride[d] + inside[d] - self.padding[d];
                        for y0 in ranges[0].clone() {
                            for y1 in ranges[1].clone() {
                                let row = (source(0, y0) * height + source(1, y1)) * width;
                                let start = ranges[2].start;
                                let to =
                                    plane.wrapping_add((y0 * self.extent[1] + y1) * self.extent[2] + start);
                                // SAFETY: the ranges hold positions of the source only, and of the plane.
                                unsafe {
                                    let from = from.wrapping_add(row + source(2, start));
                                    copy_row(from, self.stride[2], to, ranges[2].len());
                                }
                            }
                        }
                        plane = plane.wrapping_add(self.plane());
                    }
                }
            }
        }
    }

    /// The positions of a plane of `residue`, along dimension `d`, that hold elements of the source.
    fn covered(&self, d: usize, residue: usize) -> std::ops::Range<usize> {
        let stride = self.stride[d];
        let first = self.padding[d].saturating_sub(residue).div_ceil(stride);
        let end = (self.padding[d] + self.source[d]).saturating_sub(residue).div_ceil(stride);
        let end = end.min(self.extent[d]);
        first.min(end)..end
    }
}

#[inline(always)]
unsafe fn copy_row<T: Copy>(from: *const T, step: usize, to: *mut T, count: usize) {
    // SAFETY: as the caller vouches.
    unsafe {
        if step == 1 {
            std::ptr::copy_nonoverlapping(from, to, count);
        } else {
            for i in 0..count {
                *to.add(i) = *from.add(i * step);
            }
        }
    }
}
