//! Rust types as elements of tensors.

use std::fmt;

use half::{bf16, f16};

use crate::{DType, Scalar, Truth};

/// A Rust type that is the element of a dtype.
pub trait Element: Copy + Default + PartialEq + PartialOrd + Send + Sync + fmt::Debug + 'static {
    /// The dtype whose element this is.
    const DTYPE: DType;
    /// Converts as PyTorch's `to(dtype)` does: floats truncate toward zero, integers wrap. What a caller gave as a number
    /// went through [`Scalar::convert`] before.
    fn from_scalar(value: Scalar) -> Self;
    /// Converts exactly where the dtype allows.
    fn to_scalar(self) -> Scalar;
}

macro_rules! element {
    ($($t:ty, $dtype:ident, $from:expr, $to:expr;)*) => {$(
        impl Element for $t {
            const DTYPE: DType = DType::$dtype;
            #[inline]
            fn from_scalar(value: Scalar) -> Self { ($from)(value) }
            #[inline]
            fn to_scalar(self) -> Scalar { ($to)(self) }
        }
    )*};
}

element! {
    bool, Bool, Scalar::to_bool, Scalar::Bool;
    u8, UInt8, |s: Scalar| s.to_i64() as u8, |v| Scalar::Int(v as i64);
    i8, Int8, |s: Scalar| s.to_i64() as i8, |v| Scalar::Int(v as i64);
    i16, Int16, |s: Scalar| s.to_i64() as i16, |v| Scalar::Int(v as i64);
    i32, Int32, |s: Scalar| s.to_i64() as i32, |v| Scalar::Int(v as i64);
    i64, Int64, Scalar::to_i64, Scalar::Int;
    f16, Float16, |s: Scalar| crate::f16_from_f64(s.to_f64()), |v: f16| Scalar::Float(v.to_f64());
    bf16, BFloat16, |s: Scalar| crate::bf16_from_f64(s.to_f64()), |v: bf16| Scalar::Float(v.to_f64());
    f32, Float32, |s: Scalar| s.to_f64() as f32, |v| Scalar::Float(v as f64);
    f64, Float64, Scalar::to_f64, Scalar::Float;
}

impl Element for Truth {
    const DTYPE: DType = DType::Bool;
    #[inline]
    fn from_scalar(value: Scalar) -> Self {
        value.to_bool().into()
    }
    #[inline]
    fn to_scalar(self) -> Scalar {
        Scalar::Bool(self.get())
    }
}

/// Calls a macro arm with the Rust type of a real dtype's elements in memory: `with_element!(dtype, T => expression)`.
/// Complex dtypes evaluate the `else` expression.
#[macro_export]
macro_rules! with_element {
    ($dtype:expr, $T:ident => $body:expr, else $other:expr) => {
        match $dtype {
            $crate::DType::Bool => {
                type $T = $crate::Truth;
                $body
            }
            $crate::DType::UInt8 => {
                type $T = u8;
                $body
            }
            $crate::DType::Int8 => {
                type $T = i8;
                $body
            }
            $crate::DType::Int16 => {
                type $T = i16;
                $body
            }
            $crate::DType::Int32 => {
                type $T = i32;
                $body
            }
            $crate::DType::Int64 => {
                type $T = i64;
                $body
            }
            $crate::DType::Float16 => {
                type $T = $crate::half::f16;
                $body
            }
            $crate::DType::BFloat16 => {
                type $T = $crate::half::bf16;
                $body
            }
            $crate::DType::Float32 => {
                type $T = f32;
                $body
            }
            $crate::DType::Float64 => {
                type $T = f64;
                $body
            }
            $crate::DType::Complex64 | $crate::DType::Complex128 => $other,
        }
    };
}
