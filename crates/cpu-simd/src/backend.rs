//! [`CpuBackend`]: hands each kernel to the function that computes it.

use std::ops::Range;

use rustorch_backend::memory::fork::OnceLock;
use rustorch_backend::memory::{HostBuffer, check_host_allocator, host_allocator, physical_memory};
use rustorch_backend::sizes::check_extent;
use rustorch_backend::{
    Buffer, ComputeBackend, DeviceInfo, DeviceKind, Kernel, MemoryAllocator, Operand, Program, Scalar,
};
use rustorch_error::Result;
use rustorch_simd::SimdLevel;

use crate::kernels;
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
    fn copy(&self, source: Operand<'_>, destination: Operand<'_>) -> Result<()> {
        check_extent("copy", source.layout.numel().max(destination.layout.numel()))?;
        kernels::copy::copy(source, destination)
    }

    #[inline]
    fn fill(&self, destination: Operand<'_>, value: Scalar) -> Result<()> {
        check_extent("fill", destination.layout.numel())?;
        kernels::copy::fill(destination, value)
    }

    #[inline]
    fn map(&self, program: &Program, inputs: &[Operand<'_>], outputs: &[Operand<'_>]) -> Result<()> {
        // All have one shape.
        check_extent("map", outputs.first().map_or(0, |output| output.layout.numel()))?;
        kernels::map::map(program, inputs, outputs)
    }

    fn run(&self, kernel: &Kernel<Operand<'_>>) -> Result<()> {
        check_extent(kernel.name(), kernel.extent())?;
        match kernel {
            Kernel::Copy(kernel) => kernels::copy::copy(kernel.source, kernel.destination),
            Kernel::Fill(kernel) => kernels::copy::fill(kernel.destination, kernel.value),
            Kernel::Map(kernel) => kernels::map::map(&kernel.program, &kernel.inputs, &kernel.outputs),
            Kernel::Reduce(kernel) => kernels::reduce::reduce(kernel),
            Kernel::Moments(kernel) => kernels::reduce::moments(kernel),
            Kernel::ArgReduce(kernel) => kernels::reduce::arg_reduce(kernel),
            Kernel::Scan(kernel) => kernels::scan::scan(kernel),
            Kernel::Sort(kernel) => kernels::sort::sort(kernel),
            Kernel::TopK(kernel) => kernels::sort::top_k(kernel),
            Kernel::SearchSorted(kernel) => kernels::sort::search_sorted(kernel),
            Kernel::MatrixMultiply(kernel) => kernels::matmul::matrix_multiply(kernel),
            Kernel::Factorize(kernel) => kernels::linalg::factorize(kernel),
            Kernel::SolveTriangular(kernel) => kernels::linalg::solve_triangular(kernel),
            Kernel::Convolution(kernel) => kernels::conv::convolution(kernel),
            Kernel::ConvolutionGradInput(kernel) => kernels::conv::convolution_grad_input(kernel),
            Kernel::ConvolutionGradWeight(kernel) => kernels::conv::convolution_grad_weight(kernel),
            Kernel::Pool(kernel) => kernels::pool::pool(kernel),
            Kernel::PoolGrad(kernel) => kernels::pool::pool_grad(kernel),
            Kernel::MaxPoolRegions(kernel) => kernels::pool::max_pool_regions(kernel),
            Kernel::WeightedGather(kernel) => kernels::weighted_gather::weighted_gather(kernel),
            Kernel::WeightedGatherGradInput(kernel) => {
                kernels::weighted_gather::weighted_gather_grad_input(kernel)
            }
            Kernel::WeightedGatherGradWeight(kernel) => {
                kernels::weighted_gather::weighted_gather_grad_weight(kernel)
            }
            Kernel::Resample(kernel) => kernels::resample::resample(kernel),
            Kernel::Softmax(kernel) => kernels::softmax::softmax(kernel),
            Kernel::SoftmaxGrad(kernel) => kernels::softmax::softmax_grad(kernel),
            Kernel::Attention(kernel) => kernels::attention::attention(kernel),
            Kernel::AttentionGrad(kernel) => kernels::attention::attention_grad(kernel),
            Kernel::CtcLoss(kernel) => kernels::ctc::ctc_loss(kernel),
            Kernel::CtcLossGrad(kernel) => kernels::ctc::ctc_loss_grad(kernel),
            Kernel::Normalize(kernel) => kernels::normalization::normalize(kernel),
            Kernel::NormalizeGrad(kernel) => kernels::normalization::normalize_grad(kernel),
            Kernel::Gather(kernel) => kernels::index::gather(kernel),
            Kernel::Scatter(kernel) => kernels::index::scatter(kernel),
            Kernel::IndexRead(kernel) => kernels::index::index_read(kernel),
            Kernel::IndexWrite(kernel) => kernels::index::index_write(kernel),
            Kernel::Nonzero(kernel) => kernels::index::nonzero(kernel),
            Kernel::Random(kernel) => kernels::random::random(kernel),
            Kernel::Sample(kernel) => kernels::random::sample(kernel),
            Kernel::Arange(kernel) => kernels::random::arange(kernel),
            Kernel::FourierTransform(kernel) => kernels::fourier::fourier_transform(kernel),
            Kernel::CountNonzero(kernel) => kernels::index::count_nonzero(kernel),
        }
    }
}
