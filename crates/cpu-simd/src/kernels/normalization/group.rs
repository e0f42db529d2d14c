//! Normalisation and its gradient over one group of elements.

use rustorch_algebra::FloatBits;
use rustorch_simd::Lanes;
use rustorch_simd::arch::FloatElement;
use rustorch_simd::ops::moments::Moments;
use rustorch_simd::ops::wide;

use crate::kernels::rowwise::{RowKernel, kept, load, store, sum_of_lanes};
use crate::kernels::walk::Walk;

/// How many vectors a block of the statistics has: several passes over it stay in a first-level cache, and so few are
/// added that rounding errors stay small.
const BLOCK: usize = 128;

/// Normalises a group and gives its mean and `1 / sqrt(variance + eps)`.
pub(super) struct Normalize<'a, T> {
    /// The group's positions in input, output, weight and bias; steps are 1, or 0 for the last two.
    pub(super) within: &'a Walk<4>,
    pub(super) input: *const T,
    /// The same elements as the input, or none of them.
    pub(super) output: *mut T,
    pub(super) weight: *const T,
    pub(super) bias: *const T,
    pub(super) eps: f64,
}

/// The sum of `term(i, n)` over vectors that cover `length` elements, at most a block; absent lanes must give 0.
macro_rules! block_sum {
    ($a:ident, $length:expr, |$i:ident, $n:ident| $term:expr) => {{
        let mut sums = [$a.constant(0.0); 4];
        let $n = A::LANES;
        let mut $i = 0;
        while $i + 4 * A::LANES <= $length {
            for sum in &mut sums {
                *sum = $a.add(*sum, $term);
                $i += A::LANES;
            }
        }
        while $i + A::LANES <= $length {
            sums[0] = $a.add(sums[0], $term);
            $i += A::LANES;
        }
        if $i < $length {
            let $n = $length - $i;
            sums[1] = $a.add(sums[1], $term);
        }
        sum_of_lanes($a, $a.add($a.add(sums[0], sums[1]), $a.add(sums[2], sums[3])))
    }};
}

/// The moments of at most a block of neighbours, and at least one.
#[inline(always)]
unsafe fn block_moments<A: Lanes<Element: FloatElement> + FloatBits>(
    a: &A,
    input: *const A::Element,
    length: usize,
) -> Moments {
    // SAFETY: the caller's elements.
    unsafe {
        let count = length as f64;
        let mean = block_sum!(a, length, |i, n| load(a, input, i, n)) / count;
        let centre = a.constant(mean);
        let m2 = block_sum!(a, length, |i, n| {
            let deviation = a.sub(load(a, input, i, n), centre);
            // Absent lanes read as 0, which deviates.
            let deviation = if n == A::LANES { deviation } else { kept(a, deviation, n) };
            a.mul(deviation, deviation)
        });
        // What the centre lost when it was rounded.
        let rest = block_sum!(a, length, |i, n| {
            let deviation = a.sub(load(a, input, i, n), centre);
            if n == A::LANES { deviation } else { kept(a, deviation, n) }
        });
        if !wide::is_exact::<A::Element>(m2) {
            return wide::moments(input, length);
        }
        let centre = A::Element::from_f64(mean).to_f64();
        Moments { count, mean: centre + rest / count, m2: m2 - rest * rest / count }
    }
}

impl<T: FloatElement> RowKernel<T> for Normalize<'_, T> {
    type Output = (f64, f64);

    #[inline(always)]
    unsafe fn run<A: Lanes<Element = T> + FloatBits>(self, a: &A) -> (f64, f64) {
        let Normalize { within, input, output, weight, bias, eps } = self;
        let length = within.len();
        // SAFETY: the walk's positions lie in the group's tensors.
        unsafe {
            let mut moments = Moments { mean: f64::NAN, m2: f64::NAN, ..Moments::default() };
            for (_, [x, ..], count) in within.runs(0..length) {
                for start in (0..count).step_by(BLOCK * A::LANES) {
                    let block =
                        block_moments(a, input.offset(x).add(start), (count - start).min(BLOCK * A::LANES));
                    moments = moments.join(block);
                }
            }
            let variance = moments.m2 / moments.count;
            let rstd = 1.0 / (variance + eps).sqrt();
            let (centre, scale) = (a.constant(moments.mean), a.constant(rstd));
            let [_, _, weight_step, bias_step] = within.steps();
            for (_, [x, y, w, b], count) in within.runs(0..length) {
                let (x, y, w, b) = (input.offset(x), output.offset(y), weight.offset(w), bias.offset(b));
                if weight_step == 0 && bias_step == 0 {
                    let (factor, shift) =
                        (a.mul(scale, a.constant((*w).to_f64())), a.constant((*b).to_f64()));
                    let mut i = 0;
                    while i < count {
                        let n = (count - i).min(A::LANES);
                        store(a, y, i, n, a.mul_add(a.sub(load(a, x, i, n), centre), factor, shift));
                        i += n;
                    }
                } else {
                    let mut i = 0;
                    while i < count {
                        let n = (count - i).min(A::LANES);
                        let z = a.mul(a.sub(load(a, x, i, n), centre), scale);
                        let factor = parameter(a, w, weight_step, i, n);
                        let shift = parameter(a, b, bias_step, i, n);
                        store(a, y, i, n, a.mul_add(z, factor, shift));
                        i += n;
                    }
                }
            }
            (moments.mean, rstd)
        }
    }
}

/// `n` numbers of a parameter at `i`, or the one it has throughout.
#[inline(always)]
unsafe fn parameter<A: Lanes<Element: FloatElement>>(
    a: &A,
    from: *const A::Element,
    step: isize,
    i: usize,
    n: usize,
) -> A::Value {
    // SAFETY: the caller's.
    unsafe { if step == 0 { a.constant((*from).to_f64()) } else { load(a, from, i, n) } }
}

/// The gradient by a group's input.
pub(super) struct Gradient<'a, T> {
    /// The group's positions in grad, input, output and weight; steps are 1, or 0 for the last.
    pub(super) within: &'a Walk<4>,
    pub(super) grad: *const T,
    pub(super) input: *const T,
    /// The same elements as one of the inputs, or none of them.
    pub(super) output: *mut T,
    pub(super) weight: *const T,
    pub(super) mean: f64,
    pub(super) rstd: f64,
}

impl<T: FloatElement> RowKernel<T> for Gradient<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<A: Lanes<Element = T> + FloatBits>(self, a: &A) {
        let Gradient { within, grad, input, output, weight, mean, rstd } = self;
        let length = within.len();
        let centre = a.constant(mean);
        let [.., step] = within.steps();
        let (mut sum, mut product) = (0.0, 0.0);
        // SAFETY: the walk's positions lie in the group's tensors. Absent lanes of the gradient are 0, so they add 0.
        unsafe {
            for (_, [g, x, _, w], count) in within.runs(0..length) {
                for start in (0..count).step_by(BLOCK * A::LANES) {
                    let block = (count - start).min(BLOCK * A::LANES);
                    let (g, x) = (grad.offset(g).add(start), input.offset(x).add(start));
                    let w = weight.offset(w + step * start as isize);
                    sum += block_sum!(a, block, |i, n| a.mul(load(a, g, i, n), parameter(a, w, step, i, n)));
                    product += block_sum!(a, block, |i, n| {
                        let h = a.mul(load(a, g, i, n), parameter(a, w, step, i, n));
                        a.mul(h, a.sub(load(a, x, i, n), centre))
                    });
                }
            }
            let count = length as f64;
            let (scale, shift) = (a.constant(rstd), a.constant(sum / count));
            let slope = a.constant(product / count * rstd * rstd);
            for (_, [g, x, y, w], count) in within.runs(0..length) {
                let (g, x, y, w) = (grad.offset(g), input.offset(x), output.offset(y), weight.offset(w));
                let mut i = 0;
                while i < count {
                    let n = (count - i).min(A::LANES);
                    let h = a.mul(load(a, g, i, n), parameter(a, w, step, i, n));
                    let along = a.mul(a.sub(load(a, x, i, n), centre), slope);
                    store(a, y, i, n, a.mul(a.sub(a.sub(h, shift), along), scale));
                    i += n;
                }
            }
        }
    }
}
