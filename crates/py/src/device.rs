//! `rustorch.device`: where a tensor's data is.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use rustorch_tensor::Device;

use crate::errors::IntoPyResult;

/// A device: its kind, and which one of that kind.
#[pyclass(name = "device", module = "rustorch", frozen)]
pub struct PyDevice {
    /// The core's name of it.
    pub device: Device,
}

/// A device argument: a device or its name; `None` if it is neither.
pub fn extract(object: &Bound<'_, PyAny>) -> PyResult<Option<Device>> {
    if let Ok(device) = object.cast::<PyDevice>() {
        return Ok(Some(device.get().device));
    }
    match object.cast::<PyString>() {
        Ok(name) => Ok(Some(name.to_str()?.parse().into_py(object.py())?)),
        Err(_) => Ok(None),
    }
}

#[pymethods]
impl PyDevice {
    #[new]
    #[pyo3(signature = (r#type, index=None))]
    fn new(r#type: &Bound<'_, PyAny>, index: Option<u8>) -> PyResult<Self> {
        let mut device = extract(r#type)?.ok_or_else(|| {
            PyTypeError::new_err(format!(
                "device(): argument 'type' must be str or device, not {}",
                crate::arguments::type_name(r#type)
            ))
        })?;
        if let Some(index) = index {
            device = format!("{}:{index}", device.kind).parse().into_py(r#type.py())?;
        }
        Ok(PyDevice { device })
    }

    /// The kind of device, such as 'cpu'.
    #[getter]
    fn r#type(&self) -> &'static str {
        self.device.kind.name()
    }

    /// Which device of its kind; None for the current one.
    #[getter]
    fn index(&self) -> Option<u8> {
        self.device.index
    }

    fn __repr__(&self) -> String {
        match self.device.index {
            None => format!("device(type='{}')", self.device.kind),
            Some(index) => format!("device(type='{}', index={index})", self.device.kind),
        }
    }

    fn __str__(&self) -> String {
        self.device.to_string()
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.device.hash(&mut hasher);
        hasher.finish()
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let equal = other.cast::<PyDevice>().is_ok_and(|other| other.get().device == self.device);
        match op {
            CompareOp::Eq => Ok(equal.into_pyobject(py)?.to_owned().into_any().unbind()),
            CompareOp::Ne => Ok((!equal).into_pyobject(py)?.to_owned().into_any().unbind()),
            _ => Ok(py.NotImplemented()),
        }
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (String,)) {
        (slf.get_type().into_any(), (slf.get().device.to_string(),))
    }
}
