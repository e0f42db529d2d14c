//! What a device lacks runs on the CPU: never silently.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rustorch_backend::kernel::{Copy, Fill, Kernel, List, Map};
use rustorch_backend::memory::HostBuffer;
use rustorch_backend::memory::fork::{Mutex, MutexGuard, OnceLock};
use rustorch_backend::{
    Buffer, ComputeBackend, DeviceInfo, DeviceKind, MemoryAllocator, Operand, Program, Scalar, Sharing,
    Streams,
};
use rustorch_error::{Result, RusTorchError};

use super::staging::{Operands, Staging};

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

    /// Runs a kernel on the CPU, on its operands in host memory.
    #[cold]
    fn on_host(&self, kernel: &Kernel<Operand<'_>>, reason: &str) -> Result<()> {
        let (mut operands, mut written) = (Operands::new(), Operands::new());
        kernel.each_operand(|&operand| operands.push(operand));
        kernel.each_written(|&operand| written.push(operand));
        self.announce(kernel.name(), &operands, reason)?;
        let staging = Staging::read(self.device, &operands, &written)?;
        let mut number = 0;
        let kernel = kernel.map_operands(|operand| {
            number += 1;
            staging.operand(number - 1, operand)
        });
        self.host.run(&kernel)?;
        staging.write_back(self.device)
    }
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

    #[inline]
    fn copy(&self, source: Operand<'_>, destination: Operand<'_>) -> Result<()> {
        match self.device.copy(source, destination) {
            Err(RusTorchError::Unsupported { message, .. }) => {
                self.on_host(&Copy { source, destination }.into(), &message)
            }
            done => done,
        }
    }

    #[inline]
    fn fill(&self, destination: Operand<'_>, value: Scalar) -> Result<()> {
        match self.device.fill(destination, value) {
            Err(RusTorchError::Unsupported { message, .. }) => {
                self.on_host(&Fill { value, destination }.into(), &message)
            }
            done => done,
        }
    }

    #[inline]
    fn map(&self, program: &Program, inputs: &[Operand<'_>], outputs: &[Operand<'_>]) -> Result<()> {
        match self.device.map(program, inputs, outputs) {
            Err(RusTorchError::Unsupported { message, .. }) => {
                let (inputs, outputs) = (List::from_slice(inputs), List::from_slice(outputs));
                self.on_host(&Map { program: program.clone(), inputs, outputs }.into(), &message)
            }
            done => done,
        }
    }

    fn run(&self, kernel: &Kernel<Operand<'_>>) -> Result<()> {
        match self.device.run(kernel) {
            Err(RusTorchError::Unsupported { message, .. }) => self.on_host(kernel, &message),
            done => done,
        }
    }
}
