//! Files of any format as Python's objects.

use std::path::PathBuf;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rustorch::model_io::common::destination;
use rustorch::model_io::{Content, Destination, Inspection, ReadOptions, Source, detect};
use rustorch_tensor::{Device, Result};

use super::objects;
use crate::arguments::type_name;
use crate::autograd::callback::into_core;
use crate::errors::IntoPyResult;
use crate::tensor::memory::PyStorage;

/// Where a file's bytes are, as Python says.
enum Place<'py> {
    Path(PathBuf),
    Bytes(Bound<'py, PyBytes>),
}

impl<'py> Place<'py> {
    fn of(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        match object.cast::<PyBytes>() {
            Ok(bytes) => Ok(Place::Bytes(bytes.clone())),
            Err(_) => Ok(Place::Path(object.extract()?)),
        }
    }

    /// Looks at the bytes without the interpreter.
    fn with<T: Send>(
        &self,
        py: Python<'py>,
        mapped: bool,
        look: impl FnOnce(&Source<'_>) -> Result<T> + Send,
    ) -> PyResult<T> {
        match self {
            Place::Path(path) => py.detach(|| look(&Source::open(path, mapped)?)).into_py(py),
            Place::Bytes(bytes) => {
                let bytes = bytes.as_bytes();
                py.detach(|| look(&Source::memory("the file", bytes))).into_py(py)
            }
        }
    }
}

/// The storage that Python's function gives for a storage and the name of the device it was on.
fn asked(
    place: &Py<PyAny>,
    location: &str,
    storage: std::sync::Arc<rustorch_tensor::Storage>,
) -> Result<std::sync::Arc<rustorch_tensor::Storage>> {
    Python::attach(|py| {
        let call = || {
            let given = place.bind(py).call1((PyStorage { storage }, location))?;
            match given.cast::<PyStorage>() {
                Ok(given) => Ok(given.get().storage.clone()),
                Err(_) => Err(PyTypeError::new_err(format!(
                    "load(): map_location gave {} for a storage on '{location}'; it has to give an UntypedStorage",
                    type_name(&given)
                ))),
            }
        };
        call().map_err(|error| into_core(py, error))
    })
}

/// Reads a file, at a path or in bytes. `place` is None, a device, or a function of a storage and the name of its device;
/// `allowed` are the caller's classes by name.
#[pyfunction]
fn _load<'py>(
    py: Python<'py>,
    file: &Bound<'py, PyAny>,
    mapped: bool,
    place: &Bound<'py, PyAny>,
    allowed: &Bound<'py, PyDict>,
    as_state: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let names = allowed.keys().iter().map(|name| name.extract()).collect::<PyResult<_>>()?;
    let device: Option<Device> = crate::device::extract(place)?;
    let function = (device.is_none() && !place.is_none()).then(|| place.clone().unbind());
    let read = |source: &Source<'_>| -> Result<Content> {
        let mut ask = |location: &str, storage| match &function {
            Some(function) => asked(function, location, storage),
            None => Ok(storage),
        };
        let destination = match device {
            Some(device) => Destination::Device(device),
            None if function.is_some() => Destination::Ask(&mut ask),
            None => Destination::Saved,
        };
        detect(source)?.read(source, &mut ReadOptions { allowed: names, as_state, destination })
    };
    let content = Place::of(file)?.with(py, mapped, read)?;
    objects::whole(py, content, allowed)
}

/// A storage on the device that a file names.
#[pyfunction]
fn _restore_location<'py>(
    storage: &Bound<'py, PyStorage>,
    location: &str,
) -> PyResult<Bound<'py, PyStorage>> {
    let py = storage.py();
    let own = &storage.get().storage;
    let moved = destination::device_of(location).and_then(|device| destination::moved(own, device));
    Bound::new(py, PyStorage { storage: moved.into_py(py)? })
}

/// The format of a file, its tensors as name, dtype and shape, names that it would have had run, and what it says about itself.
#[pyfunction]
fn _inspect<'py>(py: Python<'py>, file: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let look = |source: &Source<'_>| {
        let format = detect(source)?;
        Ok((format.name(), format.inspect(source)?))
    };
    let (format, Inspection { tensors, names, metadata }) = Place::of(file)?.with(py, false, look)?;
    let tensors: Vec<_> =
        tensors.into_iter().map(|tensor| (tensor.name, tensor.dtype, tensor.shape)).collect();
    let found = PyDict::new(py);
    found.set_item("format", format)?;
    found.set_item("tensors", tensors)?;
    found.set_item("names", names)?;
    found.set_item("metadata", metadata)?;
    Ok(found)
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_load, module)?)?;
    module.add_function(wrap_pyfunction!(_restore_location, module)?)?;
    module.add_function(wrap_pyfunction!(_inspect, module)?)
}
