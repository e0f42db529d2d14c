//! The innermost loops: a tile of the product is held in registers while `k` runs.
//!
//! A tile has up to `MR` rows and `NV` vectors of columns. Each step of `k` loads `NV` vectors of B and broadcasts `MR`
//! elements of A. The shapes are chosen so that accumulators, B and one broadcast just fill the register file, as in
//! Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (ACM TOMS 34, 2008).

use super::vector::{Float, Vector};

/// Rows of the largest tile; scratch for one tile has this many.
pub const MAX_ROWS: usize = 14;
/// Columns of the widest tile: four registers of 16.
pub const MAX_COLUMNS: usize = 64;

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

/// `out[i, j] += Σ_p a[i * a_row + p] b[j * b_row + p]` for one tile of [`DOT_ROWS`] × [`DOT_COLUMNS`] or less.
pub type DotKernel<T> = unsafe fn(k: usize, a: *const T, a_row: isize, b: *const T, b_row: isize, sums: *mut T);

/// The kernels of one instruction set and element type.
pub struct Kernels<T: 'static> {
    /// Elements per register.
    pub lanes: usize,
    /// The most rows of a tile of one to four vectors.
    pub rows: [usize; 4],
    /// The most rows of a [`RowsKernel`] of one to three vectors.
    pub scattered_rows: usize,
    strided: [&'static [StridedKernel<T>]; 4],
    offset: [&'static [OffsetKernel<T>]; 4],
    scattered: [&'static [RowsKernel<T>]; 3],
    dot: [&'static [DotKernel<T>]; 4],
    /// See [`super::pack`].
    pub pack: super::pack::PackKernel<T>,
}

impl<T> Kernels<T> {
    /// The kernel for a tile of `rows` × `vectors` (1 to 4).
    pub fn strided(&self, rows: usize, vectors: usize) -> StridedKernel<T> {
        self.strided[vectors - 1][rows - 1]
    }
    /// The kernel for a tile of `rows` × `vectors` (1 to 4).
    pub fn offset(&self, rows: usize, vectors: usize) -> OffsetKernel<T> {
        self.offset[vectors - 1][rows - 1]
    }
    /// The kernel for a tile of `rows` × `vectors` (1 to 3).
    pub fn scattered(&self, rows: usize, vectors: usize) -> RowsKernel<T> {
        self.scattered[vectors - 1][rows - 1]
    }
    /// The kernel for a tile of `rows` × `columns`, both at most 4.
    pub fn dot(&self, rows: usize, columns: usize) -> DotKernel<T> {
        self.dot[rows - 1][columns - 1]
    }
}

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
unsafe fn finish<V: Vector, const MR: usize, const NV: usize>(tile: &Tile<V, MR, NV>, out: &Output<V::Element>) {
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
unsafe fn store_tile<V: Vector>(tile: *const V::Element, rows: usize, vectors: usize, out: &Output<V::Element>) {
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

/// Defines the kernel tables of one instruction set: functions that carry its target feature, for each tile shape.
macro_rules! kernel_tables {
    (@rows 32, $f:ident, $V:ty, 1) => { kernel_tables!(@list $f, $V, 1, 1 2 3 4 5 6 7 8 9 10 11 12 13 14) };
    (@rows 32, $f:ident, $V:ty, 2) => { kernel_tables!(@list $f, $V, 2, 1 2 3 4 5 6 7 8 9 10 11 12 13 14) };
    (@rows 32, $f:ident, $V:ty, 3) => { kernel_tables!(@list $f, $V, 3, 1 2 3 4 5 6 7 8 9) };
    (@rows 32, $f:ident, $V:ty, 4) => { kernel_tables!(@list $f, $V, 4, 1 2 3 4 5 6) };
    (@rows 16, $f:ident, $V:ty, 1) => { kernel_tables!(@list $f, $V, 1, 1 2 3 4 5 6) };
    (@rows 16, $f:ident, $V:ty, 2) => { kernel_tables!(@list $f, $V, 2, 1 2 3 4 5 6) };
    (@rows 16, $f:ident, $V:ty, 3) => { kernel_tables!(@list $f, $V, 3, 1 2 3 4) };
    (@rows 16, $f:ident, $V:ty, 4) => { kernel_tables!(@list $f, $V, 4, 1 2) };
    (@scattered 32, $f:ident, $V:ty, $n:literal) => { kernel_tables!(@list $f, $V, $n, 1 2 3 4 5 6 7 8 9) };
    (@scattered 16, $f:ident, $V:ty, $n:literal) => { kernel_tables!(@list $f, $V, $n, 1 2 3 4) };
    (@list $f:ident, $V:ty, $n:literal, $($m:literal)*) => { &[$($f::<$V, $m, $n>),*] };
    (@dot $f:ident, $V:ty, $m:literal) => { &[$f::<$V, $m, 1>, $f::<$V, $m, 2>, $f::<$V, $m, 3>, $f::<$V, $m, 4>] };
    (@number 32) => { ([14, 14, 9, 6], 9) };
    (@number 16) => { ([6, 6, 4, 2], 4) };
    ($registers:tt registers, $([$feature:meta])? $($table:ident: $T:ty = $V:ty),*) => {
        use super::*;
        use crate::kernels::matmul::pack;

        $(#[$feature])?
        unsafe fn strided_kernel<V: Vector, const MR: usize, const NV: usize>(
            k: usize, a: *const V::Element, a_step: isize, b: *const V::Element, b_step: isize,
            out: &Output<V::Element>,
        ) {
            // SAFETY: as the caller vouches.
            unsafe { strided::<V, MR, NV>(k, a, a_step, b, b_step, out) }
        }
        $(#[$feature])?
        unsafe fn offset_kernel<V: Vector, const MR: usize, const NV: usize>(
            k: usize, a: *const V::Element, a_step: isize, b: *const V::Element, offsets: *const usize,
            out: &Output<V::Element>,
        ) {
            // SAFETY: as the caller vouches.
            unsafe { offset::<V, MR, NV>(k, a, a_step, b, offsets, out) }
        }
        $(#[$feature])?
        unsafe fn scattered_kernel<V: Vector, const MR: usize, const NV: usize>(
            runs: usize, run: usize, a: *const *const V::Element, a_run: isize, b: *const V::Element, b_step: isize,
            out: &Output<V::Element>,
        ) {
            // SAFETY: as the caller vouches.
            unsafe { scattered::<V, MR, NV>(runs, run, a, a_run, b, b_step, out) }
        }
        $(#[$feature])?
        unsafe fn dot_kernel<V: Vector, const MR: usize, const NR: usize>(
            k: usize, a: *const V::Element, a_row: isize, b: *const V::Element, b_row: isize, sums: *mut V::Element,
        ) {
            // SAFETY: as the caller vouches.
            unsafe { dot::<V, MR, NR>(k, a, a_row, b, b_row, sums) }
        }
        $(#[$feature])?
        unsafe fn pack_kernel<V: Vector>(
            k: usize, from: *const V::Element, lead: isize, step: isize, count: usize, width: usize,
            to: *mut V::Element,
        ) {
            // SAFETY: as the caller vouches.
            unsafe { pack::pack::<V>(k, from, lead, step, count, width, to) }
        }

        const LIMITS: ([usize; 4], usize) = kernel_tables!(@number $registers);
        $(
            pub static $table: Kernels<$T> = Kernels {
                lanes: <$V as Vector>::LANES,
                rows: LIMITS.0,
                scattered_rows: LIMITS.1,
                strided: [
                    kernel_tables!(@rows $registers, strided_kernel, $V, 1),
                    kernel_tables!(@rows $registers, strided_kernel, $V, 2),
                    kernel_tables!(@rows $registers, strided_kernel, $V, 3),
                    kernel_tables!(@rows $registers, strided_kernel, $V, 4),
                ],
                offset: [
                    kernel_tables!(@rows $registers, offset_kernel, $V, 1),
                    kernel_tables!(@rows $registers, offset_kernel, $V, 2),
                    kernel_tables!(@rows $registers, offset_kernel, $V, 3),
                    kernel_tables!(@rows $registers, offset_kernel, $V, 4),
                ],
                scattered: [
                    kernel_tables!(@scattered $registers, scattered_kernel, $V, 1),
                    kernel_tables!(@scattered $registers, scattered_kernel, $V, 2),
                    kernel_tables!(@scattered $registers, scattered_kernel, $V, 3),
                ],
                dot: [
                    kernel_tables!(@dot dot_kernel, $V, 1),
                    kernel_tables!(@dot dot_kernel, $V, 2),
                    kernel_tables!(@dot dot_kernel, $V, 3),
                    kernel_tables!(@dot dot_kernel, $V, 4),
                ],
                pack: pack_kernel::<$V>,
            };
        )*
    };
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    kernel_tables!(32 registers, [target_feature(enable = "avx512f")]
        F32: f32 = crate::kernels::matmul::vector::x86::F32x16, F64: f64 = crate::kernels::matmul::vector::x86::F64x8);
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    kernel_tables!(16 registers, [target_feature(enable = "avx2,fma")]
        F32: f32 = crate::kernels::matmul::vector::x86::F32x8, F64: f64 = crate::kernels::matmul::vector::x86::F64x4);
}

#[cfg(target_arch = "aarch64")]
mod neon {
    kernel_tables!(32 registers, [target_feature(enable = "neon")]
        F32: f32 = crate::kernels::matmul::vector::neon::F32x4, F64: f64 = crate::kernels::matmul::vector::neon::F64x2);
}

mod fallback {
    kernel_tables!(16 registers,
        F32: f32 = crate::kernels::matmul::vector::F32x4, F64: f64 = crate::kernels::matmul::vector::F64x2);
}

/// A type with kernel tables.
pub trait Gemm: Float {
    /// The kernels of `level`.
    fn kernels_at(level: crate::simd::SimdLevel) -> &'static Kernels<Self>;

    /// The kernels of this process's level.
    fn kernels() -> &'static Kernels<Self> {
        Self::kernels_at(crate::simd::level())
    }
}

macro_rules! gemm_types {
    ($($T:ty: $table:ident),*) => {$(
        impl Gemm for $T {
            fn kernels_at(level: crate::simd::SimdLevel) -> &'static Kernels<Self> {
                use crate::simd::SimdLevel;
                match level {
                    #[cfg(target_arch = "x86_64")]
                    SimdLevel::Avx512 => &avx512::$table,
                    #[cfg(target_arch = "x86_64")]
                    SimdLevel::Avx2 => &avx2::$table,
                    #[cfg(target_arch = "aarch64")]
                    SimdLevel::Neon => &neon::$table,
                    _ => &fallback::$table,
                }
            }
        }
    )*};
}

gemm_types!(f32: F32, f64: F64);
