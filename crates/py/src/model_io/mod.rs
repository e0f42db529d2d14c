//! Model files for Python.

mod load;
mod objects;
mod plain;
mod safetensors;
mod save;

use pyo3::prelude::*;

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    safetensors::register(module)?;
    load::register(module)?;
    save::register(module)
}
