//! `ComputeBackend`: what a device must be able to do.
//!
//! Destination-passing: the caller allocates, the kernel fills. So the same kernel serves `add`, `add_` and `out=`.
//! Callers (the tensor crate) have checked shapes and dtypes; a backend that lacks an op or a dtype answers
//! [`RusTorchError::Unsupported`] and never a wrong or empty result.

use std::ops::Range;

use rustorch_error::{Result, RusTorchError};

use crate::device::DeviceInfo;
use crate::epilogue::Epilogue;
use crate::memory::{Buffer, HostBuffer, MemoryAllocator, Scratch, Sharing};
use crate::random::{Distribution, RandomKey, Sampler};
use crate::reduction::{ReduceOp, ScanOp, ScatterOp};
use crate::sequence::{AttentionParams, CtcSample};
use crate::streams::Streams;
use crate::windows::{ConvParams, PoolParams};
use crate::{DimensionMap, Factorization, Operand, Program, Scalar};

macro_rules! lacks {
    ($self:ident, $op:literal) => {
        Err(RusTorchError::unsupported(
            $op,
            format!("the {} backend does not have this op", $self.device_info().kind),
        ))
    };
}

/// What a device must be able to do. Shapes and dtypes are checked by the caller.
#[allow(unused_variables)]
pub trait ComputeBackend: Send + Sync {
    /// What this device is.
    fn device_info(&self) -> &DeviceInfo;

    /// Where this device's buffers come from.
    fn allocator(&self) -> &'static dyn MemoryAllocator;

    /// Waits until everything asked for is done.
    fn synchronize(&self) -> Result<()>;

    /// Reads `destination.len()` bytes of `buffer` from byte `offset` into host memory.
    fn read(&self, buffer: &Buffer, offset: usize, destination: &mut [u8]) -> Result<()>;

    /// Writes `source` into `buffer` at byte `offset`.
    fn write(&self, buffer: &Buffer, offset: usize, source: &[u8]) -> Result<()>;

    /// A range of a buffer's bytes as host memory, after all earlier work, where the device's memory is the host's;
    /// `None` where it has to be copied. Until the result is dropped nothing asked of the device writes these bytes, nor
    /// reads them if they are to be `written`.
    fn map_host(&self, buffer: &Buffer, range: Range<usize>, written: bool) -> Result<Option<HostBuffer>> {
        Ok(None)
    }

    /// The device's streams, if it has any.
    fn streams(&self) -> Option<&dyn Streams> {
        None
    }

    /// What the driver calls the device's memory and streams, if it has a driver.
    fn sharing(&self) -> Option<&dyn Sharing> {
        None
    }

    /// Copies between layouts and dtypes of one shape; `source` may have strides of 0.
    fn copy(&self, source: Operand<'_>, destination: Operand<'_>) -> Result<()>;

    /// Sets every element.
    fn fill(&self, destination: Operand<'_>, value: Scalar) -> Result<()>;

    /// Runs an elementwise program. All operands have the outputs' shape; inputs may have strides of 0.
    /// An input may be the very same elements as an output (in-place), but must not overlap one otherwise.
    fn map(&self, program: &Program, inputs: &[Operand<'_>], outputs: &[Operand<'_>]) -> Result<()>;

    /// Reduces `input` over `dims` (ascending). `output` has `input`'s shape with size 1 at those dims.
    /// `pre`, a program of one input and one output, is applied to each element on the way in.
    fn reduce(
        &self,
        op: ReduceOp,
        pre: Option<&Program>,
        input: Operand<'_>,
        dims: &[usize],
        output: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "reduce")
    }

    /// Mean and sum of squared deviations from it over `dims`, in one numerically stable pass (Welford/Chan). What is
    /// stored in `spread` is that sum divided by `divisor`, or with `root` the square root of that; squares of float32
    /// neither overflow nor vanish on the way. Both outputs have `input`'s shape with size 1 at `dims`.
    fn moments(
        &self,
        input: Operand<'_>,
        dims: &[usize],
        divisor: f64,
        root: bool,
        mean: Operand<'_>,
        spread: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "moments")
    }

    /// The extreme element along `dim` and the int64 index of its first occurrence (NaN wins).
    /// Outputs have size 1 at `dim`. `op` is `Max` or `Min`.
    fn arg_reduce(
        &self,
        op: ReduceOp,
        input: Operand<'_>,
        dim: usize,
        values: Option<Operand<'_>>,
        indices: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "arg_reduce")
    }

    /// Combines each element along `dim` with those before it. `indices` (int64) for `Max` and `Min`.
    fn scan(
        &self,
        op: ScanOp,
        input: Operand<'_>,
        dim: usize,
        output: Operand<'_>,
        indices: Option<Operand<'_>>,
    ) -> Result<()> {
        lacks!(self, "scan")
    }

    /// Sorts the lines along `dim`, stably; NaN is the largest. `indices` (int64): where in its line each element was.
    fn sort(
        &self,
        input: Operand<'_>,
        dim: usize,
        descending: bool,
        values: Option<Operand<'_>>,
        indices: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "sort")
    }

    /// The `k` smallest or largest elements of the lines along `dim` and their places, where `k > 0` is the outputs' size
    /// there; NaN is the largest. In order if `sorted`; the `k`-th stands last in any case.
    fn top_k(
        &self,
        input: Operand<'_>,
        dim: usize,
        largest: bool,
        sorted: bool,
        values: Option<Operand<'_>>,
        indices: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "topk")
    }

    /// How many elements of its line of `sorted`, along the last dimension, are smaller than each value; with `right`,
    /// not larger. `sorted` is one line, or has `values`' leading dimensions. `sorter` (int64) is its order where it is
    /// not sorted. `output` is int64 or int32.
    fn search_sorted(
        &self,
        sorted: Operand<'_>,
        sorter: Option<Operand<'_>>,
        values: Operand<'_>,
        right: bool,
        output: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "searchsorted")
    }

    /// `out[…, m, n] = Σ_k a[…, m, k] b[…, k, n]`, batched over equal leading dimensions (stride 0 broadcasts), with
    /// any strides, and the epilogue applied.
    fn matrix_multiply(
        &self,
        a: Operand<'_>,
        b: Operand<'_>,
        output: Operand<'_>,
        epilogue: Epilogue<'_>,
    ) -> Result<()> {
        lacks!(self, "matrix_multiply")
    }

    /// Decomposes each matrix of a batch, in the precision of float64 at least.
    fn factorize(&self, op: Factorization, input: Operand<'_>, outputs: &[Operand<'_>]) -> Result<()> {
        lacks!(self, "factorize")
    }

    /// `output = A⁻¹ b`, batched: A (…, n, n) triangular, of which one triangle is read (without its diagonal, of ones, if
    /// `unit`), b and output (…, n, columns).
    fn solve_triangular(
        &self,
        upper: bool,
        unit: bool,
        a: Operand<'_>,
        b: Operand<'_>,
        output: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "solve_triangular")
    }

    /// Cross-correlation, as deep learning calls convolution.
    fn convolution(
        &self,
        params: &ConvParams,
        input: Operand<'_>,
        weight: Operand<'_>,
        bias: Option<Operand<'_>>,
        output: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "convolution")
    }

    /// The convolution's gradient by its input: also the transposed convolution.
    fn convolution_grad_input(
        &self,
        params: &ConvParams,
        grad: Operand<'_>,
        weight: Operand<'_>,
        grad_input: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "convolution_grad_input")
    }

    /// The convolution's gradient by its weight.
    fn convolution_grad_weight(
        &self,
        params: &ConvParams,
        grad: Operand<'_>,
        input: Operand<'_>,
        grad_weight: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "convolution_grad_weight")
    }

    /// Pools windows; `indices` (int64, flat position in the input's spatial plane) for `PoolOp::Max`.
    fn pool(
        &self,
        params: &PoolParams,
        input: Operand<'_>,
        output: Operand<'_>,
        indices: Option<Operand<'_>>,
    ) -> Result<()> {
        lacks!(self, "pool")
    }

    /// The gradient of `pool` by its input; `indices` as `pool` gave them for `PoolOp::Max`.
    fn pool_grad(
        &self,
        params: &PoolParams,
        grad: Operand<'_>,
        indices: Option<Operand<'_>>,
        grad_input: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "pool_grad")
    }

    /// Max pooling of `(N, C, *spatial)` over windows that lie anywhere: per spatial dimension the part that each output
    /// covers, or the parts of each plane, one plane after the other. `indices` as for `pool`.
    fn max_pool_regions(
        &self,
        regions: &[Scratch<Range<usize>>],
        input: Operand<'_>,
        output: Operand<'_>,
        indices: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "max_pool_regions")
    }

    /// `out[n, c, p] = Σ_t weight[n, p, t] * input[n, c, index[n, p, t]]`, with int64 indices; negative ones pick nothing.
    fn weighted_gather(
        &self,
        input: Operand<'_>,
        index: Operand<'_>,
        weight: Operand<'_>,
        output: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "weighted_gather")
    }

    /// The gradient of `weighted_gather` by its input.
    fn weighted_gather_grad_input(
        &self,
        grad: Operand<'_>,
        index: Operand<'_>,
        weight: Operand<'_>,
        grad_input: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "weighted_gather_grad_input")
    }

    /// The gradient of `weighted_gather` by its weight.
    fn weighted_gather_grad_weight(
        &self,
        grad: Operand<'_>,
        input: Operand<'_>,
        index: Operand<'_>,
        grad_weight: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "weighted_gather_grad_weight")
    }

    /// Applies a linear map along each of the last `maps.len()` dimensions. Selections for every dtype, else floats and
    /// complex numbers. `input` is row-major.
    fn resample(&self, maps: &[DimensionMap], input: Operand<'_>, output: Operand<'_>) -> Result<()> {
        lacks!(self, "resample")
    }

    /// Softmax along `dim`, or its logarithm.
    fn softmax(&self, log: bool, input: Operand<'_>, dim: usize, output: Operand<'_>) -> Result<()> {
        lacks!(self, "softmax")
    }

    /// The gradient of (log-)softmax from its `result`.
    fn softmax_grad(
        &self,
        log: bool,
        grad: Operand<'_>,
        result: Operand<'_>,
        dim: usize,
        output: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "softmax_grad")
    }

    /// `softmax(scale * query @ keyᵀ + mask) @ value`, without the scores being held all at once; also the logarithm of
    /// each row's sum of exponentials, `inf` where a query sees no key, whose result is 0.
    ///
    /// `query` is `(…, L, E)`, `key` `(…, S, E)`, `value` `(…, S, D)`, `mask` `(…, L, S)`, contiguous along `S`, `output`
    /// `(…, L, D)` and `log_sum` `(…, L)`, contiguous and in the dtype of computation; leading dimensions are equal.
    fn attention(
        &self,
        params: &AttentionParams,
        query: Operand<'_>,
        key: Operand<'_>,
        value: Operand<'_>,
        mask: Option<Operand<'_>>,
        output: Operand<'_>,
        log_sum: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "attention")
    }

    /// The gradients of `attention` by `[query, key, value]`, from its output and `log_sum`.
    fn attention_grad(
        &self,
        params: &AttentionParams,
        grad: Operand<'_>,
        inputs: [Operand<'_>; 3],
        mask: Option<Operand<'_>>,
        results: (Operand<'_>, Operand<'_>),
        grads: [Operand<'_>; 3],
    ) -> Result<()> {
        lacks!(self, "attention_grad")
    }

    /// Connectionist temporal classification: the negative log-likelihood `(N)` of each sample's targets, summed over
    /// their alignments with the frames of `log_probs` `(T, N, C)`, and the logarithms of the probabilities of its
    /// prefixes `(N, T, states)`, two states per target of the longest sample and one more. Outputs are contiguous,
    /// all is float64 but the targets, int64 in one dimension. Both passes check lengths and classes.
    fn ctc_loss(
        &self,
        blank: usize,
        samples: &[CtcSample],
        log_probs: Operand<'_>,
        targets: Operand<'_>,
        losses: Operand<'_>,
        log_alpha: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "ctc_loss")
    }

    /// The gradient of `ctc_loss` by log-probabilities that a log-softmax gave; with `zero_infinity` 0 for samples whose
    /// loss is infinite.
    fn ctc_loss_grad(
        &self,
        blank: usize,
        samples: &[CtcSample],
        zero_infinity: bool,
        grad: Operand<'_>,
        log_probs: Operand<'_>,
        targets: Operand<'_>,
        log_alpha: Operand<'_>,
        grad_log_probs: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "ctc_loss_grad")
    }

    /// `(x - mean) * rstd * weight + bias`, where all but `input` and `output` broadcast (size 1 or stride 0).
    ///
    /// `mean` and `rstd` are outputs, the statistics over `dims` (biased variance, `rstd = 1 / sqrt(var + eps)`), with
    /// size 1 at `dims`. Layer norm reduces the last dimensions, batch norm all but the channel, group norm the group's.
    fn normalize(
        &self,
        input: Operand<'_>,
        dims: &[usize],
        eps: f64,
        weight: Option<Operand<'_>>,
        bias: Option<Operand<'_>>,
        output: Operand<'_>,
        mean: Operand<'_>,
        rstd: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "normalize")
    }

    /// The gradient of `normalize` by its input, from the statistics it gave.
    fn normalize_grad(
        &self,
        grad: Operand<'_>,
        input: Operand<'_>,
        dims: &[usize],
        weight: Option<Operand<'_>>,
        mean: Operand<'_>,
        rstd: Operand<'_>,
        grad_input: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "normalize_grad")
    }

    /// `out[i…] = input[i… with index[i…] at dim]`; shapes as PyTorch's `gather`. Indices are int64 and checked
    /// where they are used: after an error the output is unspecified.
    fn gather(&self, input: Operand<'_>, dim: usize, index: Operand<'_>, output: Operand<'_>) -> Result<()> {
        lacks!(self, "gather")
    }

    /// `out[i… with index[i…] at dim] op= source[i…]`, in the order of `source`, deterministic. Indices are checked
    /// before the first write.
    fn scatter(
        &self,
        op: ScatterOp,
        dim: usize,
        index: Operand<'_>,
        source: Operand<'_>,
        output: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "scatter")
    }

    /// Reads with one int64 index tensor per leading dimension of `input`, all of one shape `I` (stride 0 broadcasts):
    /// `out[i…, r…] = input[indices[0][i…], …, r…]`; `out` has shape `I ++ rest`. Negative indices count from the end.
    fn index_read(&self, input: Operand<'_>, indices: &[Operand<'_>], output: Operand<'_>) -> Result<()> {
        lacks!(self, "index_read")
    }

    /// The reverse of `index_read`: `out[indices[0][i…], …, r…] = source[i…, r…]`, or `+=` when `accumulate`.
    /// Indices are checked before the first write.
    fn index_write(
        &self,
        accumulate: bool,
        indices: &[Operand<'_>],
        source: Operand<'_>,
        output: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "index_write")
    }

    /// The number of elements that differ from zero.
    fn count_nonzero(&self, input: Operand<'_>) -> Result<usize> {
        lacks!(self, "count_nonzero")
    }

    /// The coordinates of the elements that differ from zero, row-major: `output` is int64 of shape `(count, ndim)`, all of
    /// it is written and no more, even if another thread makes them more or fewer; then it may be an error.
    fn nonzero(&self, input: Operand<'_>, output: Operand<'_>) -> Result<()> {
        lacks!(self, "nonzero")
    }

    /// Fills with random numbers by Philox 4x32-10: the same key gives the same numbers on every device and for any
    /// number of threads. `n` elements use at most `n` blocks, by which the generator's offset moves on.
    fn random(&self, distribution: Distribution, key: RandomKey, output: Operand<'_>) -> Result<()> {
        lacks!(self, "random")
    }

    /// Draws element `i` of `output` from the distribution with the parameters at `i`, all float64 and of one shape
    /// (stride 0 broadcasts). `n` elements use the counters of `n` blocks, as often as they need.
    fn sample(
        &self,
        sampler: Sampler,
        key: RandomKey,
        parameters: &[Operand<'_>],
        output: Operand<'_>,
    ) -> Result<()> {
        lacks!(self, "sample")
    }

    /// `start + i * step` at flat position `i`, computed in float64 (or int64 for integers), rounded once.
    fn arange(&self, start: Scalar, step: Scalar, output: Operand<'_>) -> Result<()> {
        lacks!(self, "arange")
    }
}
