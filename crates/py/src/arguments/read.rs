//! What a generated binding sees: arguments by place, as Rust values, and results back to Python.

use std::cell::Cell;

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};
use rustorch_backend::sizes::check_extent;
use rustorch_backend::{DType, Device, Dims, Scalar};
use rustorch_tensor::{Generator, MemoryFormat, Result, Tensor};
use smallvec::SmallVec;

use super::bind::{BoundArguments, is_last_positional};
use super::out::{self, Targets};
use super::work::Work;
use super::{Binding, NEVER, Overload, convert, type_name};
use crate::device;
use crate::dtype;
use crate::errors::IntoPyResult;
use crate::interrupts;
use crate::memory_format::PyMemoryFormat;
use crate::random::PyGenerator;
use crate::sequences;
use crate::tensor::wrap;

/// The arguments of one call, in the places of the signature that was chosen.
pub struct Arguments<'a, 'py> {
    py: Python<'py>,
    binding: &'static Binding,
    overload: &'static Overload,
    bound: BoundArguments<'a, 'py>,
    /// Which argument is read next.
    place: Cell<usize>,
    /// What was seen so far, for an estimate of the work.
    work: Cell<Work>,
    /// Whether a tensor seen so far requires a gradient.
    requires_grad: Cell<bool>,
}

/// Converts a required argument; what is not of its kind is an error that says so.
macro_rules! required {
    ($($name:ident: $type:ty = $convert:expr;)*) => {$(
        #[doc = concat!("The argument at a place, as `", stringify!($type), "`.")]
        #[inline]
        pub fn $name(&self, place: usize) -> PyResult<$type> {
            let object = self.object(place)?;
            match ($convert)(&object).map_err(|error| self.named(place, error))? {
                Some(value) => Ok(value),
                None => Err(self.wrong_type(place, &object)),
            }
        }
    )*};
}

/// Converts an argument that may be left out or None.
macro_rules! optional {
    ($($name:ident: $type:ty = $required:ident;)*) => {$(
        #[doc = concat!("The argument at a place, as `", stringify!($type), "`, unless it is None or absent.")]
        #[inline]
        pub fn $name(&self, place: usize) -> PyResult<Option<$type>> {
            match self.bound.get(place) {
                Some(object) if !object.is_none() => self.$required(place).map(Some),
                _ => Ok(None),
            }
        }
    )*};
}

impl<'a, 'py> Arguments<'a, 'py> {
    pub(super) fn new(
        py: Python<'py>,
        binding: &'static Binding,
        overload: &'static Overload,
        bound: BoundArguments<'a, 'py>,
    ) -> Self {
        Arguments {
            py,
            binding,
            overload,
            bound,
            place: Cell::new(0),
            work: Cell::new(Work::NONE),
            requires_grad: Cell::new(false),
        }
    }

    /// The place of the next argument: they are read in order.
    #[inline]
    pub fn next(&self) -> usize {
        let place = self.place.get();
        self.place.set(place + 1);
        place
    }

    /// Whether the caller gave this argument.
    #[inline]
    pub fn given(&self, place: usize) -> bool {
        self.bound.get(place).is_some()
    }

    fn object(&self, place: usize) -> PyResult<Borrowed<'a, 'py, PyAny>> {
        self.bound.get(place).ok_or_else(|| {
            PyTypeError::new_err(format!(
                "{}() missing required argument: '{}'",
                self.binding.name, self.overload.parameters[place].name
            ))
        })
    }

    #[cold]
    fn wrong_type(&self, place: usize, object: &Bound<'_, PyAny>) -> PyErr {
        let parameter = &self.overload.parameters[place];
        PyTypeError::new_err(format!(
            "{}(): argument '{}' must be {}, not {}",
            self.binding.name,
            parameter.name,
            parameter.kind.expected(),
            describe(object)
        ))
    }

    /// An error of reading the argument at a place, with its name if it lacks that.
    #[cold]
    fn named(&self, place: usize, error: PyErr) -> PyErr {
        if error.is_instance_of::<PyOverflowError>(self.py) {
            let parameter = &self.overload.parameters[place];
            let why = match parameter.kind {
                super::Kind::Float | super::Kind::OptionalFloat => ", nor does a float hold it",
                _ => "",
            };
            convert::too_large(self.binding.name, parameter.name, why)
        } else {
            error
        }
    }

    /// Whether a tensor of floats, or a dtype of them, is among the arguments.
    #[cold]
    fn floating(&self) -> bool {
        self.bound.all().any(|object| match convert::tensor(&object) {
            Some(tensor) => tensor.dtype().is_differentiable(),
            None => dtype::extract(&object).is_some_and(DType::is_differentiable),
        })
    }

    /// The number at a place.
    #[inline]
    fn read_scalar(&self, place: usize) -> PyResult<Scalar> {
        let object = self.object(place)?;
        let names = (self.binding.name, self.overload.parameters[place].name);
        let of_float = |value| Ok(Scalar::Float(value));
        convert::number_beside(&object, names, || self.floating(), convert::scalar, of_float)?
            .ok_or_else(|| self.wrong_type(place, &object))
    }

    fn count(&self, tensor: &Tensor) {
        self.work.set(self.work.get().with_tensor(tensor));
        if self.bound.out.is_some() && tensor.requires_grad() {
            self.requires_grad.set(true);
        }
    }

    required! {
        read_int: i64 = convert::int;
        read_float: f64 = convert::float;
        floats: Dims<f64> = convert::floats;
        bool: bool = convert::bool;
        dtype: DType = |object: &Bound<'py, PyAny>| PyResult::Ok(dtype::extract(object));
        device: Device = device::extract;
        generator: Generator = |object: &Bound<'py, PyAny>| PyResult::Ok(object.cast::<PyGenerator>().ok().map(|g| g.get().generator.clone()));
        memory_format: MemoryFormat = |object: &Bound<'py, PyAny>| PyResult::Ok(object.cast::<PyMemoryFormat>().ok().map(|f| f.get().format));
        str: String = |object: &Bound<'py, PyAny>| PyResult::Ok(object.cast::<PyString>().ok().map(|s| s.to_string_lossy().into_owned()));
    }

    optional! {
        optional_tensor: Tensor = tensor;
        optional_tensor_like: Tensor = tensor_like;
        optional_scalar: Scalar = scalar;
        optional_int: i64 = int;
        optional_ints: Dims<i64> = ints;
        optional_float: f64 = float;
        optional_floats: Dims<f64> = floats;
        optional_bool: bool = bool;
        given_dtype: DType = dtype;
        optional_device: Device = device;
        optional_generator: Generator = generator;
        optional_memory_format: MemoryFormat = memory_format;
        optional_str: String = str;
    }

    /// The dtype at a place; where none is given, that of `out`.
    pub fn optional_dtype(&self, place: usize) -> PyResult<Option<DType>> {
        let given = self.given_dtype(place)?;
        match &self.bound.out {
            Some(object) => out::dtype(self.binding.name, object, given),
            None => Ok(given),
        }
    }

    /// The tensor at a place.
    #[inline]
    pub fn tensor(&self, place: usize) -> PyResult<Tensor> {
        let object = self.object(place)?;
        let tensor = convert::tensor(&object).ok_or_else(|| self.wrong_type(place, &object))?;
        self.count(&tensor);
        Ok(tensor)
    }

    /// The tensor or number at a place.
    #[inline]
    pub fn tensor_like(&self, place: usize) -> PyResult<Tensor> {
        let object = self.object(place)?;
        let names = (self.binding.name, self.overload.parameters[place].name);
        let of_float = |value: f64| Tensor::number(value).into_py(self.py);
        let tensor =
            convert::number_beside(&object, names, || self.floating(), convert::tensor_like, of_float)?
                .ok_or_else(|| self.wrong_type(place, &object))?;
        self.count(&tensor);
        Ok(tensor)
    }

    /// The tensors at a place.
    pub fn tensors(&self, place: usize) -> PyResult<Vec<Tensor>> {
        let object = self.object(place)?;
        let last = is_last_positional(self.overload.parameters, place);
        let rest = if last { self.bound.rest } else { &[] };
        if !rest.is_empty() {
            return rest
                .iter()
                .map(|&raw| {
                    // SAFETY: the interpreter keeps the arguments alive for the length of the call.
                    let object = unsafe { Borrowed::from_ptr(self.py, raw) };
                    let tensor = convert::tensor(&object).ok_or_else(|| self.wrong_type(place, &object))?;
                    self.count(&tensor);
                    Ok(tensor)
                })
                .collect();
        }
        let tensors = convert::tensors(&object)?.ok_or_else(|| self.wrong_type(place, &object))?;
        for tensor in &tensors {
            self.count(tensor);
        }
        Ok(tensors)
    }

    /// The argument at a place, as a number.
    #[inline]
    pub fn scalar(&self, place: usize) -> PyResult<Scalar> {
        let value = self.read_scalar(place)?;
        self.work.set(self.work.get().with_number(value.to_f64()));
        Ok(value)
    }

    /// The argument at a place, as `i64`.
    #[inline]
    pub fn int(&self, place: usize) -> PyResult<i64> {
        let value = self.read_int(place)?;
        self.work.set(self.work.get().with_number(value as f64));
        Ok(value)
    }

    /// The argument at a place, as `f64`.
    #[inline]
    pub fn float(&self, place: usize) -> PyResult<f64> {
        let value = self.read_float(place)?;
        self.work.set(self.work.get().with_number(value));
        Ok(value)
    }

    /// The integers at a place; sizes may have been given one by one.
    #[inline]
    pub fn ints(&self, place: usize) -> PyResult<Dims<i64>> {
        let values = self.read_ints(place)?;
        let asked = values.iter().fold(self.work.get(), |work, &n| work.with_number(n as f64));
        self.work.set(asked);
        Ok(values)
    }

    fn read_ints(&self, place: usize) -> PyResult<Dims<i64>> {
        let object = self.object(place)?;
        if self.overload.parameters[place].kind == super::Kind::Shape && !self.bound.rest.is_empty() {
            return self
                .bound
                .rest
                .iter()
                .map(|&raw| {
                    // SAFETY: the interpreter keeps the arguments alive for the length of the call.
                    let size = unsafe { Borrowed::from_ptr(self.py, raw) };
                    convert::int(&size)
                        .map_err(|error| self.named(place, error))?
                        .ok_or_else(|| self.wrong_type(place, &size))
                })
                .collect();
        }
        convert::ints(&object)
            .map_err(|error| self.named(place, error))?
            .ok_or_else(|| self.wrong_type(place, &object))
    }

    /// Runs `op`, without the GIL where the work is worth it.
    fn run<T: Send>(&self, op: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
        let work = self.work.get();
        if self.binding.release_from == NEVER || !work.is_at_least(self.binding.release_from) {
            return op().into_py(self.py);
        }
        // A view may show any number of elements; what computes with them would not come to an end.
        check_extent(self.binding.name, work.elements()).into_py(self.py)?;
        interrupts::detached(self.py, op)?.into_py(self.py)
    }

    /// Runs an op that gives a tensor.
    pub fn give(&self, op: &(dyn Fn() -> Result<Tensor> + Sync)) -> PyResult<Bound<'py, PyAny>> {
        match &self.bound.out {
            None => wrap(self.py, self.run(op)?),
            Some(object) => {
                let target = Targets::one(self.binding.name, object)?;
                let result = target.run(self.requires_grad.get(), || self.run(op))?;
                target.write(self.py, &[result])?;
                Ok((**object).clone())
            }
        }
    }

    /// Runs an op that gives several tensors: a named tuple.
    pub fn give_named(
        &self,
        op: &(dyn Fn() -> Result<SmallVec<[Tensor; 3]>> + Sync),
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(object) = &self.bound.out {
            let targets = Targets::several(self.binding.name, object)?;
            let results = targets.run(self.requires_grad.get(), || self.run(op))?;
            targets.write(self.py, &results)?;
            return crate::return_types::build(self.py, self.binding.name, targets.into_objects());
        }
        let values: SmallVec<[Bound<'py, PyAny>; 3]> =
            self.run(op)?.into_iter().map(|tensor| wrap(self.py, tensor)).collect::<PyResult<_>>()?;
        crate::return_types::build(self.py, self.binding.name, values)
    }

    /// Runs an op that gives any number of tensors: a tuple.
    pub fn give_tuple(&self, op: &(dyn Fn() -> Result<Vec<Tensor>> + Sync)) -> PyResult<Bound<'py, PyAny>> {
        let tensors = self.run(op)?;
        let count = tensors.len();
        let objects = tensors.into_iter().map(|tensor| wrap(self.py, tensor));
        Ok(sequences::tuple(self.py, count, objects)?.into_any())
    }

    /// Runs an op whose results are a tuple only if the caller asked for more than the first.
    pub fn give_tuple_when(
        &self,
        several: bool,
        op: &(dyn Fn() -> Result<Vec<Tensor>> + Sync),
    ) -> PyResult<Bound<'py, PyAny>> {
        let results = self.give_tuple(op)?;
        if several { Ok(results) } else { results.get_item(0) }
    }

    /// Runs an op that writes into its first argument, and gives that argument.
    pub fn give_first(&self, op: &(dyn Fn() -> Result<()> + Sync)) -> PyResult<Bound<'py, PyAny>> {
        self.run(|| {
            // It writes into its first argument, which must not stay half written.
            rustorch_backend::interrupts::forbid();
            op()
        })?;
        Ok(self.object(0)?.to_owned())
    }
}

/// An object's type for messages; of a sequence also the types of its items.
fn describe(object: &Bound<'_, PyAny>) -> String {
    let name = type_name(object);
    let first = if let Ok(tuple) = object.cast::<PyTuple>() {
        tuple.get_item(0).ok()
    } else if let Ok(list) = object.cast::<PyList>() {
        list.get_item(0).ok()
    } else {
        None
    };
    match first {
        Some(item) => format!("{name} of {}", type_name(&item)),
        None => name,
    }
}
