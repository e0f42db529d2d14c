//! [`GpuBackend`]: hands each method of the contract to its kernel.

#[allow(unsafe_code)]
mod streams;

use std::ops::Range;
use std::sync::Arc;

use rustorch_backend::memory::{HostBuffer, Scratch};
use rustorch_backend::sizes::{Extent, check_extent};
use rustorch_backend::{
    AttentionParams, Buffer, ComputeBackend, ConvParams, DType, DeviceInfo, DimensionMap, Distribution,
    Epilogue, MemoryAllocator, Operand, PoolParams, Program, RandomKey, ReduceOp, Scalar, ScanOp, ScatterOp,
    Sharing, Streams,
};
use rustorch_error::{Result, RusTorchError};

use crate::device::Device;
use crate::executor::{KernelExecutor, Launch, Limits};
use crate::kernel::Call;
use crate::kernels;
use crate::memory::{GpuMemoryAllocator, Place};
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
        let (memory, pinned) = (pool(Place::Device), pool(Place::Pinned));
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

/// Methods that a kernel of the same arguments fulfils, once it is known that their tensors are of a size to compute with.
macro_rules! delegate {
    ($($name:ident => $kernel:path: ($($argument:ident: $type:ty),* $(,)?);)*) => {$(
        fn $name(&self, $($argument: $type),*) -> Result<()> {
            check_extent(stringify!($name), 0 $(.max($argument.extent()))*)?;
            $kernel(self, $($argument),*)
        }
    )*};
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

    fn count_nonzero(&self, input: Operand<'_>) -> Result<usize> {
        check_extent("count_nonzero", input.extent())?;
        kernels::nonzero::count_nonzero(self, input)
    }

    delegate! {
        copy => kernels::copy::copy: (source: Operand<'_>, destination: Operand<'_>);
        fill => kernels::copy::fill: (destination: Operand<'_>, value: Scalar);
        map => kernels::map::map: (program: &Program, inputs: &[Operand<'_>], outputs: &[Operand<'_>]);
        reduce => kernels::reduce::reduce: (
            op: ReduceOp, pre: Option<&Program>, input: Operand<'_>, dims: &[usize], output: Operand<'_>,
        );
        matrix_multiply => kernels::matmul::matrix_multiply: (
            a: Operand<'_>, b: Operand<'_>, output: Operand<'_>, epilogue: Epilogue<'_>,
        );
        convolution => kernels::vendor_conv::convolution: (
            params: &ConvParams, input: Operand<'_>, weight: Operand<'_>, bias: Option<Operand<'_>>,
            output: Operand<'_>,
        );
        convolution_grad_input => kernels::vendor_conv::convolution_grad_input: (
            params: &ConvParams, grad: Operand<'_>, weight: Operand<'_>, grad_input: Operand<'_>,
        );
        convolution_grad_weight => kernels::vendor_conv::convolution_grad_weight: (
            params: &ConvParams, grad: Operand<'_>, input: Operand<'_>, grad_weight: Operand<'_>,
        );
        pool => kernels::pool::pool: (
            params: &PoolParams, input: Operand<'_>, output: Operand<'_>, indices: Option<Operand<'_>>,
        );
        pool_grad => kernels::pool::pool_grad: (
            params: &PoolParams, grad: Operand<'_>, indices: Option<Operand<'_>>, grad_input: Operand<'_>,
        );
        attention => kernels::attention::attention: (
            params: &AttentionParams, query: Operand<'_>, key: Operand<'_>, value: Operand<'_>,
            mask: Option<Operand<'_>>, output: Operand<'_>, log_sum: Operand<'_>,
        );
        attention_grad => kernels::attention::attention_grad: (
            params: &AttentionParams, grad: Operand<'_>, inputs: [Operand<'_>; 3], mask: Option<Operand<'_>>,
            results: (Operand<'_>, Operand<'_>), grads: [Operand<'_>; 3],
        );
        max_pool_regions => kernels::pool::max_pool_regions: (
            regions: &[Scratch<Range<usize>>], input: Operand<'_>, output: Operand<'_>, indices: Operand<'_>,
        );
        weighted_gather => kernels::weighted_gather::weighted_gather: (
            input: Operand<'_>, index: Operand<'_>, weight: Operand<'_>, output: Operand<'_>,
        );
        weighted_gather_grad_input => kernels::weighted_gather::weighted_gather_grad_input: (
            grad: Operand<'_>, index: Operand<'_>, weight: Operand<'_>, grad_input: Operand<'_>,
        );
        weighted_gather_grad_weight => kernels::weighted_gather::weighted_gather_grad_weight: (
            grad: Operand<'_>, input: Operand<'_>, index: Operand<'_>, grad_weight: Operand<'_>,
        );
        resample => kernels::resample::resample: (
            maps: &[DimensionMap], input: Operand<'_>, output: Operand<'_>,
        );
        moments => kernels::moments::moments: (
            input: Operand<'_>, dims: &[usize], divisor: f64, root: bool, mean: Operand<'_>, spread: Operand<'_>,
        );
        arg_reduce => kernels::arg_reduce::arg_reduce: (
            op: ReduceOp, input: Operand<'_>, dim: usize, values: Option<Operand<'_>>, indices: Operand<'_>,
        );
        scan => kernels::scan::scan: (
            op: ScanOp, input: Operand<'_>, dim: usize, output: Operand<'_>, indices: Option<Operand<'_>>,
        );
        softmax => kernels::softmax::softmax: (
            log: bool, input: Operand<'_>, dim: usize, output: Operand<'_>,
        );
        softmax_grad => kernels::softmax::softmax_grad: (
            log: bool, grad: Operand<'_>, result: Operand<'_>, dim: usize, output: Operand<'_>,
        );
        normalize => kernels::norm::normalize: (
            input: Operand<'_>, dims: &[usize], eps: f64, weight: Option<Operand<'_>>, bias: Option<Operand<'_>>,
            output: Operand<'_>, mean: Operand<'_>, rstd: Operand<'_>,
        );
        normalize_grad => kernels::norm::normalize_grad: (
            grad: Operand<'_>, input: Operand<'_>, dims: &[usize], weight: Option<Operand<'_>>,
            mean: Operand<'_>, rstd: Operand<'_>, grad_input: Operand<'_>,
        );
        nonzero => kernels::nonzero::nonzero: (input: Operand<'_>, output: Operand<'_>);
        arange => kernels::copy::arange: (start: Scalar, step: Scalar, output: Operand<'_>);
        random => kernels::random::random: (distribution: Distribution, key: RandomKey, output: Operand<'_>);
        gather => kernels::index::gather: (input: Operand<'_>, dim: usize, index: Operand<'_>, output: Operand<'_>);
        index_read => kernels::index::index_read: (
            input: Operand<'_>, indices: &[Operand<'_>], output: Operand<'_>,
        );
        scatter => kernels::scatter::scatter: (
            op: ScatterOp, dim: usize, index: Operand<'_>, source: Operand<'_>, output: Operand<'_>,
        );
        index_write => kernels::scatter::index_write: (
            accumulate: bool, indices: &[Operand<'_>], source: Operand<'_>, output: Operand<'_>,
        );
        sort => kernels::sort::sort: (
            input: Operand<'_>, dim: usize, descending: bool, values: Option<Operand<'_>>, indices: Operand<'_>,
        );
        top_k => kernels::sort::top_k: (
            input: Operand<'_>, dim: usize, largest: bool, sorted: bool, values: Option<Operand<'_>>,
            indices: Operand<'_>,
        );
        search_sorted => kernels::sort::search_sorted: (
            sorted: Operand<'_>, sorter: Option<Operand<'_>>, values: Operand<'_>, right: bool, output: Operand<'_>,
        );
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
        let refused =
            device.run(call(), [7, 5, 1]).expect_err("the stand-in starts four in the second dimension");
        assert!(matches!(refused, RusTorchError::Unsupported { .. }), "{refused}");
        assert!(refused.to_string().contains("7 × 5 × 1 groups"), "{refused}");
        assert_eq!(device.executor().compiled.load(std::sync::atomic::Ordering::Relaxed), 0);
        device.run(call(), [7, 4, 1]).expect("as many as there may be");
    }
}
