//! What every element type can do, for kernels that combine elements one at a time.

use rustorch_backend::half::{bf16, f16};
use rustorch_backend::{Element, Scalar, Truth};

/// A complex number as it lies in memory.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(crate) struct Complex<T> {
    pub(crate) re: T,
    pub(crate) im: T,
}

/// An element. Bool adds as `or` and multiplies as `and`; integers wrap.
pub(crate) trait Number: Copy + PartialEq + Send + Sync + 'static {
    /// What long sums and products are kept in; half precision in float32, float32 in float64.
    type Wide: Number;
    const ZERO: Self;
    const ONE: Self;

    /// The nearest to a scalar.
    fn of_scalar(value: Scalar) -> Self;
    fn widen(self) -> Self::Wide;
    fn narrow(wide: Self::Wide) -> Self;
    fn add(self, other: Self) -> Self;
    fn multiply(self, other: Self) -> Self;
}

/// An element with an order, in which NaN is beyond everything on either side.
pub(crate) trait Ordered: Number {
    /// Whether this is NaN, or not less than a number `other`.
    fn reaches_up(self, other: Self) -> bool;
    /// Whether this is NaN, or not more than a number `other`.
    fn reaches_down(self, other: Self) -> bool;
}

macro_rules! real {
    ($($t:ty, $wide:ty, $zero:expr, $one:expr, $widen:expr, $narrow:expr, $add:expr, $multiply:expr;)*) => {$(
        impl Number for $t {
            type Wide = $wide;
            const ZERO: Self = $zero;
            const ONE: Self = $one;
            #[inline(always)]
            fn of_scalar(value: Scalar) -> Self { Element::from_scalar(value) }
            #[inline(always)]
            fn widen(self) -> $wide { ($widen)(self) }
            #[inline(always)]
            fn narrow(wide: $wide) -> Self { ($narrow)(wide) }
            #[inline(always)]
            fn add(self, other: Self) -> Self { ($add)(self, other) }
            #[inline(always)]
            fn multiply(self, other: Self) -> Self { ($multiply)(self, other) }
        }
        impl Ordered for $t {
            // A comparison with NaN is false, so its negation holds for NaN on the left, and must not for NaN on
            // the right: what has become NaN is only replaced by NaN.
            #[inline(always)]
            #[allow(clippy::eq_op, clippy::neg_cmp_op_on_partial_ord)]
            fn reaches_up(self, other: Self) -> bool { self != self || self >= other }
            #[inline(always)]
            #[allow(clippy::eq_op, clippy::neg_cmp_op_on_partial_ord)]
            fn reaches_down(self, other: Self) -> bool { self != self || self <= other }
        }
    )*};
}

macro_rules! integers {
    ($($t:ty)*) => {
        real! {$( $t, $t, 0, 1, |v| v, |v| v, <$t>::wrapping_add, <$t>::wrapping_mul; )*}
    };
}

integers! { u8 i8 i16 i32 i64 }

real! {
    Truth, Truth, Truth::FALSE, Truth::TRUE, |v| v, |v| v, |a, b| a | b, |a, b| a & b;
    f16, f32, f16::ZERO, f16::ONE, f16::to_f32, f16::from_f32, |a, b| a + b, |a, b| a * b;
    bf16, f32, bf16::ZERO, bf16::ONE, bf16::to_f32, bf16::from_f32, |a, b| a + b, |a, b| a * b;
    f32, f64, 0.0, 1.0, |v| v as f64, |v| v as f32, |a, b| a + b, |a, b| a * b;
    f64, f64, 0.0, 1.0, |v| v, |v| v, |a, b| a + b, |a, b| a * b;
}

macro_rules! complex {
    ($($t:ty, $wide:ty;)*) => {$(
        impl Number for Complex<$t> {
            type Wide = Complex<$wide>;
            const ZERO: Self = Complex { re: 0.0, im: 0.0 };
            const ONE: Self = Complex { re: 1.0, im: 0.0 };
            #[inline(always)]
            fn of_scalar(value: Scalar) -> Self {
                match value {
                    Scalar::Complex(re, im) => Complex { re: re as $t, im: im as $t },
                    real => Complex { re: real.to_f64() as $t, im: 0.0 },
                }
            }
            #[inline(always)]
            fn widen(self) -> Complex<$wide> {
                Complex { re: <$wide>::from(self.re), im: <$wide>::from(self.im) }
            }
            #[inline(always)]
            fn narrow(wide: Complex<$wide>) -> Self {
                Complex { re: wide.re as $t, im: wide.im as $t }
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Complex { re: self.re + other.re, im: self.im + other.im }
            }
            #[inline(always)]
            fn multiply(self, other: Self) -> Self {
                Complex {
                    re: self.re * other.re - self.im * other.im,
                    im: self.re * other.im + self.im * other.re,
                }
            }
        }
    )*};
}

complex! { f32, f64; f64, f64; }

/// Calls a macro arm with the type of a dtype's elements: `with_number!(dtype, T => expression)`.
macro_rules! with_number {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            rustorch_backend::DType::Complex64 => {
                type $T = $crate::kernels::number::Complex<f32>;
                $body
            }
            rustorch_backend::DType::Complex128 => {
                type $T = $crate::kernels::number::Complex<f64>;
                $body
            }
            real => rustorch_backend::with_element!(real, $T => $body, else unreachable!("complex is above")),
        }
    };
}
pub(crate) use with_number;

/// Calls a macro arm with a type that is as large as a dtype's elements, for kernels that only move them.
macro_rules! with_bytes {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype.size() {
            1 => {
                type $T = u8;
                $body
            }
            2 => {
                type $T = u16;
                $body
            }
            4 => {
                type $T = u32;
                $body
            }
            8 => {
                type $T = u64;
                $body
            }
            _ => {
                type $T = [u64; 2];
                $body
            }
        }
    };
}
pub(crate) use with_bytes;
