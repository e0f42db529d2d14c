//! `out=`: results written into tensors that the caller has.
//!
//! One mechanism for every op: it runs without recording, its results are copied into the targets, which are resized
//! where their shape is another.

use std::ffi::CString;

use pyo3::exceptions::{PyTypeError, PyUserWarning};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use rustorch_backend::DType;
use rustorch_tensor::autograd::{self, GradMode};
use rustorch_tensor::{RusTorchError, Tensor};
use smallvec::SmallVec;

use super::type_name;
use crate::errors::IntoPyResult;
use crate::tensor::PyTensor;

/// The tensors that the results of one call go into.
pub struct Targets<'py> {
    op: &'static str,
    objects: SmallVec<[Bound<'py, PyTensor>; 3]>,
}

impl<'py> Targets<'py> {
    /// The target of an op with one result.
    pub fn one(op: &'static str, out: &Bound<'py, PyAny>) -> PyResult<Self> {
        Ok(Targets { op, objects: smallvec::smallvec![tensor(op, "Tensor", out)?] })
    }

    /// The targets of an op with several results.
    pub fn several(op: &'static str, out: &Bound<'py, PyAny>) -> PyResult<Self> {
        let expected = "tuple of Tensors";
        if !out.is_instance_of::<PyTuple>() && !out.is_instance_of::<PyList>() {
            return Err(wrong_type(op, expected, out));
        }
        let objects = out.try_iter()?.map(|item| tensor(op, expected, &item?)).collect::<PyResult<_>>()?;
        Ok(Targets { op, objects })
    }

    /// Runs the op without recording; where that would lose a gradient it is refused.
    pub fn run<T>(&self, inputs_require_grad: bool, op: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
        let required =
            inputs_require_grad || self.objects.iter().any(|o| o.get().with(Tensor::requires_grad));
        if let Some(first) = self.objects.first()
            && required
            && autograd::mode::is_enabled()
        {
            let message = "functions with out=... arguments don't support automatic differentiation, but one of the \
                           arguments requires grad; call it without out, or under no_grad()";
            return Err(RusTorchError::autograd(self.op, message)).into_py(first.py());
        }
        let _mode = GradMode::no_grad();
        op()
    }

    /// Copies the results into the targets.
    pub fn write(&self, py: Python<'py>, results: &[Tensor]) -> PyResult<()> {
        if results.len() != self.objects.len() {
            return Err(PyTypeError::new_err(format!(
                "{}(): argument 'out' must have {} tensors, one per result, but it has {}",
                self.op,
                results.len(),
                self.objects.len()
            )));
        }
        for (object, result) in self.objects.iter().zip(results) {
            self.check_dtype(object.get().with(Tensor::dtype), result.dtype()).into_py(py)?;
            let target = object.get().with(Tensor::device);
            if !target.is_same(result.device()) {
                let message = format!("expected out to be on {}, but it is on {target}", result.device());
                return Err(RusTorchError::device(self.op, message)).into_py(py);
            }
        }
        let _mode = GradMode::no_grad();
        for (object, result) in self.objects.iter().zip(results) {
            resize(py, object, result.shape())?;
            let (op, target) = (self.op, object.get().tensor(object));
            py.detach(|| {
                autograd::check_inplace(op, &target, &[])?;
                autograd::assign(op, &target, result)
            })
            .into_py(py)?;
        }
        Ok(())
    }

    fn check_dtype(&self, target: DType, result: DType) -> rustorch_tensor::Result<()> {
        if rustorch_tensor::can_cast(result, target) {
            return Ok(());
        }
        let message =
            format!("result type {result} can't be cast to the desired output type {target} of out");
        Err(RusTorchError::dtype(self.op, message))
    }

    /// The targets as Python's objects.
    pub fn into_objects(self) -> SmallVec<[Bound<'py, PyAny>; 3]> {
        self.objects.into_iter().map(Bound::into_any).collect()
    }
}

fn wrong_type(op: &str, expected: &str, object: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("{op}(): argument 'out' must be {expected}, not {}", type_name(object)))
}

fn tensor<'py>(op: &str, expected: &str, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTensor>> {
    object.cast::<PyTensor>().cloned().map_err(|_| wrong_type(op, expected, object))
}

/// Gives a target the shape of its result; one that has elements is resized with a warning.
fn resize(py: Python<'_>, object: &Bound<'_, PyTensor>, shape: &[usize]) -> PyResult<()> {
    let (same, elements, before) =
        object.get().with(|t| (t.shape() == shape, t.numel(), format!("{:?}", t.shape())));
    if same {
        return Ok(());
    }
    if elements > 0 {
        let text = CString::new(format!(
            "An output with one or more elements was resized since it had shape {before}, which does not match the \
             required output shape {shape:?}. This behavior is deprecated. You can explicitly reuse an out tensor t by \
             resizing it, inplace, to zero elements with t.resize_(0)."
        ))?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)?;
    }
    object.get().resize(object, shape).into_py(py)
}

/// The dtype in which an op with `out` computes: the given one, which must be that of `out`, or else that of `out`.
pub fn dtype(op: &'static str, out: &Bound<'_, PyAny>, given: Option<DType>) -> PyResult<Option<DType>> {
    let target = tensor(op, "Tensor", out)?.get().with(Tensor::dtype);
    match given {
        Some(given) if given != target => {
            let message = format!("dtype {given} does not match the dtype of out, {target}");
            Err(RusTorchError::dtype(op, message)).into_py(out.py())
        }
        _ => Ok(Some(target)),
    }
}
