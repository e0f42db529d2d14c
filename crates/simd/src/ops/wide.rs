//! Sums of blocks whose numbers are so large or small that float32 cannot hold their sums or squares: in float64, which
//! holds the squares of all of them.

use super::moments::Moments;
use crate::arch::FloatElement;

/// Independent sums, which the compiler makes vectors of.
const CHAINS: usize = 8;

/// Whether a sum of squares that was made in `T` is what it should be: neither beyond the largest number, nor so small that
/// squares that vanished could count. Infinities and NaN are found out to be such by the sum in float64.
#[inline(always)]
pub fn is_exact<T: FloatElement>(squares: f64) -> bool {
    // 2^-80: below, the last digits of a square may be lost; up to 2^12 of them, of 2^-149 each, do not count here.
    const LEAST: f64 = 1.0 / (1_u128 << 80) as f64;
    squares.is_finite() && (!T::SINGLE || squares >= LEAST)
}

/// The sum of `term` of the elements.
#[inline(always)]
unsafe fn total<T: FloatElement>(row: *const T, n: usize, term: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0; CHAINS];
    // SAFETY: the caller's.
    let elements = unsafe { std::slice::from_raw_parts(row, n) };
    let chunks = elements.chunks_exact(CHAINS);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += term(x.to_f64());
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += term(x.to_f64());
    }
    sums.iter().sum()
}

/// The sum of the elements.
///
/// # Safety
/// `row` is valid for reads of `n` elements.
#[cold]
pub unsafe fn sum<T: FloatElement>(row: *const T, n: usize) -> f64 {
    // SAFETY: the caller's.
    unsafe { total(row, n, |x| x) }
}

/// The sum of their squares.
///
/// # Safety
/// As [`sum`].
#[cold]
pub unsafe fn squares<T: FloatElement>(row: *const T, n: usize) -> f64 {
    // SAFETY: the caller's.
    unsafe { total(row, n, |x| x * x) }
}

/// Their moments; without deviations, NaN, where one is infinite or NaN.
///
/// # Safety
/// As [`sum`]; `n > 0`.
#[cold]
pub unsafe fn moments<T: FloatElement>(row: *const T, n: usize) -> Moments {
    let count = n as f64;
    // SAFETY: the caller's.
    unsafe {
        let first = (*row).to_f64();
        let deviations = total(row, n, |x| x - first);
        let mean = first + deviations / count;
        if !mean.is_finite() {
            return Moments { count, mean: sum(row, n) / count, m2: f64::NAN };
        }
        let rest = total(row, n, |x| x - mean);
        let m2 = total(row, n, |x| (x - mean) * (x - mean)) - rest * rest / count;
        Moments { count, mean: mean + rest / count, m2: m2.max(0.0) }
    }
}
