//! What a device lacks runs on the CPU: never silently.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rustorch_backend::memory::fork::{Mutex, MutexGuard, OnceLock};
use rustorch_backend::memory::{HostBuffer, Scratch};
use rustorch_backend::{
    AttentionParams, Buffer, ComputeBackend, ConvParams, CtcSample, DeviceInfo, DeviceKind, DimensionMap,
    Distribution, Epilogue, Factorization, MemoryAllocator, Operand, PoolParams, Program, RandomKey,
    ReduceOp, Sampler, Scalar, ScanOp, ScatterOp, Sharing, Streams,
};
use rustorch_error::{Result, RusTorchError};

use super::staging::{Argument, Operands, Staging, cursor};

/// Whether a fallback is an error.
static STRICT: AtomicBool = AtomicBool::new(false);

/// How often each op of a kind of device ran on the CPU.
static COUNTS: Mutex<BTreeMap<(DeviceKind, &'static str), u64>> = Mutex::new(BTreeMap::new());

/// Who is told of the first fallback of an op; an error ends the op.
static HOOK: OnceLock<fn(&str) -> Result<()>> = OnceLock::new();

fn counts() -> MutexGuard<'static, BTreeMap<(DeviceKind, &'static str), u64>> {
    COUNTS.lock()
}

/// Whether an op that a device lacks is an error instead of running on the CPU.
pub fn is_strict() -> bool {
    STRICT.load(Ordering::Relaxed)
}

/// Sets whether an op that a device lacks is an error instead of running on the CPU.
pub fn set_strict(strict: bool) {
    STRICT.store(strict, Ordering::Relaxed);
}

/// How often each op ran on the CPU because its device lacks it, since the start or [`reset_fallbacks`].
pub fn fallbacks() -> Vec<((DeviceKind, &'static str), u64)> {
    counts().iter().map(|(&key, &count)| (key, count)).collect()
}

/// Counts from 0 again, and warns again.
pub fn reset_fallbacks() {
    counts().clear();
}

/// Says who is told, in a sentence, when an op falls back for the first time. The first hook stays.
pub fn on_fallback(hook: fn(&str) -> Result<()>) {
    let _ = HOOK.set(hook);
}

/// A device whose lacking ops run on the CPU: on the device's memory where it is the host's, else the operands are copied
/// to host memory and the results back.
pub(super) struct Fallback {
    device: &'static dyn ComputeBackend,
    host: &'static dyn ComputeBackend,
}

impl Fallback {
    pub(super) fn new(device: &'static dyn ComputeBackend, host: &'static dyn ComputeBackend) -> Self {
        Fallback { device, host }
    }

    /// Counts a fallback, or refuses it.
    #[cold]
    fn announce(&self, op: &'static str, operands: &[Operand<'_>], reason: &str) -> Result<()> {
        let kind = self.device.device_info().kind;
        if is_strict() {
            let dtypes: Vec<_> = operands.iter().map(|operand| operand.dtype.to_string()).collect();
            return Err(RusTorchError::unavailable(
                op,
                format!(
                    "not available on {kind} for ({}): {reason}; with rustorch.backends.strict = False it would run \
                     on the CPU",
                    dtypes.join(", ")
                ),
            ));
        }
        let count = {
            let mut counts = counts();
            let count = counts.entry((kind, op)).or_insert(0);
            *count += 1;
            *count
        };
        match HOOK.get() {
            Some(hook) if count == 1 => hook(&format!(
                "{op} runs on the CPU, with copies to and from {kind}: {reason}. This is said once per op; \
                 rustorch.backends.fallbacks() counts, and rustorch.backends.strict = True raises an error instead"
            )),
            _ => Ok(()),
        }
    }

    /// Runs `call` of the CPU on `operands` in host memory.
    #[cold]
    fn on_host<T>(
        &self,
        op: &'static str,
        reason: &str,
        operands: &[Operand<'_>],
        written: &[Operand<'_>],
        call: impl FnOnce(&dyn ComputeBackend, &[Operand<'_>]) -> Result<T>,
    ) -> Result<T> {
        self.announce(op, operands, reason)?;
        let staging = Staging::read(self.device, operands, written)?;
        let result = call(self.host, &staging.operands(operands))?;
        staging.write_back(self.device)?;
        Ok(result)
    }
}

/// The name under which an elementwise program falls back: its op's, where it has just one.
fn program_name(program: &Program) -> &'static str {
    match &*program.instructions {
        [] => "copy",
        [only] => only.op.name(),
        _ => "fused elementwise ops",
    }
}

/// Methods that ask the device first. `writes` names the operands that the op writes.
macro_rules! fall_back {
    ($(
        fn $method:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty
        $(, named $name:expr)? $(, writes $($written:ident),+)?;
    )*) => {$(
        fn $method(&self, $($argument: $type),*) -> Result<$result> {
            match self.device.$method($($argument),*) {
                Err(RusTorchError::Unsupported { message, .. }) => {
                    let name = fall_back!(@name $method $($name)?);
                    let mut operands = Operands::new();
                    $($argument.gather(&mut operands);)*
                    #[allow(unused_mut)]
                    let mut written = Operands::new();
                    $($($written.gather(&mut written);)+)?
                    self.on_host(name, &message, &operands, &written, |host, staged| {
                        let mut staged = cursor(staged);
                        // Evaluated in order, as they were gathered.
                        host.$method($($argument.restage(&mut staged)),*)
                    })
                }
                done => done,
            }
        }
    )*};
    (@name $method:ident) => { stringify!($method) };
    (@name $method:ident $name:expr) => { $name };
}

impl ComputeBackend for Fallback {
    fn device_info(&self) -> &DeviceInfo {
        self.device.device_info()
    }

    fn allocator(&self) -> &'static dyn MemoryAllocator {
        self.device.allocator()
    }

    fn synchronize(&self) -> Result<()> {
        self.device.synchronize()
    }

    fn read(&self, buffer: &Buffer, offset: usize, destination: &mut [u8]) -> Result<()> {
        self.device.read(buffer, offset, destination)
    }

    fn write(&self, buffer: &Buffer, offset: usize, source: &[u8]) -> Result<()> {
        self.device.write(buffer, offset, source)
    }

    fn map_host(&self, buffer: &Buffer, range: Range<usize>, written: bool) -> Result<Option<HostBuffer>> {
        self.device.map_host(buffer, range, written)
    }

    fn streams(&self) -> Option<&dyn Streams> {
        self.device.streams()
    }

    fn sharing(&self) -> Option<&dyn Sharing> {
        self.device.sharing()
    }

    fall_back! {
        fn copy(source: Operand<'_>, destination: Operand<'_>) -> (), writes destination;
        fn fill(destination: Operand<'_>, value: Scalar) -> (), writes destination;
        fn map(program: &Program, inputs: &[Operand<'_>], outputs: &[Operand<'_>]) -> (),
            named program_name(program), writes outputs;
        fn reduce(
            op: ReduceOp, pre: Option<&Program>, input: Operand<'_>, dims: &[usize], output: Operand<'_>,
        ) -> (), writes output;
        fn moments(
            input: Operand<'_>, dims: &[usize], divisor: f64, root: bool, mean: Operand<'_>, spread: Operand<'_>,
        ) -> (), writes mean, spread;
        fn arg_reduce(
            op: ReduceOp, input: Operand<'_>, dim: usize, values: Option<Operand<'_>>, indices: Operand<'_>,
        ) -> (), writes values, indices;
        fn scan(
            op: ScanOp, input: Operand<'_>, dim: usize, output: Operand<'_>, indices: Option<Operand<'_>>,
        ) -> (), writes output, indices;
        fn sort(
            input: Operand<'_>, dim: usize, descending: bool, values: Option<Operand<'_>>, indices: Operand<'_>,
        ) -> (), writes values, indices;
        fn top_k(
            input: Operand<'_>, dim: usize, largest: bool, sorted: bool, values: Option<Operand<'_>>,
            indices: Operand<'_>,
        ) -> (), named "topk", writes values, indices;
        fn search_sorted(
            sorted: Operand<'_>, sorter: Option<Operand<'_>>, values: Operand<'_>, right: bool, output: Operand<'_>,
        ) -> (), named "searchsorted", writes output;
        fn matrix_multiply(a: Operand<'_>, b: Operand<'_>, output: Operand<'_>, epilogue: Epilogue<'_>) -> (),
            writes output;
        fn factorize(op: Factorization, input: Operand<'_>, outputs: &[Operand<'_>]) -> (), writes outputs;
        fn solve_triangular(
            upper: bool, unit: bool, a: Operand<'_>, b: Operand<'_>, output: Operand<'_>,
        ) -> (), writes output;
        fn convolution(
            params: &ConvParams, input: Operand<'_>, weight: Operand<'_>, bias: Option<Operand<'_>>,
            output: Operand<'_>,
        ) -> (), writes output;
        fn convolution_grad_input(
            params: &ConvParams, grad: Operand<'_>, weight: Operand<'_>, grad_input: Operand<'_>,
        ) -> (), writes grad_input;
        fn convolution_grad_weight(
            params: &ConvParams, grad: Operand<'_>, input: Operand<'_>, grad_weight: Operand<'_>,
        ) -> (), writes grad_weight;
        fn pool(
            params: &PoolParams, input: Operand<'_>, output: Operand<'_>, indices: Option<Operand<'_>>,
        ) -> (), writes output, indices;
        fn pool_grad(
            params: &PoolParams, grad: Operand<'_>, indices: Option<Operand<'_>>, grad_input: Operand<'_>,
        ) -> (), writes grad_input;
        fn max_pool_regions(
            regions: &[Scratch<Range<usize>>], input: Operand<'_>, output: Operand<'_>, indices: Operand<'_>,
        ) -> (), writes output, indices;
        fn weighted_gather(
            input: Operand<'_>, index: Operand<'_>, weight: Operand<'_>, output: Operand<'_>,
        ) -> (), writes output;
        fn weighted_gather_grad_input(
            grad: Operand<'_>, index: Operand<'_>, weight: Operand<'_>, grad_input: Operand<'_>,
        ) -> (), writes grad_input;
        fn weighted_gather_grad_weight(
            grad: Operand<'_>, input: Operand<'_>, index: Operand<'_>, grad_weight: Operand<'_>,
        ) -> (), writes grad_weight;
        fn resample(maps: &[DimensionMap], input: Operand<'_>, output: Operand<'_>) -> (), writes output;
        fn softmax(log: bool, input: Operand<'_>, dim: usize, output: Operand<'_>) -> (), writes output;
        fn softmax_grad(
            log: bool, grad: Operand<'_>, result: Operand<'_>, dim: usize, output: Operand<'_>,
        ) -> (), writes output;
        fn attention(
            params: &AttentionParams, query: Operand<'_>, key: Operand<'_>, value: Operand<'_>,
            mask: Option<Operand<'_>>, output: Operand<'_>, log_sum: Operand<'_>,
        ) -> (), writes output, log_sum;
        fn attention_grad(
            params: &AttentionParams, grad: Operand<'_>, inputs: [Operand<'_>; 3], mask: Option<Operand<'_>>,
            results: (Operand<'_>, Operand<'_>), grads: [Operand<'_>; 3],
        ) -> (), writes grads;
        fn ctc_loss(
            blank: usize, samples: &[CtcSample], log_probs: Operand<'_>, targets: Operand<'_>, losses: Operand<'_>,
            log_alpha: Operand<'_>,
        ) -> (), writes losses, log_alpha;
        fn ctc_loss_grad(
            blank: usize, samples: &[CtcSample], zero_infinity: bool, grad: Operand<'_>, log_probs: Operand<'_>,
            targets: Operand<'_>, log_alpha: Operand<'_>, grad_log_probs: Operand<'_>,
        ) -> (), writes grad_log_probs;
        fn normalize(
            input: Operand<'_>, dims: &[usize], eps: f64, weight: Option<Operand<'_>>, bias: Option<Operand<'_>>,
            output: Operand<'_>, mean: Operand<'_>, rstd: Operand<'_>,
        ) -> (), writes output, mean, rstd;
        fn normalize_grad(
            grad: Operand<'_>, input: Operand<'_>, dims: &[usize], weight: Option<Operand<'_>>, mean: Operand<'_>,
            rstd: Operand<'_>, grad_input: Operand<'_>,
        ) -> (), writes grad_input;
        fn gather(input: Operand<'_>, dim: usize, index: Operand<'_>, output: Operand<'_>) -> (), writes output;
        fn scatter(
            op: ScatterOp, dim: usize, index: Operand<'_>, source: Operand<'_>, output: Operand<'_>,
        ) -> (), writes output;
        fn index_read(input: Operand<'_>, indices: &[Operand<'_>], output: Operand<'_>) -> (), writes output;
        fn index_write(
            accumulate: bool, indices: &[Operand<'_>], source: Operand<'_>, output: Operand<'_>,
        ) -> (), writes output;
        fn count_nonzero(input: Operand<'_>) -> usize;
        fn nonzero(input: Operand<'_>, output: Operand<'_>) -> (), writes output;
        fn random(distribution: Distribution, key: RandomKey, output: Operand<'_>) -> (), writes output;
        fn sample(
            sampler: Sampler, key: RandomKey, parameters: &[Operand<'_>], output: Operand<'_>,
        ) -> (), writes output;
        fn arange(start: Scalar, step: Scalar, output: Operand<'_>) -> (), writes output;
    }
}
