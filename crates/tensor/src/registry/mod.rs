//! Which devices are here. Backends and providers of devices register themselves (through the crate `rustorch`); ops ask
//! by device.
//!
//! The CPU is there from the start. The devices of another kind are looked for when one of the kind is first asked
//! for, so that a program that does not use them loads no driver.

mod backend;
mod default;
mod fallback;
mod observer;
mod staging;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::cell::Cell;

use rustorch_backend::memory::fork::{self, OnceLock};
use rustorch_backend::{ComputeBackend, Device, DeviceKind};
use rustorch_error::{Result, RusTorchError};

pub use backend::Backend;
pub use default::{DefaultDevice, default_device, set_default_device};
use fallback::Fallback;
pub use fallback::{fallbacks, is_strict, on_fallback, reset_fallbacks, set_strict};
pub use observer::{Observation, Observed, Observer, observe};

/// Looks for the devices of a kind, in the order of their indices. An error says which library is missing.
pub type Provider = fn() -> Result<Vec<&'static dyn ComputeBackend>>;

/// A kind of device other than the CPU.
struct Family {
    provider: OnceLock<Provider>,
    /// What the provider found, each behind a [`Fallback`], and the process in which it looked.
    found: OnceLock<(u32, Result<Vec<&'static Fallback>>)>,
}

static CPU: OnceLock<&'static dyn ComputeBackend> = OnceLock::new();

static FAMILIES: [Family; DeviceKind::COUNT] =
    [const { Family { provider: OnceLock::new(), found: OnceLock::new() } }; DeviceKind::COUNT];

thread_local! {
    /// The current device of each kind, on this thread.
    static CURRENT: Cell<[u8; DeviceKind::COUNT]> = const { Cell::new([0; DeviceKind::COUNT]) };
}

/// Makes a backend answer for the CPU. The first registration stays.
pub fn register(cpu: &'static dyn ComputeBackend) {
    // A second registration is the same backend again: `rustorch::init` may be called more than once.
    let _ = CPU.set(cpu);
}

/// Says who finds the devices of a kind. The first registration of a kind stays.
pub fn register_provider(kind: DeviceKind, provider: Provider) {
    let _ = FAMILIES[kind as usize].provider.set(provider);
}

/// The backend that answers for a device.
///
/// # Errors
/// There is no such device, or none of its kind.
#[inline]
pub fn backend(device: Device) -> Result<Backend> {
    match CPU.get() {
        Some(&cpu) if device.is_cpu() => Ok(Backend(cpu)),
        _ => elsewhere(device).map(|(backend, _)| backend),
    }
}

/// The backend that answers for a device, and the device with its index.
#[inline]
pub fn resolve(device: Device) -> Result<(Backend, Device)> {
    match CPU.get() {
        Some(&cpu) if device.is_cpu() => Ok((Backend(cpu), device)),
        _ => elsewhere(device),
    }
}

fn elsewhere(device: Device) -> Result<(Backend, Device)> {
    let index = device.index.unwrap_or_else(|| current(device.kind));
    let found = family(device.kind)?;
    match found.get(usize::from(index)) {
        Some(&backend) => Ok((Backend(backend), Device::new(device.kind, index))),
        None => Err(RusTorchError::device(
            "device",
            match found.len() {
                1 => format!("there is no '{device}': this machine has one, '{}:0'", device.kind),
                n => format!(
                    "there is no '{device}': this machine has {n}, '{0}:0' to '{0}:{1}'",
                    device.kind,
                    n - 1
                ),
            },
        )),
    }
}

/// The devices of a kind other than the CPU; at least one.
fn family(kind: DeviceKind) -> Result<&'static [&'static Fallback]> {
    let missing = |message: String| Err(RusTorchError::unavailable("device", message));
    let Some(&host) = CPU.get() else {
        return missing("no backend for the CPU is registered; call rustorch::init()".into());
    };
    let family = &FAMILIES[kind as usize];
    let Some(provider) = family.provider.get() else {
        return missing(format!("this build of RusTorch has no {kind} backend"));
    };
    let (process, found) = family.found.get_or_init(|| {
        let wrap = |device| &*Box::leak(Box::new(Fallback::new(device, host)));
        (fork::generation(), provider().map(|devices| devices.into_iter().map(wrap).collect()))
    });
    match found {
        // A driver's threads and its view of the device stay with the process that loaded it: a child that asks it waits for
        // ever, or gets nonsense.
        Ok(devices) if *process != fork::generation() && !devices.is_empty() => missing(format!(
            "{kind} can not be used in a forked process whose parent has used it already, nor can tensors that are there; \
             start processes by 'spawn' instead (multiprocessing.set_start_method('spawn')), or use {kind} in the child alone"
        )),
        Ok(devices) if devices.is_empty() => missing(format!("no {kind} device was found on this machine")),
        Ok(devices) => Ok(devices),
        Err(error) => Err(error.clone()),
    }
}

/// The devices of a kind; none where its library or hardware is missing.
pub fn devices(kind: DeviceKind) -> Vec<Backend> {
    match kind {
        DeviceKind::Cpu => CPU.get().map(|&cpu| Backend(cpu)).into_iter().collect(),
        _ => family(kind)
            .map_or_else(|_| Vec::new(), |found| found.iter().map(|&device| Backend(device)).collect()),
    }
}

/// Waits until everything that was queued on any device is done, and says what of it failed; looks for no devices.
pub fn finish() -> Vec<RusTorchError> {
    let found = FAMILIES.iter().filter_map(|family| family.found.get());
    let here = found.filter(|(process, _)| *process == fork::generation());
    let devices = here.filter_map(|(_, found)| found.as_ref().ok()).flatten();
    devices.filter_map(|device| device.synchronize().err()).collect()
}

/// Why a kind of device is not available, if it is not.
pub fn unavailable(kind: DeviceKind) -> Option<RusTorchError> {
    match kind {
        DeviceKind::Cpu if CPU.get().is_some() => None,
        _ => family(kind).err(),
    }
}

/// The index that a device of this kind has when none is given; each thread has its own.
pub fn current(kind: DeviceKind) -> u8 {
    CURRENT.get()[kind as usize]
}

/// Sets the index that a device of this kind has when none is given, on this thread.
///
/// # Errors
/// There is no such device.
pub fn set_current(device: Device) -> Result<()> {
    let (_, device) = resolve(device)?;
    let mut all = CURRENT.get();
    all[device.kind as usize] = device.index.unwrap_or(0);
    CURRENT.set(all);
    Ok(())
}

/// The kinds beside the CPU, the one to be chosen first at the front.
const ACCELERATORS: [DeviceKind; 3] = [DeviceKind::Cuda, DeviceKind::Metal, DeviceKind::OpenCl];

/// The current device of the first kind of accelerator that is there.
///
/// # Errors
/// There is none.
pub fn accelerator(op: &'static str) -> Result<Device> {
    ACCELERATORS
        .into_iter()
        .find(|&kind| family(kind).is_ok())
        .map(|kind| Device::new(kind, current(kind)))
        .ok_or_else(|| RusTorchError::unavailable(op, "there is no device of kind cuda, metal or opencl"))
}

/// The device to compute on when a program leaves the choice to us: the first of CUDA, Metal and OpenCL that is there,
/// else the CPU. An OpenCL device that is the host's processor is slower than the CPU backend and never chosen.
pub fn preferred() -> Device {
    ACCELERATORS
        .into_iter()
        .find_map(|kind| {
            let index = devices(kind).iter().position(|device| !device.device_info().is_host)?;
            Some(Device::new(kind, u8::try_from(index).ok()?))
        })
        .unwrap_or(Device::CPU)
}
