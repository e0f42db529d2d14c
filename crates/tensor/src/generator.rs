//! Random generators: a seed and a position in Philox's sequence.

use std::sync::Arc;

use rustorch_backend::memory::fork::{Mutex, MutexGuard, OnceLock};
use rustorch_backend::{Device, DeviceKind, RandomKey};

/// The seed of a generator that was given none; PyTorch's.
pub const DEFAULT_SEED: u64 = 67_280_421_310_721;

/// A source of random numbers. Clones share their state.
#[derive(Debug, Clone)]
pub struct Generator(Arc<Mutex<RandomKey>>);

impl Generator {
    /// A generator at the start of its seed's sequence.
    pub fn new(seed: u64) -> Self {
        Generator(Arc::new(Mutex::new(RandomKey { seed, offset: 0 })))
    }

    /// Starts over with another seed.
    pub fn manual_seed(&self, seed: u64) {
        *self.lock() = RandomKey { seed, offset: 0 };
    }

    /// Seed and position.
    pub fn state(&self) -> RandomKey {
        *self.lock()
    }

    /// Goes to a position that `state` gave.
    pub fn set_state(&self, key: RandomKey) {
        *self.lock() = key;
    }

    /// The key for a tensor of `numel` elements; the position moves beyond what it can use.
    pub fn advance(&self, numel: usize) -> RandomKey {
        let mut key = self.lock();
        let taken = *key;
        // `ComputeBackend::random` uses at most one block per element.
        key.offset += numel as u64;
        taken
    }

    fn lock(&self) -> MutexGuard<'_, RandomKey> {
        self.0.lock()
    }
}

/// The generator that is used on a device where none is given; each kind of device has one.
pub fn default_generator_of(device: Device) -> &'static Generator {
    static DEFAULT: [OnceLock<Generator>; DeviceKind::COUNT] = [const { OnceLock::new() }; DeviceKind::COUNT];
    DEFAULT[device.kind as usize].get_or_init(|| Generator::new(DEFAULT_SEED))
}

/// The generator that is used on the CPU where none is given.
pub fn default_generator() -> &'static Generator {
    default_generator_of(Device::CPU)
}

/// Seeds the default generators of all kinds of devices.
pub fn manual_seed(seed: u64) {
    for kind in DeviceKind::ALL {
        default_generator_of(Device { kind, index: None }).manual_seed(seed);
    }
}
