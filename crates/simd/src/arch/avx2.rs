//! x86's 256-bit vectors.

use std::arch::x86_64::*;

use super::Vector;
use super::float::registers;

/// 8 lanes of float32.
#[derive(Clone, Copy, Default)]
pub struct Avx2F32;

// SAFETY: every function runs instructions of AVX2 and FMA and touches the lanes that its name says.
unsafe impl Vector for Avx2F32 {
    type Element = f32;
    type Register = __m256;
    type Mask = __m256;
    const LANES: usize = 8;

    registers! {
        fn splat(x: f32) -> __m256 { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> __m256 {
        // SAFETY: `p` is valid for a read of every lane, whatever its alignment.
        unsafe { _mm256_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, x: __m256) {
        // SAFETY: `p` is valid for a write of every lane, whatever its alignment.
        unsafe { _mm256_storeu_ps(p, x) }
    }
    #[inline(always)]
    unsafe fn load_partial(p: *const f32, n: usize) -> __m256 {
        // SAFETY: only the first `n` lanes are read, for which `p` is valid; the others are masked.
        unsafe {
            _mm256_maskload_ps(
                p,
                _mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
            )
        }
    }
    #[inline(always)]
    unsafe fn store_partial(p: *mut f32, x: __m256, n: usize) {
        // SAFETY: only the first `n` lanes are written, for which `p` is valid; the others are masked.
        unsafe {
            _mm256_maskstore_ps(
                p,
                _mm256_cmpgt_epi32(_mm256_set1_epi32(n as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
                x,
            );
        }
    }
    #[inline(always)]
    unsafe fn stream(p: *mut f32, x: __m256) {
        // SAFETY: `p` is valid for a write of every lane and aligned to the vector.
        unsafe { _mm256_stream_ps(p, x) }
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const u8) -> __m256 {
        // SAFETY: `p` is valid for reads of a byte per lane, and no more are touched.
        unsafe {
            let lanes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(p.cast()));
            _mm256_castsi256_ps(_mm256_cmpgt_epi32(lanes, _mm256_setzero_si256()))
        }
    }
    #[inline(always)]
    unsafe fn store_mask(p: *mut u8, m: __m256) {
        // SAFETY: `p` is valid for writes of a byte per lane, and no more are touched.
        unsafe {
            let lanes = _mm256_srli_epi32::<31>(_mm256_castps_si256(m));
            let words = _mm_packs_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256::<1>(lanes));
            _mm_storel_epi64(p.cast(), _mm_packs_epi16(words, words));
        }
    }
    registers! {
        fn add(x: __m256, y: __m256) -> __m256 { _mm256_add_ps(x, y) }
        fn sub(x: __m256, y: __m256) -> __m256 { _mm256_sub_ps(x, y) }
        fn mul(x: __m256, y: __m256) -> __m256 { _mm256_mul_ps(x, y) }
        fn div(x: __m256, y: __m256) -> __m256 { _mm256_div_ps(x, y) }
        fn mul_add(x: __m256, y: __m256, z: __m256) -> __m256 { _mm256_fmadd_ps(x, y, z) }
        fn neg(x: __m256) -> __m256 { _mm256_xor_ps(x, _mm256_set1_ps(-0.0)) }
        fn abs(x: __m256) -> __m256 { _mm256_andnot_ps(_mm256_set1_ps(-0.0), x) }
        fn sqrt(x: __m256) -> __m256 { _mm256_sqrt_ps(x) }
        fn max(x: __m256, y: __m256) -> __m256 { _mm256_max_ps(x, y) }
        fn min(x: __m256, y: __m256) -> __m256 { _mm256_min_ps(x, y) }
        fn floor(x: __m256) -> __m256 { _mm256_round_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(x) }
        fn ceil(x: __m256) -> __m256 { _mm256_round_ps::<{ _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC }>(x) }
        fn round(x: __m256) -> __m256 { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x) }
        fn trunc(x: __m256) -> __m256 { _mm256_round_ps::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(x) }
        fn copysign(magnitude: __m256, sign: __m256) -> __m256 {
            let bit = _mm256_set1_ps(-0.0);
            _mm256_or_ps(_mm256_and_ps(bit, sign), _mm256_andnot_ps(bit, magnitude))
        }
        fn eq(x: __m256, y: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_EQ_OQ>(x, y) }
        fn ne(x: __m256, y: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_NEQ_UQ>(x, y) }
        fn lt(x: __m256, y: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_LT_OQ>(x, y) }
        fn le(x: __m256, y: __m256) -> __m256 { _mm256_cmp_ps::<_CMP_LE_OQ>(x, y) }
        fn sign_bit(x: __m256) -> __m256 {
            let zero = _mm256_setzero_si256();
            _mm256_castsi256_ps(_mm256_cmpgt_epi32(zero, _mm256_castps_si256(x)))
        }
        fn select(m: __m256, x: __m256, y: __m256) -> __m256 { _mm256_blendv_ps(y, x, m) }
        fn mask_constant(value: bool) -> __m256 { _mm256_castsi256_ps(_mm256_set1_epi8(if value { -1 } else { 0 })) }
        fn mask_and(x: __m256, y: __m256) -> __m256 { _mm256_and_ps(x, y) }
        fn mask_or(x: __m256, y: __m256) -> __m256 { _mm256_or_ps(x, y) }
        fn mask_xor(x: __m256, y: __m256) -> __m256 { _mm256_xor_ps(x, y) }
        fn mask_not(x: __m256) -> __m256 { _mm256_xor_ps(x, Self::mask_constant(true)) }
        fn any(m: __m256) -> bool { _mm256_movemask_ps(m) != 0 }
        fn scale(x: __m256, n: __m256) -> __m256 {
            // 2^n as a product of two powers whose exponents fit, so that a subnormal result is rounded once.
            let n = _mm256_cvtps_epi32(n);
            let half = _mm256_srai_epi32::<1>(n);
            let bias = _mm256_set1_epi32(127);
            let power = |n| _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(n, bias)));
            _mm256_mul_ps(_mm256_mul_ps(x, power(half)), power(_mm256_sub_epi32(n, half)))
        }
        fn split_exponent(x: __m256) -> (__m256, __m256) {
            let tiny = _mm256_cmp_ps::<_CMP_LT_OQ>(x, _mm256_set1_ps(f32::MIN_POSITIVE));
            let normal = _mm256_blendv_ps(x, _mm256_mul_ps(x, _mm256_set1_ps(33_554_432.0)), tiny);
            let bits = _mm256_castps_si256(normal);
            let root = _mm256_set1_epi32(std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32);
            let e = _mm256_srai_epi32::<23>(_mm256_sub_epi32(bits, root));
            let m = _mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32::<23>(e)));
            let shift = _mm256_and_ps(tiny, _mm256_set1_ps(25.0));
            (m, _mm256_sub_ps(_mm256_cvtepi32_ps(e), shift))
        }
    }
}

/// 4 lanes of float64.
#[derive(Clone, Copy, Default)]
pub struct Avx2F64;

// SAFETY: every function runs instructions of AVX2 and FMA and touches the lanes that its name says.
unsafe impl Vector for Avx2F64 {
    type Element = f64;
    type Register = __m256d;
    type Mask = __m256d;
    const LANES: usize = 4;

    registers! {
        fn splat(x: f64) -> __m256d { _mm256_set1_pd(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> __m256d {
        // SAFETY: `p` is valid for a read of every lane, whatever its alignment.
        unsafe { _mm256_loadu_pd(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f64, x: __m256d) {
        // SAFETY: `p` is valid for a write of every lane, whatever its alignment.
        unsafe { _mm256_storeu_pd(p, x) }
    }
    #[inline(always)]
    unsafe fn load_partial(p: *const f64, n: usize) -> __m256d {
        // SAFETY: only the first `n` lanes are read, for which `p` is valid; the others are masked.
        unsafe {
            _mm256_maskload_pd(
                p,
                _mm256_cmpgt_epi64(_mm256_set1_epi64x(n as i64), _mm256_setr_epi64x(0, 1, 2, 3)),
            )
        }
    }
    #[inline(always)]
    unsafe fn store_partial(p: *mut f64, x: __m256d, n: usize) {
        // SAFETY: only the first `n` lanes are written, for which `p` is valid; the others are masked.
        unsafe {
            _mm256_maskstore_pd(
                p,
                _mm256_cmpgt_epi64(_mm256_set1_epi64x(n as i64), _mm256_setr_epi64x(0, 1, 2, 3)),
                x,
            );
        }
    }
    #[inline(always)]
    unsafe fn stream(p: *mut f64, x: __m256d) {
        // SAFETY: `p` is valid for a write of every lane and aligned to the vector.
        unsafe { _mm256_stream_pd(p, x) }
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const u8) -> __m256d {
        // SAFETY: `p` is valid for reads of a byte per lane, and no more are touched.
        unsafe {
            let lanes = _mm256_cvtepu8_epi64(_mm_cvtsi32_si128(p.cast::<i32>().read_unaligned()));
            _mm256_castsi256_pd(_mm256_cmpgt_epi64(lanes, _mm256_setzero_si256()))
        }
    }
    #[inline(always)]
    unsafe fn store_mask(p: *mut u8, m: __m256d) {
        // SAFETY: `p` is valid for writes of a byte per lane, and no more are touched.
        unsafe {
            let bits = _mm256_movemask_pd(m);
            // Bit i of the mask becomes bit 0 of byte i.
            p.cast::<i32>().write_unaligned((bits * 0x0020_4081) & 0x0101_0101);
        }
    }
    registers! {
        fn add(x: __m256d, y: __m256d) -> __m256d { _mm256_add_pd(x, y) }
        fn sub(x: __m256d, y: __m256d) -> __m256d { _mm256_sub_pd(x, y) }
        fn mul(x: __m256d, y: __m256d) -> __m256d { _mm256_mul_pd(x, y) }
        fn div(x: __m256d, y: __m256d) -> __m256d { _mm256_div_pd(x, y) }
        fn mul_add(x: __m256d, y: __m256d, z: __m256d) -> __m256d { _mm256_fmadd_pd(x, y, z) }
        fn neg(x: __m256d) -> __m256d { _mm256_xor_pd(x, _mm256_set1_pd(-0.0)) }
        fn abs(x: __m256d) -> __m256d { _mm256_andnot_pd(_mm256_set1_pd(-0.0), x) }
        fn sqrt(x: __m256d) -> __m256d { _mm256_sqrt_pd(x) }
        fn max(x: __m256d, y: __m256d) -> __m256d { _mm256_max_pd(x, y) }
        fn min(x: __m256d, y: __m256d) -> __m256d { _mm256_min_pd(x, y) }
        fn floor(x: __m256d) -> __m256d { _mm256_round_pd::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(x) }
        fn ceil(x: __m256d) -> __m256d { _mm256_round_pd::<{ _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC }>(x) }
        fn round(x: __m256d) -> __m256d { _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x) }
        fn trunc(x: __m256d) -> __m256d { _mm256_round_pd::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(x) }
        fn copysign(magnitude: __m256d, sign: __m256d) -> __m256d {
            let bit = _mm256_set1_pd(-0.0);
            _mm256_or_pd(_mm256_and_pd(bit, sign), _mm256_andnot_pd(bit, magnitude))
        }
        fn eq(x: __m256d, y: __m256d) -> __m256d { _mm256_cmp_pd::<_CMP_EQ_OQ>(x, y) }
        fn ne(x: __m256d, y: __m256d) -> __m256d { _mm256_cmp_pd::<_CMP_NEQ_UQ>(x, y) }
        fn lt(x: __m256d, y: __m256d) -> __m256d { _mm256_cmp_pd::<_CMP_LT_OQ>(x, y) }
        fn le(x: __m256d, y: __m256d) -> __m256d { _mm256_cmp_pd::<_CMP_LE_OQ>(x, y) }
        fn sign_bit(x: __m256d) -> __m256d {
            let zero = _mm256_setzero_si256();
            _mm256_castsi256_pd(_mm256_cmpgt_epi64(zero, _mm256_castpd_si256(x)))
        }
        fn select(m: __m256d, x: __m256d, y: __m256d) -> __m256d { _mm256_blendv_pd(y, x, m) }
        fn mask_constant(value: bool) -> __m256d { _mm256_castsi256_pd(_mm256_set1_epi8(if value { -1 } else { 0 })) }
        fn mask_and(x: __m256d, y: __m256d) -> __m256d { _mm256_and_pd(x, y) }
        fn mask_or(x: __m256d, y: __m256d) -> __m256d { _mm256_or_pd(x, y) }
        fn mask_xor(x: __m256d, y: __m256d) -> __m256d { _mm256_xor_pd(x, y) }
        fn mask_not(x: __m256d) -> __m256d { _mm256_xor_pd(x, Self::mask_constant(true)) }
        fn any(m: __m256d) -> bool { _mm256_movemask_pd(m) != 0 }
        fn scale(x: __m256d, n: __m256d) -> __m256d {
            // As for float32; the integer is read off the low bits of n plus a large number.
            let half = _mm256_floor_pd(_mm256_mul_pd(n, _mm256_set1_pd(0.5)));
            let magic = _mm256_set1_pd(6_755_399_441_055_744.0 + 1023.0);
            let power = |n| {
                _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(_mm256_add_pd(n, magic))))
            };
            _mm256_mul_pd(_mm256_mul_pd(x, power(half)), power(_mm256_sub_pd(n, half)))
        }
        fn split_exponent(x: __m256d) -> (__m256d, __m256d) {
            let tiny = _mm256_cmp_pd::<_CMP_LT_OQ>(x, _mm256_set1_pd(f64::MIN_POSITIVE));
            let normal =
                _mm256_blendv_pd(x, _mm256_mul_pd(x, _mm256_set1_pd(18_014_398_509_481_984.0)), tiny);
            let bits = _mm256_castpd_si256(normal);
            // The bias keeps the difference positive, so that a logical shift serves.
            let one = 1.0f64.to_bits() as i64;
            let root = std::f64::consts::FRAC_1_SQRT_2.to_bits() as i64;
            let biased = _mm256_srli_epi64::<52>(_mm256_add_epi64(bits, _mm256_set1_epi64x(one - root)));
            let above = _mm256_slli_epi64::<52>(_mm256_sub_epi64(biased, _mm256_set1_epi64x(1023)));
            let m = _mm256_castsi256_pd(_mm256_sub_epi64(bits, above));
            // An integer below 2^52 in the low bits of 2^52 is that float.
            let magic = 4_503_599_627_370_496.0f64;
            let whole = _mm256_or_si256(biased, _mm256_set1_epi64x(magic.to_bits() as i64));
            let e = _mm256_sub_pd(_mm256_castsi256_pd(whole), _mm256_set1_pd(magic + 1023.0));
            (m, _mm256_sub_pd(e, _mm256_and_pd(tiny, _mm256_set1_pd(54.0))))
        }
    }
}
