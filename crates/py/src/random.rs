//! Generators and the default generator's seed and state.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use rustorch_backend::RandomKey;
use rustorch_tensor::{DType, Device, Generator, Tensor, default_generator, registry};

use crate::arguments::convert;
use crate::device::PyDevice;
use crate::errors::IntoPyResult;
use crate::tensor::{PyTensor, wrap};

/// A source of random numbers: a seed and a position in Philox's sequence.
#[pyclass(name = "Generator", module = "rustorch", frozen)]
pub struct PyGenerator {
    /// The core's generator.
    pub generator: Generator,
    /// The device it was made for.
    pub device: Device,
}

/// PyTorch's reading of a seed: any integer of 64 bits, negative ones as two's complement.
fn seed_argument(seed: &Bound<'_, PyAny>) -> PyResult<u64> {
    if let Ok(seed) = seed.extract::<u64>() {
        return Ok(seed);
    }
    match convert::int(seed)? {
        Some(seed) => Ok(seed as u64),
        None => Err(PyTypeError::new_err(format!(
            "manual_seed(): argument 'seed' must be int, not {}",
            crate::arguments::type_name(seed)
        ))),
    }
}

fn random_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::time::SystemTime::now())
}

fn state_tensor(py: Python<'_>, key: RandomKey) -> PyResult<Bound<'_, PyAny>> {
    let bytes: Vec<u8> = [key.seed.to_le_bytes(), key.offset.to_le_bytes()].concat();
    wrap(py, Tensor::from_slice(&bytes, &[bytes.len()]).into_py(py)?)
}

fn key_from_tensor(state: &Bound<'_, PyTensor>) -> PyResult<RandomKey> {
    let tensor = state.get().tensor(state);
    let bytes = tensor.to_vec::<u8>().into_py(state.py())?;
    match (tensor.dtype(), <[u8; 16]>::try_from(bytes)) {
        (DType::UInt8, Ok(bytes)) => {
            let (seed, offset) = bytes.split_at(8);
            let number = |half: &[u8]| half.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte));
            Ok(RandomKey { seed: number(seed), offset: number(offset) })
        }
        _ => Err(PyTypeError::new_err(format!(
            "set_state(): the state must be a uint8 tensor of 16 elements, as get_state() gives, not {tensor:?}"
        ))),
    }
}

#[pymethods]
impl PyGenerator {
    #[new]
    #[pyo3(signature = (device=None))]
    fn new(py: Python<'_>, device: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let device = match device.map(crate::device::extract) {
            None => Device::CPU,
            Some(device) => device?.ok_or_else(|| {
                PyTypeError::new_err("Generator(): argument 'device' must be device or str")
            })?,
        };
        // It works on every device; one that is not here can not be meant.
        registry::backend(device).into_py(py)?;
        Ok(PyGenerator { generator: Generator::new(rustorch_tensor::DEFAULT_SEED), device })
    }

    /// The device it was made for. Philox gives the same ones on every device.
    #[getter]
    fn device(&self) -> PyDevice {
        PyDevice { device: self.device }
    }

    /// Starts over with this seed.
    fn manual_seed<'py>(slf: Bound<'py, Self>, seed: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        slf.get().generator.manual_seed(seed_argument(seed)?);
        Ok(slf)
    }

    /// Starts over with a seed taken from the system, and gives it.
    fn seed(&self) -> u64 {
        let seed = random_seed();
        self.generator.manual_seed(seed);
        seed
    }

    /// The seed it started from.
    fn initial_seed(&self) -> u64 {
        self.generator.state().seed
    }

    /// Seed and position, as a uint8 tensor.
    fn get_state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        state_tensor(py, self.generator.state())
    }

    /// Goes to a position that get_state() gave.
    fn set_state<'py>(slf: Bound<'py, Self>, new_state: &Bound<'py, PyTensor>) -> PyResult<Bound<'py, Self>> {
        slf.get().generator.set_state(key_from_tensor(new_state)?);
        Ok(slf)
    }
}

/// Seeds the default generators of all devices and gives the CPU's.
#[pyfunction]
fn manual_seed(seed: &Bound<'_, PyAny>) -> PyResult<PyGenerator> {
    rustorch_tensor::manual_seed(seed_argument(seed)?);
    Ok(default_generator_object())
}

/// Seeds the default generator from the system, and gives the seed.
#[pyfunction]
fn seed() -> u64 {
    let seed = random_seed();
    rustorch_tensor::manual_seed(seed);
    seed
}

/// The seed that the default generator started from.
#[pyfunction]
fn initial_seed() -> u64 {
    default_generator().state().seed
}

/// The default generator's state, as a uint8 tensor.
#[pyfunction]
fn get_rng_state(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    state_tensor(py, default_generator().state())
}

/// Puts the default generator into a state that get_rng_state() gave.
#[pyfunction]
fn set_rng_state(new_state: &Bound<'_, PyTensor>) -> PyResult<()> {
    default_generator().set_state(key_from_tensor(new_state)?);
    Ok(())
}

fn default_generator_object() -> PyGenerator {
    PyGenerator { generator: default_generator().clone(), device: Device::CPU }
}

/// Adds the class and the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyGenerator>()?;
    module.add("default_generator", default_generator_object())?;
    module.add_function(wrap_pyfunction!(manual_seed, module)?)?;
    module.add_function(wrap_pyfunction!(seed, module)?)?;
    module.add_function(wrap_pyfunction!(initial_seed, module)?)?;
    module.add_function(wrap_pyfunction!(get_rng_state, module)?)?;
    module.add_function(wrap_pyfunction!(set_rng_state, module)?)
}
