//! Conversion between element types, as PyTorch's `to(dtype)`: floats truncate toward zero, integers wrap, anything
//! but zero is true, a complex number's real part stands for it.
//!
//! A float becomes a small integer by way of int32. What that, or int64, cannot hold becomes its lowest number, as the
//! instructions of x86 have it (and so PyTorch there): the same on every machine and at every place of a vector.

use half::{bf16, f16};
use rustorch_backend::{DType, Truth, bf16_from_f64, f16_from_f64};
use rustorch_simd::SimdLevel;

use crate::kernels::number::Complex;

/// Converts `n` elements.
///
/// # Safety
/// `from` is valid for reads of `n` elements of the source dtype, `to` for writes of `n` of the destination's; they do
/// not overlap, or are the same address and elements of one size.
pub(crate) type Convert = unsafe fn(from: *const u8, to: *mut u8, n: usize);

/// What an element is as each kind of number.
trait Number: Copy {
    fn to_i64(self) -> i64;
    fn to_i32(self) -> i32;
    fn to_f32(self) -> f32;
    fn to_f64(self) -> f64;
    fn to_bool(self) -> bool;
    #[inline(always)]
    fn to_f16(self) -> f16 {
        f16_from_f64(self.to_f64())
    }
    #[inline(always)]
    fn to_bf16(self) -> bf16 {
        bf16_from_f64(self.to_f64())
    }
    #[inline(always)]
    fn imaginary(self) -> f64 {
        0.0
    }
}

macro_rules! truncations {
    ($($name:ident: $from:ty => $to:ty, $low:expr, $high:expr;)*) => {$(
        #[inline(always)]
        #[allow(clippy::manual_range_contains)]
        fn $name(x: $from) -> $to {
            // SAFETY: the value is within the range that truncates to the type's. So one instruction does it.
            if x >= $low && x < $high { unsafe { x.to_int_unchecked() } } else { <$to>::MIN }
        }
    )*};
}

truncations! {
    single_to_i32: f32 => i32, -2_147_483_648.0, 2_147_483_648.0;
    single_to_i64: f32 => i64, -9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0;
    // The float after the one that still truncates to the lowest number.
    double_to_i32: f64 => i32, (-2_147_483_649.0f64).next_up(), 2_147_483_648.0;
    double_to_i64: f64 => i64, -9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0;
}

macro_rules! numbers {
    ($($t:ty: $x:ident => $i64:expr, $i32:expr, $f32:expr, $f64:expr, $bool:expr;)*) => {$(
        impl Number for $t {
            #[inline(always)]
            fn to_i64(self) -> i64 { let $x = self; $i64 }
            #[inline(always)]
            fn to_i32(self) -> i32 { let $x = self; $i32 }
            #[inline(always)]
            fn to_f32(self) -> f32 { let $x = self; $f32 }
            #[inline(always)]
            fn to_f64(self) -> f64 { let $x = self; $f64 }
            #[inline(always)]
            fn to_bool(self) -> bool { let $x = self; $bool }
        }
    )*};
}

numbers! {
    Truth: x => i64::from(x), i32::from(x.get()), if x.get() { 1.0 } else { 0.0 }, if x.get() { 1.0 } else { 0.0 }, x.get();
    u8: x => i64::from(x), i32::from(x), f32::from(x), f64::from(x), x != 0;
    i8: x => i64::from(x), i32::from(x), f32::from(x), f64::from(x), x != 0;
    i16: x => i64::from(x), i32::from(x), f32::from(x), f64::from(x), x != 0;
    i32: x => i64::from(x), x, x as f32, f64::from(x), x != 0;
    i64: x => x, x as i32, x as f32, x as f64, x != 0;
    f16: x => single_to_i64(x.to_f32()), single_to_i32(x.to_f32()), x.to_f32(), x.to_f64(), x.to_f32() != 0.0;
    bf16: x => single_to_i64(x.to_f32()), single_to_i32(x.to_f32()), x.to_f32(), x.to_f64(), x.to_f32() != 0.0;
    f32: x => single_to_i64(x), single_to_i32(x), x, f64::from(x), x != 0.0;
    f64: x => double_to_i64(x), double_to_i32(x), x as f32, x, x != 0.0;
}

macro_rules! complex_numbers {
    ($($t:ty)*) => {$(
        impl Number for Complex<$t> {
            #[inline(always)]
            fn to_i64(self) -> i64 { Number::to_i64(self.re) }
            #[inline(always)]
            fn to_i32(self) -> i32 { Number::to_i32(self.re) }
            #[inline(always)]
            fn to_f32(self) -> f32 { self.re as f32 }
            #[inline(always)]
            fn to_f64(self) -> f64 { f64::from(self.re) }
            #[inline(always)]
            fn to_bool(self) -> bool { self.re != 0.0 || self.im != 0.0 }
            #[inline(always)]
            fn imaginary(self) -> f64 { f64::from(self.im) }
        }
    )*};
}

complex_numbers! { f32 f64 }

/// What any number becomes.
trait FromNumber: Copy {
    fn from_number<N: Number>(x: N) -> Self;
}

macro_rules! from_numbers {
    ($($t:ty: $x:ident => $value:expr;)*) => {$(
        impl FromNumber for $t {
            #[inline(always)]
            fn from_number<N: Number>($x: N) -> Self { $value }
        }
    )*};
}

from_numbers! {
    Truth: x => x.to_bool().into();
    u8: x => x.to_i32() as u8;
    i8: x => x.to_i32() as i8;
    i16: x => x.to_i32() as i16;
    i32: x => x.to_i32();
    i64: x => x.to_i64();
    f16: x => x.to_f16();
    bf16: x => x.to_bf16();
    f32: x => x.to_f32();
    f64: x => x.to_f64();
    Complex<f32>: x => Complex { re: x.to_f32(), im: x.imaginary() as f32 };
    Complex<f64>: x => Complex { re: x.to_f64(), im: x.imaginary() };
}

#[inline(always)]
unsafe fn convert_elements<S: Number, D: FromNumber>(from: *const u8, to: *mut u8, n: usize) {
    let (from, to) = (from.cast::<S>(), to.cast::<D>());
    for i in 0..n {
        // SAFETY: the caller's; i < n.
        unsafe { *to.add(i) = D::from_number(*from.add(i)) };
    }
}

/// The same loop in the vectors of a level. Halves keep to the baseline: their conversion is no instruction that the compiler
/// would find.
#[cfg(target_arch = "x86_64")]
mod vectors {
    use super::{FromNumber, Number};

    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn avx2<S: Number, D: FromNumber>(from: *const u8, to: *mut u8, n: usize) {
        // SAFETY: the caller's.
        unsafe { super::convert_elements::<S, D>(from, to, n) }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    pub(super) unsafe fn avx512<S: Number, D: FromNumber>(from: *const u8, to: *mut u8, n: usize) {
        // SAFETY: the caller's.
        unsafe { super::convert_elements::<S, D>(from, to, n) }
    }
}

/// The loop of a pair of types in the vectors of `level`.
fn elements<S: Number, D: FromNumber>(level: SimdLevel) -> Convert {
    #[cfg(target_arch = "x86_64")]
    match level {
        SimdLevel::Avx512 => return vectors::avx512::<S, D>,
        SimdLevel::Avx2 => return vectors::avx2::<S, D>,
        _ => {}
    }
    let _ = level;
    convert_elements::<S, D>
}

unsafe fn copy_elements<T>(from: *const u8, to: *mut u8, n: usize) {
    // SAFETY: the caller's.
    unsafe { std::ptr::copy(from, to, n * size_of::<T>()) }
}

/// float16 to float32 and back by the processor's instruction, eight at a time.
#[cfg(target_arch = "x86_64")]
mod f16c {
    use std::arch::x86_64::*;

    use super::{convert_elements, f16};

    #[target_feature(enable = "avx2,f16c")]
    pub(super) unsafe fn widen(from: *const u8, to: *mut u8, n: usize) {
        let whole = n / 8 * 8;
        for i in (0..whole).step_by(8) {
            // SAFETY: the caller's; eight elements from i on are within n.
            unsafe {
                let halves = _mm_loadu_si128(from.add(2 * i).cast());
                _mm256_storeu_ps(to.add(4 * i).cast(), _mm256_cvtph_ps(halves));
            }
        }
        // SAFETY: the caller's; the rest is within n.
        unsafe { convert_elements::<f16, f32>(from.add(2 * whole), to.add(4 * whole), n - whole) }
    }

    #[target_feature(enable = "avx2,f16c")]
    pub(super) unsafe fn narrow(from: *const u8, to: *mut u8, n: usize) {
        let whole = n / 8 * 8;
        for i in (0..whole).step_by(8) {
            // SAFETY: the caller's; eight elements from i on are within n.
            unsafe {
                let singles = _mm256_loadu_ps(from.add(4 * i).cast());
                _mm_storeu_si128(to.add(2 * i).cast(), _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(singles));
            }
        }
        // SAFETY: the caller's; the rest is within n.
        unsafe { convert_elements::<f32, f16>(from.add(4 * whole), to.add(2 * whole), n - whole) }
    }
}

/// Two shifts and an addition that the compiler vectorises.
mod brain {
    use super::bf16;

    pub(super) unsafe fn widen(from: *const u8, to: *mut u8, n: usize) {
        let (from, to) = (from.cast::<u16>(), to.cast::<u32>());
        for i in 0..n {
            // SAFETY: the caller's; i < n.
            unsafe { *to.add(i) = u32::from(*from.add(i)) << 16 };
        }
    }

    pub(super) unsafe fn narrow(from: *const u8, to: *mut u8, n: usize) {
        let (from, to) = (from.cast::<f32>(), to.cast::<u16>());
        for i in 0..n {
            // SAFETY: the caller's; i < n.
            unsafe {
                let x = *from.add(i);
                let bits = x.to_bits();
                // To the nearest, halves to even; a NaN must not round to infinity.
                let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
                *to.add(i) = if x.is_nan() { bf16::NAN.to_bits() } else { rounded as u16 };
            }
        }
    }
}

/// The loop that converts `from` to `to`.
pub(crate) fn convert(from: DType, to: DType, level: SimdLevel) -> Convert {
    macro_rules! to {
        ($S:ty) => {
            match to {
                DType::Bool => elements::<$S, Truth>(level),
                DType::UInt8 => elements::<$S, u8>(level),
                DType::Int8 => elements::<$S, i8>(level),
                DType::Int16 => elements::<$S, i16>(level),
                DType::Int32 => elements::<$S, i32>(level),
                DType::Int64 => elements::<$S, i64>(level),
                DType::Float16 => elements::<$S, f16>(level),
                DType::BFloat16 => elements::<$S, bf16>(level),
                DType::Float32 => elements::<$S, f32>(level),
                DType::Float64 => elements::<$S, f64>(level),
                DType::Complex64 => elements::<$S, Complex<f32>>(level),
                DType::Complex128 => elements::<$S, Complex<f64>>(level),
            }
        };
    }
    #[cfg(target_arch = "x86_64")]
    if level >= SimdLevel::Avx2 {
        match (from, to) {
            (DType::Float16, DType::Float32) => return f16c::widen,
            (DType::Float32, DType::Float16) => return f16c::narrow,
            _ => {}
        }
    }
    match (from, to) {
        (a, b) if a == b => match a.size() {
            1 => copy_elements::<u8>,
            2 => copy_elements::<u16>,
            4 => copy_elements::<u32>,
            8 => copy_elements::<u64>,
            _ => copy_elements::<[u64; 2]>,
        },
        (DType::BFloat16, DType::Float32) => brain::widen,
        (DType::Float32, DType::BFloat16) => brain::narrow,
        (DType::Bool, _) => to!(Truth),
        (DType::UInt8, _) => to!(u8),
        (DType::Int8, _) => to!(i8),
        (DType::Int16, _) => to!(i16),
        (DType::Int32, _) => to!(i32),
        (DType::Int64, _) => to!(i64),
        (DType::Float16, _) => to!(f16),
        (DType::BFloat16, _) => to!(bf16),
        (DType::Float32, _) => to!(f32),
        (DType::Float64, _) => to!(f64),
        (DType::Complex64, _) => to!(Complex<f32>),
        (DType::Complex128, _) => to!(Complex<f64>),
    }
}
