//! The loop of every elementwise operation, over contiguous memory.

use rustorch_algebra::{
    Algebra, DType, ElementwiseOp, FloatAlgebra, IntegerAlgebra, Truth, for_each_elementwise, functions,
    special,
};

use super::Kernel;
use super::comparison::{Kind, Mask, Value};
#[cfg(target_arch = "x86_64")]
use crate::arch::avx2::{Avx2F32, Avx2F64};
#[cfg(target_arch = "x86_64")]
use crate::arch::avx512::{Avx512F32, Avx512F64};
use crate::arch::fallback::Scalar;
#[cfg(target_arch = "aarch64")]
use crate::arch::neon::{NeonF32, NeonF64};
use crate::arch::{Float, FloatElement, Integer};
use crate::{Lanes, SimdLevel};

/// One operation over the algebra `A`.
trait Operation<A: Lanes> {
    /// Bytes of an element of the result.
    const RESULT_SIZE: usize;

    /// Computes `n ≤ LANES` elements from `i` on.
    ///
    /// # Safety
    /// As [`Kernel`], for these elements.
    unsafe fn step(a: &A, arguments: &[*const u8; 3], result: *mut u8, i: usize, n: usize, stream: bool);
}

/// The loop. It is inlined into a function that has the instruction set.
#[inline(always)]
unsafe fn drive<O: Operation<A>, A: Lanes>(
    arguments: &[*const u8; 3],
    result: *mut u8,
    n: usize,
    stream: bool,
) {
    let a = A::default();
    if A::LANES == 1 {
        for i in 0..n {
            // SAFETY: the caller's; i < n.
            unsafe { O::step(&a, arguments, result, i, 1, false) };
        }
        return;
    }
    let mut i = 0;
    if stream {
        // Up to the first aligned vector.
        let misaligned = result.align_offset(A::LANES * O::RESULT_SIZE) / O::RESULT_SIZE;
        let first = misaligned.min(n);
        if first > 0 && first < A::LANES {
            // SAFETY: the caller's; first ≤ n.
            unsafe { O::step(&a, arguments, result, 0, first, false) };
            i = first;
        }
    }
    while i + A::LANES <= n {
        // SAFETY: the caller's; the vector ends within n.
        unsafe { O::step(&a, arguments, result, i, A::LANES, stream) };
        i += A::LANES;
    }
    if i < n {
        // SAFETY: the caller's; the rest is less than a vector.
        unsafe { O::step(&a, arguments, result, i, n - i, false) };
    }
}

/// `drive` for an instruction set.
macro_rules! drive_with {
    ($name:ident $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $name<O: Operation<A>, A: Lanes>(
            arguments: &[*const u8; 3],
            result: *mut u8,
            n: usize,
            stream: bool,
        ) {
            // SAFETY: the caller's.
            unsafe { drive::<O, A>(arguments, result, n, stream) }
        }
    };
}

#[cfg(target_arch = "x86_64")]
drive_with!(drive_avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma");
#[cfg(target_arch = "x86_64")]
drive_with!(drive_avx2, "avx2,fma");
drive_with!(drive_baseline);

/// Makes an [`Operation`] of every row of the op table, and the tables of kernels.
macro_rules! operations {
    ($(($variant:ident, $function:ident, $domain:ident, ($($argument:ident),*) -> $result:ident))*) => {
        /// One type per operation.
        mod operation {
            $(pub(super) struct $variant;)*
        }

        $(operations! { @domain $domain ($variant $function ($($argument)*) $result) })*

        /// A table of kernels: the class of numbers, the loop, the algebra.
        macro_rules! table {
            ($name:ident, $class:ident, $drive:ident, $algebra:ty) => {
                fn $name(op: ElementwiseOp) -> Option<Kernel> {
                    match op {
                        $(ElementwiseOp::$variant => operations!(@entry $class $domain $drive $variant $algebra),)*
                    }
                }
            };
        }
    };

    (@domain special $row:tt) => { operations! { @special $row } };
    (@domain float $row:tt) => { operations! { @implement (FloatAlgebra) $row } };
    (@domain integer $row:tt) => { operations! { @implement (IntegerAlgebra) $row } };
    (@domain $other:ident $row:tt) => { operations! { @implement (Algebra) $row } };

    // A special function takes one number of float64 at a time, whatever the instruction set.
    (@special ($variant:ident $function:ident ($x:ident) $result:ident)) => {
        impl<A: Lanes<Element: FloatElement>> Operation<A> for operation::$variant {
            const RESULT_SIZE: usize = size_of::<A::Element>();
            #[inline(always)]
            unsafe fn step(_: &A, p: &[*const u8; 3], result: *mut u8, i: usize, _: usize, _: bool) {
                // SAFETY: the caller's.
                unsafe {
                    let x = *p[0].cast::<A::Element>().add(i);
                    *result.cast::<A::Element>().add(i) = A::Element::from_f64(special::$function(x.to_f64()));
                }
            }
        }
    };
    (@special ($variant:ident $function:ident ($x:ident $y:ident) $result:ident)) => {
        impl<A: Lanes<Element: FloatElement>> Operation<A> for operation::$variant {
            const RESULT_SIZE: usize = size_of::<A::Element>();
            #[inline(always)]
            unsafe fn step(_: &A, p: &[*const u8; 3], result: *mut u8, i: usize, _: usize, _: bool) {
                // SAFETY: the caller's.
                unsafe {
                    let x = *p[0].cast::<A::Element>().add(i);
                    let y = *p[1].cast::<A::Element>().add(i);
                    *result.cast::<A::Element>().add(i) =
                        A::Element::from_f64(special::$function(x.to_f64(), y.to_f64()));
                }
            }
        }
    };

    (@implement ($bound:ident) ($variant:ident $function:ident ($x:ident) $result:ident)) => {
        impl<A: Lanes + $bound> Operation<A> for operation::$variant {
            const RESULT_SIZE: usize = <$result as Kind<A>>::SIZE;
            #[inline(always)]
            unsafe fn step(a: &A, p: &[*const u8; 3], result: *mut u8, i: usize, n: usize, stream: bool) {
                // SAFETY: the caller's.
                unsafe {
                    let x = <$x as Kind<A>>::load(a, p[0], i, n);
                    <$result as Kind<A>>::store(a, result, i, n, functions::$function(a, x), stream);
                }
            }
        }
    };
    (@implement ($bound:ident) ($variant:ident $function:ident ($x:ident $y:ident) $result:ident)) => {
        impl<A: Lanes + $bound> Operation<A> for operation::$variant {
            const RESULT_SIZE: usize = <$result as Kind<A>>::SIZE;
            #[inline(always)]
            unsafe fn step(a: &A, p: &[*const u8; 3], result: *mut u8, i: usize, n: usize, stream: bool) {
                // SAFETY: the caller's.
                unsafe {
                    let x = <$x as Kind<A>>::load(a, p[0], i, n);
                    let y = <$y as Kind<A>>::load(a, p[1], i, n);
                    <$result as Kind<A>>::store(a, result, i, n, functions::$function(a, x, y), stream);
                }
            }
        }
    };
    (@implement ($bound:ident) ($variant:ident $function:ident ($x:ident $y:ident $z:ident) $result:ident)) => {
        impl<A: Lanes + $bound> Operation<A> for operation::$variant {
            const RESULT_SIZE: usize = <$result as Kind<A>>::SIZE;
            #[inline(always)]
            unsafe fn step(a: &A, p: &[*const u8; 3], result: *mut u8, i: usize, n: usize, stream: bool) {
                // SAFETY: the caller's.
                unsafe {
                    let x = <$x as Kind<A>>::load(a, p[0], i, n);
                    let y = <$y as Kind<A>>::load(a, p[1], i, n);
                    let z = <$z as Kind<A>>::load(a, p[2], i, n);
                    <$result as Kind<A>>::store(a, result, i, n, functions::$function(a, x, y, z), stream);
                }
            }
        }
    };

    // Which classes of numbers an operation of each domain is for.
    (@entry float integer $drive:ident $variant:ident $algebra:ty) => { None };
    (@entry float special $drive:ident $variant:ident $algebra:ty) => {
        Some(drive_baseline::<operation::$variant, Single<$algebra>> as Kernel)
    };
    (@entry $class:ident special $drive:ident $variant:ident $algebra:ty) => { None };
    (@entry integer float $drive:ident $variant:ident $algebra:ty) => { None };
    (@entry bool float $drive:ident $variant:ident $algebra:ty) => { None };
    (@entry bool real $drive:ident $variant:ident $algebra:ty) => { None };
    (@entry $class:ident $domain:ident $drive:ident $variant:ident $algebra:ty) => {
        Some($drive::<operation::$variant, $algebra> as Kernel)
    };
}

/// One lane of the elements of `A`.
type Single<A> = Float<Scalar<<A as Lanes>::Element>>;

for_each_elementwise!(operations);

/// The tables of an instruction set's floats and of the compiler's integers.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::*;

    table!(avx512_f32, float, drive_avx512, Float<Avx512F32>);
    table!(avx512_f64, float, drive_avx512, Float<Avx512F64>);
    table!(avx2_f32, float, drive_avx2, Float<Avx2F32>);
    table!(avx2_f64, float, drive_avx2, Float<Avx2F64>);
    table!(avx2_u8, integer, drive_avx2, Integer<u8>);
    table!(avx2_i8, integer, drive_avx2, Integer<i8>);
    table!(avx2_i16, integer, drive_avx2, Integer<i16>);
    table!(avx2_i32, integer, drive_avx2, Integer<i32>);
    table!(avx2_i64, integer, drive_avx2, Integer<i64>);

    /// The kernel where there is AVX2 or more. 256-bit vectors serve integers: their loops wait for memory.
    pub(super) fn kernel(op: ElementwiseOp, dtype: DType, level: SimdLevel) -> Option<Kernel> {
        match (dtype, level) {
            (DType::Float32, SimdLevel::Avx512) => avx512_f32(op),
            (DType::Float32, _) => avx2_f32(op),
            (DType::Float64, SimdLevel::Avx512) => avx512_f64(op),
            (DType::Float64, _) => avx2_f64(op),
            (DType::UInt8, _) => avx2_u8(op),
            (DType::Int8, _) => avx2_i8(op),
            (DType::Int16, _) => avx2_i16(op),
            (DType::Int32, _) => avx2_i32(op),
            (DType::Int64, _) => avx2_i64(op),
            _ => baseline::kernel(op, dtype),
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::*;

    table!(neon_f32, float, drive_baseline, Float<NeonF32>);
    table!(neon_f64, float, drive_baseline, Float<NeonF64>);

    /// The kernel on ARM, where the compiler's integers use NEON by themselves.
    pub(super) fn kernel(op: ElementwiseOp, dtype: DType) -> Option<Kernel> {
        match dtype {
            DType::Float32 => neon_f32(op),
            DType::Float64 => neon_f64(op),
            _ => baseline::kernel(op, dtype),
        }
    }
}

/// What every processor of the architecture runs.
mod baseline {
    use super::*;

    table!(scalar_f32, float, drive_baseline, Float<Scalar<f32>>);
    table!(scalar_f64, float, drive_baseline, Float<Scalar<f64>>);
    table!(scalar_u8, integer, drive_baseline, Integer<u8>);
    table!(scalar_i8, integer, drive_baseline, Integer<i8>);
    table!(scalar_i16, integer, drive_baseline, Integer<i16>);
    table!(scalar_i32, integer, drive_baseline, Integer<i32>);
    table!(scalar_i64, integer, drive_baseline, Integer<i64>);
    table!(scalar_bool, bool, drive_baseline, Integer<Truth>);

    pub(super) fn kernel(op: ElementwiseOp, dtype: DType) -> Option<Kernel> {
        match dtype {
            DType::Bool => scalar_bool(op),
            DType::UInt8 => scalar_u8(op),
            DType::Int8 => scalar_i8(op),
            DType::Int16 => scalar_i16(op),
            DType::Int32 => scalar_i32(op),
            DType::Int64 => scalar_i64(op),
            DType::Float32 => scalar_f32(op),
            DType::Float64 => scalar_f64(op),
            DType::Float16 | DType::BFloat16 | DType::Complex64 | DType::Complex128 => None,
        }
    }
}

/// The loop of `op` over numbers of the compute dtype `dtype` with the instructions of `level`; `None` where the
/// operation is not defined for the dtype.
#[inline]
pub fn kernel(op: ElementwiseOp, dtype: DType, level: SimdLevel) -> Option<Kernel> {
    if dtype == DType::Complex128 {
        return super::complex::kernel(op, level);
    }
    match level {
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx2 | SimdLevel::Avx512 => x86::kernel(op, dtype, level),
        #[cfg(target_arch = "aarch64")]
        SimdLevel::Neon => arm::kernel(op, dtype),
        _ => baseline::kernel(op, dtype),
    }
}
