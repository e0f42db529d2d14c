//! x86's 512-bit vectors.

use std::arch::x86_64::*;

use super::Vector;
use super::float::registers;

/// 16 lanes of float32.
#[derive(Clone, Copy, Default)]
pub struct Avx512F32;

// SAFETY: every function runs instructions of AVX-512 F, BW, DQ and VL and touches the lanes that its name says.
unsafe impl Vector for Avx512F32 {
    type Element = f32;
    type Register = __m512;
    type Mask = __mmask16;
    const LANES: usize = 16;

    registers! {
        fn splat(x: f32) -> __m512 { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> __m512 {
        // SAFETY: `p` is valid for a read of every lane, whatever its alignment.
        unsafe { _mm512_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, x: __m512) {
        // SAFETY: `p` is valid for a write of every lane, whatever its alignment.
        unsafe { _mm512_storeu_ps(p, x) }
    }
    #[inline(always)]
    unsafe fn load_partial(p: *const f32, n: usize) -> __m512 {
        // SAFETY: only the first `n` lanes are read, for which `p` is valid; the others are masked.
        unsafe { _mm512_maskz_loadu_ps((1 << n) - 1, p) }
    }
    #[inline(always)]
    unsafe fn store_partial(p: *mut f32, x: __m512, n: usize) {
        // SAFETY: only the first `n` lanes are written, for which `p` is valid; the others are masked.
        unsafe { _mm512_mask_storeu_ps(p, (1 << n) - 1, x) }
    }
    #[inline(always)]
    unsafe fn stream(p: *mut f32, x: __m512) {
        // SAFETY: `p` is valid for a write of every lane and aligned to the vector.
        unsafe { _mm512_stream_ps(p, x) }
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const u8) -> __mmask16 {
        // SAFETY: `p` is valid for reads of a byte per lane, and no more are touched.
        unsafe {
            let bytes = _mm_loadu_si128(p.cast());
            _mm_test_epi8_mask(bytes, bytes)
        }
    }
    #[inline(always)]
    unsafe fn store_mask(p: *mut u8, m: __mmask16) {
        // SAFETY: `p` is valid for writes of a byte per lane, and no more are touched.
        unsafe { _mm_storeu_si128(p.cast(), _mm_maskz_set1_epi8(m, 1)) }
    }
    registers! {
        fn add(x: __m512, y: __m512) -> __m512 { _mm512_add_ps(x, y) }
        fn sub(x: __m512, y: __m512) -> __m512 { _mm512_sub_ps(x, y) }
        fn mul(x: __m512, y: __m512) -> __m512 { _mm512_mul_ps(x, y) }
        fn div(x: __m512, y: __m512) -> __m512 { _mm512_div_ps(x, y) }
        fn mul_add(x: __m512, y: __m512, z: __m512) -> __m512 { _mm512_fmadd_ps(x, y, z) }
        fn neg(x: __m512) -> __m512 { _mm512_xor_ps(x, _mm512_set1_ps(-0.0)) }
        fn abs(x: __m512) -> __m512 { _mm512_abs_ps(x) }
        fn sqrt(x: __m512) -> __m512 { _mm512_sqrt_ps(x) }
        fn max(x: __m512, y: __m512) -> __m512 { _mm512_max_ps(x, y) }
        fn min(x: __m512, y: __m512) -> __m512 { _mm512_min_ps(x, y) }
        fn floor(x: __m512) -> __m512 { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(x) }
        fn ceil(x: __m512) -> __m512 { _mm512_roundscale_ps::<{ _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC }>(x) }
        fn round(x: __m512) -> __m512 { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x) }
        fn trunc(x: __m512) -> __m512 { _mm512_roundscale_ps::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(x) }
        fn copysign(magnitude: __m512, sign: __m512) -> __m512 {
            let bit = _mm512_set1_ps(-0.0);
            _mm512_or_ps(_mm512_and_ps(bit, sign), _mm512_andnot_ps(bit, magnitude))
        }
        fn eq(x: __m512, y: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(x, y) }
        fn ne(x: __m512, y: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(x, y) }
        fn lt(x: __m512, y: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(x, y) }
        fn le(x: __m512, y: __m512) -> __mmask16 { _mm512_cmp_ps_mask::<_CMP_LE_OQ>(x, y) }
        fn sign_bit(x: __m512) -> __mmask16 { _mm512_movepi32_mask(_mm512_castps_si512(x)) }
        fn select(m: __mmask16, x: __m512, y: __m512) -> __m512 { _mm512_mask_blend_ps(m, y, x) }
    }
    #[inline(always)]
    unsafe fn mask_constant(value: bool) -> __mmask16 {
        if value { !0 } else { 0 }
    }
    #[inline(always)]
    unsafe fn mask_and(x: __mmask16, y: __mmask16) -> __mmask16 {
        x & y
    }
    #[inline(always)]
    unsafe fn mask_or(x: __mmask16, y: __mmask16) -> __mmask16 {
        x | y
    }
    #[inline(always)]
    unsafe fn mask_xor(x: __mmask16, y: __mmask16) -> __mmask16 {
        x ^ y
    }
    #[inline(always)]
    unsafe fn mask_not(x: __mmask16) -> __mmask16 {
        !x
    }
    #[inline(always)]
    unsafe fn any(m: __mmask16) -> bool {
        m != 0
    }
    registers! {
        fn scale(x: __m512, n: __m512) -> __m512 { _mm512_scalef_ps(x, n) }
        fn split_exponent(x: __m512) -> (__m512, __m512) {
            let m = _mm512_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(x);
            let e = _mm512_getexp_ps(x);
            let high = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(m, _mm512_set1_ps(std::f32::consts::SQRT_2));
            let half = _mm512_set1_ps(0.5);
            let one = _mm512_set1_ps(1.0);
            (_mm512_mask_mul_ps(m, high, m, half), _mm512_mask_add_ps(e, high, e, one))
        }
    }
}

/// 8 lanes of float64.
#[derive(Clone, Copy, Default)]
pub struct Avx512F64;

// SAFETY: every function runs instructions of AVX-512 F, BW, DQ and VL and touches the lanes that its name says.
unsafe impl Vector for Avx512F64 {
    type Element = f64;
    type Register = __m512d;
    type Mask = __mmask8;
    const LANES: usize = 8;

    registers! {
        fn splat(x: f64) -> __m512d { _mm512_set1_pd(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> __m512d {
        // SAFETY: `p` is valid for a read of every lane, whatever its alignment.
        unsafe { _mm512_loadu_pd(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f64, x: __m512d) {
        // SAFETY: `p` is valid for a write of every lane, whatever its alignment.
        unsafe { _mm512_storeu_pd(p, x) }
    }
    #[inline(always)]
    unsafe fn load_partial(p: *const f64, n: usize) -> __m512d {
        // SAFETY: only the first `n` lanes are read, for which `p` is valid; the others are masked.
        unsafe { _mm512_maskz_loadu_pd((1 << n) - 1, p) }
    }
    #[inline(always)]
    unsafe fn store_partial(p: *mut f64, x: __m512d, n: usize) {
        // SAFETY: only the first `n` lanes are written, for which `p` is valid; the others are masked.
        unsafe { _mm512_mask_storeu_pd(p, (1 << n) - 1, x) }
    }
    #[inline(always)]
    unsafe fn stream(p: *mut f64, x: __m512d) {
        // SAFETY: `p` is valid for a write of every lane and aligned to the vector.
        unsafe { _mm512_stream_pd(p, x) }
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const u8) -> __mmask8 {
        // SAFETY: `p` is valid for reads of a byte per lane, and no more are touched.
        unsafe {
            let bytes = _mm_loadl_epi64(p.cast());
            _mm_test_epi8_mask(bytes, bytes) as __mmask8
        }
    }
    #[inline(always)]
    unsafe fn store_mask(p: *mut u8, m: __mmask8) {
        // SAFETY: `p` is valid for writes of a byte per lane, and no more are touched.
        unsafe { _mm_storel_epi64(p.cast(), _mm_maskz_set1_epi8(m as __mmask16, 1)) }
    }
    registers! {
        fn add(x: __m512d, y: __m512d) -> __m512d { _mm512_add_pd(x, y) }
        fn sub(x: __m512d, y: __m512d) -> __m512d { _mm512_sub_pd(x, y) }
        fn mul(x: __m512d, y: __m512d) -> __m512d { _mm512_mul_pd(x, y) }
        fn div(x: __m512d, y: __m512d) -> __m512d { _mm512_div_pd(x, y) }
        fn mul_add(x: __m512d, y: __m512d, z: __m512d) -> __m512d { _mm512_fmadd_pd(x, y, z) }
        fn neg(x: __m512d) -> __m512d { _mm512_xor_pd(x, _mm512_set1_pd(-0.0)) }
        fn abs(x: __m512d) -> __m512d { _mm512_abs_pd(x) }
        fn sqrt(x: __m512d) -> __m512d { _mm512_sqrt_pd(x) }
        fn max(x: __m512d, y: __m512d) -> __m512d { _mm512_max_pd(x, y) }
        fn min(x: __m512d, y: __m512d) -> __m512d { _mm512_min_pd(x, y) }
        fn floor(x: __m512d) -> __m512d { _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(x) }
        fn ceil(x: __m512d) -> __m512d { _mm512_roundscale_pd::<{ _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC }>(x) }
        fn round(x: __m512d) -> __m512d { _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x) }
        fn trunc(x: __m512d) -> __m512d { _mm512_roundscale_pd::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(x) }
        fn copysign(magnitude: __m512d, sign: __m512d) -> __m512d {
            let bit = _mm512_set1_pd(-0.0);
            _mm512_or_pd(_mm512_and_pd(bit, sign), _mm512_andnot_pd(bit, magnitude))
        }
        fn eq(x: __m512d, y: __m512d) -> __mmask8 { _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(x, y) }
        fn ne(x: __m512d, y: __m512d) -> __mmask8 { _mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(x, y) }
        fn lt(x: __m512d, y: __m512d) -> __mmask8 { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(x, y) }
        fn le(x: __m512d, y: __m512d) -> __mmask8 { _mm512_cmp_pd_mask::<_CMP_LE_OQ>(x, y) }
        fn sign_bit(x: __m512d) -> __mmask8 { _mm512_movepi64_mask(_mm512_castpd_si512(x)) }
        fn select(m: __mmask8, x: __m512d, y: __m512d) -> __m512d { _mm512_mask_blend_pd(m, y, x) }
    }
    #[inline(always)]
    unsafe fn mask_constant(value: bool) -> __mmask8 {
        if value { !0 } else { 0 }
    }
    #[inline(always)]
    unsafe fn mask_and(x: __mmask8, y: __mmask8) -> __mmask8 {
        x & y
    }
    #[inline(always)]
    unsafe fn mask_or(x: __mmask8, y: __mmask8) -> __mmask8 {
        x | y
    }
    #[inline(always)]
    unsafe fn mask_xor(x: __mmask8, y: __mmask8) -> __mmask8 {
        x ^ y
    }
    #[inline(always)]
    unsafe fn mask_not(x: __mmask8) -> __mmask8 {
        !x
    }
    #[inline(always)]
    unsafe fn any(m: __mmask8) -> bool {
        m != 0
    }
    registers! {
        fn scale(x: __m512d, n: __m512d) -> __m512d { _mm512_scalef_pd(x, n) }
        fn split_exponent(x: __m512d) -> (__m512d, __m512d) {
            let m = _mm512_getmant_pd::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(x);
            let e = _mm512_getexp_pd(x);
            let high = _mm512_cmp_pd_mask::<_CMP_GT_OQ>(m, _mm512_set1_pd(std::f64::consts::SQRT_2));
            let half = _mm512_set1_pd(0.5);
            let one = _mm512_set1_pd(1.0);
            (_mm512_mask_mul_pd(m, high, m, half), _mm512_mask_add_pd(e, high, e, one))
        }
    }
}
