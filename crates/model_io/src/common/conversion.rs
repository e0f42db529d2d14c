//! Names and sizes of the dtypes that files have, more than RusTorch's, and numbers in the other byte order.

use std::fmt;

use rustorch_tensor::DType;

macro_rules! element_types {
    ($($variant:ident $name:literal $size:literal $part:literal $storage:literal $ours:expr;)*) => {
        /// The dtype of elements in a file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum ElementType {
            $($variant,)*
        }

        impl ElementType {
            /// Every one.
            pub const ALL: [ElementType; [$($name),*].len()] = [$(ElementType::$variant),*];

            /// PyTorch's name of it.
            pub fn name(self) -> &'static str {
                match self { $(ElementType::$variant => $name,)* }
            }

            /// Bytes per element.
            pub fn size(self) -> usize {
                match self { $(ElementType::$variant => $size,)* }
            }

            /// Bytes of the numbers that change places in the other byte order: those of a part, where elements are complex.
            pub fn swapped(self) -> usize {
                match self { $(ElementType::$variant => $part,)* }
            }

            /// The word before `Storage` and `Tensor` in the classes that old files name; empty where there is none.
            pub fn class(self) -> &'static str {
                match self { $(ElementType::$variant => $storage,)* }
            }

            /// RusTorch's dtype for it.
            pub fn dtype(self) -> Option<DType> {
                match self { $(ElementType::$variant => $ours,)* }
            }
        }
    };
}

element_types! {
    Bool "bool" 1 1 "Bool" Some(DType::Bool);
    UInt8 "uint8" 1 1 "Byte" Some(DType::UInt8);
    Int8 "int8" 1 1 "Char" Some(DType::Int8);
    Int16 "int16" 2 2 "Short" Some(DType::Int16);
    Int32 "int32" 4 4 "Int" Some(DType::Int32);
    Int64 "int64" 8 8 "Long" Some(DType::Int64);
    UInt16 "uint16" 2 2 "" None;
    UInt32 "uint32" 4 4 "" None;
    UInt64 "uint64" 8 8 "" None;
    Float16 "float16" 2 2 "Half" Some(DType::Float16);
    BFloat16 "bfloat16" 2 2 "BFloat16" Some(DType::BFloat16);
    Float32 "float32" 4 4 "Float" Some(DType::Float32);
    Float64 "float64" 8 8 "Double" Some(DType::Float64);
    Complex32 "complex32" 4 2 "" None;
    Complex64 "complex64" 8 4 "ComplexFloat" Some(DType::Complex64);
    Complex128 "complex128" 16 8 "ComplexDouble" Some(DType::Complex128);
    Float8E4M3Fn "float8_e4m3fn" 1 1 "" None;
    Float8E5M2 "float8_e5m2" 1 1 "" None;
    Float8E4M3FnUz "float8_e4m3fnuz" 1 1 "" None;
    Float8E5M2FnUz "float8_e5m2fnuz" 1 1 "" None;
    Float8E8M0Fnu "float8_e8m0fnu" 1 1 "" None;
    Float4E2M1FnX2 "float4_e2m1fn_x2" 1 1 "" None;
}

impl ElementType {
    /// The one of PyTorch's name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|element| element.name() == name)
    }

    /// The one of a class such as `FloatStorage`, given without what follows the word.
    pub fn of_class(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|element| !word.is_empty() && element.class() == word)
    }

    /// The one for a dtype of RusTorch's.
    pub fn of(dtype: DType) -> Option<Self> {
        Self::ALL.into_iter().find(|element| element.dtype() == Some(dtype))
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Turns numbers of `size` bytes each into the other byte order.
pub fn swap_bytes(bytes: &mut [u8], size: usize) {
    if size > 1 {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
}
