//! Every error of the core as a Python exception that is also a standard one.

use std::ffi::{CStr, CString};
use std::sync::{Mutex, PoisonError};

use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};
use pyo3::{exceptions, ffi};
use rustorch_tensor::RusTorchError;

/// The exception classes, in the order of [`CLASSES`].
static TYPES: PyOnceLock<Vec<Py<PyType>>> = PyOnceLock::new();

/// A class: name, documentation, the standard exception it also is.
struct Class {
    name: &'static str,
    doc: &'static CStr,
    standard: fn(Python<'_>) -> Bound<'_, PyType>,
}

const CLASSES: [Class; 13] = [
    Class {
        name: "RusTorchError",
        doc: c"Everything that RusTorch raises on its own account.",
        standard: |py| py.get_type::<exceptions::PyRuntimeError>(),
    },
    Class {
        name: "ShapeMismatchError",
        doc: c"Shapes that do not fit together.",
        standard: |py| py.get_type::<exceptions::PyValueError>(),
    },
    Class {
        name: "DTypeError",
        doc: c"A dtype that the op does not take.",
        standard: |py| py.get_type::<exceptions::PyTypeError>(),
    },
    Class {
        name: "InvalidArgumentError",
        doc: c"An argument whose value is outside what the op takes.",
        standard: |py| py.get_type::<exceptions::PyValueError>(),
    },
    Class {
        name: "IndexOutOfRangeError",
        doc: c"An index or a dimension that is out of range.",
        standard: |py| py.get_type::<exceptions::PyIndexError>(),
    },
    Class {
        name: "DeviceError",
        doc: c"Tensors on different devices, or a device that does not exist.",
        standard: |py| py.get_type::<exceptions::PyRuntimeError>(),
    },
    Class {
        name: "BackendUnavailableError",
        doc: c"A device whose library or hardware is missing.",
        standard: |py| py.get_type::<exceptions::PyRuntimeError>(),
    },
    Class {
        name: "UnsupportedError",
        doc: c"An op that this backend does not have, for this dtype or at all.",
        standard: |py| py.get_type::<exceptions::PyNotImplementedError>(),
    },
    Class {
        name: "OutOfMemoryError",
        doc: c"Memory that could not be had.",
        standard: |py| py.get_type::<exceptions::PyMemoryError>(),
    },
    Class {
        name: "AutogradError",
        doc: c"A broken rule of automatic differentiation.",
        standard: |py| py.get_type::<exceptions::PyRuntimeError>(),
    },
    Class {
        name: "ModelFormatError",
        doc: c"A model file that is not what it claims to be.",
        standard: |py| py.get_type::<exceptions::PyValueError>(),
    },
    Class {
        name: "FileError",
        doc: c"A file that the operating system refused to read or write.",
        standard: |py| py.get_type::<exceptions::PyOSError>(),
    },
    Class {
        name: "LinAlgError",
        doc: c"A matrix for which there is no answer: singular, not positive definite.",
        standard: |py| py.get_type::<exceptions::PyRuntimeError>(),
    },
];

fn class_index(error: &RusTorchError) -> usize {
    match error {
        RusTorchError::ShapeMismatch { .. } => 1,
        RusTorchError::DType { .. } => 2,
        RusTorchError::InvalidArgument { .. } => 3,
        RusTorchError::IndexOutOfRange { .. } => 4,
        RusTorchError::Device { .. } => 5,
        RusTorchError::BackendUnavailable { .. } => 6,
        RusTorchError::Unsupported { .. } => 7,
        RusTorchError::OutOfMemory { .. } => 8,
        RusTorchError::Autograd { .. } => 9,
        RusTorchError::ModelFormat { .. } => 10,
        RusTorchError::Io { .. } => 11,
        RusTorchError::LinearAlgebra { .. } => 12,
    }
}

fn create<'py>(py: Python<'py>, class: &Class, bases: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyType>> {
    let name = CString::new(format!("rustorch.{}", class.name))?;
    // SAFETY: all pointers are valid for the call; the function gives a new reference or null with an exception set.
    let object = unsafe {
        let raw = ffi::PyErr_NewExceptionWithDoc(
            name.as_ptr(),
            class.doc.as_ptr(),
            bases.as_ptr(),
            std::ptr::null_mut(),
        );
        Bound::from_owned_ptr_or_err(py, raw)?
    };
    Ok(object.cast_into::<PyType>()?)
}

fn types(py: Python<'_>) -> PyResult<&Vec<Py<PyType>>> {
    TYPES.get_or_try_init(py, || {
        let [root, rest @ ..] = &CLASSES;
        let base = create(py, root, (root.standard)(py).as_any())?;
        let mut types = vec![base.clone().unbind()];
        for class in rest {
            let standard = (class.standard)(py);
            let bases = if base.is_subclass(&standard)? {
                base.clone().into_any()
            } else {
                PyTuple::new(py, [&base, &standard])?.into_any()
            };
            types.push(create(py, class, &bases)?.unbind());
        }
        Ok(types)
    })
}

/// The losses of devices that were raised; each device has one.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Whether an error only says once more that a device is lost.
pub fn was_told(error: &RusTorchError) -> bool {
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    error.loss().is_some_and(|loss| told.iter().any(|earlier| earlier == loss))
}

fn remember(error: &RusTorchError) {
    if let Some(loss) = error.loss().filter(|_| !was_told(error)) {
        TOLD.lock().unwrap_or_else(PoisonError::into_inner).push(loss.to_owned());
    }
}

/// The Python exception of an error of the core. A Python exception that travelled through the core (from a hook, or
/// a custom function's backward) comes out as itself.
#[cold]
pub fn to_python(py: Python<'_>, error: &RusTorchError) -> PyErr {
    if let Some(original) = crate::autograd::callback::take_exception(py, error) {
        return original;
    }
    remember(error);
    match types(py) {
        Ok(types) => PyErr::from_type(types[class_index(error)].bind(py).clone(), error.to_string()),
        Err(failure) => failure,
    }
}

/// Whether an exception is one of RusTorch's.
pub fn is_own(exception: &Bound<'_, PyAny>) -> bool {
    types(exception.py())
        .is_ok_and(|types| exception.is_instance(types[0].bind(exception.py())).unwrap_or(false))
}

/// `Result` of the core as `PyResult`.
pub trait IntoPyResult<T> {
    /// Maps the error.
    fn into_py(self, py: Python<'_>) -> PyResult<T>;
    /// Maps the error, outside the bindings' table: `op` is what asked for memory that could not be had. The other errors
    /// name their op themselves, and the table names the op of any.
    fn into_py_of(self, py: Python<'_>, op: &str) -> PyResult<T>;
}

impl<T> IntoPyResult<T> for rustorch_tensor::Result<T> {
    #[inline]
    fn into_py(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| to_python(py, &error))
    }
    #[inline]
    fn into_py_of(self, py: Python<'_>, op: &str) -> PyResult<T> {
        self.map_err(|error| {
            let exception = to_python(py, &error);
            if matches!(error, RusTorchError::OutOfMemory { .. }) {
                let value = exception.value(py);
                let _ = value.setattr("args", (format!("{op}: {value}"),));
            }
            exception
        })
    }
}

/// A bug in RusTorch, caught before it could reach the interpreter as a panic.
#[cold]
pub fn internal(py: Python<'_>, place: &str, payload: &(dyn std::any::Any + Send)) -> PyErr {
    let what = payload
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown".into());
    let message = format!("{place}: internal error: {what}. This is a bug in RusTorch; please report it");
    match types(py) {
        Ok(types) => PyErr::from_type(types[0].bind(py).clone(), message),
        Err(failure) => failure,
    }
}

/// Adds the classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // A panic in what is no op (those catch their own, see `internal`) leaves PyO3 as this exception, which is made to
    // pass by `except Exception`. Here it is an error like others.
    let panic = module.py().get_type::<PanicException>();
    panic.setattr("__bases__", (module.py().get_type::<exceptions::PyRuntimeError>(),))?;
    for (class, object) in CLASSES.iter().zip(types(module.py())?) {
        module.add(class.name, object.bind(module.py()))?;
    }
    Ok(())
}
