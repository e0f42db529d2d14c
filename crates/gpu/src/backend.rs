//! [`GpuBackend`]: hands each kernel to the function that queues it.

#[allow(unsafe_code)]
mod streams;

use std::ops::Range;
use std::sync::Arc;

use rustorch_backend::memory::HostBuffer;
use rustorch_backend::sizes::check_extent;
use rustorch_backend::{
    Buffer, ComputeBackend, DType, DeviceInfo, Kernel, MemoryAllocator, Operand, Program, Scalar, Sharing,
    Streams, unsupported,
};
use rustorch_error::{Result, RusTorchError};

use crate::device::Device;
use crate::executor::{KernelExecutor, Launch, Limits};
use crate::kernel::Call;
use crate::kernels;
use crate::memory::{GpuMemoryAllocator, MemoryKind};
use crate::program_cache::ProgramCache;
use crate::streams::StreamSet;
use crate::vendor_library::{Convolution, MatrixProduct};

/// A device that computes by kernels.
pub struct GpuBackend<E: KernelExecutor> {
    pub(crate) executor: &'static E,
    pub(crate) streams: &'static StreamSet<E>,
    pub(crate) memory: &'static GpuMemoryAllocator<E>,
    pub(crate) pinned: &'static GpuMemoryAllocator<E>,
    programs: ProgramCache<E::Kernel>,
}

impl<E: KernelExecutor> GpuBackend<E> {
    /// The backend of a device. It lives as long as the process, as every buffer of the device needs it.
    pub fn new(executor: E) -> &'static Self {
        let executor: &'static E = Box::leak(Box::new(executor));
        let streams: &'static StreamSet<E> = Box::leak(Box::new(StreamSet::new(executor)));
        let pool = |place| &*Box::leak(Box::new(GpuMemoryAllocator::new(executor, streams, place)));
        let (memory, pinned) = (pool(MemoryKind::Device), pool(MemoryKind::Pinned));
        Box::leak(Box::new(GpuBackend { executor, streams, memory, pinned, programs: ProgramCache::new() }))
    }

    /// The driver behind it.
    pub fn executor(&self) -> &'static E {
        self.executor
    }
}

impl<E: KernelExecutor> Device for GpuBackend<E> {
    fn limits(&self) -> &Limits {
        self.executor.limits()
    }

    fn parallelism(&self) -> usize {
        self.executor.info().parallelism
    }

    fn kind(&self) -> &'static str {
        self.executor.info().kind.name()
    }

    fn run(&self, mut call: Call<'_>, groups: [usize; 3]) -> Result<()> {
        if groups.contains(&0) {
            return Ok(());
        }
        if call.needs_f64() && !self.limits().has_f64 {
            return Err(no_f64(call.name(), self.kind()));
        }
        // What grows with the tensor is in the first dimension; in the second are chunks, of which a kernel makes few.
        let most = self.limits().groups;
        if groups.iter().zip(most).any(|(&groups, most)| groups > most as usize) {
            let [x, y, z] = groups;
            return Err(RusTorchError::unsupported(
                call.name(),
                format!(
                    "{x} × {y} × {z} groups of work-items, where the device starts at most {most:?}; split the tensor"
                ),
            ));
        }
        let groups = groups.map(|groups| groups as u32);
        let kernel: Arc<E::Kernel> = self.programs.get(self.executor, &mut call)?;
        let group = call.group_size();
        call.pad_parameters();
        let launch = Launch { groups, group, buffers: call.addresses(), parameters: call.parameters() };
        // Drivers may look for a buffer's memory as late as its first use.
        self.memory.making_room(|| {
            self.streams.with_current(|stream| self.executor.launch(stream, &kernel, &launch))
        })
    }

    fn library_product(&self, product: &MatrixProduct<'_>) -> Result<bool> {
        let workspace = |bytes| self.temporary(bytes);
        self.streams.with_current(|stream| self.executor.multiply(stream, product, &workspace))
    }

    fn library_convolution(&self, convolution: &Convolution<'_>) -> Result<bool> {
        let workspace = |bytes| self.temporary(bytes);
        self.streams.with_current(|stream| self.executor.convolve(stream, convolution, &workspace))
    }

    fn temporary(&self, bytes: usize) -> Result<Buffer> {
        Buffer::allocate(self.memory, bytes)
    }

    fn read(&self, buffer: &Buffer, offset: usize, destination: &mut [u8]) -> Result<()> {
        ComputeBackend::read(self, buffer, offset, destination)
    }

    fn write(&self, buffer: &Buffer, offset: usize, source: &[u8]) -> Result<()> {
        ComputeBackend::write(self, buffer, offset, source)
    }
}

fn no_f64(op: &'static str, kind: &str) -> RusTorchError {
    RusTorchError::unsupported(op, format!("this {kind} device does not compute {}", DType::Float64))
}

impl<E: KernelExecutor> ComputeBackend for GpuBackend<E> {
    fn device_info(&self) -> &DeviceInfo {
        self.executor.info()
    }

    fn allocator(&self) -> &'static dyn MemoryAllocator {
        self.memory
    }

    fn synchronize(&self) -> Result<()> {
        self.streams.synchronize()
    }

    fn read(&self, buffer: &Buffer, offset: usize, destination: &mut [u8]) -> Result<()> {
        self.read_now(buffer, offset, destination)
    }

    fn write(&self, buffer: &Buffer, offset: usize, source: &[u8]) -> Result<()> {
        self.memory.making_room(|| self.write_now(buffer, offset, source))
    }

    fn map_host(&self, buffer: &Buffer, range: Range<usize>, written: bool) -> Result<Option<HostBuffer>> {
        buffer.check_range("map", range.start, range.len())?;
        crate::lent::lend(self.executor, self.streams, buffer, range, written)
    }

    fn streams(&self) -> Option<&dyn Streams> {
        Some(self)
    }

    fn sharing(&self) -> Option<&dyn Sharing> {
        Some(self)
    }

    fn copy(&self, source: Operand<'_>, destination: Operand<'_>) -> Result<()> {
        check_extent("copy", source.layout.numel().max(destination.layout.numel()))?;
        kernels::copy::copy(self, source, destination)
    }

    fn fill(&self, destination: Operand<'_>, value: Scalar) -> Result<()> {
        check_extent("fill", destination.layout.numel())?;
        kernels::copy::fill(self, destination, value)
    }

    fn map(&self, program: &Program, inputs: &[Operand<'_>], outputs: &[Operand<'_>]) -> Result<()> {
        // All have one shape.
        check_extent("map", outputs.first().map_or(0, |output| output.layout.numel()))?;
        kernels::map::map(self, program, inputs, outputs)
    }

    fn run(&self, kernel: &Kernel<Operand<'_>>) -> Result<()> {
        check_extent(kernel.name(), kernel.extent())?;
        match kernel {
            Kernel::Copy(kernel) => kernels::copy::copy(self, kernel.source, kernel.destination),
            Kernel::Fill(kernel) => kernels::copy::fill(self, kernel.destination, kernel.value),
            Kernel::Map(kernel) => kernels::map::map(self, &kernel.program, &kernel.inputs, &kernel.outputs),
            Kernel::Reduce(kernel) => kernels::reduce::reduce(self, kernel),
            Kernel::Moments(kernel) => kernels::moments::moments(self, kernel),
            Kernel::ArgReduce(kernel) => kernels::arg_reduce::arg_reduce(self, kernel),
            Kernel::Scan(kernel) => kernels::scan::scan(self, kernel),
            Kernel::Sort(kernel) => kernels::sort::sort(self, kernel),
            Kernel::TopK(kernel) => kernels::sort::top_k(self, kernel),
            Kernel::SearchSorted(kernel) => kernels::sort::search_sorted(self, kernel),
            Kernel::MatrixMultiply(kernel) => kernels::matmul::matrix_multiply(self, kernel),
            Kernel::Convolution(kernel) => kernels::vendor_conv::convolution(self, kernel),
            Kernel::ConvolutionGradInput(kernel) => {
                kernels::vendor_conv::convolution_grad_input(self, kernel)
            }
            Kernel::ConvolutionGradWeight(kernel) => {
                kernels::vendor_conv::convolution_grad_weight(self, kernel)
            }
            Kernel::Pool(kernel) => kernels::pool::pool(self, kernel),
            Kernel::PoolGrad(kernel) => kernels::pool::pool_grad(self, kernel),
            Kernel::MaxPoolRegions(kernel) => kernels::pool::max_pool_regions(self, kernel),
            Kernel::WeightedGather(kernel) => kernels::weighted_gather::weighted_gather(self, kernel),
            Kernel::WeightedGatherGradInput(kernel) => {
                kernels::weighted_gather::weighted_gather_grad_input(self, kernel)
            }
            Kernel::WeightedGatherGradWeight(kernel) => {
                kernels::weighted_gather::weighted_gather_grad_weight(self, kernel)
            }
            Kernel::Resample(kernel) => kernels::resample::resample(self, kernel),
            Kernel::Softmax(kernel) => kernels::softmax::softmax(self, kernel),
            Kernel::SoftmaxGrad(kernel) => kernels::softmax::softmax_grad(self, kernel),
            Kernel::Attention(kernel) => kernels::attention::attention(self, kernel),
            Kernel::AttentionGrad(kernel) => kernels::attention::attention_grad(self, kernel),
            Kernel::Normalize(kernel) => kernels::normalization::normalize(self, kernel),
            Kernel::NormalizeGrad(kernel) => kernels::normalization::normalize_grad(self, kernel),
            Kernel::Gather(kernel) => kernels::index::gather(self, kernel),
            Kernel::Scatter(kernel) => kernels::scatter::scatter(self, kernel),
            Kernel::IndexRead(kernel) => kernels::index::index_read(self, kernel),
            Kernel::IndexWrite(kernel) => kernels::scatter::index_write(self, kernel),
            Kernel::Nonzero(kernel) => kernels::nonzero::nonzero(self, kernel),
            Kernel::Random(kernel) => kernels::random::random(self, kernel),
            Kernel::Arange(kernel) => kernels::copy::arange(self, kernel),
            Kernel::CountNonzero(kernel) => kernels::nonzero::count_nonzero(self, kernel),
            other => Err(unsupported(other.name(), self.device_info())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::KernelText;
    use crate::stand_in::StandIn;

    #[test]
    fn more_groups_than_a_device_starts_are_refused_before_anything_is_compiled() {
        let device = GpuBackend::new(StandIn::new());
        let call = || Call::new(KernelText { name: "one", text: "KERNEL {" });
        let refused = Device::run(device, call(), [7, 5, 1])
            .expect_err("the stand-in starts four in the second dimension");
        assert!(matches!(refused, RusTorchError::Unsupported { .. }), "{refused}");
        assert!(refused.to_string().contains("7 × 5 × 1 groups"), "{refused}");
        assert_eq!(device.executor().compiled.load(std::sync::atomic::Ordering::Relaxed), 0);
        Device::run(device, call(), [7, 4, 1]).expect("as many as there may be");
    }
}
