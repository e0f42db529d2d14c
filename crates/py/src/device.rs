//! `rustorch.device`: where a tensor's data is.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use rustorch_tensor::Device;
use rustorch_tensor::registry::DefaultDevice;

use crate::errors::IntoPyResult;

/// A device: its kind, and which one of that kind.
#[pyclass(name = "device", module = "rustorch", frozen)]
pub struct PyDevice {
    /// The core's name of it.
    pub device: Device,
}

thread_local! {
    /// The blocks `with device:` that this thread is in.
    static BLOCKS: RefCell<Vec<DefaultDevice>> = const { RefCell::new(Vec::new()) };
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

    /// Makes this the default device of the block.
    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let guard = DefaultDevice::new(slf.get().device).into_py(slf.py())?;
        BLOCKS.with_borrow_mut(|blocks| blocks.push(guard));
        Ok(slf)
    }

    /// The default device is again what it was before the block.
    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        BLOCKS.with_borrow_mut(Vec::pop);
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
