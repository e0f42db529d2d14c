//! What `rustorch.devices`, `rustorch.cuda` and its like, and `rustorch.backends` ask.

use std::ffi::CString;

use pyo3::exceptions::{PyTypeError, PyUserWarning};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rustorch_tensor::{Device, DeviceKind, Generator, RusTorchError, default_generator_of, registry};

use crate::arguments::type_name;
use crate::device::{self, PyDevice};
use crate::errors::IntoPyResult;
use crate::random::PyGenerator;

/// A device argument that must be one.
pub fn required(object: &Bound<'_, PyAny>) -> PyResult<Device> {
    device::extract(object)?.ok_or_else(|| {
        PyTypeError::new_err(format!(
            "argument 'device' must be rustorch.device or str, not {}",
            type_name(object)
        ))
    })
}

fn kind(name: &str, py: Python<'_>) -> PyResult<DeviceKind> {
    name.parse().into_py(py)
}

/// The devices of this machine: one dict per device.
#[pyfunction]
fn _devices(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let mut entries = Vec::new();
    for kind in DeviceKind::ALL {
        for (index, backend) in registry::devices(kind).into_iter().enumerate() {
            let info = backend.device_info();
            let entry = PyDict::new(py);
            entry.set_item("type", kind.name())?;
            entry.set_item("index", index)?;
            entry.set_item("name", info.name.as_str())?;
            entry.set_item("memory", info.memory)?;
            entry.set_item("parallelism", info.parallelism)?;
            entry.set_item("architecture", info.architecture.as_str())?;
            entry.set_item("driver", info.driver.as_str())?;
            entry.set_item("lacks", info.lacks.iter().map(ToString::to_string).collect::<Vec<_>>())?;
            entry.set_item("is_host", info.is_host)?;
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Why there is no device of a kind; None if there is one.
#[pyfunction]
fn _why_unavailable(py: Python<'_>, r#type: &str) -> PyResult<Option<String>> {
    Ok(registry::unavailable(kind(r#type, py)?).map(|error| match error {
        RusTorchError::BackendUnavailable { message, .. } => message,
        other => other.to_string(),
    }))
}

/// How many devices of a kind there are.
#[pyfunction]
fn _device_count(py: Python<'_>, r#type: &str) -> PyResult<usize> {
    Ok(registry::devices(kind(r#type, py)?).len())
}

/// The device with its index, which must be there.
#[pyfunction]
fn _resolve_device(device: &Bound<'_, PyAny>) -> PyResult<PyDevice> {
    let (_, device) = registry::resolve(required(device)?).into_py(device.py())?;
    Ok(PyDevice { device })
}

/// Makes a device the current one of its kind on this thread.
#[pyfunction]
fn _set_current_device(device: &Bound<'_, PyAny>) -> PyResult<()> {
    registry::set_current(required(device)?).into_py(device.py())
}

/// Waits until a device has done everything.
#[pyfunction]
fn _synchronize(device: &Bound<'_, PyAny>) -> PyResult<()> {
    let backend = registry::backend(required(device)?).into_py(device.py())?;
    device.py().detach(|| backend.synchronize()).into_py(device.py())
}

/// The generator that a kind of device uses where none is given.
#[pyfunction]
fn _default_generator_of(device: &Bound<'_, PyAny>) -> PyResult<PyGenerator> {
    let device = required(device)?;
    let generator: Generator = default_generator_of(device).clone();
    Ok(PyGenerator { generator, device })
}

/// The device that a program gets which leaves the choice to RusTorch.
#[pyfunction]
fn _preferred_device() -> PyDevice {
    PyDevice { device: registry::preferred() }
}

/// The device on which tensors are created where none is given.
#[pyfunction]
fn get_default_device() -> PyDevice {
    PyDevice { device: registry::default_device() }
}

/// Sets the device on which this thread creates tensors where none is given; None is the CPU.
#[pyfunction]
fn set_default_device(device: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let Some(device) = device else {
        // The CPU is always there.
        return Python::attach(|py| registry::set_default_device(Device::CPU).into_py(py));
    };
    registry::set_default_device(required(device)?).into_py(device.py())
}

/// Whether an op that a device lacks is an error.
#[pyfunction]
fn _is_strict() -> bool {
    registry::is_strict()
}

/// Sets whether an op that a device lacks is an error.
#[pyfunction]
fn _set_strict(strict: bool) {
    registry::set_strict(strict);
}

/// How often each op ran on the CPU because its device lacks it, by (device type, op).
#[pyfunction]
fn _fallbacks(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let counts = PyDict::new(py);
    for ((kind, op), count) in registry::fallbacks() {
        counts.set_item((kind.name(), op), count)?;
    }
    Ok(counts)
}

/// Counts from 0 again.
#[pyfunction]
fn _reset_fallbacks() {
    registry::reset_fallbacks();
}

/// The first fallback of an op is a warning; one that is made an error ends the op.
fn warn(message: &str) -> rustorch_tensor::Result<()> {
    Python::attach(|py| {
        let text = CString::new(message.replace('\0', " "))
            .map_err(|error| crate::autograd::callback::into_core(py, error.into()))?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)
            .map_err(|error| crate::autograd::callback::into_core(py, error))
    })
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    registry::on_fallback(warn);
    module.add_function(wrap_pyfunction!(_devices, module)?)?;
    module.add_function(wrap_pyfunction!(_why_unavailable, module)?)?;
    module.add_function(wrap_pyfunction!(_device_count, module)?)?;
    module.add_function(wrap_pyfunction!(_resolve_device, module)?)?;
    module.add_function(wrap_pyfunction!(_set_current_device, module)?)?;
    module.add_function(wrap_pyfunction!(_synchronize, module)?)?;
    module.add_function(wrap_pyfunction!(_default_generator_of, module)?)?;
    module.add_function(wrap_pyfunction!(_preferred_device, module)?)?;
    module.add_function(wrap_pyfunction!(get_default_device, module)?)?;
    module.add_function(wrap_pyfunction!(set_default_device, module)?)?;
    module.add_function(wrap_pyfunction!(_is_strict, module)?)?;
    module.add_function(wrap_pyfunction!(_set_strict, module)?)?;
    module.add_function(wrap_pyfunction!(_fallbacks, module)?)?;
    module.add_function(wrap_pyfunction!(_reset_fallbacks, module)?)
}
