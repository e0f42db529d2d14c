//! The registers that the microkernels are written over.
//!
//! A kernel is written once, `#[inline(always)]` and generic over [`Vector`], and instantiated inside functions that
//! carry the target feature. So every method here may only run where its instruction set exists.

#[cfg(target_arch = "aarch64")]
pub mod neon;
#[cfg(target_arch = "x86_64")]
pub mod x86;

use std::fmt::Debug;
use std::ops::{Add, Mul};

/// A floating-point type that has packed kernels.
pub trait Float:
    Copy
    + Default
    + Debug
    + PartialEq
    + PartialOrd
    + Add<Output = Self>
    + Mul<Output = Self>
    + Send
    + Sync
    + 'static
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
