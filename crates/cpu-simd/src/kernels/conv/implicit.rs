//! Products of a packed weight with the implicit matrix whose rows are shifted planes.

use std::ops::Range;

use rustorch_backend::memory::Scratch;
use rustorch_backend::volume;
use rustorch_error::Result;

use crate::kernels::matmul::microkernel::Output;
use crate::kernels::matmul::pack::SPILL;
use crate::kernels::matmul::tables::{Gemm, Kernels};

/// Weights larger than this do not stay in the second cache while the columns go by.
const CACHED_WEIGHT_BYTES: usize = 512 << 10;

/// A weight matrix, packed in panels of rows for the microkernels.
pub struct PackedWeight<T> {
    panels: Scratch<T>,
    rows: usize,
    k: usize,
    height: usize,
}

// SAFETY: tasks only read the panels.
unsafe impl<T> Sync for PackedWeight<T> {}

impl<T: Gemm> PackedWeight<T> {
    /// Packs `rows` rows of `k` contiguous elements.
    ///
    /// # Safety
    /// `from` is valid for them.
    pub unsafe fn new(from: *const T, rows: usize, k: usize, kernels: &Kernels<T>) -> Result<Self> {
        let most = kernels.tiling.rows[kernels.vectors_for(rows) - 1];
        let height = rows.div_ceil(rows.div_ceil(most).max(1)).max(1);
        let panels = Scratch::<T>::with_room(rows * k + SPILL)?;
        for i in (0..rows).step_by(height) {
            let count = (rows - i).min(height);
            // SAFETY: as the caller vouches; the panels lie one after the other.
            unsafe {
                let to = panels.as_ptr().add(i * k);
                (kernels.pack)(k, from.add(i * k), k as isize, 1, count, count, to);
            }
        }
        Ok(PackedWeight { panels, rows, k, height })
    }

    fn bytes(&self) -> usize {
        self.rows * self.k * size_of::<T>()
    }
}

/// The columns of the implicit matrix: positions in a plane, from the first output's to the last one's. Those between
/// two rows of outputs are computed and dropped.
pub struct Columns {
    /// How many there are.
    pub count: usize,
    /// One mask per register: which positions are outputs. Empty when all are.
    keep: Scratch<u32>,
    /// How many outputs lie before each register.
    before: Scratch<usize>,
    lanes: usize,
}

impl Columns {
    /// For outputs of `sizes` in planes of `extent`.
    pub fn new(sizes: [usize; 3], extent: [usize; 3], lanes: usize) -> Result<Self> {
        if sizes.contains(&0) {
            return Ok(Columns { count: 0, keep: Scratch::new(), before: Scratch::new(), lanes });
        }
        let last = sizes.map(|size| size - 1);
        let count = (last[0] * extent[1] + last[1]) * extent[2] + last[2] + 1;
        let (mut keep, mut before) = (Scratch::<u32>::new(), Scratch::new());
        if count != volume(sizes) {
            keep = Scratch::zeroed(count.div_ceil(lanes))?;
            before = Scratch::zeroed(keep.len())?;
            for row in 0..sizes[0] * sizes[1] {
                let start = (row / sizes[1] * extent[1] + row % sizes[1]) * extent[2];
                for at in start..start + sizes[2] {
                    keep[at / lanes] |= 1 << (at % lanes);
                }
            }
            let mut total = 0;
            for (before, keep) in before.iter_mut().zip(&keep) {
                *before = total;
                total += keep.count_ones() as usize;
            }
        }
        Ok(Columns { count, keep, before, lanes })
    }

    /// The number of registers.
    pub fn vectors(&self) -> usize {
        self.count.div_ceil(self.lanes)
    }
}

/// `out[i, j] = Σ_p weight[i, p] * planes[offsets[p] + j] + bias[i]` for the columns that are outputs.
pub struct ImplicitProduct<'a, T: 'static> {
    /// The microkernels.
    pub kernels: &'a Kernels<T>,
    /// The left matrix.
    pub weight: &'a PackedWeight<T>,
    /// Where each row of the right matrix begins in the planes.
    pub offsets: &'a [usize],
    /// Which columns there are.
    pub columns: &'a Columns,
}

impl<T: Gemm> ImplicitProduct<'_, T> {
    /// Computes the columns in a range of registers. `out` has rows of `row` elements.
    ///
    /// # Safety
    /// `planes` is valid at every offset for all columns and [`super::planes::SLACK`] more, `out` for the outputs, and
    /// `bias` for the rows or null.
    pub unsafe fn run(
        &self,
        planes: *const T,
        out: *mut T,
        row: usize,
        bias: *const T,
        registers: Range<usize>,
    ) {
        let wide = self.kernels.vectors_for(self.weight.rows);
        let tile = |i: usize, at: usize| {
            let vectors = (registers.end - at).min(wide);
            // SAFETY: as the caller vouches.
            unsafe { self.tile(planes, out, row, bias, i, (at, vectors)) }
        };
        if self.weight.bytes() <= CACHED_WEIGHT_BYTES {
            for at in registers.clone().step_by(wide) {
                for i in (0..self.weight.rows).step_by(self.weight.height) {
                    tile(i, at);
                }
            }
        } else {
            for i in (0..self.weight.rows).step_by(self.weight.height) {
                for at in registers.clone().step_by(wide) {
                    tile(i, at);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn tile(
        &self,
        planes: *const T,
        out: *mut T,
        row: usize,
        bias: *const T,
        i: usize,
        (at, vectors): (usize, usize),
    ) {
        let lanes = self.columns.lanes;
        let rows = (self.weight.rows - i).min(self.weight.height);
        let first = at * lanes;
        let dense = self.columns.keep.is_empty();
        let skipped = if dense { first } else { self.columns.before[at] };
        // SAFETY: as the caller vouches; the masks cover the tile's registers.
        unsafe {
            let to = out.add(i * row + skipped);
            let mut output =
                Output::rows(to, row as isize, (self.columns.count - first).min(vectors * lanes));
            if !bias.is_null() {
                output.row_bias = bias.add(i);
            }
            if !dense {
                output.keep = self.columns.keep.as_ptr().add(at);
            }
            let a = self.weight.panels.as_ptr().add(i * self.weight.k);
            let kernel = self.kernels.offset(rows, vectors);
            kernel(self.weight.k, a, rows as isize, planes.add(first), self.offsets.as_ptr(), &output);
        }
    }
}
