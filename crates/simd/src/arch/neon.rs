//! ARM's 128-bit vectors.
// Where NEON is part of the target, as it is on every 64-bit ARM, its instructions need no block.
#![allow(unused_unsafe)]

use std::arch::aarch64::*;

use super::Vector;
use super::float::registers;

/// 4 lanes of float32.
#[derive(Clone, Copy, Default)]
pub struct NeonF32;

// SAFETY: every function runs instructions of NEON and touches the lanes that its name says.
unsafe impl Vector for NeonF32 {
    type Element = f32;
    type Register = float32x4_t;
    type Mask = uint32x4_t;
    const LANES: usize = 4;

    registers! {
        fn splat(x: f32) -> float32x4_t { vdupq_n_f32(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> float32x4_t {
        // SAFETY: `p` is valid for a read of every lane, whatever its alignment.
        unsafe { vld1q_f32(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f32, x: float32x4_t) {
        // SAFETY: `p` is valid for a write of every lane, whatever its alignment.
        unsafe { vst1q_f32(p, x) }
    }
    #[inline(always)]
    unsafe fn load_partial(p: *const f32, n: usize) -> float32x4_t {
        // SAFETY: `p` is valid for `n` reads, and `n` is less than the lanes that the copy has.
        unsafe {
            let mut lanes = [0.0; 4];
            std::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), n);
            vld1q_f32(lanes.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn store_partial(p: *mut f32, x: float32x4_t, n: usize) {
        // SAFETY: `p` is valid for `n` writes, and `n` is less than the lanes that the copy has.
        unsafe {
            let mut lanes = [0.0; 4];
            vst1q_f32(lanes.as_mut_ptr(), x);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), p, n);
        }
    }
    #[inline(always)]
    unsafe fn stream(p: *mut f32, x: float32x4_t) {
        // SAFETY: `p` is valid for a write of every lane.
        unsafe { vst1q_f32(p, x) }
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const u8) -> uint32x4_t {
        // SAFETY: `p` is valid for reads of a byte per lane, and no more are touched.
        unsafe {
            let lanes: [u32; 4] = std::array::from_fn(|i| u32::from(*p.add(i)));
            vcgtq_u32(vld1q_u32(lanes.as_ptr()), vdupq_n_u32(0))
        }
    }
    #[inline(always)]
    unsafe fn store_mask(p: *mut u8, m: uint32x4_t) {
        // SAFETY: `p` is valid for writes of a byte per lane, and no more are touched.
        unsafe {
            let mut lanes = [0; 4];
            vst1q_u32(lanes.as_mut_ptr(), m);
            for (i, lane) in lanes.into_iter().enumerate() {
                *p.add(i) = (lane & 1) as u8;
            }
        }
    }
    registers! {
        fn add(x: float32x4_t, y: float32x4_t) -> float32x4_t { vaddq_f32(x, y) }
        fn sub(x: float32x4_t, y: float32x4_t) -> float32x4_t { vsubq_f32(x, y) }
        fn mul(x: float32x4_t, y: float32x4_t) -> float32x4_t { vmulq_f32(x, y) }
        fn div(x: float32x4_t, y: float32x4_t) -> float32x4_t { vdivq_f32(x, y) }
        fn mul_add(x: float32x4_t, y: float32x4_t, z: float32x4_t) -> float32x4_t { vfmaq_f32(z, x, y) }
        fn neg(x: float32x4_t) -> float32x4_t { vnegq_f32(x) }
        fn abs(x: float32x4_t) -> float32x4_t { vabsq_f32(x) }
        fn sqrt(x: float32x4_t) -> float32x4_t { vsqrtq_f32(x) }
        fn max(x: float32x4_t, y: float32x4_t) -> float32x4_t { vbslq_f32(vcgtq_f32(x, y), x, y) }
        fn min(x: float32x4_t, y: float32x4_t) -> float32x4_t { vbslq_f32(vcltq_f32(x, y), x, y) }
        fn floor(x: float32x4_t) -> float32x4_t { vrndmq_f32(x) }
        fn ceil(x: float32x4_t) -> float32x4_t { vrndpq_f32(x) }
        fn round(x: float32x4_t) -> float32x4_t { vrndnq_f32(x) }
        fn trunc(x: float32x4_t) -> float32x4_t { vrndq_f32(x) }
        fn copysign(magnitude: float32x4_t, sign: float32x4_t) -> float32x4_t {
            vbslq_f32(vdupq_n_u32(1 << 31), sign, magnitude)
        }
        fn eq(x: float32x4_t, y: float32x4_t) -> uint32x4_t { vceqq_f32(x, y) }
        fn ne(x: float32x4_t, y: float32x4_t) -> uint32x4_t { Self::mask_not(Self::eq(x, y)) }
        fn lt(x: float32x4_t, y: float32x4_t) -> uint32x4_t { vcltq_f32(x, y) }
        fn le(x: float32x4_t, y: float32x4_t) -> uint32x4_t { vcleq_f32(x, y) }
        fn sign_bit(x: float32x4_t) -> uint32x4_t { vcltzq_s32(vreinterpretq_s32_f32(x)) }
        fn select(m: uint32x4_t, x: float32x4_t, y: float32x4_t) -> float32x4_t { vbslq_f32(m, x, y) }
        fn mask_constant(value: bool) -> uint32x4_t { vdupq_n_u32(if value { u32::MAX } else { 0 }) }
        fn mask_and(x: uint32x4_t, y: uint32x4_t) -> uint32x4_t { vandq_u32(x, y) }
        fn mask_or(x: uint32x4_t, y: uint32x4_t) -> uint32x4_t { vorrq_u32(x, y) }
        fn mask_xor(x: uint32x4_t, y: uint32x4_t) -> uint32x4_t { veorq_u32(x, y) }
        fn mask_not(x: uint32x4_t) -> uint32x4_t { veorq_u32(x, vdupq_n_u32(u32::MAX)) }
        fn any(m: uint32x4_t) -> bool { vmaxvq_u32(m) != 0 }
        fn scale(x: float32x4_t, n: float32x4_t) -> float32x4_t {
            // 2^n as a product of two powers whose exponents fit, so that a subnormal result is rounded once.
            let n = vcvtq_s32_f32(n);
            let half = vshrq_n_s32::<1>(n);
            let bias = vdupq_n_s32(127);
            let power = |n| vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(n, bias)));
            vmulq_f32(vmulq_f32(x, power(half)), power(vsubq_s32(n, half)))
        }
        fn split_exponent(x: float32x4_t) -> (float32x4_t, float32x4_t) {
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

    registers! {
        fn splat(x: f64) -> float64x2_t { vdupq_n_f64(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f64) -> float64x2_t {
        // SAFETY: `p` is valid for a read of every lane, whatever its alignment.
        unsafe { vld1q_f64(p) }
    }
    #[inline(always)]
    unsafe fn store(p: *mut f64, x: float64x2_t) {
        // SAFETY: `p` is valid for a write of every lane, whatever its alignment.
        unsafe { vst1q_f64(p, x) }
    }
    #[inline(always)]
    unsafe fn load_partial(p: *const f64, n: usize) -> float64x2_t {
        // SAFETY: `p` is valid for `n` reads, and `n` is less than the lanes that the copy has.
        unsafe {
            let mut lanes = [0.0; 2];
            std::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), n);
            vld1q_f64(lanes.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn store_partial(p: *mut f64, x: float64x2_t, n: usize) {
        // SAFETY: `p` is valid for `n` writes, and `n` is less than the lanes that the copy has.
        unsafe {
            let mut lanes = [0.0; 2];
            vst1q_f64(lanes.as_mut_ptr(), x);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), p, n);
        }
    }
    #[inline(always)]
    unsafe fn stream(p: *mut f64, x: float64x2_t) {
        // SAFETY: `p` is valid for a write of every lane.
        unsafe { vst1q_f64(p, x) }
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const u8) -> uint64x2_t {
        // SAFETY: `p` is valid for reads of a byte per lane, and no more are touched.
        unsafe {
            let lanes: [u64; 2] = std::array::from_fn(|i| u64::from(*p.add(i)));
            vcgtq_u64(vld1q_u64(lanes.as_ptr()), vdupq_n_u64(0))
        }
    }
    #[inline(always)]
    unsafe fn store_mask(p: *mut u8, m: uint64x2_t) {
        // SAFETY: `p` is valid for writes of a byte per lane, and no more are touched.
        unsafe {
            let mut lanes = [0; 2];
            vst1q_u64(lanes.as_mut_ptr(), m);
            for (i, lane) in lanes.into_iter().enumerate() {
                *p.add(i) = (lane & 1) as u8;
            }
        }
    }
    registers! {
        fn add(x: float64x2_t, y: float64x2_t) -> float64x2_t { vaddq_f64(x, y) }
        fn sub(x: float64x2_t, y: float64x2_t) -> float64x2_t { vsubq_f64(x, y) }
        fn mul(x: float64x2_t, y: float64x2_t) -> float64x2_t { vmulq_f64(x, y) }
        fn div(x: float64x2_t, y: float64x2_t) -> float64x2_t { vdivq_f64(x, y) }
        fn mul_add(x: float64x2_t, y: float64x2_t, z: float64x2_t) -> float64x2_t { vfmaq_f64(z, x, y) }
        fn neg(x: float64x2_t) -> float64x2_t { vnegq_f64(x) }
        fn abs(x: float64x2_t) -> float64x2_t { vabsq_f64(x) }
        fn sqrt(x: float64x2_t) -> float64x2_t { vsqrtq_f64(x) }
        fn max(x: float64x2_t, y: float64x2_t) -> float64x2_t { vbslq_f64(vcgtq_f64(x, y), x, y) }
        fn min(x: float64x2_t, y: float64x2_t) -> float64x2_t { vbslq_f64(vcltq_f64(x, y), x, y) }
        fn floor(x: float64x2_t) -> float64x2_t { vrndmq_f64(x) }
        fn ceil(x: float64x2_t) -> float64x2_t { vrndpq_f64(x) }
        fn round(x: float64x2_t) -> float64x2_t { vrndnq_f64(x) }
        fn trunc(x: float64x2_t) -> float64x2_t { vrndq_f64(x) }
        fn copysign(magnitude: float64x2_t, sign: float64x2_t) -> float64x2_t {
            vbslq_f64(vdupq_n_u64(1 << 63), sign, magnitude)
        }
        fn eq(x: float64x2_t, y: float64x2_t) -> uint64x2_t { vceqq_f64(x, y) }
        fn ne(x: float64x2_t, y: float64x2_t) -> uint64x2_t { Self::mask_not(Self::eq(x, y)) }
        fn lt(x: float64x2_t, y: float64x2_t) -> uint64x2_t { vcltq_f64(x, y) }
        fn le(x: float64x2_t, y: float64x2_t) -> uint64x2_t { vcleq_f64(x, y) }
        fn sign_bit(x: float64x2_t) -> uint64x2_t { vcltzq_s64(vreinterpretq_s64_f64(x)) }
        fn select(m: uint64x2_t, x: float64x2_t, y: float64x2_t) -> float64x2_t { vbslq_f64(m, x, y) }
        fn mask_constant(value: bool) -> uint64x2_t { vdupq_n_u64(if value { u64::MAX } else { 0 }) }
        fn mask_and(x: uint64x2_t, y: uint64x2_t) -> uint64x2_t { vandq_u64(x, y) }
        fn mask_or(x: uint64x2_t, y: uint64x2_t) -> uint64x2_t { vorrq_u64(x, y) }
        fn mask_xor(x: uint64x2_t, y: uint64x2_t) -> uint64x2_t { veorq_u64(x, y) }
        fn mask_not(x: uint64x2_t) -> uint64x2_t { veorq_u64(x, vdupq_n_u64(u64::MAX)) }
        fn any(m: uint64x2_t) -> bool { vgetq_lane_u64::<0>(m) | vgetq_lane_u64::<1>(m) != 0 }
        fn scale(x: float64x2_t, n: float64x2_t) -> float64x2_t {
            // 2^n as a product of two powers whose exponents fit, so that a subnormal result is rounded once.
            let n = vcvtq_s64_f64(n);
            let half = vshrq_n_s64::<1>(n);
            let bias = vdupq_n_s64(1023);
            let power = |n| vreinterpretq_f64_s64(vshlq_n_s64::<52>(vaddq_s64(n, bias)));
            vmulq_f64(vmulq_f64(x, power(half)), power(vsubq_s64(n, half)))
        }
        fn split_exponent(x: float64x2_t) -> (float64x2_t, float64x2_t) {
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
