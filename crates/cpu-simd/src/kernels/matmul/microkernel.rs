//! The innermost loops: a tile of the product is held in registers while `k` runs.
//!
//! A tile has up to `MR` rows and `NV` vectors of columns. Each step of `k` loads `NV` vectors of B and broadcasts `MR`
//! elements of A. The shapes are chosen so that accumulators, B and one broadcast just fill the register file, as in
//! Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (ACM TOMS 34, 2008).

use super::vector::{Float, Vector};

/// Rows of the largest tile; scratch for one tile has this many.
pub const MAX_ROWS: usize = 14;

/// Where a tile goes: `out[i, j] = alpha * tile[i, j] + beta * out[i, j] + row_bias[i] + column_bias[j]`.
#[derive(Clone, Copy)]
pub struct Output<T> {
    /// The tile's first element.
    pub to: *mut T,
    /// From a row to the next.
    pub row: isize,
    /// From a column to the next.
    pub column: isize,
    /// How many columns are wanted; those beyond are not written.
    pub columns: usize,
    /// Factor of the product.
    pub alpha: T,
    /// Factor of what was there; with 0 it is not read.
    pub beta: T,
    /// One element per row, or null.
    pub row_bias: *const T,
    /// One element per column, or null.
    pub column_bias: *const T,
    /// One mask per vector of columns, or null. Only columns whose bit is set are written, close together.
    /// Excludes `beta` and `column_bias`.
    pub keep: *const u32,
}

impl<T: Float> Output<T> {
    /// Plain rows, stored as they are.
    pub fn rows(to: *mut T, row: isize, columns: usize) -> Self {
        Output {
            to,
            row,
            column: 1,
            columns,
            alpha: T::ONE,
            beta: T::ZERO,
            row_bias: std::ptr::null(),
            column_bias: std::ptr::null(),
            keep: std::ptr::null(),
        }
    }
}

/// `A[i, p] = a[i + p * a_step]`, `B[p, j] = b[p * b_step + j]`: packed operands, or such as lie like packed ones.
pub type StridedKernel<T> =
    unsafe fn(k: usize, a: *const T, a_step: isize, b: *const T, b_step: isize, out: &Output<T>);

/// `A[i, p] = a[i + p * a_step]`, `B[p, j] = b[offsets[p] + j]`: the implicit matrix of a convolution.
pub type OffsetKernel<T> =
    unsafe fn(k: usize, a: *const T, a_step: isize, b: *const T, offsets: *const usize, out: &Output<T>);

/// `k` is `runs` runs of `run`: `A[i, (r, p)] = a[i][r * a_run + p]`, `B[(r, p), j] = b[(r * run + p) * b_step + j]`.
pub type RowsKernel<T> = unsafe fn(
    runs: usize,
    run: usize,
    a: *const *const T,
    a_run: isize,
    b: *const T,
    b_step: isize,
    out: &Output<T>,
);

/// `sums[i, j] = Σ_p a[i * a_row + p] b[j * b_row + p]` for a tile of at most 4 × 4.
pub type DotKernel<T> =
    unsafe fn(k: usize, a: *const T, a_row: isize, b: *const T, b_row: isize, sums: *mut T);

/// A tile of accumulators.
type Tile<V, const MR: usize, const NV: usize> = [[V; NV]; MR];

/// # Safety
/// As [`Vector`]; `a` is valid for `MR` elements and `b` for `NV` vectors.
#[inline(always)]
unsafe fn step<V: Vector, const MR: usize, const NV: usize>(
    tile: &mut Tile<V, MR, NV>,
    a: impl Fn(usize) -> *const V::Element,
    b: *const V::Element,
) {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let mut columns = [V::splat(V::Element::ZERO); NV];
        for (j, column) in columns.iter_mut().enumerate() {
            *column = V::load(b.add(j * V::LANES));
        }
        for (i, row) in tile.iter_mut().enumerate() {
            let factor = V::splat(*a(i));
            for (sum, &column) in row.iter_mut().zip(&columns) {
                *sum = column.mul_add(factor, *sum);
            }
        }
    }
}

/// Asks for the output's cache lines, so that they are there when the tile is done.
#[inline(always)]
unsafe fn prefetch<V: Vector, const MR: usize, const NV: usize>(out: &Output<V::Element>) {
    for i in 0..MR {
        let row = out.to.wrapping_offset(i as isize * out.row);
        for j in 0..NV {
            // SAFETY: a prefetch touches nothing.
            unsafe { V::prefetch(row.wrapping_add(j * V::LANES)) };
        }
    }
}

#[inline(always)]
pub(super) unsafe fn strided<V: Vector, const MR: usize, const NV: usize>(
    k: usize,
    a: *const V::Element,
    a_step: isize,
    b: *const V::Element,
    b_step: isize,
    out: &Output<V::Element>,
) {
    // SAFETY: the operands are valid for the tile, as the caller vouches.
    unsafe {
        let mut tile = [[V::splat(V::Element::ZERO); NV]; MR];
        let (mut a, mut b) = (a, b);
        prefetch::<V, MR, NV>(out);
        for _ in 0..k {
            step(&mut tile, |i| a.add(i), b);
            a = a.wrapping_offset(a_step);
            b = b.wrapping_offset(b_step);
        }
        finish(&tile, out);
    }
}

#[inline(always)]
pub(super) unsafe fn offset<V: Vector, const MR: usize, const NV: usize>(
    k: usize,
    a: *const V::Element,
    a_step: isize,
    b: *const V::Element,
    offsets: *const usize,
    out: &Output<V::Element>,
) {
    // SAFETY: the operands are valid for the tile, as the caller vouches.
    unsafe {
        let mut tile = [[V::splat(V::Element::ZERO); NV]; MR];
        let mut a = a;
        for p in 0..k {
            step(&mut tile, |i| a.add(i), b.add(*offsets.add(p)));
            a = a.wrapping_offset(a_step);
        }
        finish(&tile, out);
    }
}

#[inline(always)]
pub(super) unsafe fn scattered<V: Vector, const MR: usize, const NV: usize>(
    runs: usize,
    run: usize,
    a: *const *const V::Element,
    a_run: isize,
    b: *const V::Element,
    b_step: isize,
    out: &Output<V::Element>,
) {
    // SAFETY: the operands are valid for the tile, as the caller vouches.
    unsafe {
        let mut tile = [[V::splat(V::Element::ZERO); NV]; MR];
        let mut rows = [std::ptr::null(); MR];
        for (i, row) in rows.iter_mut().enumerate() {
            *row = *a.add(i);
        }
        let mut b = b;
        for _ in 0..runs {
            for p in 0..run {
                step(&mut tile, |i| rows[i].add(p), b);
                b = b.wrapping_offset(b_step);
            }
            for row in &mut rows {
                *row = row.wrapping_offset(a_run);
            }
        }
        finish(&tile, out);
    }
}

/// Stores a tile straight from its registers where nothing but `beta` is asked for, else by way of memory.
#[inline(always)]
unsafe fn finish<V: Vector, const MR: usize, const NV: usize>(
    tile: &Tile<V, MR, NV>,
    out: &Output<V::Element>,
) {
    let whole = out.columns == NV * V::LANES && out.column == 1 && out.keep.is_null();
    let plain = out.alpha == V::Element::ONE && out.row_bias.is_null() && out.column_bias.is_null();
    // SAFETY: the caller vouches for the output; the scratch tile is as large as the largest tile.
    unsafe {
        if whole && plain && (out.beta == V::Element::ZERO || out.beta == V::Element::ONE) {
            let add = out.beta != V::Element::ZERO;
            for (i, row) in tile.iter().enumerate() {
                let to = out.to.wrapping_offset(i as isize * out.row);
                for (j, &value) in row.iter().enumerate() {
                    let to = to.add(j * V::LANES);
                    if add {
                        value.add(V::load(to)).store(to);
                    } else {
                        value.store(to);
                    }
                }
            }
        } else {
            let mut scratch = std::mem::MaybeUninit::<[[V; NV]; MR]>::uninit();
            let scratch = scratch.as_mut_ptr().cast::<V::Element>();
            for (i, row) in tile.iter().enumerate() {
                for (j, &value) in row.iter().enumerate() {
                    value.store(scratch.add((i * NV + j) * V::LANES));
                }
            }
            store_tile::<V>(scratch, MR, NV, out);
        }
    }
}

/// Everything an [`Output`] can ask for. `tile` has `rows` rows of `vectors` vectors.
#[inline(always)]
unsafe fn store_tile<V: Vector>(
    tile: *const V::Element,
    rows: usize,
    vectors: usize,
    out: &Output<V::Element>,
) {
    let reads = out.beta != V::Element::ZERO;
    // SAFETY: the caller vouches for the output.
    unsafe {
        let (alpha, beta) = (V::splat(out.alpha), V::splat(out.beta));
        for i in 0..rows {
            let row_bias = if out.row_bias.is_null() { V::Element::ZERO } else { *out.row_bias.add(i) };
            let row_bias = V::splat(row_bias);
            let mut to = out.to.wrapping_offset(i as isize * out.row);
            for j in 0..vectors {
                let first = j * V::LANES;
                if first >= out.columns {
                    break;
                }
                let lanes = (out.columns - first).min(V::LANES);
                let mut value = V::load(tile.add((i * vectors + j) * V::LANES)).mul_add(alpha, row_bias);
                if !out.column_bias.is_null() {
                    value = value.add(V::load_first(out.column_bias.add(first), lanes));
                }
                if !out.keep.is_null() {
                    let keep = *out.keep.add(j);
                    if out.column == 1 {
                        value.store_kept(to, keep);
                    } else {
                        store_apart::<V>(value, to, out.column, keep);
                    }
                    to = to.wrapping_offset(keep.count_ones() as isize * out.column);
                } else if out.column == 1 {
                    if reads {
                        value = V::load_first(to, lanes).mul_add(beta, value);
                    }
                    value.store_first(to, lanes);
                    to = to.wrapping_add(lanes);
                } else {
                    if reads {
                        let mut there = [V::Element::ZERO; 16];
                        for (lane, there) in there.iter_mut().enumerate().take(lanes) {
                            *there = *to.wrapping_offset(lane as isize * out.column);
                        }
                        value = V::load(there.as_ptr()).mul_add(beta, value);
                    }
                    store_apart::<V>(value, to, out.column, ((1u64 << lanes) - 1) as u32);
                    to = to.wrapping_offset(lanes as isize * out.column);
                }
            }
        }
    }
}

/// Writes the lanes whose bit is set, `step` elements apart.
#[inline(always)]
unsafe fn store_apart<V: Vector>(value: V, to: *mut V::Element, step: isize, keep: u32) {
    let mut lanes = [V::Element::ZERO; 16];
    let mut to = to;
    // SAFETY: no register has more than 16 lanes; the caller vouches for the output.
    unsafe {
        value.store(lanes.as_mut_ptr());
        for (lane, &value) in lanes.iter().enumerate().take(V::LANES) {
            if keep >> lane & 1 != 0 {
                *to = value;
                to = to.wrapping_offset(step);
            }
        }
    }
}

/// Inner products of `MR` rows and `NR` columns, all contiguous in `k`. Stores `MR * NR` sums.
#[inline(always)]
pub(super) unsafe fn dot<V: Vector, const MR: usize, const NR: usize>(
    k: usize,
    a: *const V::Element,
    a_row: isize,
    b: *const V::Element,
    b_row: isize,
    sums: *mut V::Element,
) {
    // SAFETY: the operands are valid for `k` elements per row, as the caller vouches.
    unsafe {
        let mut tile = [[V::splat(V::Element::ZERO); NR]; MR];
        let mut p = 0;
        while p < k {
            let lanes = (k - p).min(V::LANES);
            let load = |from: *const V::Element| {
                if lanes == V::LANES { V::load(from) } else { V::load_first(from, lanes) }
            };
            let mut columns = [V::splat(V::Element::ZERO); NR];
            for (j, column) in columns.iter_mut().enumerate() {
                *column = load(b.wrapping_offset(j as isize * b_row).add(p));
            }
            for (i, row) in tile.iter_mut().enumerate() {
                let factor = load(a.wrapping_offset(i as isize * a_row).add(p));
                for (sum, &column) in row.iter_mut().zip(&columns) {
                    *sum = column.mul_add(factor, *sum);
                }
            }
            p += V::LANES;
        }
        for (i, row) in tile.iter().enumerate() {
            for (j, &sum) in row.iter().enumerate() {
                *sums.add(i * NR + j) = sum.sum();
            }
        }
    }
}
