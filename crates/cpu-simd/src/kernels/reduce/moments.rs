//! Mean and sum of squared deviations, piece by piece, joined as Chan, Golub and LeVeque (1979) do.

use rustorch_backend::memory::Scratch;
use rustorch_backend::memory::host_allocator;
use rustorch_backend::{Buffer, DType, Dims, Layout, Operand, Scalar, kernel, volume};
use rustorch_error::Result;
use rustorch_simd::level;
use rustorch_simd::ops::moments::Moments;
use rustorch_simd::ops::reduction::moment_kernel;

use super::rows::Rows;
use super::{PIECE, Split};
use crate::kernels::copy::{copy, fill};
use crate::kernels::dense::Shared;
use crate::kernels::map::convert::convert;
use crate::kernels::map::plan::Plan;
use crate::threads::parallel_for;

/// Outputs that are computed before they are stored.
const BATCH: usize = 64;

/// What is made of the sum of squared deviations.
#[derive(Clone, Copy)]
struct Spread {
    divisor: f64,
    root: bool,
}

impl Spread {
    fn of(self, moments: &Moments) -> f64 {
        let variance = moments.m2 / self.divisor;
        if self.root { variance.sqrt() } else { variance }
    }
}

/// Mean of `input` over `dims`, and the sum of squared deviations from it divided by `divisor`, or the root of that.
pub fn moments(kernel: &kernel::Moments<Operand<'_>>) -> Result<()> {
    let &kernel::Moments { input, ref dims, divisor, root, mean, spread } = kernel;
    if mean.layout.numel() == 0 {
        return Ok(());
    }
    let length = volume(dims.iter().map(|&d| input.layout.shape()[d]));
    if length == 0 {
        fill(mean, Scalar::Float(f64::NAN))?;
        return fill(spread, Scalar::Float(f64::NAN));
    }
    let kind = Spread { divisor, root };
    let compute = if input.dtype == DType::Float64 { DType::Float64 } else { DType::Float32 };
    let split = Split::new(input.layout, dims);
    if input.dtype == compute && !split.along_kept(input.layout) {
        return reduce(compute, input, &split, kind, mean, spread);
    }
    // The elements of one output side by side, in the compute dtype.
    let mut order: Dims<usize> = (0..input.layout.ndim()).filter(|d| !dims.contains(d)).collect();
    order.extend(dims.iter().copied());
    let moved = Layout::contiguous("moments", input.layout.permute(&order).shape())?;
    let mut back: Dims<usize> = order.clone();
    for (i, &d) in order.iter().enumerate() {
        back[d] = i;
    }
    let layout = moved.permute(&back);
    let buffer = Buffer::allocate(host_allocator(), layout.numel() * compute.size())?;
    let prepared = Operand { buffer: &buffer, layout: &layout, dtype: compute };
    copy(input, prepared)?;
    reduce(compute, prepared, &Split::new(&layout, dims), kind, mean, spread)
}

fn reduce(
    compute: DType,
    input: Operand<'_>,
    split: &Split,
    kind: Spread,
    mean: Operand<'_>,
    spread: Operand<'_>,
) -> Result<()> {
    let layout = input.layout;
    let kept = Plan::over(layout.shape(), &split.kept, &[(layout.strides(), layout.offset())]);
    let reduced = Plan::over(layout.shape(), &split.reduced, &[(layout.strides(), 0)]);
    let kernel = moment_kernel(compute, level());
    let rows =
        Rows { size: compute.size(), base: Shared::new(input.buffer.address().as_ptr()), reduced: &reduced };
    let piece_of = |position: isize, at: usize, n: usize| {
        let mut total = Moments::default();
        rows.visit(position, at, n, |from, n| {
            let mut piece = Moments::default();
            // SAFETY: n elements of the kernel's dtype.
            unsafe { kernel(from, n, &mut piece) };
            total = total.join(piece);
        });
        total
    };
    let store = |at: usize, results: &[Moments]| {
        let columns: [&dyn Fn(&Moments) -> f64; 2] = [&|m| m.mean, &|m| kind.of(m)];
        for (output, column) in [mean, spread].into_iter().zip(columns) {
            let strides = (output.layout.strides(), output.layout.offset());
            let plan = Plan::over(output.layout.shape(), &split.kept, &[strides]);
            let mut wide = [0.0f64; BATCH];
            for (to, result) in wide.iter_mut().zip(results) {
                *to = column(result);
            }
            let mut narrow = [0u64; BATCH];
            let narrow = narrow.as_mut_ptr().cast::<u8>();
            // SAFETY: both tiles have room for BATCH elements; the positions are the output's.
            unsafe {
                let n = results.len();
                convert(DType::Float64, output.dtype, level())(wide.as_ptr().cast(), narrow, n);
                plan.scatter(0, output.dtype.size(), output.buffer.address().as_ptr(), at, n, narrow);
            }
        }
    };
    let (outputs, length) = (kept.numel(), reduced.numel());
    let pieces = length.div_ceil(PIECE);
    if pieces == 1 || outputs >= 64 {
        parallel_for(outputs, (PIECE / length).max(1), |range| {
            let mut at = range.start;
            while at < range.end {
                let n = BATCH.min(range.end - at);
                let mut results = [Moments::default(); BATCH];
                for (i, result) in results[..n].iter_mut().enumerate() {
                    *result = piece_of(kept.position(0, at + i), 0, length);
                }
                store(at, &results[..n]);
                at += n;
            }
        });
        return Ok(());
    }
    let partials = Scratch::filled(outputs * pieces, Moments::default())?;
    let shared = Shared::new(partials.as_ptr());
    parallel_for(outputs * pieces, 1, |range| {
        for task in range {
            let (output, piece) = (task / pieces, task % pieces);
            let n = PIECE.min(length - piece * PIECE);
            let partial = piece_of(kept.position(0, output), piece * PIECE, n);
            // SAFETY: each task has its own element, and the partial results outlive the loop.
            unsafe { shared.get().add(task).write(partial) };
        }
    });
    for (output, partials) in partials.chunks(pieces).enumerate() {
        store(output, &[partials.iter().fold(Moments::default(), |a, &b| a.join(b))]);
    }
    Ok(())
}
