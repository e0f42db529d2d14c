//! Softmax over lines that lie side by side, many at a time.

use rustorch_algebra::FloatBits;
use rustorch_simd::Lanes;
use rustorch_simd::arch::FloatElement;

use crate::kernels::rowwise::{RowKernel, load, store};

/// How many lines a thread takes at least: a few cache lines of each row.
pub(super) const WIDTH: usize = 64;

/// How many elements of a line are summed before they join the total, so that rounding errors stay small.
const CHUNK: usize = 64;

/// Softmax of `count` neighbouring lines, or its logarithm.
pub(super) struct Columns<T> {
    pub(super) log: bool,
    pub(super) input: *const T,
    /// The same elements as the input, or none of them.
    pub(super) output: *mut T,
    /// The steps along a line, of input and output.
    pub(super) steps: [isize; 2],
    /// The number of elements of a line.
    pub(super) length: usize,
    /// The number of lines.
    pub(super) count: usize,
}

impl<T: FloatElement> RowKernel<T> for Columns<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<A: Lanes<Element = T> + FloatBits>(self, a: &A) {
        let mut first = 0;
        // SAFETY: the vectors cover `count` lines, which the caller has.
        unsafe {
            while first + 4 * A::LANES <= self.count {
                self.vectors::<A, 4>(a, first, A::LANES);
                first += 4 * A::LANES;
            }
            while first + A::LANES <= self.count {
                self.vectors::<A, 1>(a, first, A::LANES);
                first += A::LANES;
            }
            if first < self.count {
                self.vectors::<A, 1>(a, first, self.count - first);
            }
        }
    }
}

impl<T: FloatElement> Columns<T> {
    /// `V` vectors of `n` lines from `first` on.
    #[inline(always)]
    unsafe fn vectors<A: Lanes<Element = T> + FloatBits, const V: usize>(
        &self,
        a: &A,
        first: usize,
        n: usize,
    ) {
        let Columns { log, input, output, steps: [from, to], length, .. } = *self;
        // SAFETY: the caller's lines, each of `length` elements.
        unsafe {
            let (input, output) = (input.add(first), output.add(first));
            let x = |k: usize, v: usize| load(a, input.offset(k as isize * from), v * A::LANES, n);
            let mut most = [a.constant(f64::NEG_INFINITY); V];
            for k in 0..length {
                for (v, most) in most.iter_mut().enumerate() {
                    let x = x(k, v);
                    *most = a.select(a.lt(*most, x), x, *most);
                }
            }
            let mut total = [a.constant(0.0); V];
            let mut start = 0;
            while start < length {
                let end = (start + CHUNK).min(length);
                let mut sums = [a.constant(0.0); V];
                for k in start..end {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        let e = a.exp(a.sub(x(k, v), most[v]));
                        if !log {
                            store(a, output.offset(k as isize * to), v * A::LANES, n, e);
                        }
                        *sum = a.add(*sum, e);
                    }
                }
                for v in 0..V {
                    total[v] = a.add(total[v], sums[v]);
                }
                start = end;
            }
            let last = total.map(|sum| if log { a.log(sum) } else { a.div(a.constant(1.0), sum) });
            for k in 0..length {
                for v in 0..V {
                    let row = output.offset(k as isize * to);
                    let y = if log {
                        a.sub(a.sub(x(k, v), most[v]), last[v])
                    } else {
                        a.mul(load(a, row, v * A::LANES, n), last[v])
                    };
                    store(a, row, v * A::LANES, n, y);
                }
            }
        }
    }
}
