//! Softmax and its gradient over one row.

use rustorch_algebra::FloatBits;
use rustorch_simd::Lanes;
use rustorch_simd::arch::FloatElement;

use crate::kernels::rowwise::{RowKernel, kept, load, store, sum_of_lanes};

/// How many vectors are summed before they join a float64 sum.
const CHUNK: usize = 256;

/// Softmax of `length` elements, or its logarithm.
pub(super) struct Softmax<T> {
    pub(super) log: bool,
    pub(super) input: *const T,
    /// The same elements as the input, or none of them.
    pub(super) output: *mut T,
    pub(super) length: usize,
    /// A row of scratch memory where the exponentials wait, if the output is to be written around the caches. Then
    /// output, scratch and the row's size are aligned to 64 bytes.
    pub(super) wait: Option<*mut T>,
}

/// `Σ term(i, n)` for vectors of `n` elements at `i` that cover `range`; lanes beyond `n` count nothing.
macro_rules! sum {
    ($a:ident, $length:expr, |$i:ident, $n:ident| $term:expr) => {{
        let zero = $a.constant(0.0);
        let mut total = 0.0;
        let mut start = 0;
        while start < $length {
            let end = (start + CHUNK * A::LANES).min($length);
            let mut sums = [zero; 4];
            let $n = A::LANES;
            let mut $i = start;
            while $i + 4 * A::LANES <= end {
                for sum in &mut sums {
                    *sum = $a.add(*sum, $term);
                    $i += A::LANES;
                }
            }
            while $i + A::LANES <= end {
                sums[0] = $a.add(sums[0], $term);
                $i += A::LANES;
            }
            if $i < end {
                let $n = end - $i;
                sums[0] = $a.add(sums[0], $term);
            }
            total += sum_of_lanes($a, $a.add($a.add(sums[0], sums[1]), $a.add(sums[2], sums[3])));
            start = end;
        }
        total
    }};
}

/// Calls `$body` for vectors of `$n` elements at `$i` that cover `0..$length`.
macro_rules! each {
    ($a:ident, $length:expr, |$i:ident, $n:ident| $body:expr) => {{
        let mut $i = 0;
        let $n = A::LANES;
        while $i + A::LANES <= $length {
            $body;
            $i += A::LANES;
        }
        if $i < $length {
            let $n = $length - $i;
            $body;
        }
    }};
}

/// The largest element; a NaN counts as nothing. Of an empty row `-inf`.
#[inline(always)]
unsafe fn largest<A: Lanes<Element: FloatElement> + FloatBits>(
    a: &A,
    input: *const A::Element,
    length: usize,
) -> f64 {
    let lowest = a.constant(f64::NEG_INFINITY);
    let mut best = [lowest; 4];
    let mut i = 0;
    // SAFETY: the caller's row has `length` elements.
    unsafe {
        while i + 4 * A::LANES <= length {
            for best in &mut best {
                let x = a.load(input.add(i));
                *best = a.select(a.lt(*best, x), x, *best);
                i += A::LANES;
            }
        }
        while i + A::LANES <= length {
            let x = a.load(input.add(i));
            best[0] = a.select(a.lt(best[0], x), x, best[0]);
            i += A::LANES;
        }
        let mut lanes = [A::Element::default(); 16];
        let mut most = f64::NEG_INFINITY;
        for best in best {
            a.store(lanes.as_mut_ptr(), best);
            most = lanes.iter().take(A::LANES).fold(most, |most, lane| most.max(lane.to_f64()));
        }
        // Fewer than a vector's: their absent neighbours must not count as 0.
        (i..length).fold(most, |most, i| most.max((*input.add(i)).to_f64()))
    }
}

impl<T: FloatElement> RowKernel<T> for Softmax<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<A: Lanes<Element = T> + FloatBits>(self, a: &A) {
        let Softmax { log, input, output, length, wait } = self;
        // SAFETY: all loads and stores are of `length` elements, which the row has.
        unsafe {
            let most = a.constant(largest(a, input, length));
            if log {
                let sum: f64 = sum!(a, length, |i, n| {
                    let e = a.exp(a.sub(load(a, input, i, n), most));
                    if n == A::LANES { e } else { kept(a, e, n) }
                });
                let log_sum = a.constant(sum.ln());
                if wait.is_some() {
                    each!(a, length, |i, _n| a
                        .stream(output.add(i), a.sub(a.sub(a.load(input.add(i)), most), log_sum)));
                } else {
                    each!(a, length, |i, n| {
                        let y = a.sub(a.sub(load(a, input, i, n), most), log_sum);
                        store(a, output, i, n, y);
                    });
                }
                return;
            }
            let exponentials = wait.unwrap_or(output);
            let sum: f64 = sum!(a, length, |i, n| {
                let e = a.exp(a.sub(load(a, input, i, n), most));
                store(a, exponentials, i, n, e);
                if n == A::LANES { e } else { kept(a, e, n) }
            });
            let scale = a.constant(1.0 / sum);
            if wait.is_some() {
                each!(a, length, |i, _n| a.stream(output.add(i), a.mul(a.load(exponentials.add(i)), scale)));
            } else {
                each!(a, length, |i, n| store(a, output, i, n, a.mul(load(a, output, i, n), scale)));
            }
        }
    }
}

/// The gradient of (log-)softmax over `length` elements.
pub(super) struct Gradient<T> {
    pub(super) log: bool,
    pub(super) grad: *const T,
    pub(super) result: *const T,
    /// The same elements as one of the others, or none of them.
    pub(super) output: *mut T,
    pub(super) length: usize,
}

impl<T: FloatElement> RowKernel<T> for Gradient<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<A: Lanes<Element = T> + FloatBits>(self, a: &A) {
        let Gradient { log, grad, result, output, length } = self;
        // SAFETY: all loads and stores are of `length` elements, which the rows have.
        unsafe {
            if log {
                let sum: f64 = sum!(a, length, |i, n| load(a, grad, i, n));
                let sum = a.constant(sum);
                each!(a, length, |i, n| {
                    let share = a.mul(a.exp(load(a, result, i, n)), sum);
                    store(a, output, i, n, a.sub(load(a, grad, i, n), share));
                });
            } else {
                let sum: f64 = sum!(a, length, |i, n| a.mul(load(a, grad, i, n), load(a, result, i, n)));
                let sum = a.constant(sum);
                each!(a, length, |i, n| {
                    let centred = a.sub(load(a, grad, i, n), sum);
                    store(a, output, i, n, a.mul(load(a, result, i, n), centred));
                });
            }
        }
    }
}
