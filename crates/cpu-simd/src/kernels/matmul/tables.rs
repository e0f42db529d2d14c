//! Which microkernels there are, for every instruction set and element type.

use rustorch_simd::SimdLevel;

use super::microkernel::{DotKernel, OffsetKernel, RowsKernel, StridedKernel};
use super::pack::PackKernel;
use super::vector::Float;

/// How products are cut for one instruction set (measured: docs/decisions/0003-tiles-per-instruction-set.md).
#[derive(Clone, Copy, Debug)]
pub struct Tiling {
    /// Registers across a tile with many rows: the shape with the fewest loads per multiply-add that fits the registers.
    pub vectors: usize,
    /// The most rows of a tile of one to four vectors.
    pub rows: [usize; 4],
    /// The most rows of a [`RowsKernel`] of one to three vectors.
    pub scattered_rows: [usize; 3],
    /// Bytes of a panel of B, one tile wide: it stays in the first cache beside what streams past it.
    pub panel_bytes: usize,
    /// Up to this depth the tiles of a row follow each other, because the product writes more than it reads; beyond it,
    /// those of a panel.
    pub shallow: usize,
}

impl Tiling {
    /// The most rows of a tile with many rows.
    pub fn tile_rows(&self) -> usize {
        self.rows[self.vectors - 1]
    }
    /// The most rows of such a tile of a [`RowsKernel`].
    pub fn scattered_tile_rows(&self) -> usize {
        self.scattered_rows[self.vectors - 1]
    }
}

/// Tiles of thirty-two registers.
const OF_32: Tiling = Tiling {
    vectors: 3,
    rows: [14, 14, 9, 6],
    scattered_rows: [9, 9, 9],
    panel_bytes: 48 << 10,
    shallow: 64,
};
/// Tiles of sixteen. Four rows of three registers would fill them all, and the compiler would keep two in memory; the
/// processors include those with a first cache of 32 KiB.
const OF_16: Tiling =
    Tiling { vectors: 2, rows: [6, 6, 3, 2], scattered_rows: [6, 6, 3], panel_bytes: 24 << 10, shallow: 0 };

/// The kernels of one instruction set and element type.
pub struct Kernels<T: 'static> {
    /// Elements per register.
    pub lanes: usize,
    /// How products are cut.
    pub tiling: Tiling,
    strided: [&'static [StridedKernel<T>]; 4],
    offset: [&'static [OffsetKernel<T>]; 4],
    scattered: [&'static [RowsKernel<T>]; 3],
    dot: [&'static [DotKernel<T>]; 4],
    /// See [`super::pack`].
    pub pack: PackKernel<T>,
}

impl<T> Kernels<T> {
    /// Registers across the tiles of a product with `rows` rows: with few, the wider tile keeps more sums going.
    pub fn vectors_for(&self, rows: usize) -> usize {
        let Tiling { vectors, rows: most, .. } = self.tiling;
        (vectors + 1..=4).rev().find(|&wide| rows <= most[wide - 1]).unwrap_or(vectors)
    }
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

/// Defines the kernel tables of one instruction set: functions that carry its target feature, for each tile shape.
macro_rules! kernel_tables {
    (@rows 32, $f:ident, $V:ty, 1) => { kernel_tables!(@list $f, $V, 1, 1 2 3 4 5 6 7 8 9 10 11 12 13 14) };
    (@rows 32, $f:ident, $V:ty, 2) => { kernel_tables!(@list $f, $V, 2, 1 2 3 4 5 6 7 8 9 10 11 12 13 14) };
    (@rows 32, $f:ident, $V:ty, 3) => { kernel_tables!(@list $f, $V, 3, 1 2 3 4 5 6 7 8 9) };
    (@rows 32, $f:ident, $V:ty, 4) => { kernel_tables!(@list $f, $V, 4, 1 2 3 4 5 6) };
    (@rows 16, $f:ident, $V:ty, 1) => { kernel_tables!(@list $f, $V, 1, 1 2 3 4 5 6) };
    (@rows 16, $f:ident, $V:ty, 2) => { kernel_tables!(@list $f, $V, 2, 1 2 3 4 5 6) };
    (@rows 16, $f:ident, $V:ty, 3) => { kernel_tables!(@list $f, $V, 3, 1 2 3) };
    (@rows 16, $f:ident, $V:ty, 4) => { kernel_tables!(@list $f, $V, 4, 1 2) };
    (@scattered 32, $f:ident, $V:ty, $n:literal) => { kernel_tables!(@list $f, $V, $n, 1 2 3 4 5 6 7 8 9) };
    (@scattered 16, $f:ident, $V:ty, 3) => { kernel_tables!(@list $f, $V, 3, 1 2 3) };
    (@scattered 16, $f:ident, $V:ty, $n:literal) => { kernel_tables!(@list $f, $V, $n, 1 2 3 4 5 6) };
    (@list $f:ident, $V:ty, $n:literal, $($m:literal)*) => { &[$($f::<$V, $m, $n>),*] };
    (@dot $f:ident, $V:ty, $m:literal) => { &[$f::<$V, $m, 1>, $f::<$V, $m, 2>, $f::<$V, $m, 3>, $f::<$V, $m, 4>] };
    (@tiling 32) => { tables::OF_32 };
    (@tiling 16) => { tables::OF_16 };
    ($registers:tt registers, $([$feature:meta])? $($table:ident: $T:ty = $V:ty),*) => {
        use super::Kernels;
        use crate::kernels::matmul::tables;
        use crate::kernels::matmul::microkernel::{self, Output};
        use crate::kernels::matmul::pack;
        use crate::kernels::matmul::vector::Vector;

        $(#[$feature])?
        unsafe fn strided_kernel<V: Vector, const MR: usize, const NV: usize>(
            k: usize, a: *const V::Element, a_step: isize, b: *const V::Element, b_step: isize,
            out: &Output<V::Element>,
        ) {
            // SAFETY: as the caller vouches.
            unsafe { microkernel::strided::<V, MR, NV>(k, a, a_step, b, b_step, out) }
        }
        $(#[$feature])?
        unsafe fn offset_kernel<V: Vector, const MR: usize, const NV: usize>(
            k: usize, a: *const V::Element, a_step: isize, b: *const V::Element, offsets: *const usize,
            out: &Output<V::Element>,
        ) {
            // SAFETY: as the caller vouches.
            unsafe { microkernel::offset::<V, MR, NV>(k, a, a_step, b, offsets, out) }
        }
        $(#[$feature])?
        unsafe fn scattered_kernel<V: Vector, const MR: usize, const NV: usize>(
            runs: usize, run: usize, a: *const *const V::Element, a_run: isize, b: *const V::Element, b_step: isize,
            out: &Output<V::Element>,
        ) {
            // SAFETY: as the caller vouches.
            unsafe { microkernel::scattered::<V, MR, NV>(runs, run, a, a_run, b, b_step, out) }
        }
        $(#[$feature])?
        unsafe fn dot_kernel<V: Vector, const MR: usize, const NR: usize>(
            k: usize, a: *const V::Element, a_row: isize, b: *const V::Element, b_row: isize, sums: *mut V::Element,
        ) {
            // SAFETY: as the caller vouches.
            unsafe { microkernel::dot::<V, MR, NR>(k, a, a_row, b, b_row, sums) }
        }
        $(#[$feature])?
        unsafe fn pack_kernel<V: Vector>(
            k: usize, from: *const V::Element, lead: isize, step: isize, count: usize, width: usize,
            to: *mut V::Element,
        ) {
            // SAFETY: as the caller vouches.
            unsafe { pack::pack::<V>(k, from, lead, step, count, width, to) }
        }

        $(
            pub static $table: Kernels<$T> = Kernels {
                lanes: <$V as Vector>::LANES,
                tiling: kernel_tables!(@tiling $registers),
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
    fn kernels_at(level: SimdLevel) -> &'static Kernels<Self>;

    /// The kernels of this process's level.
    fn kernels() -> &'static Kernels<Self> {
        Self::kernels_at(rustorch_simd::level())
    }
}

macro_rules! gemm_types {
    ($($T:ty: $table:ident),*) => {$(
        impl Gemm for $T {
            fn kernels_at(level: SimdLevel) -> &'static Kernels<Self> {
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
