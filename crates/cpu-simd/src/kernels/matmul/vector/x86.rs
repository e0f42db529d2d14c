//! AVX2 with FMA, and AVX-512.
use super::Vector;
use std::arch::x86_64::*;

macro_rules! avx512_vector {
    ($name:ident, $register:ident, $T:ty, $lanes:literal, $mask:ty, $splat:ident, $load:ident, $store:ident,
     $maskload:ident, $maskstore:ident, $fma:ident, $add:ident, $compress:ident, $sum:ident,
     $transpose:ident) => {
        #[doc = concat!("AVX-512: ", $lanes, " elements.")]
        #[derive(Clone, Copy)]
        pub struct $name($register);

        impl Vector for $name {
            type Element = $T;
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn splat(value: $T) -> Self {
                // SAFETY: the CPU has the instruction, which touches no memory.
                Self(unsafe { $splat(value) })
            }
            #[inline(always)]
            unsafe fn load(from: *const $T) -> Self {
                // SAFETY: `from` is valid for a read of every lane; any alignment will do.
                Self(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $T) {
                // SAFETY: `to` is valid for a write of every lane; any alignment will do.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $T, lanes: usize) -> Self {
                // SAFETY: `from` is valid for the first `lanes` lanes; the others are masked.
                Self(unsafe { $maskload(((1u32 << lanes) - 1) as $mask, from) })
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $T, lanes: usize) {
                // SAFETY: `to` is valid for the first `lanes` lanes; the others are masked.
                unsafe { $maskstore(to, ((1u32 << lanes) - 1) as $mask, self.0) }
            }
            #[inline(always)]
            unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
                // SAFETY: the CPU has the instruction, which touches no memory.
                Self(unsafe { $fma(self.0, factor.0, term.0) })
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: the CPU has the instruction, which touches no memory.
                Self(unsafe { $add(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn store_kept(self, to: *mut $T, keep: u32) {
                // SAFETY: `to` is valid for as many lanes as are kept; the others are masked.
                unsafe {
                    // In a register first: compressing straight to memory is microcoded on some CPUs.
                    let packed = $compress(keep as $mask, self.0);
                    $maskstore(to, ((1u32 << keep.count_ones()) - 1) as $mask, packed);
                }
            }
            #[inline(always)]
            unsafe fn sum(self) -> $T {
                // SAFETY: the CPU has the instructions, which touch no memory.
                unsafe { $sum(self.0) }
            }
            #[inline(always)]
            unsafe fn prefetch(at: *const $T) {
                // SAFETY: a hint: no address is wrong.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
            #[inline(always)]
            unsafe fn transpose(rows: &mut [Self]) {
                let mut r: [$register; $lanes] = std::array::from_fn(|i| rows[i].0);
                // SAFETY: the CPU has the instructions, which touch no memory but the array.
                unsafe { $transpose(&mut r) };
                for (row, r) in rows.iter_mut().zip(r) {
                    *row = Self(r);
                }
            }
        }
    };
}

avx512_vector!(
    F32x16,
    __m512,
    f32,
    16,
    __mmask16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_maskz_loadu_ps,
    _mm512_mask_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_maskz_compress_ps,
    _mm512_reduce_add_ps,
    transpose_16x16_f32
);
avx512_vector!(
    F64x8,
    __m512d,
    f64,
    8,
    __mmask8,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_maskz_loadu_pd,
    _mm512_mask_storeu_pd,
    _mm512_fmadd_pd,
    _mm512_add_pd,
    _mm512_maskz_compress_pd,
    _mm512_reduce_add_pd,
    transpose_8x8_f64
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
     $maskload:ident, $maskstore:ident, $fma:ident, $add:ident, $transpose:ident) => {
        #[doc = concat!("AVX2 with FMA: ", $lanes, " elements.")]
        #[derive(Clone, Copy)]
        pub struct $name($register);

        impl Vector for $name {
            type Element = $T;
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn splat(value: $T) -> Self {
                // SAFETY: the CPU has the instruction, which touches no memory.
                Self(unsafe { $splat(value) })
            }
            #[inline(always)]
            unsafe fn load(from: *const $T) -> Self {
                // SAFETY: `from` is valid for a read of every lane; any alignment will do.
                Self(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $T) {
                // SAFETY: `to` is valid for a write of every lane; any alignment will do.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $T, lanes: usize) -> Self {
                // SAFETY: `from` is valid for the first `lanes` lanes; the others are masked. `lanes` is at most `LANES`, so the
                // mask lies in its table.
                unsafe {
                    let mask = _mm256_loadu_si256($first.as_ptr().add($lanes - lanes).cast());
                    Self($maskload(from, mask))
                }
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $T, lanes: usize) {
                // SAFETY: as in `load_first`, for `to`.
                unsafe {
                    let mask = _mm256_loadu_si256($first.as_ptr().add($lanes - lanes).cast());
                    $maskstore(to, mask, self.0);
                }
            }
            #[inline(always)]
            unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
                // SAFETY: the CPU has the instruction, which touches no memory.
                Self(unsafe { $fma(self.0, factor.0, term.0) })
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: the CPU has the instruction, which touches no memory.
                Self(unsafe { $add(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn prefetch(at: *const $T) {
                // SAFETY: a hint: no address is wrong.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
            #[inline(always)]
            unsafe fn transpose(rows: &mut [Self]) {
                let mut r: [$register; $lanes] = std::array::from_fn(|i| rows[i].0);
                // SAFETY: the CPU has the instructions, which touch no memory but the array.
                unsafe { $transpose(&mut r) };
                for (row, r) in rows.iter_mut().zip(r) {
                    *row = Self(r);
                }
            }
        }
    };
}

avx2_vector!(
    F32x8,
    __m256,
    f32,
    8,
    FIRST_32,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_maskload_ps,
    _mm256_maskstore_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    transpose_8x8
);
avx2_vector!(
    F64x4,
    __m256d,
    f64,
    4,
    FIRST_64,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_maskload_pd,
    _mm256_maskstore_pd,
    _mm256_fmadd_pd,
    _mm256_add_pd,
    transpose_4x4
);
