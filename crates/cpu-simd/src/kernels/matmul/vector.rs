//! The registers that the microkernels are written over.
//!
//! A kernel is written once, `#[inline(always)]` and generic over [`Vector`], and instantiated inside functions that
//! carry the target feature. So every method here may only run where its instruction set exists.

use std::fmt::Debug;
use std::ops::{Add, Mul};

/// A floating-point type that has packed kernels.
pub trait Float:
    Copy + Default + Debug + PartialEq + PartialOrd + Add<Output = Self> + Mul<Output = Self> + Send + Sync + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Rounds to this type.
    fn from_f64(value: f64) -> Self;
}

impl Float for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
}

impl Float for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
}

/// A register of [`Self::LANES`] elements.
///
/// # Safety
/// All methods: the CPU has the instruction set; pointers are valid for the lanes that are read or written, with any
/// alignment.
pub trait Vector: Copy {
    /// The element.
    type Element: Float;
    /// Elements per register.
    const LANES: usize;

    /// All lanes equal to `value`.
    unsafe fn splat(value: Self::Element) -> Self;
    /// Reads all lanes.
    unsafe fn load(from: *const Self::Element) -> Self;
    /// Writes all lanes.
    unsafe fn store(self, to: *mut Self::Element);
    /// Reads the first `lanes` lanes; the others are 0.
    unsafe fn load_first(from: *const Self::Element, lanes: usize) -> Self;
    /// Writes the first `lanes` lanes.
    unsafe fn store_first(self, to: *mut Self::Element, lanes: usize);
    /// `self * factor + term`, rounded once where the hardware can.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;
    /// `self * other`.
    unsafe fn mul(self, other: Self) -> Self;
    /// Writes the lanes whose bit in `keep` is set, one after the other.
    #[inline(always)]
    unsafe fn store_kept(self, to: *mut Self::Element, keep: u32) {
        let mut lanes = [Self::Element::ZERO; 16];
        // SAFETY: no register has more than 16 lanes; the caller vouches for as many elements at `to` as bits are set.
        unsafe {
            self.store(lanes.as_mut_ptr());
            let mut next = to;
            for (i, &value) in lanes.iter().enumerate().take(Self::LANES) {
                if keep >> i & 1 != 0 {
                    *next = value;
                    next = next.add(1);
                }
            }
        }
    }
    /// Transposes [`Self::LANES`] registers, one per row.
    unsafe fn transpose(rows: &mut [Self]);
    /// Asks for the cache line at `at`, which need not be valid.
    #[inline(always)]
    unsafe fn prefetch(_at: *const Self::Element) {}
    /// The sum of the lanes.
    #[inline(always)]
    unsafe fn sum(self) -> Self::Element {
        let mut lanes = [Self::Element::ZERO; 16];
        // SAFETY: no register has more than 16 lanes.
        unsafe { self.store(lanes.as_mut_ptr()) };
        let mut width = Self::LANES;
        while width > 1 {
            width /= 2;
            for i in 0..width {
                lanes[i] = lanes[i] + lanes[i + width];
            }
        }
        lanes[0]
    }
}

/// Registers of plain arrays, which the compiler turns into whatever the target always has.
macro_rules! array_vector {
    ($name:ident, $T:ty, $lanes:literal) => {
        #[doc = concat!("An array of ", $lanes, " elements.")]
        #[derive(Clone, Copy)]
        pub struct $name([$T; $lanes]);

        impl Vector for $name {
            type Element = $T;
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn splat(value: $T) -> Self {
                Self([value; $lanes])
            }
            #[inline(always)]
            unsafe fn load(from: *const $T) -> Self {
                // SAFETY: the caller vouches for the lanes.
                Self(unsafe { from.cast::<[$T; $lanes]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $T) {
                // SAFETY: the caller vouches for the lanes.
                unsafe { to.cast::<[$T; $lanes]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $T, lanes: usize) -> Self {
                let mut out = [0.0; $lanes];
                for (i, lane) in out.iter_mut().enumerate().take(lanes) {
                    // SAFETY: the caller vouches for the first `lanes` elements.
                    *lane = unsafe { *from.add(i) };
                }
                Self(out)
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $T, lanes: usize) {
                for (i, lane) in self.0.into_iter().enumerate().take(lanes) {
                    // SAFETY: the caller vouches for the first `lanes` elements.
                    unsafe { *to.add(i) = lane }
                }
            }
            #[inline(always)]
            unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] * factor.0[i] + term.0[i]))
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] * other.0[i]))
            }
            #[inline(always)]
            unsafe fn transpose(rows: &mut [Self]) {
                let from: [Self; $lanes] = std::array::from_fn(|i| rows[i]);
                for (i, row) in rows.iter_mut().enumerate() {
                    *row = Self(std::array::from_fn(|j| from[j].0[i]));
                }
            }
        }
    };
}

array_vector!(F32x4, f32, 4);
array_vector!(F64x2, f64, 2);

#[cfg(target_arch = "x86_64")]
pub mod x86 {
    //! AVX2 with FMA, and AVX-512.
    use super::Vector;
    use std::arch::x86_64::*;

    macro_rules! avx512_vector {
        ($name:ident, $register:ident, $T:ty, $lanes:literal, $mask:ty, $splat:ident, $load:ident, $store:ident,
         $maskload:ident, $maskstore:ident, $fma:ident, $add:ident, $mul:ident, $compress:ident, $sum:ident,
         $transpose:ident) => {
            #[doc = concat!("AVX-512: ", $lanes, " elements.")]
            #[derive(Clone, Copy)]
            pub struct $name($register);

            // SAFETY (each block): the trait's contract.
            #[allow(clippy::undocumented_unsafe_blocks)]
            impl Vector for $name {
                type Element = $T;
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn splat(value: $T) -> Self {
                    Self(unsafe { $splat(value) })
                }
                #[inline(always)]
                unsafe fn load(from: *const $T) -> Self {
                    Self(unsafe { $load(from) })
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $T) {
                    unsafe { $store(to, self.0) }
                }
                #[inline(always)]
                unsafe fn load_first(from: *const $T, lanes: usize) -> Self {
                    Self(unsafe { $maskload(((1u32 << lanes) - 1) as $mask, from) })
                }
                #[inline(always)]
                unsafe fn store_first(self, to: *mut $T, lanes: usize) {
                    unsafe { $maskstore(to, ((1u32 << lanes) - 1) as $mask, self.0) }
                }
                #[inline(always)]
                unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
                    Self(unsafe { $fma(self.0, factor.0, term.0) })
                }
                #[inline(always)]
                unsafe fn add(self, other: Self) -> Self {
                    Self(unsafe { $add(self.0, other.0) })
                }
                #[inline(always)]
                unsafe fn mul(self, other: Self) -> Self {
                    Self(unsafe { $mul(self.0, other.0) })
                }
                #[inline(always)]
                unsafe fn store_kept(self, to: *mut $T, keep: u32) {
                    unsafe {
                        // In a register first: compressing straight to memory is microcoded on some CPUs.
                        let packed = $compress(keep as $mask, self.0);
                        $maskstore(to, ((1u32 << keep.count_ones()) - 1) as $mask, packed);
                    }
                }
                #[inline(always)]
                unsafe fn sum(self) -> $T {
                    unsafe { $sum(self.0) }
                }
                #[inline(always)]
                unsafe fn prefetch(at: *const $T) {
                    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
                }
                #[inline(always)]
                unsafe fn transpose(rows: &mut [Self]) {
                    let mut r: [$register; $lanes] = std::array::from_fn(|i| rows[i].0);
                    unsafe { $transpose(&mut r) };
                    for (row, r) in rows.iter_mut().zip(r) {
                        *row = Self(r);
                    }
                }
            }
        };
    }

    avx512_vector!(
        F32x16, __m512, f32, 16, __mmask16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_maskz_loadu_ps,
        _mm512_mask_storeu_ps, _mm512_fmadd_ps, _mm512_add_ps, _mm512_mul_ps, _mm512_maskz_compress_ps,
        _mm512_reduce_add_ps, transpose_16x16_f32
    );
    avx512_vector!(
        F64x8, __m512d, f64, 8, __mmask8, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_maskz_loadu_pd,
        _mm512_mask_storeu_pd, _mm512_fmadd_pd, _mm512_add_pd, _mm512_mul_pd, _mm512_maskz_compress_pd,
        _mm512_reduce_add_pd, transpose_8x8_f64
    );

    /// Four rounds: single elements, pairs, quarters, halves.
    #[inline(always)]
    unsafe fn transpose_16x16_f32(r: &mut [__m512; 16]) {
        // SAFETY: the caller has AVX-512.
        unsafe {
            let t: [__m512; 16] = std::array::from_fn(|i| {
                let (x, y) = (r[i & !1], r[i | 1]);
                if i & 1 == 0 { _mm512_unpacklo_ps(x, y) } else { _mm512_unpackhi_ps(x, y) }
            });
            // u[4 g + c] holds column c of each quarter, for rows 4 g to 4 g + 3.
            let u: [__m512; 16] = std::array::from_fn(|i| {
                let half = (i & !3) + (i >> 1 & 1);
                let (x, y) = (_mm512_castps_pd(t[half]), _mm512_castps_pd(t[half + 2]));
                _mm512_castpd_ps(if i & 1 == 0 { _mm512_unpacklo_pd(x, y) } else { _mm512_unpackhi_pd(x, y) })
            });
            for c in 0..4 {
                let even_01 = _mm512_shuffle_f32x4::<0x88>(u[c], u[4 + c]);
                let odd_01 = _mm512_shuffle_f32x4::<0xdd>(u[c], u[4 + c]);
                let even_23 = _mm512_shuffle_f32x4::<0x88>(u[8 + c], u[12 + c]);
                let odd_23 = _mm512_shuffle_f32x4::<0xdd>(u[8 + c], u[12 + c]);
                r[c] = _mm512_shuffle_f32x4::<0x88>(even_01, even_23);
                r[4 + c] = _mm512_shuffle_f32x4::<0x88>(odd_01, odd_23);
                r[8 + c] = _mm512_shuffle_f32x4::<0xdd>(even_01, even_23);
                r[12 + c] = _mm512_shuffle_f32x4::<0xdd>(odd_01, odd_23);
            }
        }
    }

    /// Three rounds: single elements, quarters, halves.
    #[inline(always)]
    unsafe fn transpose_8x8_f64(r: &mut [__m512d; 8]) {
        // SAFETY: the caller has AVX-512.
        unsafe {
            let t: [__m512d; 8] = std::array::from_fn(|i| {
                let (x, y) = (r[i & !1], r[i | 1]);
                if i & 1 == 0 { _mm512_unpacklo_pd(x, y) } else { _mm512_unpackhi_pd(x, y) }
            });
            for c in 0..2 {
                let even_03 = _mm512_shuffle_f64x2::<0x88>(t[c], t[2 + c]);
                let odd_03 = _mm512_shuffle_f64x2::<0xdd>(t[c], t[2 + c]);
                let even_47 = _mm512_shuffle_f64x2::<0x88>(t[4 + c], t[6 + c]);
                let odd_47 = _mm512_shuffle_f64x2::<0xdd>(t[4 + c], t[6 + c]);
                r[c] = _mm512_shuffle_f64x2::<0x88>(even_03, even_47);
                r[2 + c] = _mm512_shuffle_f64x2::<0x88>(odd_03, odd_47);
                r[4 + c] = _mm512_shuffle_f64x2::<0xdd>(even_03, even_47);
                r[6 + c] = _mm512_shuffle_f64x2::<0xdd>(odd_03, odd_47);
            }
        }
    }

    /// Three rounds: single elements, pairs, halves.
    #[inline(always)]
    unsafe fn transpose_8x8(r: &mut [__m256; 8]) {
        // SAFETY: the caller has AVX2.
        unsafe {
            let t: [__m256; 8] = std::array::from_fn(|i| {
                let (x, y) = (r[i & !1], r[i | 1]);
                if i & 1 == 0 { _mm256_unpacklo_ps(x, y) } else { _mm256_unpackhi_ps(x, y) }
            });
            let u: [__m256; 8] = std::array::from_fn(|i| {
                let half = (i & !3) + (i >> 1 & 1);
                let (x, y) = (_mm256_castps_pd(t[half]), _mm256_castps_pd(t[half + 2]));
                _mm256_castpd_ps(if i & 1 == 0 { _mm256_unpacklo_pd(x, y) } else { _mm256_unpackhi_pd(x, y) })
            });
            for c in 0..4 {
                r[c] = _mm256_permute2f128_ps::<0x20>(u[c], u[4 + c]);
                r[4 + c] = _mm256_permute2f128_ps::<0x31>(u[c], u[4 + c]);
            }
        }
    }

    /// Two rounds: single elements, halves.
    #[inline(always)]
    unsafe fn transpose_4x4(r: &mut [__m256d; 4]) {
        // SAFETY: the caller has AVX2.
        unsafe {
            let t: [__m256d; 4] = std::array::from_fn(|i| {
                let (x, y) = (r[i & !1], r[i | 1]);
                if i & 1 == 0 { _mm256_unpacklo_pd(x, y) } else { _mm256_unpackhi_pd(x, y) }
            });
            for c in 0..2 {
                r[c] = _mm256_permute2f128_pd::<0x20>(t[c], t[2 + c]);
                r[2 + c] = _mm256_permute2f128_pd::<0x31>(t[c], t[2 + c]);
            }
        }
    }

    /// Sliding window over ones and zeros: the mask of the first `n` lanes starts `n` before the zeros.
    static FIRST_32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    static FIRST_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

    macro_rules! avx2_vector {
        ($name:ident, $register:ident, $T:ty, $lanes:literal, $first:ident, $splat:ident, $load:ident, $store:ident,
         $maskload:ident, $maskstore:ident, $fma:ident, $add:ident, $mul:ident, $transpose:ident) => {
            #[doc = concat!("AVX2 with FMA: ", $lanes, " elements.")]
            #[derive(Clone, Copy)]
            pub struct $name($register);

            // SAFETY (each block): the trait's contract; `lanes` is at most `LANES`, so the mask lies in its table.
            #[allow(clippy::undocumented_unsafe_blocks)]
            impl Vector for $name {
                type Element = $T;
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn splat(value: $T) -> Self {
                    Self(unsafe { $splat(value) })
                }
                #[inline(always)]
                unsafe fn load(from: *const $T) -> Self {
                    Self(unsafe { $load(from) })
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $T) {
                    unsafe { $store(to, self.0) }
                }
                #[inline(always)]
                unsafe fn load_first(from: *const $T, lanes: usize) -> Self {
                    unsafe {
                        let mask = _mm256_loadu_si256($first.as_ptr().add($lanes - lanes).cast());
                        Self($maskload(from, mask))
                    }
                }
                #[inline(always)]
                unsafe fn store_first(self, to: *mut $T, lanes: usize) {
                    unsafe {
                        let mask = _mm256_loadu_si256($first.as_ptr().add($lanes - lanes).cast());
                        $maskstore(to, mask, self.0);
                    }
                }
                #[inline(always)]
                unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
                    Self(unsafe { $fma(self.0, factor.0, term.0) })
                }
                #[inline(always)]
                unsafe fn add(self, other: Self) -> Self {
                    Self(unsafe { $add(self.0, other.0) })
                }
                #[inline(always)]
                unsafe fn mul(self, other: Self) -> Self {
                    Self(unsafe { $mul(self.0, other.0) })
                }
                #[inline(always)]
                unsafe fn prefetch(at: *const $T) {
                    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
                }
                #[inline(always)]
                unsafe fn transpose(rows: &mut [Self]) {
                    let mut r: [$register; $lanes] = std::array::from_fn(|i| rows[i].0);
                    unsafe { $transpose(&mut r) };
                    for (row, r) in rows.iter_mut().zip(r) {
                        *row = Self(r);
                    }
                }
            }
        };
    }

    avx2_vector!(
        F32x8, __m256, f32, 8, FIRST_32, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_maskload_ps,
        _mm256_maskstore_ps, _mm256_fmadd_ps, _mm256_add_ps, _mm256_mul_ps, transpose_8x8
    );
    avx2_vector!(
        F64x4, __m256d, f64, 4, FIRST_64, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_maskload_pd,
        _mm256_maskstore_pd, _mm256_fmadd_pd, _mm256_add_pd, _mm256_mul_pd, transpose_4x4
    );
}

#[cfg(target_arch = "aarch64")]
pub mod neon {
    //! NEON, which every 64-bit Arm CPU has.
    use super::Vector;
    use std::arch::aarch64::*;

    macro_rules! neon_vector {
        ($name:ident, $register:ident, $T:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $fma:ident,
         $add:ident, $mul:ident) => {
            #[doc = concat!("NEON: ", $lanes, " elements.")]
            #[derive(Clone, Copy)]
            pub struct $name($register);

            // SAFETY (each block): the trait's contract; the partial ones touch the first `lanes` elements only.
            #[allow(clippy::undocumented_unsafe_blocks)]
            impl Vector for $name {
                type Element = $T;
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn splat(value: $T) -> Self {
                    Self(unsafe { $splat(value) })
                }
                #[inline(always)]
                unsafe fn load(from: *const $T) -> Self {
                    Self(unsafe { $load(from) })
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $T) {
                    unsafe { $store(to, self.0) }
                }
                #[inline(always)]
                unsafe fn load_first(from: *const $T, lanes: usize) -> Self {
                    let mut all = [0.0; $lanes];
                    for (i, lane) in all.iter_mut().enumerate().take(lanes) {
                        *lane = unsafe { *from.add(i) };
                    }
                    unsafe { Self::load(all.as_ptr()) }
                }
                #[inline(always)]
                unsafe fn store_first(self, to: *mut $T, lanes: usize) {
                    let mut all = [0.0; $lanes];
                    unsafe { self.store(all.as_mut_ptr()) };
                    for (i, lane) in all.into_iter().enumerate().take(lanes) {
                        unsafe { *to.add(i) = lane };
                    }
                }
                #[inline(always)]
                unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
                    Self(unsafe { $fma(term.0, self.0, factor.0) })
                }
                #[inline(always)]
                unsafe fn add(self, other: Self) -> Self {
                    Self(unsafe { $add(self.0, other.0) })
                }
                #[inline(always)]
                unsafe fn mul(self, other: Self) -> Self {
                    Self(unsafe { $mul(self.0, other.0) })
                }
                #[inline(always)]
                unsafe fn transpose(rows: &mut [Self]) {
                    let mut from = [[0.0; $lanes]; $lanes];
                    for (row, from) in rows.iter().zip(&mut from) {
                        unsafe { row.store(from.as_mut_ptr()) };
                    }
                    for (i, row) in rows.iter_mut().enumerate() {
                        let column: [$T; $lanes] = std::array::from_fn(|j| from[j][i]);
                        *row = unsafe { Self::load(column.as_ptr()) };
                    }
                }
            }
        };
    }

    neon_vector!(
        F32x4, float32x4_t, f32, 4, vdupq_n_f32, vld1q_f32, vst1q_f32, vfmaq_f32, vaddq_f32, vmulq_f32
    );
    neon_vector!(
        F64x2, float64x2_t, f64, 2, vdupq_n_f64, vld1q_f64, vst1q_f64, vfmaq_f64, vaddq_f64, vmulq_f64
    );
}
