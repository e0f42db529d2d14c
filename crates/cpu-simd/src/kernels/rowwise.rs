//! Kernels that work on whole rows of floats: which instructions they run with, and rows that do not lie in one piece.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use rustorch_algebra::FloatBits;
#[cfg(target_arch = "x86_64")]
use rustorch_simd::arch::avx2::{Avx2F32, Avx2F64};
#[cfg(target_arch = "x86_64")]
use rustorch_simd::arch::avx512::{Avx512F32, Avx512F64};
#[cfg(target_arch = "aarch64")]
use rustorch_simd::arch::neon::{NeonF32, NeonF64};
use rustorch_simd::arch::{Float, FloatElement, fallback::Scalar};
use rustorch_simd::{Lanes, SimdLevel, level};

use super::dense::ComputeType;
use super::walk::{Elements, Walk};

/// A kernel that is written once over the vectors of every instruction set. `run` is `#[inline(always)]`, as is all it
/// calls, so that it compiles to the set's own instructions.
pub(crate) trait RowKernel<T> {
    /// What it computes.
    type Output;
    /// Computes.
    ///
    /// # Safety
    /// The vectors' instruction set is available, and the kernel's fields hold what their documentation says.
    unsafe fn run<A: Lanes<Element = T> + FloatBits>(self, a: &A) -> Self::Output;
}

/// A type that rows are computed in.
pub(crate) trait FloatComputeType: FloatElement + ComputeType {
    /// Runs `kernel` with the instructions in use.
    ///
    /// # Safety
    /// The kernel's fields hold what their documentation says.
    unsafe fn run<K: RowKernel<Self>>(kernel: K) -> K::Output;
}

macro_rules! run_with {
    ($name:ident $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $name<A: Lanes + FloatBits, K: RowKernel<A::Element>>(kernel: K) -> K::Output {
            // SAFETY: the caller's.
            unsafe { kernel.run(&A::default()) }
        }
    };
}

#[cfg(target_arch = "x86_64")]
run_with!(run_avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma");
#[cfg(target_arch = "x86_64")]
run_with!(run_avx2, "avx2,fma");
run_with!(run_baseline);

macro_rules! computed {
    ($t:ty, $avx512:ident, $avx2:ident, $neon:ident) => {
        impl FloatComputeType for $t {
            #[inline]
            unsafe fn run<K: RowKernel<Self>>(kernel: K) -> K::Output {
                // SAFETY: the level in use is available; the rest is the caller's.
                unsafe {
                    match level() {
                        #[cfg(target_arch = "x86_64")]
                        SimdLevel::Avx512 => run_avx512::<Float<$avx512>, K>(kernel),
                        #[cfg(target_arch = "x86_64")]
                        SimdLevel::Avx2 => run_avx2::<Float<$avx2>, K>(kernel),
                        #[cfg(target_arch = "aarch64")]
                        SimdLevel::Neon => run_baseline::<Float<$neon>, K>(kernel),
                        _ => run_baseline::<Float<Scalar<$t>>, K>(kernel),
                    }
                }
            }
        }
    };
}

computed!(f32, Avx512F32, Avx2F32, NeonF32);
computed!(f64, Avx512F64, Avx2F64, NeonF64);

/// The sum of a vector's lanes.
///
/// # Safety
/// The vector's instruction set is available.
#[inline(always)]
pub(crate) unsafe fn sum_of_lanes<A: Lanes>(a: &A, x: A::Value) -> f64
where
    A::Element: FloatElement,
{
    let mut lanes = [A::Element::default(); 16];
    // SAFETY: no vector has more than 16 lanes.
    unsafe { a.store(lanes.as_mut_ptr(), x) };
    lanes.iter().take(A::LANES).fold(0.0, |sum, lane| sum + lane.to_f64())
}

/// Loads `n` elements at `i`; where there are fewer than a vector's, the other lanes are 0.
///
/// # Safety
/// The instruction set is available and the elements are there.
#[inline(always)]
pub(crate) unsafe fn load<A: Lanes>(a: &A, from: *const A::Element, i: usize, n: usize) -> A::Value {
    // SAFETY: the caller's.
    unsafe { if n == A::LANES { a.load(from.add(i)) } else { a.load_partial(from.add(i), n) } }
}

/// Stores the first `n` lanes at `i`.
///
/// # Safety
/// As [`load`].
#[inline(always)]
pub(crate) unsafe fn store<A: Lanes>(a: &A, to: *mut A::Element, i: usize, n: usize, x: A::Value) {
    // SAFETY: the caller's.
    unsafe { if n == A::LANES { a.store(to.add(i), x) } else { a.store_partial(to.add(i), x, n) } }
}

/// `x` with 0 in the lanes from `n < LANES` on.
///
/// # Safety
/// The instruction set is available.
#[inline(always)]
pub(crate) unsafe fn kept<A: Lanes<Element: FloatElement>>(a: &A, x: A::Value, n: usize) -> A::Value {
    let mut lanes = [A::Element::default(); 16];
    // SAFETY: no vector has more than 16 lanes.
    unsafe {
        a.store_partial(lanes.as_mut_ptr(), x, n);
        a.load_partial(lanes.as_ptr(), n)
    }
}

/// An element as it is stored, and the type it is computed in.
pub(crate) trait StorageType: Copy + Send + Sync + 'static {
    type Compute: FloatComputeType + StorageType<Compute = Self::Compute>;

    fn to_compute(self) -> Self::Compute;
    fn from_compute(value: Self::Compute) -> Self;

    /// Converts a run.
    fn to_compute_run(from: &[Self], to: &mut [Self::Compute]) {
        for (from, to) in from.iter().zip(to) {
            *to = from.to_compute();
        }
    }

    /// Rounds a run.
    fn from_compute_run(from: &[Self::Compute], to: &mut [Self]) {
        for (from, to) in from.iter().zip(to) {
            *to = Self::from_compute(*from);
        }
    }
}

macro_rules! computes_as_stored {
    ($($t:ty)*) => {$(
        impl StorageType for $t {
            type Compute = $t;
            #[inline(always)]
            fn to_compute(self) -> $t { self }
            #[inline(always)]
            fn from_compute(value: $t) -> $t { value }
        }
    )*};
}

computes_as_stored! { f32 f64 }

impl StorageType for f16 {
    type Compute = f32;
    #[inline(always)]
    fn to_compute(self) -> f32 {
        self.to_f32()
    }
    #[inline(always)]
    fn from_compute(value: f32) -> f16 {
        f16::from_f32(value)
    }
    fn to_compute_run(from: &[f16], to: &mut [f32]) {
        from.convert_to_f32_slice(to);
    }
    fn from_compute_run(from: &[f32], to: &mut [f16]) {
        to.convert_from_f32_slice(from);
    }
}

impl StorageType for bf16 {
    type Compute = f32;
    #[inline(always)]
    fn to_compute(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }
    // Rounds to even without a branch, so that the compiler vectorises the loop over a run.
    #[inline(always)]
    fn from_compute(value: f32) -> bf16 {
        let bits = value.to_bits();
        let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
        let quiet = (bits >> 16) | 0x40;
        bf16::from_bits(if value.is_nan() { quiet } else { rounded } as u16)
    }
}

/// Calls a macro arm with the [`StorageType`] type of a floating-point dtype, or evaluates `else`.
macro_rules! with_storage_type {
    ($dtype:expr, $S:ident => $body:expr, else $other:expr) => {
        match $dtype {
            rustorch_backend::DType::Float16 => {
                type $S = half::f16;
                $body
            }
            rustorch_backend::DType::BFloat16 => {
                type $S = half::bf16;
                $body
            }
            rustorch_backend::DType::Float32 => {
                type $S = f32;
                $body
            }
            rustorch_backend::DType::Float64 => {
                type $S = f64;
                $body
            }
            _ => $other,
        }
    };
}
pub(crate) use with_storage_type;

/// Rows of a tensor that do not lie in one piece, or not in the type they are computed in: `count` neighbouring rows,
/// which are copied to and from scratch memory, [`staged_step`] elements from one to the next.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, S> {
    pub(crate) elements: Elements<S>,
    /// The positions of a row, relative to its first element.
    pub(crate) positions: &'a Walk<1>,
    /// The first element of the first row, and the step to the next row's.
    pub(crate) first: isize,
    pub(crate) step: isize,
    pub(crate) count: usize,
}

impl<S: StorageType> Rows<'_, S> {
    /// Copies the rows to `scratch`, converted.
    ///
    /// # Safety
    /// The positions lie in the operand, and nobody writes there; `scratch` is valid for writes of all rows.
    pub(crate) unsafe fn read(self, scratch: *mut S::Compute) {
        let length = self.positions.len();
        let scratch_step = staged_step::<S::Compute>(length);
        let [along] = self.positions.steps();
        for (position, [start], n) in self.positions.runs(0..length) {
            // SAFETY: the caller's.
            unsafe {
                if along == 1 {
                    for row in 0..self.count {
                        let from = self.elements.at(self.first + row as isize * self.step + start);
                        S::to_compute_run(
                            std::slice::from_raw_parts(from, n),
                            std::slice::from_raw_parts_mut(scratch.add(row * scratch_step + position), n),
                        );
                    }
                } else {
                    for i in 0..n {
                        let from = self.first + start + i as isize * along;
                        for row in 0..self.count {
                            let value = self.elements.get(from + row as isize * self.step);
                            scratch.add(row * scratch_step + position + i).write(value.to_compute());
                        }
                    }
                }
            }
        }
    }

    /// Copies `scratch` to the rows, rounded.
    ///
    /// # Safety
    /// The positions lie in the operand, and nobody else touches them; `scratch` is valid for reads of all rows.
    pub(crate) unsafe fn write(self, scratch: *const S::Compute) {
        let length = self.positions.len();
        let scratch_step = staged_step::<S::Compute>(length);
        let [along] = self.positions.steps();
        for (position, [start], n) in self.positions.runs(0..length) {
            // SAFETY: the caller's.
            unsafe {
                if along == 1 {
                    for row in 0..self.count {
                        let to = self.elements.at(self.first + row as isize * self.step + start);
                        S::from_compute_run(
                            std::slice::from_raw_parts(scratch.add(row * scratch_step + position), n),
                            std::slice::from_raw_parts_mut(to, n),
                        );
                    }
                } else {
                    for i in 0..n {
                        let to = self.first + start + i as isize * along;
                        for row in 0..self.count {
                            let value = scratch.add(row * scratch_step + position + i).read();
                            self.elements.set(to + row as isize * self.step, S::from_compute(value));
                        }
                    }
                }
            }
        }
    }
}

/// The step from one staged row of `length` elements to the next: whole cache lines, and one more, so that rows whose
/// length is a power of two do not all fall into one set of the cache.
pub(crate) fn staged_step<T>(length: usize) -> usize {
    let line = 64 / size_of::<T>();
    length.next_multiple_of(line) + line
}

/// How many neighbouring rows of `length` elements of `T` are staged together: as many as fit half of a second-level
/// cache, and no more than fill a cache line.
pub(crate) fn rows_together<T>(length: usize) -> usize {
    ((256 << 10) / (length * size_of::<T>()).max(1)).clamp(1, 64 / size_of::<T>())
}
