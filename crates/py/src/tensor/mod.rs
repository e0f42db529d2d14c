//! `rustorch.Tensor`: the Python object of a tensor. Its ops come from the table; its attributes, conversions and
//! operators stand here.

mod attributes;
pub mod buffer;
mod complex;
mod construct;
mod convert;
mod copying;
mod differentiation;
mod elements;
mod index;
pub mod memory;
mod numeric;
mod sequence;
mod views_in_place;

use std::cell::UnsafeCell;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use rustorch_tensor::Tensor;

use crate::errors::IntoPyResult;

pub use construct::register;

/// The tensor inside a Python object.
struct Cell(UnsafeCell<Tensor>);

// SAFETY: the content is only reached through `PyTensor`'s methods, which need a thread that is attached to the
// interpreter; the GIL lets one at a time (an abi3 module does not load into a free-threaded interpreter). References
// into the cell never outlive a closure that runs no Python code.
unsafe impl Sync for Cell {}

/// A multi-dimensional array of one dtype on one device, with gradients.
#[pyclass(name = "Tensor", module = "rustorch", subclass, weakref, dict, frozen)]
pub struct PyTensor {
    cell: Cell,
}

impl PyTensor {
    /// An object for a tensor that has none yet.
    #[inline]
    pub fn new(tensor: Tensor) -> Self {
        PyTensor { cell: Cell(UnsafeCell::new(tensor)) }
    }

    /// Looks at the tensor. `look` must not run Python code: that could assign to `data`.
    #[inline]
    pub fn with<R>(&self, look: impl FnOnce(&Tensor) -> R) -> R {
        // SAFETY: see `Cell`: nothing can write while `look` runs.
        look(unsafe { &*self.cell.0.get() })
    }

    /// A handle of the tensor. Remembers `object`, which is this object, as the tensor's face, so that the same tensor
    /// comes back as the same object.
    #[inline]
    pub fn tensor(&self, object: &Bound<'_, PyTensor>) -> Tensor {
        self.with(|tensor| {
            if tensor.face().is_null() {
                tensor.set_face(object.as_ptr().cast());
            }
            tensor.clone()
        })
    }

    /// Gives the tensor another shape, keeping its memory where that is large enough.
    pub fn resize(&self, object: &Bound<'_, PyTensor>, shape: &[usize]) -> rustorch_tensor::Result<()> {
        let resized = self.tensor(object).resized(shape)?;
        self.replace(resized);
        Ok(())
    }

    /// Shows another tensor from now on: `x.data = y`.
    fn replace(&self, tensor: Tensor) {
        // SAFETY: see `Cell`: no reference into the cell is alive. The old tensor is dropped after the exchange.
        let old = unsafe { ptr::replace(self.cell.0.get(), tensor) };
        drop(old);
    }
}

impl Drop for PyTensor {
    fn drop(&mut self) {
        self.with(|tensor| tensor.set_face(ptr::null_mut()));
    }
}

/// The Python object of a tensor: the one it has, or a new one.
#[inline]
pub fn wrap(py: Python<'_>, tensor: Tensor) -> PyResult<Bound<'_, PyAny>> {
    let face = tensor.face().cast::<ffi::PyObject>();
    if !face.is_null() {
        // SAFETY: a face is cleared when its object is freed, so the object is there. One whose count is 0 is being
        // freed right now and must not come back to life.
        unsafe {
            if ffi::Py_REFCNT(face) > 0 {
                return Ok(Bound::from_borrowed_ptr(py, face));
            }
        }
    }
    // An op of numbers alone gives a number, which only the library's own formulas may go on computing with.
    let tensor = if tensor.is_wrapped_number() { tensor.without_number().into_py(py)? } else { tensor };
    let object = Bound::new(py, PyTensor::new(tensor))?;
    object.get().with(|tensor| tensor.set_face(object.as_ptr().cast()));
    Ok(object.into_any())
}

/// `None` or the Python object of a tensor.
pub fn wrap_optional(py: Python<'_>, tensor: Option<Tensor>) -> PyResult<Bound<'_, PyAny>> {
    match tensor {
        Some(tensor) => wrap(py, tensor),
        None => Ok(py.None().into_bound(py)),
    }
}
