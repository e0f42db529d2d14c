//! One matrix product: how it is cut into tiles, cache blocks and tasks.

use rustorch_backend::memory::Scratch;
use rustorch_error::Result;

use super::microkernel::{MAX_ROWS, Output};
use super::pack::SPILL;
use super::tables::{Gemm, Kernels};
use super::vector::Float;
use crate::threads::{checkpoint, num_threads, try_parallel_for};

/// Bytes of a block of A, which stays in the second cache.
const A_BLOCK_BYTES: usize = 384 << 10;
/// Bytes of packed B: a share of the last cache.
const B_BLOCK_BYTES: usize = 2 << 20;
/// Bytes of a panel of B where a tile's elements are stored one by one: as deep as the second cache allows, because every
/// block of `k` reads and writes them all again (see docs/decisions/0003-tiles-per-instruction-set.md).
const B_PANEL_APART_BYTES: usize = 192 << 10;

/// Up to so many registers of columns, rows of A that are contiguous are read where they lie: packing them would cost more
/// than it saves (measured at 512 and 1024; see docs/decisions/0001-gemm.md).
const IN_PLACE_REGISTERS: usize = 64;
/// Up to so many rows use what packing a row-major B would cost, so that it is read where it lies, in blocks of so many of
/// its rows: each is on a page of its own, and as many pages are known to the first translation cache.
const IN_PLACE_ROWS: usize = 96;
const IN_PLACE_DEPTH: usize = 64;
/// Up to so many columns of a B that is contiguous along `k` are products seen from the other side.
const FLIPPED_ROWS: usize = 64;

/// Multiply-adds per task, at least: about 20 µs.
pub const TASK_WORK: usize = 1 << 20;

/// `c = alpha * a @ b + beta * c + row_bias + column_bias`, with any strides. Sizes count elements.
#[derive(Clone, Copy, Debug)]
pub struct Product<T> {
    /// Rows of `a` and `c`.
    pub m: usize,
    /// Columns of `b` and `c`.
    pub n: usize,
    /// Columns of `a`, rows of `b`.
    pub k: usize,
    /// `a[i, p]` lies at `a[i * a_strides.0 + p * a_strides.1]`.
    pub a: *const T,
    /// See `a`.
    pub a_strides: (isize, isize),
    /// `b[p, j]` lies at `b[p * b_strides.0 + j * b_strides.1]`.
    pub b: *const T,
    /// See `b`.
    pub b_strides: (isize, isize),
    /// `c[i, j]` lies at `c[i * c_strides.0 + j * c_strides.1]`.
    pub c: *mut T,
    /// See `c`.
    pub c_strides: (isize, isize),
    /// Factor of the product.
    pub alpha: T,
    /// Factor of what was in `c`; with 0 it is not read.
    pub beta: T,
    /// One element per row, or null.
    pub row_bias: *const T,
    /// One element per column, or null.
    pub column_bias: *const T,
}

// SAFETY: tasks read `a` and `b`, and write disjoint parts of `c`, which the caller of `multiply` vouches for.
unsafe impl<T> Send for Product<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Product<T> {}

impl<T: Copy> Product<T> {
    /// The same product seen from the other side: `cᵀ = bᵀ aᵀ`.
    pub fn transposed(&self) -> Self {
        let swap = |(x, y)| (y, x);
        Product {
            m: self.n,
            n: self.m,
            a: self.b,
            a_strides: swap(self.b_strides),
            b: self.a,
            b_strides: swap(self.a_strides),
            c_strides: swap(self.c_strides),
            row_bias: self.column_bias,
            column_bias: self.row_bias,
            ..*self
        }
    }

    /// The product of matrices that lie elsewhere.
    pub fn moved(&self, [a, b, c]: [isize; 3]) -> Self {
        let (a, b, c) = (self.a.wrapping_offset(a), self.b.wrapping_offset(b), self.c.wrapping_offset(c));
        Product { a, b, c, ..*self }
    }

    /// The part of the product that fills rows `i..i + m` and columns `j..j + n` of `c`.
    fn part(&self, (i, m): (usize, usize), (j, n): (usize, usize)) -> Self {
        let skip = |bias: *const T, count| if bias.is_null() { bias } else { bias.wrapping_add(count) };
        Product {
            m,
            n,
            a: self.a.wrapping_offset(i as isize * self.a_strides.0),
            b: self.b.wrapping_offset(j as isize * self.b_strides.1),
            c: self.c.wrapping_offset(i as isize * self.c_strides.0 + j as isize * self.c_strides.1),
            row_bias: skip(self.row_bias, i),
            column_bias: skip(self.column_bias, j),
            ..*self
        }
    }
}

impl<T: Float> Product<T> {
    /// Where the tile at row `i` and column `j` goes. The first block of `k` scales what was there and adds the biases,
    /// the others add to it.
    fn output(&self, i: usize, j: usize, columns: usize, first: bool) -> Output<T> {
        let part = self.part((i, 0), (j, 0));
        Output {
            to: part.c,
            row: self.c_strides.0,
            column: self.c_strides.1,
            columns,
            alpha: self.alpha,
            beta: if first { self.beta } else { T::ONE },
            row_bias: if first { part.row_bias } else { std::ptr::null() },
            column_bias: if first { part.column_bias } else { std::ptr::null() },
            keep: std::ptr::null(),
        }
    }
}

/// Computes `product`, on several threads when it is large enough.
///
/// # Safety
/// The pointers are valid for all elements that the strides reach, and `c` overlaps neither itself nor the others.
pub unsafe fn multiply<T: Gemm>(product: &Product<T>, kernels: &Kernels<T>) -> Result<()> {
    if product.m == 0 || product.n == 0 {
        return Ok(());
    }
    let product = oriented(product, kernels);
    let work = product.m.saturating_mul(product.n).saturating_mul(product.k);
    let threads = num_threads();
    if threads == 1 || work < 2 * TASK_WORK {
        // SAFETY: as the caller vouches.
        return unsafe { multiply_block(&product, kernels) };
    }
    let grid = Grid::new(&product, kernels, threads, work);
    try_parallel_for(grid.rows.1 * grid.columns.1, 1, |tasks| {
        for task in tasks {
            let (row, column) = (task / grid.columns.1, task % grid.columns.1);
            let cut =
                |index: usize, size: usize, whole: usize| (index * size, size.min(whole - index * size));
            let part = product.part(cut(row, grid.rows.0, product.m), cut(column, grid.columns.0, product.n));
            // SAFETY: as the caller vouches; the parts are disjoint.
            unsafe { multiply_block(&part, kernels)? };
        }
        Ok(())
    })
}

/// The product or its transpose, whichever is cheaper.
fn oriented<T: Float>(product: &Product<T>, kernels: &Kernels<T>) -> Product<T> {
    let flipped = product.transposed();
    let (stored_along, flipped_along) = (product.c_strides.1 == 1, product.c_strides.0 == 1);
    if !stored_along && flipped_along {
        return flipped;
    }
    // A few rows times a large matrix that is contiguous along `k`, as in a linear layer: packing it would cost as much
    // as the product. Seen from the other side only the few rows are packed.
    let few = product.m >= kernels.lanes / 2 && product.m <= FLIPPED_ROWS && product.n > product.m;
    if few && product.b_strides.0 == 1 && product.b_strides.1 != 1 && product.k >= kernels.lanes {
        return flipped;
    }
    *product
}

/// How a product is cut into tasks: size and number of row blocks and of column blocks.
struct Grid {
    rows: (usize, usize),
    columns: (usize, usize),
}

impl Grid {
    fn new<T>(product: &Product<T>, kernels: &Kernels<T>, threads: usize, work: usize) -> Self {
        let (tile_rows, tile_columns) = (kernels.tiling.tile_rows(), kernels.tiling.vectors * kernels.lanes);
        // Two tasks per thread, so that a thread that is held up leaves one to the others.
        let wanted = (work / TASK_WORK).clamp(1, 2 * threads).next_multiple_of(threads);
        let cut = |whole: usize, parts: usize, unit: usize| {
            let size = whole.div_ceil(parts).next_multiple_of(unit).min(whole);
            (size, whole.div_ceil(size))
        };
        let packs_rows = product.a_strides.1 != 1 || product.n > IN_PLACE_REGISTERS * kernels.lanes;
        let mut best = (usize::MAX, Grid { rows: (product.m, 1), columns: (product.n, 1) });
        for parts in (1..=wanted).filter(|parts| wanted.is_multiple_of(*parts)) {
            let rows = cut(product.m, parts, tile_rows);
            let columns = cut(product.n, wanted / parts, tile_columns);
            // What the busiest thread computes, and what it packs: as much per element as 16 multiply-adds.
            let turns = (rows.1 * columns.1).div_ceil(threads);
            let packed = columns.0 + if packs_rows { rows.0 } else { 0 };
            let cost = turns * (rows.0 * columns.0 + 16 * packed);
            if cost < best.0 {
                best = (cost, Grid { rows, columns });
            }
        }
        best.1
    }
}

/// Computes `product` on the calling thread.
///
/// # Safety
/// As [`multiply`].
unsafe fn multiply_block<T: Gemm>(product: &Product<T>, kernels: &Kernels<T>) -> Result<()> {
    let along_k = product.a_strides.1 == 1 && product.b_strides.0 == 1 && product.k >= kernels.lanes;
    // SAFETY: as the caller vouches.
    unsafe {
        if along_k && (product.m < 4 || product.n < 4 || (product.m <= 4 && product.n > 4)) {
            multiply_dots(product, kernels);
            Ok(())
        } else if product.m <= kernels.tiling.rows[3] && product.b_strides.1 == 1 {
            multiply_wide(product, kernels)
        } else {
            multiply_packed(product, kernels)
        }
    }
}

/// Few rows or few columns, both operands contiguous along `k`: inner products, nothing is packed.
unsafe fn multiply_dots<T: Gemm>(product: &Product<T>, kernels: &Kernels<T>) {
    let mut sums = [T::ZERO; 16];
    for i in (0..product.m).step_by(4) {
        checkpoint();
        let rows = (product.m - i).min(4);
        for j in (0..product.n).step_by(4) {
            let columns = (product.n - j).min(4);
            let part = product.part((i, rows), (j, columns));
            // SAFETY: as the caller vouches; at most 16 sums.
            unsafe {
                let dot = kernels.dot(rows, columns);
                dot(product.k, part.a, part.a_strides.0, part.b, part.b_strides.1, sums.as_mut_ptr());
                for (at, &sum) in sums.iter().enumerate().take(rows * columns) {
                    let (row, column) = (at / columns, at % columns);
                    let to = part.c.wrapping_offset(
                        row as isize * part.c_strides.0 + column as isize * part.c_strides.1,
                    );
                    let mut value = sum * part.alpha;
                    if part.beta != T::ZERO {
                        value = value + part.beta * *to;
                    }
                    if !part.row_bias.is_null() {
                        value = value + *part.row_bias.add(row);
                    }
                    if !part.column_bias.is_null() {
                        value = value + *part.column_bias.add(column);
                    }
                    *to = value;
                }
            }
        }
    }
}

/// So few rows that each element of B is used once: B is read where it lies, in wide tiles.
unsafe fn multiply_wide<T: Gemm>(product: &Product<T>, kernels: &Kernels<T>) -> Result<()> {
    let Product { m, n, k, .. } = *product;
    let packed = Scratch::<T>::with_room(k * m + SPILL)?;
    let a = packed.as_ptr();
    let last =
        Scratch::<T>::with_room(if n.is_multiple_of(kernels.lanes) { 0 } else { k * kernels.lanes + SPILL })?;
    // SAFETY: as the caller vouches; the last, partial vector of columns is packed, so that no load leaves B.
    unsafe {
        (kernels.pack)(k, product.a, product.a_strides.0, product.a_strides.1, m, m, a);
        let mut j = 0;
        while j < n {
            checkpoint();
            let left = n - j;
            let vectors = [4, 2, 1].into_iter().find(|v| v * kernels.lanes <= left).unwrap_or(0);
            let b = product.b.wrapping_offset(j as isize * product.b_strides.1);
            let b_step = product.b_strides.0;
            if vectors == 0 {
                (kernels.pack)(k, b, product.b_strides.1, b_step, left, kernels.lanes, last.as_ptr());
                let out = product.output(0, j, left, true);
                kernels.strided(m, 1)(k, a, m as isize, last.as_ptr(), kernels.lanes as isize, &out);
                break;
            }
            let columns = vectors * kernels.lanes;
            kernels.strided(m, vectors)(k, a, m as isize, b, b_step, &product.output(0, j, columns, true));
            j += columns;
        }
    }
    Ok(())
}

/// The size of `parts` nearly equal parts, so that the last is not a sliver.
fn even_part(whole: usize, largest: usize) -> usize {
    whole.div_ceil(whole.div_ceil(largest.max(1)).max(1)).max(1)
}

/// The general case: blocks of A and B are packed and multiplied tile by tile.
unsafe fn multiply_packed<T: Gemm>(product: &Product<T>, kernels: &Kernels<T>) -> Result<()> {
    let Product { m, n, k, .. } = *product;
    let width = kernels.tiling.vectors * kernels.lanes;
    let tile_rows = kernels.tiling.tile_rows();
    // So few rows that packing B costs more than reading it where it lies.
    let b_in_place = product.b_strides.1 == 1 && m <= IN_PLACE_ROWS;
    let panel_bytes = if product.c_strides.1 == 1 { kernels.tiling.panel_bytes } else { B_PANEL_APART_BYTES };
    let k_block =
        even_part(k, if b_in_place { IN_PLACE_DEPTH } else { panel_bytes / (width * size_of::<T>()) });
    let n_block = even_part(n, B_BLOCK_BYTES / (k_block * size_of::<T>())).next_multiple_of(width);
    let m_block = even_part(m, A_BLOCK_BYTES / (k_block * size_of::<T>()) / tile_rows * tile_rows);
    // Rows of A that are contiguous along `k`, each used for few columns, are read where they lie.
    let in_place = product.a_strides.1 == 1 && n <= IN_PLACE_REGISTERS * kernels.lanes;
    let packed_a = Scratch::<T>::with_room(if in_place { 0 } else { m_block * k_block + SPILL })?;
    let packed_b = Scratch::<T>::with_room(n_block.min(n.next_multiple_of(width)) * k_block + SPILL)?;

    for j in (0..n).step_by(n_block) {
        let columns = (n - j).min(n_block);
        for p in (0..k.max(1)).step_by(k_block) {
            let depth = (k - p).min(k_block);
            let (p_step, j_step) = product.b_strides;
            let b = product.b.wrapping_offset(p as isize * p_step + j as isize * j_step);
            let in_place_b = b_in_place.then_some((b, p_step));
            let panels = Panels { kernels, depth, first: p == 0, packed_b: packed_b.as_ptr(), in_place_b };
            // SAFETY: as the caller vouches; the scratch holds the blocks.
            unsafe {
                panels.pack_b(b, product.b_strides, columns);
                for i in (0..m).step_by(m_block) {
                    checkpoint();
                    let part = product.part((i, (m - i).min(m_block)), (j, columns));
                    let a = part.a.wrapping_offset(p as isize * product.a_strides.1);
                    if in_place {
                        panels.multiply_in_place(&part, a);
                    } else {
                        panels.multiply(&part, a, packed_a.as_ptr());
                    }
                }
            }
        }
    }
    Ok(())
}

/// A block of B, and what is done with it.
struct Panels<'a, T: 'static> {
    kernels: &'a Kernels<T>,
    depth: usize,
    /// Whether this is the first block of `k`.
    first: bool,
    packed_b: *mut T,
    /// The block where it lies and its step along `k`, for panels of whole registers.
    in_place_b: Option<(*const T, isize)>,
}

/// A panel of B: its first column, its number of columns and of registers, where it lies, and its step along `k`.
struct Panel<T> {
    column: usize,
    columns: usize,
    vectors: usize,
    b: *const T,
    step: isize,
}

impl<T: Gemm> Panels<'_, T> {
    #[inline(always)]
    fn for_each_panel(&self, columns: usize, mut each: impl FnMut(Panel<T>)) {
        let lanes = self.kernels.lanes;
        let registers = columns.div_ceil(lanes);
        let panels = registers.div_ceil(self.kernels.tiling.vectors);
        for panel in 0..panels {
            // As even as can be: a tile of one register would load as often as it multiplies.
            let (from, to) = (panel * registers / panels, (panel + 1) * registers / panels);
            let (column, vectors) = (from * lanes, to - from);
            let count = (columns - column).min(vectors * lanes);
            let (b, step) = match self.in_place_b {
                Some((b, step)) if count == vectors * lanes => (b.wrapping_add(column), step),
                _ => {
                    (self.packed_b.wrapping_add(column * self.depth).cast_const(), (vectors * lanes) as isize)
                }
            };
            each(Panel { column, columns: count, vectors, b, step });
        }
    }

    unsafe fn pack_b(&self, b: *const T, strides: (isize, isize), columns: usize) {
        self.for_each_panel(columns, |panel| {
            let width = panel.vectors * self.kernels.lanes;
            let to = self.packed_b.wrapping_add(panel.column * self.depth);
            if panel.b == to.cast_const() {
                let from = b.wrapping_offset(panel.column as isize * strides.1);
                // SAFETY: as the caller vouches.
                unsafe {
                    (self.kernels.pack)(self.depth, from, strides.1, strides.0, panel.columns, width, to);
                }
            }
        });
    }

    unsafe fn multiply(&self, part: &Product<T>, a: *const T, packed_a: *mut T) {
        let height = even_part(part.m, self.kernels.tiling.tile_rows());
        // SAFETY: as the caller vouches; a panel of `rows` rows takes `rows * depth` elements of the scratch.
        unsafe {
            for i in (0..part.m).step_by(height) {
                let from = a.wrapping_offset(i as isize * part.a_strides.0);
                let rows = (part.m - i).min(height);
                let to = packed_a.add(i * self.depth);
                (self.kernels.pack)(self.depth, from, part.a_strides.0, part.a_strides.1, rows, rows, to);
            }
            let tile = |panel: &Panel<T>, i: usize| {
                let rows = (part.m - i).min(height);
                let out = part.output(i, panel.column, panel.columns, self.first);
                let kernel = self.kernels.strided(rows, panel.vectors);
                kernel(self.depth, packed_a.add(i * self.depth), rows as isize, panel.b, panel.step, &out);
            };
            if self.depth <= self.kernels.tiling.shallow {
                for i in (0..part.m).step_by(height) {
                    self.for_each_panel(part.n, |panel| tile(&panel, i));
                }
            } else {
                self.for_each_panel(part.n, |panel| {
                    for i in (0..part.m).step_by(height) {
                        tile(&panel, i);
                    }
                });
            }
        }
    }

    /// As `multiply`, for rows of A that are contiguous.
    unsafe fn multiply_in_place(&self, part: &Product<T>, a: *const T) {
        let height = even_part(part.m, self.kernels.tiling.scattered_tile_rows());
        let mut starts = [a; MAX_ROWS];
        for i in (0..part.m).step_by(height) {
            checkpoint();
            let rows = (part.m - i).min(height);
            for (r, start) in starts.iter_mut().enumerate().take(rows) {
                *start = a.wrapping_offset((i + r) as isize * part.a_strides.0);
            }
            self.for_each_panel(part.n, |panel| {
                let out = part.output(i, panel.column, panel.columns, self.first);
                let kernel = self.kernels.scattered(rows, panel.vectors);
                // SAFETY: as the caller vouches.
                unsafe {
                    kernel(1, self.depth, starts.as_ptr(), 0, panel.b, panel.step, &out);
                }
            });
        }
    }
}
