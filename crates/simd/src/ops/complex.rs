//! The loops of elementwise operations over complex128, pairs of float64 side by side in memory.
//!
//! complex64 is converted on its way in and out: one instantiation, and its results are rounded once.

use rustorch_algebra::complex::{self, Complex};
use rustorch_algebra::{ElementwiseOp, FloatAlgebra, for_each_complex_elementwise};

use super::Kernel;
use super::comparison::{Kind as RealKind, Mask as RealMask};
#[cfg(target_arch = "x86_64")]
use crate::arch::avx2::Avx2F64;
use crate::arch::fallback::Scalar;
use crate::arch::{Float, MAX_LANES};
use crate::{Lanes, SimdLevel};

/// How an argument or result lies in memory.
trait Kind<A: Lanes<Element = f64>> {
    /// What the functions compute with.
    type Lane: Copy;

    /// Reads `n ≤ LANES` elements from element `i` on.
    ///
    /// # Safety
    /// `base` is valid for these reads.
    unsafe fn load(a: &A, base: *const u8, i: usize, n: usize) -> Self::Lane;

    /// Writes `n ≤ LANES` elements from element `i` on.
    ///
    /// # Safety
    /// `base` is valid for these writes.
    unsafe fn store(a: &A, base: *mut u8, i: usize, n: usize, lane: Self::Lane);
}

struct Value;
struct Mask;

impl<A: Lanes<Element = f64>> Kind<A> for Value {
    type Lane = Complex<A::Value>;

    #[inline(always)]
    unsafe fn load(a: &A, base: *const u8, i: usize, n: usize) -> Self::Lane {
        let (mut re, mut im) = ([0.0; MAX_LANES], [0.0; MAX_LANES]);
        for lane in 0..n {
            // SAFETY: the caller's; lane < n.
            [re[lane], im[lane]] = unsafe { *base.cast::<[f64; 2]>().add(i + lane) };
        }
        // SAFETY: the arrays have room for every vector.
        unsafe { Complex::new(a.load(re.as_ptr()), a.load(im.as_ptr())) }
    }

    #[inline(always)]
    unsafe fn store(a: &A, base: *mut u8, i: usize, n: usize, lane: Self::Lane) {
        let (mut re, mut im) = ([0.0; MAX_LANES], [0.0; MAX_LANES]);
        // SAFETY: as above.
        unsafe {
            a.store(re.as_mut_ptr(), lane.re);
            a.store(im.as_mut_ptr(), lane.im);
        }
        for lane in 0..n {
            // SAFETY: the caller's; lane < n.
            unsafe { *base.cast::<[f64; 2]>().add(i + lane) = [re[lane], im[lane]] };
        }
    }
}

impl<A: Lanes<Element = f64>> Kind<A> for Mask {
    type Lane = A::Mask;

    #[inline(always)]
    unsafe fn load(a: &A, base: *const u8, i: usize, n: usize) -> A::Mask {
        // SAFETY: the caller's.
        unsafe { RealMask::load(a, base, i, n) }
    }

    #[inline(always)]
    unsafe fn store(a: &A, base: *mut u8, i: usize, n: usize, lane: A::Mask) {
        // SAFETY: the caller's.
        unsafe { RealMask::store(a, base, i, n, lane, false) }
    }
}

/// One operation over the algebra `A`.
trait Operation<A: Lanes<Element = f64>> {
    /// Computes `n ≤ LANES` elements from `i` on.
    ///
    /// # Safety
    /// As [`Kernel`], for these elements.
    unsafe fn step(a: &A, arguments: &[*const u8; 3], result: *mut u8, i: usize, n: usize);
}

/// The loop. It is inlined into a function that has the instruction set.
#[inline(always)]
unsafe fn drive<O: Operation<A>, A: Lanes<Element = f64>>(
    arguments: &[*const u8; 3],
    result: *mut u8,
    n: usize,
) {
    let a = A::default();
    let mut i = 0;
    while i < n {
        // One call site, so that the function is compiled once.
        // SAFETY: the caller's; the step ends within n.
        unsafe { O::step(&a, arguments, result, i, A::LANES.min(n - i)) };
        i += A::LANES;
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn drive_avx2<O: Operation<A>, A: Lanes<Element = f64>>(
    arguments: &[*const u8; 3],
    result: *mut u8,
    n: usize,
    _stream: bool,
) {
    // SAFETY: the caller's.
    unsafe { drive::<O, A>(arguments, result, n) }
}

unsafe fn drive_baseline<O: Operation<A>, A: Lanes<Element = f64>>(
    arguments: &[*const u8; 3],
    result: *mut u8,
    n: usize,
    _stream: bool,
) {
    // SAFETY: the caller's.
    unsafe { drive::<O, A>(arguments, result, n) }
}

/// Makes an [`Operation`] of every row with a complex form, and the tables of kernels.
macro_rules! operations {
    ($(($variant:ident, $function:ident, ($($argument:ident),*) -> $result:ident))*) => {
        /// One type per operation.
        mod operation {
            $(pub(super) struct $variant;)*
        }

        $(impl<A: Lanes<Element = f64> + FloatAlgebra> Operation<A>
            for operation::$variant
        {
            #[inline(always)]
            unsafe fn step(a: &A, p: &[*const u8; 3], result: *mut u8, i: usize, n: usize) {
                let mut arguments = p.iter();
                // SAFETY: the caller's; there are at most three arguments.
                unsafe {
                    let lane = complex::$function(
                        a,
                        $(<$argument as Kind<A>>::load(a, *arguments.next().unwrap_unchecked(), i, n)),*
                    );
                    <$result as Kind<A>>::store(a, result, i, n, lane);
                }
            }
        })*

        macro_rules! table {
            ($name:ident, $drive:ident, $algebra:ty) => {
                fn $name(op: ElementwiseOp) -> Option<Kernel> {
                    match op {
                        $(ElementwiseOp::$variant => Some($drive::<operation::$variant, $algebra> as Kernel),)*
                        _ => None,
                    }
                }
            };
        }
    };
}

for_each_complex_elementwise!(operations);

table!(scalar, drive_baseline, Float<Scalar<f64>>);
#[cfg(target_arch = "x86_64")]
table!(avx2, drive_avx2, Float<Avx2F64>);

/// The loop of `op` over complex128; `None` where the operation has no complex form.
pub(super) fn kernel(op: ElementwiseOp, level: SimdLevel) -> Option<Kernel> {
    match level {
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx2 | SimdLevel::Avx512 => avx2(op),
        _ => scalar(op),
    }
}
