//! `rustorch.memory_format` and `rustorch.layout`: how a tensor lies in memory.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use rustorch_tensor::MemoryFormat;

/// In which order the dimensions of a tensor follow each other in memory.
#[pyclass(name = "memory_format", module = "rustorch", frozen)]
pub struct PyMemoryFormat {
    /// The core's name of it.
    pub format: MemoryFormat,
    /// Its name in Python.
    pub name: &'static str,
}

#[pymethods]
impl PyMemoryFormat {
    fn __repr__(&self) -> String {
        format!("rustorch.{}", self.name)
    }

    /// Pickles as the name of the one object in its module.
    fn __reduce__(&self) -> &'static str {
        self.name
    }
}

/// How a tensor's elements are found: by strides.
#[pyclass(name = "layout", module = "rustorch", frozen)]
struct PyLayout;

#[pymethods]
impl PyLayout {
    fn __repr__(&self) -> &'static str {
        "rustorch.strided"
    }

    fn __reduce__(&self) -> &'static str {
        "strided"
    }
}

static STRIDED: PyOnceLock<Py<PyLayout>> = PyOnceLock::new();

/// The one layout there is.
pub fn strided(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    Ok(STRIDED.get_or_try_init(py, || Py::new(py, PyLayout))?.bind(py).clone().into_any())
}

/// Adds the classes and their objects to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyMemoryFormat>()?;
    for (name, format) in [
        ("contiguous_format", MemoryFormat::Contiguous),
        ("preserve_format", MemoryFormat::Preserve),
        ("channels_last", MemoryFormat::ChannelsLast),
        ("channels_last_3d", MemoryFormat::ChannelsLast3d),
    ] {
        module.add(name, PyMemoryFormat { format, name }.into_pyobject(module.py())?)?;
    }
    module.add_class::<PyLayout>()?;
    module.add("strided", strided(module.py())?)
}
