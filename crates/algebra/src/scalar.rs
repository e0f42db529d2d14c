//! Numbers without a tensor, and the one way from a number to a dtype.

use std::fmt;

use half::{bf16, f16};
use rustorch_error::{Result, RusTorchError};

use crate::{Category, DType};

/// A number without a tensor, kept exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// `True` or `False`.
    Bool(bool),
    /// A Python `int` that fits 64 bits.
    Int(i64),
    /// A Python `float`.
    Float(f64),
    /// A Python `complex`: real, imaginary.
    Complex(f64, f64),
}

impl Scalar {
    /// The value as a float64; a complex number gives its real part.
    #[inline]
    pub const fn to_f64(self) -> f64 {
        match self {
            Scalar::Bool(b) => b as u8 as f64,
            Scalar::Int(i) => i as f64,
            Scalar::Float(f) | Scalar::Complex(f, _) => f,
        }
    }

    /// The value as an int64, truncated toward zero; a complex number gives its real part.
    #[inline]
    pub const fn to_i64(self) -> i64 {
        match self {
            Scalar::Bool(b) => b as i64,
            Scalar::Int(i) => i,
            Scalar::Float(f) | Scalar::Complex(f, _) => f as i64,
        }
    }

    /// Whether the value differs from zero (NaN does).
    pub fn to_bool(self) -> bool {
        match self {
            Scalar::Bool(b) => b,
            Scalar::Int(i) => i != 0,
            Scalar::Float(f) => f != 0.0,
            Scalar::Complex(re, im) => re != 0.0 || im != 0.0,
        }
    }

    /// The number as one of `dtype`'s: without its fraction where `dtype` has none, without an imaginary part of 0.
    /// `None` where `dtype` has no such number: an integer or a finite float out of range (negative ones of unsigned
    /// dtypes, too), NaN and infinities for integers, an imaginary part for real dtypes.
    pub fn fit(self, dtype: DType) -> Option<Scalar> {
        match (dtype.category(), self) {
            (Category::Complex, Scalar::Complex(re, im)) => {
                let real = dtype.to_real();
                (holds_float(real, re) && holds_float(real, im)).then_some(self)
            }
            (_, Scalar::Complex(_, im)) if im != 0.0 => (dtype == DType::Bool).then_some(Scalar::Bool(true)),
            (_, Scalar::Complex(re, _)) => Scalar::Float(re).fit(dtype),
            (Category::Bool, value) => Some(Scalar::Bool(value.to_bool())),
            (Category::Integer, value) => {
                let integer = match value {
                    // The bounds of int64 that are floats: -2^63 and 2^63.
                    Scalar::Float(f) if !(f >= i64::MIN as f64 && f < -(i64::MIN as f64)) => return None,
                    other => other.to_i64(),
                };
                let (low, high) = dtype.integer_range();
                (low <= integer && integer <= high).then_some(Scalar::Int(integer))
            }
            (Category::Float | Category::Complex, value) => {
                holds_float(dtype.to_real(), value.to_f64()).then_some(value)
            }
        }
    }

    /// [`Self::fit`] of an argument that the caller of `op` gave, or the error that says why not.
    #[inline]
    pub fn convert(self, op: &'static str, argument: &str, dtype: DType) -> Result<Scalar> {
        self.fit(dtype).ok_or_else(|| self.misfit(op, argument, dtype))
    }

    /// What integers of `dtype` are multiplied with: they are residues, so that -1 is a factor of unsigned ones, too.
    pub fn convert_factor(self, op: &'static str, argument: &str, dtype: DType) -> Result<Scalar> {
        match self {
            Scalar::Int(i) if i < 0 && dtype == DType::UInt8 => {
                i.checked_neg().and_then(|i| Scalar::Int(i).fit(dtype)).map(|_| self)
            }
            other => other.fit(dtype),
        }
        .ok_or_else(|| self.misfit(op, argument, dtype))
    }

    /// A real argument that the caller of `op` gave.
    #[inline]
    pub fn real(self, op: &'static str, argument: &str) -> Result<f64> {
        match self {
            Scalar::Complex(_, im) if im != 0.0 => Err(RusTorchError::argument(
                op,
                format!("argument '{argument}' must be a real number, got the complex {self}"),
            )),
            real => Ok(real.to_f64()),
        }
    }

    #[cold]
    fn misfit(self, op: &'static str, argument: &str, dtype: DType) -> RusTorchError {
        let holds = match dtype.category() {
            Category::Integer => {
                let (low, high) = dtype.integer_range();
                format!("{dtype} holds {low} to {high}")
            }
            _ if matches!(self, Scalar::Complex(..)) && !dtype.is_complex() => {
                format!("{dtype} holds real numbers")
            }
            _ => format!("it is beyond the largest number of {dtype}"),
        };
        RusTorchError::argument(
            op,
            format!(
                "argument '{argument}': value {self} cannot be converted to {dtype} without overflow: {holds}"
            ),
        )
    }

    /// Whether the value is one.
    pub fn is_one(self) -> bool {
        self.to_f64() == 1.0 && !matches!(self, Scalar::Complex(_, im) if im != 0.0)
    }

    /// The category that decides promotion.
    pub const fn category(self) -> Category {
        match self {
            Scalar::Bool(_) => Category::Bool,
            Scalar::Int(_) => Category::Integer,
            Scalar::Float(_) => Category::Float,
            Scalar::Complex(..) => Category::Complex,
        }
    }
}

impl From<f64> for Scalar {
    fn from(v: f64) -> Self {
        Scalar::Float(v)
    }
}

impl From<i64> for Scalar {
    fn from(v: i64) -> Self {
        Scalar::Int(v)
    }
}

impl From<i32> for Scalar {
    fn from(v: i32) -> Self {
        Scalar::Int(v.into())
    }
}

impl From<bool> for Scalar {
    fn from(v: bool) -> Self {
        Scalar::Bool(v)
    }
}

impl std::ops::Neg for Scalar {
    type Output = Scalar;

    /// The negative; a bool counts as 0 or 1.
    fn neg(self) -> Scalar {
        match self {
            Scalar::Bool(b) => Scalar::Int(-i64::from(b)),
            Scalar::Int(i) => Scalar::Int(i.wrapping_neg()),
            Scalar::Float(f) => Scalar::Float(-f),
            Scalar::Complex(re, im) => Scalar::Complex(-re, -im),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Bool(b) => write!(f, "{b}"),
            Scalar::Int(i) => write!(f, "{i}"),
            Scalar::Float(x) if x.is_finite() && *x != 0.0 && !(1e-5..1e16).contains(&x.abs()) => {
                write!(f, "{x:e}")
            }
            Scalar::Float(x) => write!(f, "{x}"),
            Scalar::Complex(re, im) => write!(f, "{re}{im:+}j"),
        }
    }
}

/// Whether a float is not rounded to an infinity.
fn holds_float(dtype: DType, value: f64) -> bool {
    !value.is_finite()
        || match dtype {
            DType::Float16 => f16::from_f64(value).is_finite(),
            DType::BFloat16 => bf16::from_f64(value).is_finite(),
            DType::Float32 => (value as f32).is_finite(),
            _ => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_every_integer_dtype_fit_and_no_more() {
        for dtype in DType::ALL.into_iter().filter(|d| d.is_integral(false)) {
            let (low, high) = dtype.integer_range();
            for end in [low, high] {
                assert_eq!(Scalar::Int(end).fit(dtype), Some(Scalar::Int(end)));
            }
            for outside in [low.checked_sub(1), high.checked_add(1)].into_iter().flatten() {
                assert_eq!(Scalar::Int(outside).fit(dtype), None, "{outside} in {dtype}");
                assert_eq!(Scalar::Float(outside as f64).fit(dtype), None, "{outside} in {dtype}");
            }
            for never in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 9_223_372_036_854_775_808.0] {
                assert_eq!(Scalar::Float(never).fit(dtype), None, "{never} in {dtype}");
            }
            assert_eq!(Scalar::Float(2.9).fit(dtype), Some(Scalar::Int(2)));
            assert_eq!(Scalar::Complex(2.0, 0.0).fit(dtype), Some(Scalar::Int(2)));
            assert_eq!(Scalar::Complex(2.0, 1.0).fit(dtype), None);
        }
    }

    #[test]
    fn floats_keep_infinities_but_do_not_become_them() {
        let largest = [(DType::Float16, 65519.0, 65520.0), (DType::Float32, f64::from(f32::MAX), 1e39)];
        for (dtype, holds, beyond) in largest {
            assert_eq!(Scalar::Float(holds).fit(dtype), Some(Scalar::Float(holds)));
            assert_eq!(Scalar::Float(beyond).fit(dtype), None);
            assert_eq!(Scalar::Float(f64::INFINITY).fit(dtype), Some(Scalar::Float(f64::INFINITY)));
            assert_eq!(Scalar::Complex(1.0, 1.0).fit(dtype), None);
        }
        assert_eq!(Scalar::Complex(1.0, 1e39).fit(DType::Complex64), None);
        assert_eq!(Scalar::Complex(1.0, 1e39).fit(DType::Complex128), Some(Scalar::Complex(1.0, 1e39)));
    }
}
