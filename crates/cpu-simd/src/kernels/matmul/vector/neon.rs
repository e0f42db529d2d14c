//! NEON, which every 64-bit Arm CPU has.
use super::Vector;
use std::arch::aarch64::*;

macro_rules! neon_vector {
    ($name:ident, $register:ident, $T:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $fma:ident,
     $add:ident) => {
        #[doc = concat!("NEON: ", $lanes, " elements.")]
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
                let mut all = [0.0; $lanes];
                for (i, lane) in all.iter_mut().enumerate().take(lanes) {
                    // SAFETY: `from` is valid for the first `lanes` lanes.
                    *lane = unsafe { *from.add(i) };
                }
                // SAFETY: the array has every lane.
                unsafe { Self::load(all.as_ptr()) }
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $T, lanes: usize) {
                let mut all = [0.0; $lanes];
                // SAFETY: the array has every lane.
                unsafe { self.store(all.as_mut_ptr()) };
                for (i, lane) in all.into_iter().enumerate().take(lanes) {
                    // SAFETY: `to` is valid for the first `lanes` lanes.
                    unsafe { *to.add(i) = lane };
                }
            }
            #[inline(always)]
            unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
                // SAFETY: the CPU has the instruction, which touches no memory.
                Self(unsafe { $fma(term.0, self.0, factor.0) })
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: the CPU has the instruction, which touches no memory.
                Self(unsafe { $add(self.0, other.0) })
            }
            #[inline(always)]
            unsafe fn transpose(rows: &mut [Self]) {
                let mut from = [[0.0; $lanes]; $lanes];
                for (row, from) in rows.iter().zip(&mut from) {
                    // SAFETY: each array has every lane.
                    unsafe { row.store(from.as_mut_ptr()) };
                }
                for (i, row) in rows.iter_mut().enumerate() {
                    let column: [$T; $lanes] = std::array::from_fn(|j| from[j][i]);
                    // SAFETY: each array has every lane.
                    *row = unsafe { Self::load(column.as_ptr()) };
                }
            }
        }
    };
}

neon_vector!(F32x4, float32x4_t, f32, 4, vdupq_n_f32, vld1q_f32, vst1q_f32, vfmaq_f32, vaddq_f32);
neon_vector!(F64x2, float64x2_t, f64, 2, vdupq_n_f64, vld1q_f64, vst1q_f64, vfmaq_f64, vaddq_f64);
