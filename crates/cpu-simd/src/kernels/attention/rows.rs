//! The steps of attention that work on one query's row of scores.

use rustorch_algebra::FloatBits;
use rustorch_simd::Lanes;
use rustorch_simd::arch::FloatElement;

use crate::kernels::rowwise::{RowKernel, load, store, sum_of_lanes};

/// Calls `$body` for vectors of `$n` elements at `$i` that cover `0..$length`.
macro_rules! each {
    ($length:expr, |$i:ident, $n:ident| $body:expr) => {{
        let mut $i = 0;
        while $i < $length {
            let $n = ($length - $i).min(A::LANES);
            $body;
            $i += $n;
        }
    }};
}

/// `x` with 0 in the lanes from `n` on.
///
/// # Safety
/// The instruction set is available.
#[inline(always)]
unsafe fn first<A: Lanes<Element: FloatElement> + FloatBits>(a: &A, x: A::Value, n: usize) -> A::Value {
    // SAFETY: the caller's.
    unsafe { if n == A::LANES { x } else { crate::kernels::rowwise::kept(a, x, n) } }
}

/// Scores become the exponentials of what they are above the largest seen so far, which moves with them.
pub(super) struct Exponentials<T> {
    /// The scores of a block of keys.
    pub(super) scores: *mut T,
    /// What is added to them, or null.
    pub(super) mask: *const T,
    /// How many keys the query sees; the rest becomes 0.
    pub(super) seen: usize,
    /// How many there are.
    pub(super) width: usize,
    /// The largest score of the blocks before, `-inf` if there is none.
    pub(super) most: f64,
}

impl<T: FloatElement> RowKernel<T> for Exponentials<T> {
    /// The largest score so far, and the sum of the block's exponentials.
    type Output = (f64, f64);

    #[inline(always)]
    unsafe fn run<A: Lanes<Element = T> + FloatBits>(self, a: &A) -> (f64, f64) {
        let Exponentials { scores, mask, seen, width, most } = self;
        // SAFETY: scores and mask have `width` elements, of which `seen` are looked at.
        unsafe {
            let lowest = a.constant(f64::NEG_INFINITY);
            let mut best = lowest;
            let mut most = most;
            let mut i = 0;
            while i < seen {
                let n = (seen - i).min(A::LANES);
                let mut x = load(a, scores, i, n);
                if !mask.is_null() {
                    x = a.add(x, load(a, mask, i, n));
                    store(a, scores, i, n, x);
                }
                if n == A::LANES {
                    best = a.select(a.lt(best, x), x, best);
                } else {
                    // Absent neighbours must not count as 0.
                    most = (i..seen).fold(most, |most, i| most.max((*scores.add(i)).to_f64()));
                }
                i += n;
            }
            let mut lanes = [T::default(); 16];
            a.store(lanes.as_mut_ptr(), best);
            most = lanes.iter().take(A::LANES).fold(most, |most, lane| most.max(lane.to_f64()));
            // With nothing but -inf seen, the exponentials are those of -inf, not of the NaN -inf + inf.
            let shift = a.constant(if most == f64::NEG_INFINITY { 0.0 } else { most });
            let mut sum = a.constant(0.0);
            each!(seen, |i, n| {
                let e = a.exp(a.sub(load(a, scores, i, n), shift));
                store(a, scores, i, n, e);
                sum = a.add(sum, first(a, e, n));
            });
            for i in seen..width {
                *scores.add(i) = T::from_f64(0.0);
            }
            (most, sum_of_lanes(a, sum))
        }
    }
}

/// `to = from * factor`.
pub(super) struct Scaled<T> {
    pub(super) from: *const T,
    /// The same elements as `from`, or none of them.
    pub(super) to: *mut T,
    pub(super) length: usize,
    pub(super) factor: f64,
}

impl<T: FloatElement> RowKernel<T> for Scaled<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<A: Lanes<Element = T> + FloatBits>(self, a: &A) {
        let factor = a.constant(self.factor);
        // SAFETY: both rows have `length` elements.
        unsafe {
            each!(self.length, |i, n| store(a, self.to, i, n, a.mul(load(a, self.from, i, n), factor)));
        }
    }
}

/// Scores become probabilities again: `exp(score + mask - log_sum)`.
pub(super) struct Probabilities<T> {
    pub(super) scores: *mut T,
    /// What is added to the scores, or null.
    pub(super) mask: *const T,
    /// How many keys the query sees; the rest becomes 0.
    pub(super) seen: usize,
    pub(super) width: usize,
    /// The logarithm of the row's sum of exponentials.
    pub(super) log_sum: f64,
}

impl<T: FloatElement> RowKernel<T> for Probabilities<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<A: Lanes<Element = T> + FloatBits>(self, a: &A) {
        let Probabilities { scores, mask, seen, width, log_sum } = self;
        let log_sum = a.constant(log_sum);
        // SAFETY: scores and mask have `width` elements, of which `seen` are looked at.
        unsafe {
            each!(seen, |i, n| {
                let mut x = load(a, scores, i, n);
                if !mask.is_null() {
                    x = a.add(x, load(a, mask, i, n));
                }
                store(a, scores, i, n, a.exp(a.sub(x, log_sum)));
            });
            for i in seen..width {
                *scores.add(i) = T::from_f64(0.0);
            }
        }
    }
}

/// `slopes = probabilities * (slopes - mean)`: from the gradient of probabilities to that of scores.
pub(super) struct ScoreGradient<T> {
    pub(super) probabilities: *const T,
    pub(super) slopes: *mut T,
    pub(super) length: usize,
    /// The mean of the slopes, by the probabilities.
    pub(super) mean: f64,
}

impl<T: FloatElement> RowKernel<T> for ScoreGradient<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<A: Lanes<Element = T> + FloatBits>(self, a: &A) {
        let mean = a.constant(self.mean);
        // SAFETY: both rows have `length` elements.
        unsafe {
            each!(self.length, |i, n| {
                let centred = a.sub(load(a, self.slopes, i, n), mean);
                store(a, self.slopes, i, n, a.mul(load(a, self.probabilities, i, n), centred));
            });
        }
    }
}
