//! Element types and their promotion.

use std::fmt;

use rustorch_error::{Result, RusTorchError};

/// The element type of a tensor. The order is the order of promotion within a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum DType {
    /// True or false, one byte, of which any but 0 is true.
    Bool,
    /// Unsigned 8-bit integer.
    UInt8,
    /// Signed 8-bit integer.
    Int8,
    /// Signed 16-bit integer.
    Int16,
    /// Signed 32-bit integer.
    Int32,
    /// Signed 64-bit integer.
    Int64,
    /// IEEE half precision.
    Float16,
    /// The upper half of a float32.
    BFloat16,
    /// IEEE single precision.
    Float32,
    /// IEEE double precision.
    Float64,
    /// A pair of float32: real, imaginary.
    Complex64,
    /// A pair of float64: real, imaginary.
    Complex128,
}

/// What kind of number a dtype holds; a higher category wins in promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// `bool`.
    Bool,
    /// Signed and unsigned integers.
    Integer,
    /// Real floating point.
    Float,
    /// Complex floating point.
    Complex,
}

impl DType {
    /// Every dtype, in the order of the enum.
    pub const ALL: [DType; 12] = [
        DType::Bool,
        DType::UInt8,
        DType::Int8,
        DType::Int16,
        DType::Int32,
        DType::Int64,
        DType::Float16,
        DType::BFloat16,
        DType::Float32,
        DType::Float64,
        DType::Complex64,
        DType::Complex128,
    ];

    /// Bytes per element.
    #[inline]
    pub const fn size(self) -> usize {
        match self {
            DType::Bool | DType::UInt8 | DType::Int8 => 1,
            DType::Int16 | DType::Float16 | DType::BFloat16 => 2,
            DType::Int32 | DType::Float32 => 4,
            DType::Int64 | DType::Float64 | DType::Complex64 => 8,
            DType::Complex128 => 16,
        }
    }

    /// PyTorch's name, without `torch.`.
    pub const fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::UInt8 => "uint8",
            DType::Int8 => "int8",
            DType::Int16 => "int16",
            DType::Int32 => "int32",
            DType::Int64 => "int64",
            DType::Float16 => "float16",
            DType::BFloat16 => "bfloat16",
            DType::Float32 => "float32",
            DType::Float64 => "float64",
            DType::Complex64 => "complex64",
            DType::Complex128 => "complex128",
        }
    }

    /// The category that decides promotion.
    #[inline]
    pub const fn category(self) -> Category {
        match self {
            DType::Bool => Category::Bool,
            DType::UInt8 | DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => Category::Integer,
            DType::Float16 | DType::BFloat16 | DType::Float32 | DType::Float64 => Category::Float,
            DType::Complex64 | DType::Complex128 => Category::Complex,
        }
    }

    /// Whether this is a real floating-point dtype.
    #[inline]
    pub const fn is_floating_point(self) -> bool {
        matches!(self.category(), Category::Float)
    }

    /// Whether this is a complex dtype.
    #[inline]
    pub const fn is_complex(self) -> bool {
        matches!(self.category(), Category::Complex)
    }

    /// Whether this is an integer dtype; `bool` counts when `include_bool`.
    #[inline]
    pub const fn is_integral(self, include_bool: bool) -> bool {
        match self.category() {
            Category::Integer => true,
            Category::Bool => include_bool,
            Category::Float | Category::Complex => false,
        }
    }

    /// The least and the greatest number of an integer dtype; those of int64 for the others.
    #[inline]
    pub const fn integer_range(self) -> (i64, i64) {
        match self {
            DType::UInt8 => (0, u8::MAX as i64),
            DType::Int8 => (i8::MIN as i64, i8::MAX as i64),
            DType::Int16 => (i16::MIN as i64, i16::MAX as i64),
            DType::Int32 => (i32::MIN as i64, i32::MAX as i64),
            _ => (i64::MIN, i64::MAX),
        }
    }

    /// Whether gradients exist for this dtype.
    #[inline]
    pub const fn is_differentiable(self) -> bool {
        matches!(self.category(), Category::Float | Category::Complex)
    }

    /// The dtype elementwise kernels compute in: half precisions in float32, complex numbers in complex128, all others
    /// in themselves.
    #[inline]
    pub const fn compute(self) -> DType {
        match self {
            DType::Float16 | DType::BFloat16 => DType::Float32,
            DType::Complex64 => DType::Complex128,
            other => other,
        }
    }

    /// The real dtype of a complex dtype's parts; any other dtype is its own.
    pub const fn to_real(self) -> DType {
        match self {
            DType::Complex64 => DType::Float32,
            DType::Complex128 => DType::Float64,
            other => other,
        }
    }

    /// The dtype that both convert to: PyTorch's `promote_types`.
    pub fn promote(self, other: DType) -> DType {
        if self == other {
            return self;
        }
        let (low, high) = if self < other { (self, other) } else { (other, self) };
        match (low, high) {
            (DType::UInt8, DType::Int8) => DType::Int16,
            (DType::Float16, DType::BFloat16) => DType::Float32,
            (DType::Float64, DType::Complex64) => DType::Complex128,
            _ => high,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads PyTorch's name of a dtype, with its aliases (`float`, `double`, `half`, `long`, `int`, …).
pub fn parse_dtype(name: &str) -> Result<DType> {
    let name = name.rsplit('.').next().unwrap_or(name);
    let alias = match name {
        "float" => "float32",
        "double" => "float64",
        "half" => "float16",
        "short" => "int16",
        "int" => "int32",
        "long" => "int64",
        "cfloat" => "complex64",
        "cdouble" => "complex128",
        other => other,
    };
    DType::ALL
        .into_iter()
        .find(|d| d.name() == alias)
        .ok_or_else(|| RusTorchError::dtype("dtype", format!("there is no dtype named '{name}'")))
}
