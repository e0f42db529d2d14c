//! safetensors: named tensors to and from files and bytes.

use std::collections::HashMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rustorch::model_io::safetensors::{self, ModelFile};
use rustorch_tensor::{Device, Tensor};

use crate::device;
use crate::errors::IntoPyResult;
use crate::tensor::{PyTensor, wrap};

/// Tensors by name, and what the file says about itself.
type Content<'py> = (Bound<'py, PyDict>, HashMap<String, String>);

fn device_of(object: &Bound<'_, PyAny>) -> PyResult<Device> {
    Ok(device::extract(object)?.unwrap_or(Device::CPU))
}

fn content(py: Python<'_>, file: ModelFile) -> PyResult<Content<'_>> {
    let tensors = PyDict::new(py);
    for (name, tensor) in file.tensors {
        tensors.set_item(name, wrap(py, tensor)?)?;
    }
    Ok((tensors, file.metadata))
}

fn named(tensors: &Bound<'_, PyDict>) -> PyResult<Vec<(String, Tensor)>> {
    tensors
        .iter()
        .map(|(name, value)| {
            let object = value.cast_into::<PyTensor>()?;
            Ok((name.extract()?, object.get().tensor(&object)))
        })
        .collect()
}

/// Reads a safetensors file.
#[pyfunction]
fn _safetensors_load_file<'py>(
    py: Python<'py>,
    path: PathBuf,
    device: &Bound<'py, PyAny>,
) -> PyResult<Content<'py>> {
    let device = device_of(device)?;
    content(py, py.detach(|| safetensors::load_file(&path, device)).into_py(py)?)
}

/// Reads the bytes of a safetensors file.
#[pyfunction]
fn _safetensors_load<'py>(
    py: Python<'py>,
    data: &[u8],
    device: &Bound<'py, PyAny>,
) -> PyResult<Content<'py>> {
    let device = device_of(device)?;
    content(py, py.detach(|| safetensors::load(data, device)).into_py(py)?)
}

/// Writes a safetensors file.
#[pyfunction]
fn _safetensors_save_file(
    tensors: &Bound<'_, PyDict>,
    path: PathBuf,
    metadata: Option<HashMap<String, String>>,
) -> PyResult<()> {
    let py = tensors.py();
    let tensors = named(tensors)?;
    py.detach(|| safetensors::save_file(&tensors, &path, metadata)).into_py(py)
}

/// The bytes of a safetensors file.
#[pyfunction]
fn _safetensors_save<'py>(
    tensors: &Bound<'py, PyDict>,
    metadata: Option<HashMap<String, String>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = tensors.py();
    let tensors = named(tensors)?;
    let bytes = py.detach(|| safetensors::save(&tensors, metadata)).into_py(py)?;
    PyBytes::new_with(py, bytes.len(), |to| {
        to.copy_from_slice(&bytes);
        Ok(())
    })
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_safetensors_load_file, module)?)?;
    module.add_function(wrap_pyfunction!(_safetensors_load, module)?)?;
    module.add_function(wrap_pyfunction!(_safetensors_save_file, module)?)?;
    module.add_function(wrap_pyfunction!(_safetensors_save, module)?)
}
