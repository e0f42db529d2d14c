//! Reductions: sums, products, extremes, truth.
//!
//! Sums and products of floats are collected in float64 from short vector sums, those of integers in int64. Where the
//! input's memory runs along reduced dimensions, rows become single numbers ([`rows`]); where it runs along kept ones,
//! rows are added to rows ([`columns`]). Work is cut into pieces by size alone, so the result does not depend on the
//! number of threads.

mod arg;
mod columns;
mod complex;
mod moments;
mod rows;

use rustorch_backend::memory::host_allocator;
use rustorch_backend::{
    Buffer, DType, Dims, ElementwiseOp, Layout, Operand, Program, ReduceOp, Scalar, kernel, volume,
};
use rustorch_error::{Result, RusTorchError};
use rustorch_simd::level;

pub use arg::arg_reduce;
pub use moments::moments;

use super::dense::Shared;
use super::map::convert::convert;
use super::map::map;
use super::map::plan::Plan;

/// Elements of a piece: what one thread reduces to one partial result.
const PIECE: usize = 64 * 1024;

/// A partial result: what is exact, or nearly, whatever the dtype.
trait Partial: Copy + Default + Send + Sync + 'static {
    /// The dtype of this type.
    const DTYPE: DType;
    /// The reduction of nothing.
    fn identity(op: ReduceOp) -> Self;
    /// The reduction of two partial results.
    fn combine(self, other: Self, op: ReduceOp) -> Self;
    /// The reduction of `count` elements from what was combined.
    fn finish(self, op: ReduceOp, count: usize) -> Self;
}

impl Partial for f64 {
    const DTYPE: DType = DType::Float64;
    fn identity(op: ReduceOp) -> Self {
        match op {
            ReduceOp::Sum | ReduceOp::Mean | ReduceOp::Norm | ReduceOp::Any => 0.0,
            ReduceOp::Prod | ReduceOp::All => 1.0,
            ReduceOp::Max => f64::NEG_INFINITY,
            ReduceOp::Min => f64::INFINITY,
        }
    }
    #[inline(always)]
    fn combine(self, other: Self, op: ReduceOp) -> Self {
        match op {
            // Of a norm, the sums of squares.
            ReduceOp::Sum | ReduceOp::Mean | ReduceOp::Norm => self + other,
            ReduceOp::Prod => self * other,
            // NaN wins.
            ReduceOp::Max | ReduceOp::Any => {
                if self > other || self.is_nan() {
                    self
                } else {
                    other
                }
            }
            ReduceOp::Min | ReduceOp::All => {
                if self < other || self.is_nan() {
                    self
                } else {
                    other
                }
            }
        }
    }
    fn finish(self, op: ReduceOp, count: usize) -> Self {
        match op {
            ReduceOp::Mean => self / count as f64,
            ReduceOp::Norm => self.sqrt(),
            _ => self,
        }
    }
}

impl Partial for i64 {
    const DTYPE: DType = DType::Int64;
    fn identity(op: ReduceOp) -> Self {
        match op {
            ReduceOp::Sum | ReduceOp::Mean | ReduceOp::Norm | ReduceOp::Any => 0,
            ReduceOp::Prod | ReduceOp::All => 1,
            ReduceOp::Max => i64::MIN,
            ReduceOp::Min => i64::MAX,
        }
    }
    #[inline(always)]
    fn combine(self, other: Self, op: ReduceOp) -> Self {
        match op {
            ReduceOp::Sum | ReduceOp::Mean | ReduceOp::Norm => self.wrapping_add(other),
            ReduceOp::Prod => self.wrapping_mul(other),
            ReduceOp::Max | ReduceOp::Any => self.max(other),
            ReduceOp::Min | ReduceOp::All => self.min(other),
        }
    }
    fn finish(self, _op: ReduceOp, _count: usize) -> Self {
        // Means and norms of integers are not defined; `reduce` refuses them.
        self
    }
}

/// Reduces `input` over `dims` into `output`, after `pre` if there is one.
pub fn reduce(kernel: &kernel::Reduce<Operand<'_>>) -> Result<()> {
    let &kernel::Reduce { op, ref pre, input, ref dims, output } = kernel;
    let pre = pre.as_ref();
    if pre.is_none() && input.dtype.is_complex() && output.dtype.is_complex() && output.layout.numel() > 0 {
        return complex::reduce(op, input, dims, output);
    }
    let compute = compute_dtype(op, pre, input.dtype, output.dtype)?;
    if output.layout.numel() == 0 {
        return Ok(());
    }
    if pre.is_none() && input.dtype == compute {
        return reduce_as(op, compute, input, dims, output);
    }
    // One dtype and one layout: what follows reads straight from memory.
    let layout = Layout::contiguous("reduce", input.layout.shape())?;
    let bytes = layout.numel() * compute.size();
    let buffer = Buffer::allocate(host_allocator(), bytes)?;
    let prepared = Operand { buffer: &buffer, layout: &layout, dtype: compute };
    match pre {
        Some(program) => map(program, &[input], &[prepared])?,
        None => super::copy::copy(input, prepared)?,
    }
    reduce_as(op, compute, prepared, dims, output)
}

/// The dtype whose elements are combined.
fn compute_dtype(op: ReduceOp, pre: Option<&Program>, input: DType, output: DType) -> Result<DType> {
    let refuse = |what: &str| {
        let name = match op {
            ReduceOp::Sum => "sum",
            ReduceOp::Mean => "mean",
            ReduceOp::Prod => "prod",
            ReduceOp::Norm => "norm",
            ReduceOp::Max => "max",
            ReduceOp::Min => "min",
            ReduceOp::Any => "any",
            ReduceOp::All => "all",
        };
        Err(RusTorchError::unsupported(name, format!("not defined for {what} on the cpu")))
    };
    let value = pre.map_or(input, |program| match program.kind(program.outputs[0]) {
        rustorch_backend::RegisterKind::Value => program.compute,
        rustorch_backend::RegisterKind::Mask => DType::Bool,
    });
    if matches!(op, ReduceOp::Any | ReduceOp::All) {
        return Ok(DType::Bool);
    }
    if value.is_complex() || output.is_complex() {
        return refuse("complex numbers");
    }
    let widened = |dtype: DType| if dtype.size() == 2 { DType::Float32 } else { dtype };
    Ok(match op {
        ReduceOp::Max | ReduceOp::Min => {
            if value.is_floating_point() {
                widened(value)
            } else {
                value
            }
        }
        ReduceOp::Mean | ReduceOp::Norm if !output.is_floating_point() => {
            return refuse("an integer result");
        }
        _ if output.is_floating_point() => {
            widened(if value.is_floating_point() { value.promote(output) } else { output })
        }
        // Integer sums are exact in int64.
        _ => DType::Int64,
    })
}

/// The dimensions of a reduction, by the steps of the input.
struct Split {
    /// Kept dimensions, the largest step first.
    kept: Dims<usize>,
    /// Reduced dimensions, the largest step first.
    reduced: Dims<usize>,
}

impl Split {
    fn new(input: &Layout, dims: &[usize]) -> Self {
        let mut order: Dims<usize> = (0..input.ndim()).filter(|&d| input.shape()[d] != 1).collect();
        order.sort_by_key(|&d| std::cmp::Reverse(input.strides()[d].unsigned_abs()));
        let (reduced, kept) = order.into_iter().partition(|d| dims.contains(d));
        Split { kept, reduced }
    }

    /// Whether the input's memory runs along a kept dimension.
    fn along_kept(&self, input: &Layout) -> bool {
        let strides = input.strides();
        match (self.kept.last(), self.reduced.last()) {
            (Some(&k), Some(&r)) => strides[k] == 1 && strides[r].abs() > 1,
            _ => false,
        }
    }
}

/// Reduces elements of the compute dtype.
fn reduce_as(
    op: ReduceOp,
    compute: DType,
    input: Operand<'_>,
    dims: &[usize],
    output: Operand<'_>,
) -> Result<()> {
    let count = volume(dims.iter().map(|&d| input.layout.shape()[d]));
    if count == 0 {
        if matches!(op, ReduceOp::Max | ReduceOp::Min) {
            return Err(RusTorchError::argument(
                if op == ReduceOp::Max { "max" } else { "min" },
                "there is no extreme of no elements; reduce over dimensions that are not empty",
            ));
        }
        let nothing = match op {
            ReduceOp::Mean => Scalar::Float(f64::NAN),
            ReduceOp::Prod | ReduceOp::All => Scalar::Int(1),
            _ => Scalar::Int(0),
        };
        return super::copy::fill(output, nothing);
    }
    if count == 1 && op == ReduceOp::Norm {
        return map(&Program::single(ElementwiseOp::Abs, compute), &[input], &[output]);
    }
    if count == 1 {
        // Each element is its own reduction.
        return super::copy::copy(input, output);
    }
    if compute.is_floating_point() {
        reduce_to::<f64>(op, compute, input, dims, count, output)
    } else {
        reduce_to::<i64>(op, compute, input, dims, count, output)
    }
}

fn reduce_to<P: Partial>(
    op: ReduceOp,
    compute: DType,
    input: Operand<'_>,
    dims: &[usize],
    count: usize,
    output: Operand<'_>,
) -> Result<()> {
    let split = Split::new(input.layout, dims);
    let sink = Sink::<P>::new(op, count, output, &split);
    if split.along_kept(input.layout) {
        columns::reduce(op, compute, input, &split, &sink)
    } else {
        rows::reduce(op, compute, input, &split, &sink)
    }
}

/// Where finished results go.
struct Sink<P> {
    op: ReduceOp,
    count: usize,
    plan: Plan,
    output: Shared<u8>,
    dtype: DType,
    partial: std::marker::PhantomData<P>,
}

impl<P: Partial> Sink<P> {
    fn new(op: ReduceOp, count: usize, output: Operand<'_>, split: &Split) -> Self {
        let layout = output.layout;
        Sink {
            op,
            count,
            plan: Plan::over(layout.shape(), &split.kept, &[(layout.strides(), layout.offset())]),
            output: Shared::new(output.buffer.address().as_ptr()),
            dtype: output.dtype,
            partial: std::marker::PhantomData,
        }
    }

    /// Stores the results of the outputs from flat position `at` on.
    fn store(&self, at: usize, results: &mut [P]) {
        if matches!(self.op, ReduceOp::Mean | ReduceOp::Norm) {
            for result in results.iter_mut() {
                *result = result.finish(self.op, self.count);
            }
        }
        const TILE: usize = 256;
        let mut tile = [[0u64; 2]; TILE];
        let tile = tile.as_mut_ptr().cast::<u8>();
        let convert = convert(P::DTYPE, self.dtype, level());
        for (i, chunk) in results.chunks(TILE).enumerate() {
            // SAFETY: the tile has room for TILE elements of any dtype; the positions are the output's, and the caller
            // alone computes them.
            unsafe {
                convert(chunk.as_ptr().cast(), tile, chunk.len());
                self.plan.scatter(0, self.dtype.size(), self.output.get(), at + i * TILE, chunk.len(), tile);
            }
        }
    }
}

#[cfg(test)]
mod tests;
