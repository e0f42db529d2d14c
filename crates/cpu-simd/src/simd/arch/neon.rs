//! ARM's 128-bit vectors.
// One instruction per block: the trait's contract is the reason for each. Where NEON is part of the target, as it is
// on every 64-bit ARM, its instructions need no block.
#![allow(clippy::missing_safety_doc, clippy::undocumented_unsafe_blocks, unused_unsafe)]

use std::arch::aarch64::*;

use super::Vector;

/// 4 lanes of float32.
#[derive(Clone, Copy, Default)]
pub struct NeonF32;

// SAFETY: every function runs instructions of NEON and touches the lanes that its name says.
unsafe impl Vector for NeonF32 {
    type Element = f32;
    type Register = float32x4_t;
    type Mask = uint32x4_t;
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f32) -> float32x4_t {
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> float32x4_t {
        unsafe { vld1q_f32(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, x: float32x4_t) {
        unsafe { vst1q_f32(p, x) }
    }
    #[inline(always)]
    unsafe fn load_partial(p: *const f32, n: usize) -> float32x4_t {
        unsafe {
            let mut lanes = [0.0; 4];
            std::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), n);
            vld1q_f32(lanes.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn store_partial(p: *mut f32, x: float32x4_t, n: usize) {
        unsafe {
            let mut lanes = [0.0; 4];
            vst1q_f32(lanes.as_mut_ptr(), x);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), p, n);
        }
    }
    #[inline(always)]
    unsafe fn stream(p: *mut f32, x: float32x4_t) {
        unsafe { vst1q_f32(p, x) }
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const u8) -> uint32x4_t {
        unsafe {
            let lanes: [u32; 4] = std::array::from_fn(|i| u32::from(*p.add(i)));
            vcgtq_u32(vld1q_u32(lanes.as_ptr()), vdupq_n_u32(0))
        }
    }
    #[inline(always)]
    unsafe fn store_mask(p: *mut u8, m: uint32x4_t) {
        unsafe {
            let mut lanes = [0; 4];
            vst1q_u32(lanes.as_mut_ptr(), m);
            for (i, lane) in lanes.into_iter().enumerate() {
                *p.add(i) = (lane & 1) as u8;
            }
        }
    }
    #[inline(always)]
    unsafe fn add(x: float32x4_t, y: float32x4_t) -> float32x4_t {
        unsafe { vaddq_f32(x, y) }
    }
    #[inline(always)]
    unsafe fn sub(x: float32x4_t, y: float32x4_t) -> float32x4_t {
        unsafe { vsubq_f32(x, y) }
    }
    #[inline(always)]
    unsafe fn mul(x: float32x4_t, y: float32x4_t) -> float32x4_t {
        unsafe { vmulq_f32(x, y) }
    }
    #[inline(always)]
    unsafe fn div(x: float32x4_t, y: float32x4_t) -> float32x4_t {
        unsafe { vdivq_f32(x, y) }
    }
    #[inline(always)]
    unsafe fn mul_add(x: float32x4_t, y: float32x4_t, z: float32x4_t) -> float32x4_t {
        unsafe { vfmaq_f32(z, x, y) }
    }
    #[inline(always)]
    unsafe fn neg(x: float32x4_t) -> float32x4_t {
        unsafe { vnegq_f32(x) }
    }
    #[inline(always)]
    unsafe fn abs(x: float32x4_t) -> float32x4_t {
        unsafe { vabsq_f32(x) }
    }
    #[inline(always)]
    unsafe fn sqrt(x: float32x4_t) -> float32x4_t {
        unsafe { vsqrtq_f32(x) }
    }
    #[inline(always)]
    unsafe fn max(x: float32x4_t, y: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(vcgtq_f32(x, y), x, y) }
    }
    #[inline(always)]
    unsafe fn min(x: float32x4_t, y: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(vcltq_f32(x, y), x, y) }
    }
    #[inline(always)]
    unsafe fn floor(x: float32x4_t) -> float32x4_t {
        unsafe { vrndmq_f32(x) }
    }
    #[inline(always)]
    unsafe fn ceil(x: float32x4_t) -> float32x4_t {
        unsafe { vrndpq_f32(x) }
    }
    #[inline(always)]
    unsafe fn round(x: float32x4_t) -> float32x4_t {
        unsafe { vrndnq_f32(x) }
    }
    #[inline(always)]
    unsafe fn trunc(x: float32x4_t) -> float32x4_t {
        unsafe { vrndq_f32(x) }
    }
    #[inline(always)]
    unsafe fn copysign(magnitude: float32x4_t, sign: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(vdupq_n_u32(1 << 31), sign, magnitude) }
    }
    #[inline(always)]
    unsafe fn eq(x: float32x4_t, y: float32x4_t) -> uint32x4_t {
        unsafe { vceqq_f32(x, y) }
    }
    #[inline(always)]
    unsafe fn ne(x: float32x4_t, y: float32x4_t) -> uint32x4_t {
        unsafe { Self::mask_not(Self::eq(x, y)) }
    }
    #[inline(always)]
    unsafe fn lt(x: float32x4_t, y: float32x4_t) -> uint32x4_t {
        unsafe { vcltq_f32(x, y) }
    }
    #[inline(always)]
    unsafe fn le(x: float32x4_t, y: float32x4_t) -> uint32x4_t {
        unsafe { vcleq_f32(x, y) }
    }
    #[inline(always)]
    unsafe fn sign_bit(x: float32x4_t) -> uint32x4_t {
        unsafe { vcltzq_s32(vreinterpretq_s32_f32(x)) }
    }
    #[inline(always)]
    unsafe fn select(m: uint32x4_t, x: float32x4_t, y: float32x4_t) -> float32x4_t {
        unsafe { vbslq_f32(m, x, y) }
    }
    #[inline(always)]
    unsafe fn mask_constant(value: bool) -> uint32x4_t {
        unsafe { vdupq_n_u32(if value { u32::MAX } else { 0 }) }
    }
    #[inline(always)]
    unsafe fn mask_and(x: uint32x4_t, y: uint32x4_t) -> uint32x4_t {
        unsafe { vandq_u32(x, y) }
    }
    #[inline(always)]
    unsafe fn mask_or(x: uint32x4_t, y: uint32x4_t) -> uint32x4_t {
        unsafe { vorrq_u32(x, y) }
    }
    #[inline(always)]
    unsafe fn mask_xor(x: uint32x4_t, y: uint32x4_t) -> uint32x4_t {
        unsafe { veorq_u32(x, y) }
    }
    #[inline(always)]
    unsafe fn mask_not(x: uint32x4_t) -> uint32x4_t {
        unsafe { veorq_u32(x, vdupq_n_u32(u32::MAX)) }
    }
    #[inline(always)]
    unsafe fn any(m: uint32x4_t) -> bool {
        unsafe { vmaxvq_u32(m) != 0 }
    }
    #[inline(always)]
    unsafe fn scale(x: float32x4_t, n: float32x4_t) -> float32x4_t {
        unsafe {
            // 2^n as a product of two powers whose exponents fit, so that a subnormal result is rounded once.
            let n = vcvtq_s32_f32(n);
            let half = vshrq_n_s32::<1>(n);
            let bias = vdupq_n_s32(127);
            let power = |n| vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(n, bias)));
            vmulq_f32(vmulq_f32(x, power(half)), power(vsubq_s32(n, half)))
        }
    }
    #[inline(always)]
    unsafe fn split_exponent(x: float32x4_t) -> (float32x4_t, float32x4_t) {
        unsafe {
            let tiny = vcltq_f32(x, vdupq_n_f32(f32::MIN_POSITIVE));
            let normal = vbslq_f32(tiny, vmulq_f32(x, vdupq_n_f32(33_554_432.0)), x);
            let bits = vreinterpretq_s32_f32(normal);
            let root = vdupq_n_s32(std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32);
            let e = vshrq_n_s32::<23>(vsubq_s32(bits, root));
            let m = vreinterpretq_f32_s32(vsubq_s32(bits, vshlq_n_s32::<23>(e)));
            let shift = vbslq_f32(tiny, vdupq_n_f32(25.0), vdupq_n_f32(0.0));
            (m, vsubq_f32(vcvtq_f32_s32(e), shift))
        }
    }
}

/// 2 lanes of float64.
#[derive(Clone, Copy, Default)]
pub struct NeonF64;

// SAFETY: every function runs instructions of NEON and touches the lanes that its name says.
unsafe impl Vector for NeonF64 {
    type Element = f64;
    type Register = float64x2_t;
    type Mask = uint64x2_t;
    const LANES: usize = 2;

    #[inline(always)]
    unsafe fn splat(x: f64) -> float64x2_t {
        unsafe { vdupq_n_f64(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> float64x2_t {
        unsafe { vld1q_f64(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f64, x: float64x2_t) {
        unsafe { vst1q_f64(p, x) }
    }
    #[inline(always)]
    unsafe fn load_partial(p: *const f64, n: usize) -> float64x2_t {
        unsafe {
            let mut lanes = [0.0; 2];
            std::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), n);
            vld1q_f64(lanes.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn store_partial(p: *mut f64, x: float64x2_t, n: usize) {
        unsafe {
            let mut lanes = [0.0; 2];
            vst1q_f64(lanes.as_mut_ptr(), x);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), p, n);
        }
    }
    #[inline(always)]
    unsafe fn stream(p: *mut f64, x: float64x2_t) {
        unsafe { vst1q_f64(p, x) }
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const u8) -> uint64x2_t {
        unsafe {
            let lanes: [u64; 2] = std::array::from_fn(|i| u64::from(*p.add(i)));
            vcgtq_u64(vld1q_u64(lanes.as_ptr()), vdupq_n_u64(0))
        }
    }
    #[inline(always)]
    unsafe fn store_mask(p: *mut u8, m: uint64x2_t) {
        unsafe {
            let mut lanes = [0; 2];
            vst1q_u64(lanes.as_mut_ptr(), m);
            for (i, lane) in lanes.into_iter().enumerate() {
                *p.add(i) = (lane & 1) as u8;
            }
        }
    }
    #[inline(always)]
    unsafe fn add(x: float64x2_t, y: float64x2_t) -> float64x2_t {
        unsafe { vaddq_f64(x, y) }
    }
    #[inline(always)]
    unsafe fn sub(x: float64x2_t, y: float64x2_t) -> float64x2_t {
        unsafe { vsubq_f64(x, y) }
    }
    #[inline(always)]
    unsafe fn mul(x: float64x2_t, y: float64x2_t) -> float64x2_t {
        unsafe { vmulq_f64(x, y) }
    }
    #[inline(always)]
    unsafe fn div(x: float64x2_t, y: float64x2_t) -> float64x2_t {
        unsafe { vdivq_f64(x, y) }
    }
    #[inline(always)]
    unsafe fn mul_add(x: float64x2_t, y: float64x2_t, z: float64x2_t) -> float64x2_t {
        unsafe { vfmaq_f64(z, x, y) }
    }
    #[inline(always)]
    unsafe fn neg(x: float64x2_t) -> float64x2_t {
        unsafe { vnegq_f64(x) }
    }
    #[inline(always)]
    unsafe fn abs(x: float64x2_t) -> float64x2_t {
        unsafe { vabsq_f64(x) }
    }
    #[inline(always)]
    unsafe fn sqrt(x: float64x2_t) -> float64x2_t {
        unsafe { vsqrtq_f64(x) }
    }
    #[inline(always)]
    unsafe fn max(x: float64x2_t, y: float64x2_t) -> float64x2_t {
        unsafe { vbslq_f64(vcgtq_f64(x, y), x, y) }
    }
    #[inline(always)]
    unsafe fn min(x: float64x2_t, y: float64x2_t) -> float64x2_t {
        unsafe { vbslq_f64(vcltq_f64(x, y), x, y) }
    }
    #[inline(always)]
    unsafe fn floor(x: float64x2_t) -> float64x2_t {
        unsafe { vrndmq_f64(x) }
    }
    #[inline(always)]
    unsafe fn ceil(x: float64x2_t) -> float64x2_t {
        unsafe { vrndpq_f64(x) }
    }
    #[inline(always)]
    unsafe fn round(x: float64x2_t) -> float64x2_t {
        unsafe { vrndnq_f64(x) }
    }
    #[inline(always)]
    unsafe fn trunc(x: float64x2_t) -> float64x2_t {
        unsafe { vrndq_f64(x) }
    }
    #[inline(always)]
    unsafe fn copysign(magnitude: float64x2_t, sign: float64x2_t) -> float64x2_t {
        unsafe { vbslq_f64(vdupq_n_u64(1 << 63), sign, magnitude) }
    }
    #[inline(always)]
    unsafe fn eq(x: float64x2_t, y: float64x2_t) -> uint64x2_t {
        unsafe { vceqq_f64(x, y) }
    }
    #[inline(always)]
    unsafe fn ne(x: float64x2_t, y: float64x2_t) -> uint64x2_t {
        unsafe { Self::mask_not(Self::eq(x, y)) }
    }
    #[inline(always)]
    unsafe fn lt(x: float64x2_t, y: float64x2_t) -> uint64x2_t {
        unsafe { vcltq_f64(x, y) }
    }
    #[inline(always)]
    unsafe fn le(x: float64x2_t, y: float64x2_t) -> uint64x2_t {
        unsafe { vcleq_f64(x, y) }
    }
    #[inline(always)]
    unsafe fn sign_bit(x: float64x2_t) -> uint64x2_t {
        unsafe { vcltzq_s64(vreinterpretq_s64_f64(x)) }
    }
    #[inline(always)]
    unsafe fn select(m: uint64x2_t, x: float64x2_t, y: float64x2_t) -> float64x2_t {
        unsafe { vbslq_f64(m, x, y) }
    }
    #[inline(always)]
    unsafe fn mask_constant(value: bool) -> uint64x2_t {
        unsafe { vdupq_n_u64(if value { u64::MAX } else { 0 }) }
    }
    #[inline(always)]
    unsafe fn mask_and(x: uint64x2_t, y: uint64x2_t) -> uint64x2_t {
        unsafe { vandq_u64(x, y) }
    }
    #[inline(always)]
    unsafe fn mask_or(x: uint64x2_t, y: uint64x2_t) -> uint64x2_t {
        unsafe { vorrq_u64(x, y) }
    }
    #[inline(always)]
    unsafe fn mask_xor(x: uint64x2_t, y: uint64x2_t) -> uint64x2_t {
        unsafe { veorq_u64(x, y) }
    }
    #[inline(always)]
    unsafe fn mask_not(x: uint64x2_t) -> uint64x2_t {
        unsafe { veorq_u64(x, vdupq_n_u64(u64::MAX)) }
    }
    #[inline(always)]
    unsafe fn any(m: uint64x2_t) -> bool {
        unsafe { vgetq_lane_u64::<0>(m) | vgetq_lane_u64::<1>(m) != 0 }
    }
    #[inline(always)]
    unsafe fn scale(x: float64x2_t, n: float64x2_t) -> float64x2_t {
        unsafe {
            // 2^n as a product of two powers whose exponents fit, so that a subnormal result is rounded once.
            let n = vcvtq_s64_f64(n);
            let half = vshrq_n_s64::<1>(n);
            let bias = vdupq_n_s64(1023);
            let power = |n| vreinterpretq_f64_s64(vshlq_n_s64::<52>(vaddq_s64(n, bias)));
            vmulq_f64(vmulq_f64(x, power(half)), power(vsubq_s64(n, half)))
        }
    }
    #[inline(always)]
    unsafe fn split_exponent(x: float64x2_t) -> (float64x2_t, float64x2_t) {
        unsafe {
            let tiny = vcltq_f64(x, vdupq_n_f64(f64::MIN_POSITIVE));
            let normal = vbslq_f64(tiny, vmulq_f64(x, vdupq_n_f64(18_014_398_509_481_984.0)), x);
            let bits = vreinterpretq_s64_f64(normal);
            let root = vdupq_n_s64(std::f64::consts::FRAC_1_SQRT_2.to_bits() as i64);
            let e = vshrq_n_s64::<52>(vsubq_s64(bits, root));
            let m = vreinterpretq_f64_s64(vsubq_s64(bits, vshlq_n_s64::<52>(e)));
            let shift = vbslq_f64(tiny, vdupq_n_f64(54.0), vdupq_n_f64(0.0));
            (m, vsubq_f64(vcvtq_f64_s64(e), shift))
        }
    }
}
