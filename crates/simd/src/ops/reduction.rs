//! The loops that reduce a row to one number.

use rustorch_algebra::{Algebra, DType};

#[cfg(target_arch = "x86_64")]
use crate::arch::avx2::{Avx2F32, Avx2F64};
#[cfg(target_arch = "x86_64")]
use crate::arch::avx512::{Avx512F32, Avx512F64};
use crate::arch::fallback::Scalar;
#[cfg(target_arch = "aarch64")]
use crate::arch::neon::{NeonF32, NeonF64};
use crate::arch::{Float, FloatElement, Vector};
use crate::ops::moments::Moments;
use crate::ops::wide;
use crate::{Lanes, SimdLevel};

/// Reduces `n > 0` elements to a float64 (of floats) or an int64 (of integers and bool) at `result`.
///
/// # Safety
/// `row` is valid for reads of `n` elements of the kernel's dtype, `result` for the write; the level is available.
pub type RowKernel = unsafe fn(row: *const u8, n: usize, result: *mut u8);

/// Elements whose lanes are combined before they are widened: few enough that float32 sums stay exact enough.
const BLOCK: usize = 1024;
/// Independent chains, so that additions do not wait for each other.
const CHAINS: usize = 4;

/// How two numbers become one.
trait Combination: 'static {
    const IDENTITY: f64;
    /// Whether a block's result may be too large for the elements' type, though that of all is not.
    const OVERFLOWS: bool;
    /// Whether floats are widened before they are combined.
    const WIDE: bool;
    fn of<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value;
    fn of_wide(x: f64, y: f64) -> f64;
    fn of_integers(x: i64, y: i64) -> i64;
    /// Of truth values, from how many of them are true.
    fn of_truths(yes: usize, all: usize) -> i64;
}

macro_rules! combinations {
    ($($name:ident $identity:expr, $overflows:literal, $widens:literal, $of:ident, |$x:ident, $y:ident| $wide:expr, $integers:expr,
       $truths:expr;)*) => {$(
        struct $name;
        impl Combination for $name {
            const IDENTITY: f64 = $identity;
            const OVERFLOWS: bool = $overflows;
            const WIDE: bool = $widens;
            #[inline(always)]
            fn of<A: Algebra>(a: &A, x: A::Value, y: A::Value) -> A::Value {
                a.$of(x, y)
            }
            #[inline(always)]
            fn of_wide($x: f64, $y: f64) -> f64 {
                $wide
            }
            #[inline(always)]
            fn of_integers($x: i64, $y: i64) -> i64 {
                $integers
            }
            fn of_truths(yes: usize, all: usize) -> i64 {
                $truths(yes, all)
            }
        }
    )*};
}

combinations! {
    Sum 0.0, true, false, add, |x, y| x + y, x.wrapping_add(y), |yes, _| yes as i64;
    Product 1.0, false, true, mul, |x, y| x * y, x.wrapping_mul(y), |yes, all| i64::from(yes == all);
    Largest f64::NEG_INFINITY, false, false, max, |x, y| if x > y || x.is_nan() { x } else { y }, x.max(y), |yes, _| i64::from(yes > 0);
    Smallest f64::INFINITY, false, false, min, |x, y| if x < y || x.is_nan() { x } else { y }, x.min(y), |yes, all| i64::from(yes == all);
}

#[inline(always)]
unsafe fn reduce_floats<V: Vector, C: Combination>(row: *const u8, n: usize) -> f64 {
    let a = Float::<V>::default();
    let row = row.cast::<V::Element>();
    let mut total = C::IDENTITY;
    let mut start = 0;
    while start < n {
        let end = (start + BLOCK).min(n);
        let mut chains = [a.constant(C::IDENTITY); CHAINS];
        let mut i = start;
        while i + CHAINS * V::LANES <= end {
            for (chain, sum) in chains.iter_mut().enumerate() {
                // SAFETY: the caller's; the vector ends within the block.
                *sum = C::of(&a, *sum, unsafe { a.load(row.add(i + chain * V::LANES)) });
            }
            i += CHAINS * V::LANES;
        }
        while i + V::LANES <= end {
            // SAFETY: as above.
            chains[0] = C::of(&a, chains[0], unsafe { a.load(row.add(i)) });
            i += V::LANES;
        }
        let pair = [C::of(&a, chains[0], chains[1]), C::of(&a, chains[2], chains[3])];
        let lanes = Float::<V>::lanes_of(C::of(&a, pair[0], pair[1]));
        let mut sum = C::IDENTITY;
        if i > start {
            for lane in &lanes[..V::LANES] {
                sum = C::of_wide(sum, lane.to_f64());
            }
        }
        while i < end {
            // SAFETY: as above.
            sum = C::of_wide(sum, unsafe { *row.add(i) }.to_f64());
            i += 1;
        }
        if C::OVERFLOWS && !sum.is_finite() {
            // SAFETY: as above.
            sum = unsafe { wide::sum(row.add(start), end - start) };
        }
        total = C::of_wide(total, sum);
        start = end;
    }
    total
}

/// The sum of squares.
#[inline(always)]
unsafe fn squares_of<V: Vector>(row: *const u8, n: usize) -> f64 {
    let a = Float::<V>::default();
    let row = row.cast::<V::Element>();
    let mut total = 0.0;
    for start in (0..n).step_by(BLOCK) {
        let count = BLOCK.min(n - start);
        // SAFETY: the caller's; the block is within n.
        let block = unsafe { row.add(start) };
        let mut chains = [a.constant(0.0); CHAINS];
        let mut i = 0;
        while i + CHAINS * V::LANES <= count {
            for (chain, sum) in chains.iter_mut().enumerate() {
                // SAFETY: the vector is within the block.
                let x = unsafe { a.load(block.add(i + chain * V::LANES)) };
                *sum = a.mul_add(x, x, *sum);
            }
            i += CHAINS * V::LANES;
        }
        while i + V::LANES <= count {
            // SAFETY: as above.
            let x = unsafe { a.load(block.add(i)) };
            chains[0] = a.mul_add(x, x, chains[0]);
            i += V::LANES;
        }
        let pair = [a.add(chains[0], chains[1]), a.add(chains[2], chains[3])];
        let lanes = Float::<V>::lanes_of(a.add(pair[0], pair[1]));
        let mut sum: f64 = lanes[..V::LANES].iter().map(|lane| lane.to_f64()).sum();
        while i < count {
            // SAFETY: i < count.
            let x = unsafe { *block.add(i) }.to_f64();
            sum += x * x;
            i += 1;
        }
        if !wide::is_exact::<V::Element>(sum) {
            // SAFETY: as above.
            sum = unsafe { wide::squares(block, count) };
        }
        total += sum;
    }
    total
}

/// The product of floats, in float64 from the first factor on: a product of many numbers near 1 in float32 comes out too
/// low, and that of a few large ones overflows before small ones make up for it.
#[inline(always)]
unsafe fn multiply_floats<T: FloatElement>(row: *const u8, n: usize) -> f64 {
    const WIDE: usize = 32;
    let row = row.cast::<T>();
    let mut products = [1.0; WIDE];
    let whole = n / WIDE * WIDE;
    for i in (0..whole).step_by(WIDE) {
        for (k, product) in products.iter_mut().enumerate() {
            // SAFETY: the caller's; i + k < n.
            *product *= unsafe { *row.add(i + k) }.to_f64();
        }
    }
    for i in whole..n {
        // SAFETY: the caller's; i < n.
        products[i - whole] *= unsafe { *row.add(i) }.to_f64();
    }
    products.into_iter().product()
}

#[inline(always)]
unsafe fn reduce_integers<T: Copy + Into<i64>, C: Combination>(row: *const u8, n: usize) -> i64 {
    let row = row.cast::<T>();
    // SAFETY: the caller's.
    let mut total: i64 = unsafe { *row }.into();
    for i in 1..n {
        // SAFETY: the caller's; i < n.
        total = C::of_integers(total, unsafe { *row.add(i) }.into());
    }
    total
}

/// How many of `n` truth values are true. A byte per lane counts while it can, so that a vector has many.
///
/// # Safety
/// `row` is valid for reads of `n` bytes.
#[inline]
pub unsafe fn count_true(row: *const u8, n: usize) -> usize {
    const LANES: usize = 64;
    let mut total = 0;
    let mut start = 0;
    while n - start >= LANES {
        let rows = ((n - start) / LANES).min(u8::MAX as usize);
        let mut counts = [0u8; LANES];
        for at in (0..rows).map(|i| start + i * LANES) {
            for (lane, count) in counts.iter_mut().enumerate() {
                // SAFETY: the caller's; the row's end is within n.
                *count += unsafe { *row.add(at + lane) }.min(1);
            }
        }
        total += counts.iter().map(|&count| count as usize).sum::<usize>();
        start += rows * LANES;
    }
    // SAFETY: the caller's.
    total + (start..n).map(|i| unsafe { *row.add(i) }.min(1) as usize).sum::<usize>()
}

unsafe fn truths<C: Combination>(row: *const u8, n: usize, result: *mut u8) {
    // SAFETY: the caller's.
    unsafe { result.cast::<i64>().write(C::of_truths(count_true(row, n), n)) }
}

macro_rules! row_with {
    ($floats:ident $integers:ident $squares:ident $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $squares<V: Vector>(row: *const u8, n: usize, result: *mut u8) {
            // SAFETY: the caller's.
            unsafe { result.cast::<f64>().write(squares_of::<V>(row, n)) }
        }
        $(#[target_feature(enable = $features)])?
        unsafe fn $floats<V: Vector, C: Combination>(row: *const u8, n: usize, result: *mut u8) {
            // SAFETY: the caller's.
            let value = unsafe {
                if C::WIDE { multiply_floats::<V::Element>(row, n) } else { reduce_floats::<V, C>(row, n) }
            };
            // SAFETY: the caller's.
            unsafe { result.cast::<f64>().write(value) }
        }
        $(#[target_feature(enable = $features)])?
        unsafe fn $integers<T: Copy + Into<i64>, C: Combination>(row: *const u8, n: usize, result: *mut u8) {
            // SAFETY: the caller's.
            unsafe { result.cast::<i64>().write(reduce_integers::<T, C>(row, n)) }
        }
    };
}

#[cfg(target_arch = "x86_64")]
row_with!(floats_avx512 integers_avx512 squares_avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma");
#[cfg(target_arch = "x86_64")]
row_with!(floats_avx2 integers_avx2 squares_avx2, "avx2,fma");
row_with!(floats_baseline integers_baseline squares_baseline);

fn kernel_of<C: Combination>(dtype: DType, level: SimdLevel) -> RowKernel {
    match (dtype, level) {
        #[cfg(target_arch = "x86_64")]
        (DType::Float32, SimdLevel::Avx512) => floats_avx512::<Avx512F32, C>,
        #[cfg(target_arch = "x86_64")]
        (DType::Float64, SimdLevel::Avx512) => floats_avx512::<Avx512F64, C>,
        #[cfg(target_arch = "x86_64")]
        (DType::Float32, SimdLevel::Avx2) => floats_avx2::<Avx2F32, C>,
        #[cfg(target_arch = "x86_64")]
        (DType::Float64, SimdLevel::Avx2) => floats_avx2::<Avx2F64, C>,
        #[cfg(target_arch = "aarch64")]
        (DType::Float32, SimdLevel::Neon) => floats_baseline::<NeonF32, C>,
        #[cfg(target_arch = "aarch64")]
        (DType::Float64, SimdLevel::Neon) => floats_baseline::<NeonF64, C>,
        (DType::Float32, _) => floats_baseline::<Scalar<f32>, C>,
        (DType::Float64, _) => floats_baseline::<Scalar<f64>, C>,
        (DType::Bool, _) => truths::<C>,
        #[cfg(target_arch = "x86_64")]
        (integer, SimdLevel::Avx512) => match integer {
            DType::UInt8 => integers_avx512::<u8, C>,
            DType::Int8 => integers_avx512::<i8, C>,
            DType::Int16 => integers_avx512::<i16, C>,
            DType::Int32 => integers_avx512::<i32, C>,
            _ => integers_avx512::<i64, C>,
        },
        #[cfg(target_arch = "x86_64")]
        (integer, SimdLevel::Avx2) => match integer {
            DType::UInt8 => integers_avx2::<u8, C>,
            DType::Int8 => integers_avx2::<i8, C>,
            DType::Int16 => integers_avx2::<i16, C>,
            DType::Int32 => integers_avx2::<i32, C>,
            _ => integers_avx2::<i64, C>,
        },
        (integer, _) => match integer {
            DType::UInt8 => integers_baseline::<u8, C>,
            DType::Int8 => integers_baseline::<i8, C>,
            DType::Int16 => integers_baseline::<i16, C>,
            DType::Int32 => integers_baseline::<i32, C>,
            _ => integers_baseline::<i64, C>,
        },
    }
}

/// The loop that sums the squares of a row of float32 or float64.
fn squares_kernel(dtype: DType, level: SimdLevel) -> RowKernel {
    let single = dtype == DType::Float32;
    match level {
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx512 if single => squares_avx512::<Avx512F32>,
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx512 => squares_avx512::<Avx512F64>,
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx2 if single => squares_avx2::<Avx2F32>,
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx2 => squares_avx2::<Avx2F64>,
        #[cfg(target_arch = "aarch64")]
        SimdLevel::Neon if single => squares_baseline::<NeonF32>,
        #[cfg(target_arch = "aarch64")]
        SimdLevel::Neon => squares_baseline::<NeonF64>,
        _ if single => squares_baseline::<Scalar<f32>>,
        _ => squares_baseline::<Scalar<f64>>,
    }
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowReduction {
    /// The sum; of truth values, how many are true.
    Sum,
    /// The product; of truth values, whether all are true.
    Product,
    /// The sum of the squares; floats only.
    SumOfSquares,
    /// The largest; NaN wins. Of truth values, whether any is true.
    Max,
    /// The smallest; NaN wins. Of truth values, whether all are true.
    Min,
}

/// The loop that reduces a row of `dtype`: float32, float64, an integer or bool.
pub fn row_kernel(reduction: RowReduction, dtype: DType, level: SimdLevel) -> RowKernel {
    match reduction {
        RowReduction::Sum => kernel_of::<Sum>(dtype, level),
        RowReduction::Product => kernel_of::<Product>(dtype, level),
        RowReduction::SumOfSquares => squares_kernel(dtype, level),
        RowReduction::Max => kernel_of::<Largest>(dtype, level),
        RowReduction::Min => kernel_of::<Smallest>(dtype, level),
    }
}

/// The moments of `n > 0` elements.
///
/// # Safety
/// `row` is valid for reads of `n` elements of the kernel's dtype; the level is available.
pub type MomentKernel = unsafe fn(row: *const u8, n: usize, result: &mut Moments);

#[inline(always)]
unsafe fn moments_of<V: Vector>(row: *const u8, n: usize) -> Moments {
    let a = Float::<V>::default();
    let row = row.cast::<V::Element>();
    let mut total = Moments::default();
    for start in (0..n).step_by(BLOCK) {
        let count = BLOCK.min(n - start);
        // SAFETY: the caller's; the block is within n.
        let block = unsafe { row.add(start) };
        // SAFETY: as above.
        let mean = unsafe { reduce_floats::<V, Sum>(block.cast(), count) } / count as f64;
        // Deviations from the rounded mean; what they sum to corrects both moments.
        let centre = a.constant(mean);
        let mut sums = [a.constant(0.0); 2];
        let mut squares = [a.constant(0.0); 2];
        let mut i = 0;
        while i + 2 * V::LANES <= count {
            for chain in 0..2 {
                // SAFETY: the vector is within the block.
                let x = a.sub(unsafe { a.load(block.add(i + chain * V::LANES)) }, centre);
                sums[chain] = a.add(sums[chain], x);
                squares[chain] = a.mul_add(x, x, squares[chain]);
            }
            i += 2 * V::LANES;
        }
        let centre = Float::<V>::lanes_of(centre)[0].to_f64();
        let (mut sum, mut square) = (0.0, 0.0);
        for chain in 0..2 {
            let (sums, squares) = (Float::<V>::lanes_of(sums[chain]), Float::<V>::lanes_of(squares[chain]));
            for lane in 0..V::LANES {
                sum += sums[lane].to_f64();
                square += squares[lane].to_f64();
            }
        }
        while i < count {
            // SAFETY: i < count.
            let x = unsafe { *block.add(i) }.to_f64() - centre;
            sum += x;
            square += x * x;
            i += 1;
        }
        let shift = sum / count as f64;
        let moments = if wide::is_exact::<V::Element>(square) {
            Moments { count: count as f64, mean: centre + shift, m2: (square - sum * shift).max(0.0) }
        } else {
            // SAFETY: as above.
            unsafe { wide::moments(block, count) }
        };
        total = total.join(moments);
    }
    total
}

macro_rules! moments_with {
    ($name:ident $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $name<V: Vector>(row: *const u8, n: usize, result: &mut Moments) {
            // SAFETY: the caller's.
            *result = unsafe { moments_of::<V>(row, n) };
        }
    };
}

#[cfg(target_arch = "x86_64")]
moments_with!(moments_avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma");
#[cfg(target_arch = "x86_64")]
moments_with!(moments_avx2, "avx2,fma");
moments_with!(moments_baseline);

/// The loop that takes the moments of a row of float32 or float64.
pub fn moment_kernel(dtype: DType, level: SimdLevel) -> MomentKernel {
    let single = dtype == DType::Float32;
    match level {
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx512 if single => moments_avx512::<Avx512F32>,
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx512 => moments_avx512::<Avx512F64>,
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx2 if single => moments_avx2::<Avx2F32>,
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx2 => moments_avx2::<Avx2F64>,
        #[cfg(target_arch = "aarch64")]
        SimdLevel::Neon if single => moments_baseline::<NeonF32>,
        #[cfg(target_arch = "aarch64")]
        SimdLevel::Neon => moments_baseline::<NeonF64>,
        _ if single => moments_baseline::<Scalar<f32>>,
        _ => moments_baseline::<Scalar<f64>>,
    }
}
