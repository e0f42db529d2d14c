//! `rustorch.dtype`: the element types as singletons.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyComplex, PyFloat, PyInt, PyType};
use rustorch_tensor::DType;

/// The element type of a tensor.
#[pyclass(name = "dtype", module = "rustorch", frozen)]
pub struct PyDType {
    /// The core's name of it.
    pub dtype: DType,
}

static SINGLETONS: PyOnceLock<[Py<PyDType>; DType::ALL.len()]> = PyOnceLock::new();

/// PyTorch's other names.
const ALIASES: [(&str, DType); 8] = [
    ("half", DType::Float16),
    ("float", DType::Float32),
    ("double", DType::Float64),
    ("short", DType::Int16),
    ("int", DType::Int32),
    ("long", DType::Int64),
    ("cfloat", DType::Complex64),
    ("cdouble", DType::Complex128),
];

/// The Python object of a dtype.
#[inline]
pub fn object(py: Python<'_>, dtype: DType) -> PyResult<Bound<'_, PyDType>> {
    let all = SINGLETONS.get_or_try_init(py, || -> PyResult<_> {
        let objects: Vec<_> =
            DType::ALL.into_iter().map(|dtype| Py::new(py, PyDType { dtype })).collect::<PyResult<_>>()?;
        <[_; DType::ALL.len()]>::try_from(objects).map_err(|_| PyTypeError::new_err("dtype table"))
    })?;
    Ok(all[dtype as usize].bind(py).clone())
}

/// A dtype argument: a dtype, or Python's `float`, `int`, `bool` or `complex` for the dtype that stands for it.
pub fn extract(object: &Bound<'_, PyAny>) -> Option<DType> {
    if let Ok(dtype) = object.cast::<PyDType>() {
        return Some(dtype.get().dtype);
    }
    let class = object.cast::<PyType>().ok()?;
    let py = object.py();
    if class.is(py.get_type::<PyFloat>()) {
        Some(rustorch_tensor::default_dtype())
    } else if class.is(py.get_type::<PyInt>()) {
        Some(DType::Int64)
    } else if class.is(py.get_type::<pyo3::types::PyBool>()) {
        Some(DType::Bool)
    } else if class.is(py.get_type::<PyComplex>()) {
        Some(if rustorch_tensor::default_dtype() == DType::Float64 {
            DType::Complex128
        } else {
            DType::Complex64
        })
    } else {
        None
    }
}

#[pymethods]
impl PyDType {
    /// Bytes per element.
    #[getter]
    fn itemsize(&self) -> usize {
        self.dtype.size()
    }

    /// Whether this is a real floating-point dtype.
    #[getter]
    fn is_floating_point(&self) -> bool {
        self.dtype.is_floating_point()
    }

    /// Whether this is a complex dtype.
    #[getter]
    fn is_complex(&self) -> bool {
        self.dtype.is_complex()
    }

    /// Whether this dtype has negative numbers.
    #[getter]
    fn is_signed(&self) -> bool {
        !matches!(self.dtype, DType::Bool | DType::UInt8)
    }

    /// The real dtype of a complex dtype's parts; any other dtype is its own.
    fn to_real<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDType>> {
        object(py, self.dtype.to_real())
    }

    /// The complex dtype whose parts are of this dtype.
    fn to_complex<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDType>> {
        match self.dtype {
            DType::Complex64 | DType::Complex128 => object(py, self.dtype),
            DType::Float64 => object(py, DType::Complex128),
            DType::Float32 => object(py, DType::Complex64),
            other => Err(PyTypeError::new_err(format!("there is no complex dtype with parts of {other}"))),
        }
    }

    fn __repr__(&self) -> String {
        format!("rustorch.{}", self.dtype)
    }

    /// Pickles as the name of the singleton in its module.
    fn __reduce__(&self) -> &'static str {
        self.dtype.name()
    }
}

/// Adds the class, the singletons and their aliases to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add_class::<PyDType>()?;
    for dtype in DType::ALL {
        module.add(dtype.name(), object(py, dtype)?)?;
    }
    for (name, dtype) in ALIASES {
        module.add(name, object(py, dtype)?)?;
    }
    Ok(())
}
