//! Putting positional and keyword arguments into the places of a signature.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::{Kind, Overload, Parameter, convert};

/// More parameters than any op has.
const CAPACITY: usize = 16;

/// A call as the interpreter hands it over.
#[derive(Clone, Copy)]
pub struct Call<'a, 'py> {
    pub py: Python<'py>,
    /// Positional arguments first, then the values of `names`. A method's `self` comes first of all, apart.
    pub receiver: Option<Borrowed<'a, 'py, PyAny>>,
    pub arguments: &'a [*mut ffi::PyObject],
    pub positional: usize,
    pub names: Option<Borrowed<'a, 'py, PyTuple>>,
}

impl<'a, 'py> Call<'a, 'py> {
    /// The `index`-th argument, without `self`.
    pub fn get(&self, index: usize) -> Borrowed<'a, 'py, PyAny> {
        // SAFETY: the interpreter keeps the arguments alive for the length of the call, which `'a` is.
        unsafe { Borrowed::from_ptr(self.py, self.arguments[index]) }
    }
}

/// The arguments in the places of a signature.
pub struct BoundArguments<'a, 'py> {
    slots: [Option<Borrowed<'a, 'py, PyAny>>; CAPACITY],
    /// The positional arguments that are sizes or tensors of a list, where they were given one by one.
    pub rest: &'a [*mut ffi::PyObject],
    /// Where the results go, if the caller says.
    pub out: Option<Borrowed<'a, 'py, PyAny>>,
}

impl<'a, 'py> BoundArguments<'a, 'py> {
    #[inline]
    pub fn get(&self, index: usize) -> Option<Borrowed<'a, 'py, PyAny>> {
        self.slots[index]
    }

    /// The arguments that are there, and `out`.
    pub fn all(&self) -> impl Iterator<Item = Borrowed<'a, 'py, PyAny>> {
        self.slots.into_iter().chain([self.out]).flatten()
    }
}

/// Why arguments do not fit a signature.
pub enum Mismatch {
    TooMany { taken: usize, given: usize },
    Unexpected(String),
    Twice(&'static str),
    Missing(&'static str),
}

impl Mismatch {
    #[cold]
    pub fn into_error(self, name: &str) -> PyErr {
        PyTypeError::new_err(match self {
            Mismatch::TooMany { taken, given } => {
                let plural = if taken == 1 { "" } else { "s" };
                let verb = if given == 1 { "was" } else { "were" };
                format!("{name}() takes {taken} positional argument{plural} but {given} {verb} given")
            }
            Mismatch::Unexpected(keyword) => {
                format!("{name}() got an unexpected keyword argument '{keyword}'")
            }
            Mismatch::Twice(parameter) => format!("{name}() got multiple values for argument '{parameter}'"),
            Mismatch::Missing(parameter) => format!("{name}() missing required argument: '{parameter}'"),
        })
    }
}

/// Whether a keyword names a parameter: by PyTorch's name or by NumPy's.
fn names(keyword: &str, parameter: &Parameter) -> bool {
    match keyword {
        "axis" => parameter.name == "dim",
        "keepdims" => parameter.name == "keepdim",
        "self" | "x" | "x1" | "a" | "A" => parameter.name == "input",
        "x2" => parameter.name == "other",
        _ => false,
    }
}

/// Whether no other positional argument follows.
pub fn is_last_positional(parameters: &[Parameter], place: usize) -> bool {
    parameters.get(place + 1).is_none_or(|p| p.keyword_only)
}

fn find(keyword: &str, parameters: &[Parameter]) -> Option<usize> {
    parameters
        .iter()
        .position(|p| p.name == keyword || p.name.strip_suffix('_') == Some(keyword))
        .or_else(|| parameters.iter().position(|p| names(keyword, p)))
}

/// Binds a call to a signature.
#[inline]
pub fn bind<'a, 'py>(
    call: &Call<'a, 'py>,
    overload: &'static Overload,
) -> Result<BoundArguments<'a, 'py>, Mismatch> {
    let parameters = overload.parameters;
    let takes_out = overload.out && call.receiver.is_none();
    let mut bound = BoundArguments { slots: [None; CAPACITY], rest: &[], out: None };
    let mut next = 0;
    if let Some(receiver) = call.receiver {
        bound.slots[0] = Some(receiver);
        next = 1;
    }
    let own = next;
    for index in 0..call.positional {
        let Some(parameter) = parameters.get(next).filter(|p| !p.keyword_only) else {
            let taken = parameters.iter().filter(|p| !p.keyword_only).count() - own;
            return Err(Mismatch::TooMany { taken, given: call.positional });
        };
        let argument = call.get(index);
        bound.slots[next] = Some(argument);
        // Sizes may come one by one, and tensors where no positional argument follows (`broadcast_tensors(a, b)`).
        let one_by_one = match parameter.kind {
            Kind::Shape => convert::is_int(&argument),
            Kind::TensorList => is_last_positional(parameters, next) && convert::is_tensor(&argument),
            _ => false,
        };
        if one_by_one {
            bound.rest = &call.arguments[index..call.positional];
            break;
        }
        next += 1;
    }
    if let Some(keywords) = call.names {
        for (index, keyword) in keywords.iter_borrowed().enumerate() {
            let value = call.get(call.positional + index);
            if takes_out && keyword.cast::<PyString>().is_ok_and(|k| k == "out") {
                bound.out = Some(value).filter(|out| !out.is_none());
            } else {
                place_keyword(&mut bound, parameters, keyword, value)?;
            }
        }
    }
    for (parameter, slot) in parameters.iter().zip(&bound.slots).skip(own) {
        if slot.is_none() && !parameter.optional {
            return Err(Mismatch::Missing(parameter.name));
        }
    }
    Ok(bound)
}

fn place_keyword<'a, 'py>(
    bound: &mut BoundArguments<'a, 'py>,
    parameters: &'static [Parameter],
    keyword: Borrowed<'_, 'py, PyAny>,
    value: Borrowed<'a, 'py, PyAny>,
) -> Result<(), Mismatch> {
    let text = keyword.cast::<PyString>().map_or_else(|_| "?".into(), |s| s.to_string_lossy().into_owned());
    let Some(place) = find(&text, parameters) else { return Err(Mismatch::Unexpected(text)) };
    if bound.slots[place].is_some() {
        return Err(Mismatch::Twice(parameters[place].name));
    }
    bound.slots[place] = Some(value);
    Ok(())
}
