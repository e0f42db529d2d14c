//! [`CpuBackend`]: hands each method of the contract to its kernel.

use std::ops::Range;

use rustorch_backend::memory::fork::OnceLock;
use rustorch_backend::memory::{HostBuffer, Scratch, check_host_allocator, host_allocator, physical_memory};
use rustorch_backend::sizes::{Extent, check_extent};
use rustorch_backend::{
    AttentionParams, Buffer, ComputeBackend, ConvParams, CtcSample, DeviceInfo, DeviceKind, DimensionMap,
    Distribution, Epilogue, Factorization, MemoryAllocator, Operand, PoolParams, Program, RandomKey,
    ReduceOp, Sampler, Scalar, ScanOp, ScatterOp,
};
use rustorch_error::Result;

use crate::kernels;
use crate::simd::SimdLevel;
use crate::threads::num_threads;

/// The processor and its main memory.
#[derive(Debug)]
pub struct CpuBackend {
    info: OnceLock<DeviceInfo>,
    level: SimdLevel,
}

impl CpuBackend {
    /// The backend with the instruction set that `RUSTORCH_SIMD` names, or the best there is.
    ///
    /// # Errors
    /// `RUSTORCH_SIMD` names one that this machine does not have, or `RUSTORCH_ALLOCATOR` no allocator.
    pub fn new() -> Result<Self> {
        check_host_allocator()?;
        Ok(CpuBackend { info: OnceLock::new(), level: SimdLevel::detect()? })
    }
}

/// The maker's name of the processor, where the system tells it.
fn processor_name() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_string())
    });
    told.unwrap_or_else(|| std::env::consts::ARCH.to_string())
}

/// Methods that a kernel of the same arguments fulfils, once it is known that their tensors are of a size to compute with.
macro_rules! delegate {
    ($($name:ident => $kernel:path: ($($argument:ident: $type:ty),* $(,)?) -> $result:ty;)*) => {$(
        #[inline]
        fn $name(&self, $($argument: $type),*) -> Result<$result> {
            check_extent(stringify!($name), 0 $(.max($argument.extent()))*)?;
            $kernel($($argument),*)
        }
    )*};
}

impl ComputeBackend for CpuBackend {
    fn device_info(&self) -> &DeviceInfo {
        self.info.get_or_init(|| DeviceInfo {
            kind: DeviceKind::Cpu,
            name: processor_name(),
            parallelism: num_threads(),
            architecture: self.level.name().to_string(),
            memory: physical_memory().map(|bytes| bytes as u64),
            driver: String::new(),
            lacks: Vec::new(),
            is_host: true,
        })
    }

    #[inline]
    fn allocator(&self) -> &'static dyn MemoryAllocator {
        host_allocator()
    }

    fn synchronize(&self) -> Result<()> {
        // Every kernel has finished when it returns.
        Ok(())
    }

    fn read(&self, buffer: &Buffer, offset: usize, destination: &mut [u8]) -> Result<()> {
        buffer.check_range("read", offset, destination.len())?;
        // SAFETY: the range lies in the buffer, and a `&mut` slice does not overlap it.
        unsafe {
            let from = buffer.address().as_ptr().add(offset);
            std::ptr::copy_nonoverlapping(from, destination.as_mut_ptr(), destination.len());
        }
        Ok(())
    }

    fn write(&self, buffer: &Buffer, offset: usize, source: &[u8]) -> Result<()> {
        buffer.check_range("write", offset, source.len())?;
        // SAFETY: the range lies in the buffer; `source` may not overlap what the caller asks to overwrite.
        unsafe {
            let to = buffer.address().as_ptr().add(offset);
            std::ptr::copy_nonoverlapping(source.as_ptr(), to, source.len());
        }
        Ok(())
    }

    fn map_host(&self, buffer: &Buffer, range: Range<usize>, _: bool) -> Result<Option<HostBuffer>> {
        buffer.check_range("map", range.start, range.len())?;
        // SAFETY: the range lies in the buffer, whose memory is this; the caller uses it while the buffer is there.
        Ok(Some(unsafe { HostBuffer::lent(buffer.address().add(range.start), range.len(), Box::new(())) }))
    }

    #[inline]
    fn map(&self, program: &Program, inputs: &[Operand<'_>], outputs: &[Operand<'_>]) -> Result<()> {
        // All have one shape.
        check_extent("map", outputs.first().map_or(0, Operand::extent))?;
        kernels::map::map(program, inputs, outputs)
    }

    delegate! {
        copy => kernels::copy::copy: (source: Operand<'_>, destination: Operand<'_>) -> ();
        fill => kernels::copy::fill: (destination: Operand<'_>, value: Scalar) -> ();
        reduce => kernels::reduce::reduce: (
            op: ReduceOp, pre: Option<&Program>, input: Operand<'_>, dims: &[usize], output: Operand<'_>,
        ) -> ();
        moments => kernels::reduce::moments: (
            input: Operand<'_>, dims: &[usize], divisor: f64, root: bool, mean: Operand<'_>, spread: Operand<'_>,
        ) -> ();
        arg_reduce => kernels::reduce::arg_reduce: (
            op: ReduceOp, input: Operand<'_>, dim: usize, values: Option<Operand<'_>>, indices: Operand<'_>,
        ) -> ();
        scan => kernels::scan::scan: (
            op: ScanOp, input: Operand<'_>, dim: usize, output: Operand<'_>, indices: Option<Operand<'_>>,
        ) -> ();
        sort => kernels::sort::sort: (
            input: Operand<'_>, dim: usize, descending: bool, values: Option<Operand<'_>>, indices: Operand<'_>,
        ) -> ();
        top_k => kernels::sort::top_k: (
            input: Operand<'_>, dim: usize, largest: bool, sorted: bool, values: Option<Operand<'_>>,
            indices: Operand<'_>,
        ) -> ();
        search_sorted => kernels::sort::search_sorted: (
            sorted: Operand<'_>, sorter: Option<Operand<'_>>, values: Operand<'_>, right: bool, output: Operand<'_>,
        ) -> ();
        matrix_multiply => kernels::matmul::matrix_multiply: (
            a: Operand<'_>, b: Operand<'_>, output: Operand<'_>, epilogue: Epilogue<'_>,
        ) -> ();
        factorize => kernels::linalg::factorize: (
            op: Factorization, input: Operand<'_>, outputs: &[Operand<'_>],
        ) -> ();
        solve_triangular => kernels::linalg::solve_triangular: (
            upper: bool, unit: bool, a: Operand<'_>, b: Operand<'_>, output: Operand<'_>,
        ) -> ();
        convolution => kernels::conv::convolution: (
            params: &ConvParams, input: Operand<'_>, weight: Operand<'_>, bias: Option<Operand<'_>>,
            output: Operand<'_>,
        ) -> ();
        convolution_grad_input => kernels::conv::convolution_grad_input: (
            params: &ConvParams, grad: Operand<'_>, weight: Operand<'_>, grad_input: Operand<'_>,
        ) -> ();
        convolution_grad_weight => kernels::conv::convolution_grad_weight: (
            params: &ConvParams, grad: Operand<'_>, input: Operand<'_>, grad_weight: Operand<'_>,
        ) -> ();
        pool => kernels::pool::pool: (
            params: &PoolParams, input: Operand<'_>, output: Operand<'_>, indices: Option<Operand<'_>>,
        ) -> ();
        pool_grad => kernels::pool::pool_grad: (
            params: &PoolParams, grad: Operand<'_>, indices: Option<Operand<'_>>, grad_input: Operand<'_>,
        ) -> ();
        max_pool_regions => kernels::pool::max_pool_regions: (
            regions: &[Scratch<Range<usize>>], input: Operand<'_>, output: Operand<'_>, indices: Operand<'_>,
        ) -> ();
        weighted_gather => kernels::weighted_gather::weighted_gather: (
            input: Operand<'_>, index: Operand<'_>, weight: Operand<'_>, output: Operand<'_>,
        ) -> ();
        weighted_gather_grad_input => kernels::weighted_gather::weighted_gather_grad_input: (
            grad: Operand<'_>, index: Operand<'_>, weight: Operand<'_>, grad_input: Operand<'_>,
        ) -> ();
        weighted_gather_grad_weight => kernels::weighted_gather::weighted_gather_grad_weight: (
            grad: Operand<'_>, input: Operand<'_>, index: Operand<'_>, grad_weight: Operand<'_>,
        ) -> ();
        resample => kernels::resample::resample: (
            maps: &[DimensionMap], input: Operand<'_>, output: Operand<'_>,
        ) -> ();
        softmax => kernels::softmax::softmax: (log: bool, input: Operand<'_>, dim: usize, output: Operand<'_>) -> ();
        softmax_grad => kernels::softmax::softmax_grad: (
            log: bool, grad: Operand<'_>, result: Operand<'_>, dim: usize, output: Operand<'_>,
        ) -> ();
        attention => kernels::attention::attention: (
            params: &AttentionParams, query: Operand<'_>, key: Operand<'_>, value: Operand<'_>,
            mask: Option<Operand<'_>>, output: Operand<'_>, log_sum: Operand<'_>,
        ) -> ();
        attention_grad => kernels::attention::attention_grad: (
            params: &AttentionParams, grad: Operand<'_>, inputs: [Operand<'_>; 3], mask: Option<Operand<'_>>,
            results: (Operand<'_>, Operand<'_>), grads: [Operand<'_>; 3],
        ) -> ();
        ctc_loss => kernels::ctc::ctc_loss: (
            blank: usize, samples: &[CtcSample], log_probs: Operand<'_>, targets: Operand<'_>, losses: Operand<'_>,
            log_alpha: Operand<'_>,
        ) -> ();
        ctc_loss_grad => kernels::ctc::ctc_loss_grad: (
            blank: usize, samples: &[CtcSample], zero_infinity: bool, grad: Operand<'_>, log_probs: Operand<'_>,
            targets: Operand<'_>, log_alpha: Operand<'_>, grad_log_probs: Operand<'_>,
        ) -> ();
        normalize => kernels::norm::normalize: (
            input: Operand<'_>, dims: &[usize], eps: f64, weight: Option<Operand<'_>>, bias: Option<Operand<'_>>,
            output: Operand<'_>, mean: Operand<'_>, rstd: Operand<'_>,
        ) -> ();
        normalize_grad => kernels::norm::normalize_grad: (
            grad: Operand<'_>, input: Operand<'_>, dims: &[usize], weight: Option<Operand<'_>>, mean: Operand<'_>,
            rstd: Operand<'_>, grad_input: Operand<'_>,
        ) -> ();
        gather => kernels::index::gather: (
            input: Operand<'_>, dim: usize, index: Operand<'_>, output: Operand<'_>,
        ) -> ();
        scatter => kernels::index::scatter: (
            op: ScatterOp, dim: usize, index: Operand<'_>, source: Operand<'_>, output: Operand<'_>,
        ) -> ();
        index_read => kernels::index::index_read: (
            input: Operand<'_>, indices: &[Operand<'_>], output: Operand<'_>,
        ) -> ();
        index_write => kernels::index::index_write: (
            accumulate: bool, indices: &[Operand<'_>], source: Operand<'_>, output: Operand<'_>,
        ) -> ();
        count_nonzero => kernels::index::count_nonzero: (input: Operand<'_>) -> usize;
        nonzero => kernels::index::nonzero: (input: Operand<'_>, output: Operand<'_>) -> ();
        random => kernels::random::random: (distribution: Distribution, key: RandomKey, output: Operand<'_>) -> ();
        sample => kernels::random::sample: (
            sampler: Sampler, key: RandomKey, parameters: &[Operand<'_>], output: Operand<'_>,
        ) -> ();
        arange => kernels::random::arange: (start: Scalar, step: Scalar, output: Operand<'_>) -> ();
    }
}
