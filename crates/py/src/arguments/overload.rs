//! Which of several signatures a call means.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyIterator, PyString};

use super::bind::{BoundArguments, Call, bind};
use super::{Binding, Kind, Overload, convert};

/// Whether an object may stand at a parameter of this kind.
fn accepts(kind: Kind, object: &Bound<'_, PyAny>) -> bool {
    if object.is_none() {
        return kind.takes_none();
    }
    match kind {
        Kind::Tensor | Kind::OptionalTensor => convert::is_tensor(object),
        Kind::TensorLike | Kind::OptionalTensorLike => {
            convert::is_tensor(object) || convert::is_number(object)
        }
        // Numbers in a sequence mean the overload that takes those.
        Kind::TensorList => {
            let all_tensors = |mut items: Bound<'_, PyIterator>| {
                items.all(|item| item.is_ok_and(|item| convert::is_tensor(&item)))
            };
            convert::is_sequence(object) && object.try_iter().is_ok_and(all_tensors)
        }
        Kind::Scalar | Kind::OptionalScalar | Kind::Float | Kind::OptionalFloat => convert::is_number(object),
        // A tensor that could stand for an int means the overload that takes a tensor.
        Kind::Int | Kind::OptionalInt => convert::is_int(object) && !convert::is_tensor(object),
        Kind::IntList | Kind::OptionalIntList | Kind::Shape => {
            convert::is_int(object) || convert::is_sequence(object)
        }
        Kind::FloatList | Kind::OptionalFloatList => {
            convert::is_number(object) || convert::is_sequence(object)
        }
        Kind::Bool | Kind::OptionalBool => object.is_instance_of::<PyBool>(),
        Kind::OptionalDType => crate::dtype::extract(object).is_some(),
        Kind::OptionalDevice => {
            object.is_instance_of::<crate::device::PyDevice>() || object.is_instance_of::<PyString>()
        }
        Kind::OptionalGenerator => object.is_instance_of::<crate::random::PyGenerator>(),
        Kind::OptionalMemoryFormat => object.is_instance_of::<crate::memory_format::PyMemoryFormat>(),
        Kind::Str | Kind::OptionalStr => object.is_instance_of::<PyString>(),
    }
}

/// The first signature that the arguments fit.
pub fn choose<'a, 'py>(
    binding: &'static Binding,
    call: &Call<'a, 'py>,
) -> PyResult<(&'static Overload, BoundArguments<'a, 'py>)> {
    for overload in binding.overloads {
        let Ok(bound) = bind(call, overload) else { continue };
        let fits = overload.parameters.iter().enumerate().all(|(i, p)| {
            // Tensors one by one: binding looked at the first, reading will look at the others.
            let several = p.kind == Kind::TensorList && !bound.rest.is_empty();
            bound.get(i).is_none_or(|object| several || accepts(p.kind, &object))
        });
        if fits {
            return Ok((overload, bound));
        }
    }
    Err(no_match(binding, call))
}

#[cold]
fn no_match(binding: &Binding, call: &Call<'_, '_>) -> PyErr {
    let given: Vec<String> = (0..call.arguments.len())
        .map(|i| {
            let name = super::type_name(&call.get(i));
            match call.names {
                Some(names) if i >= call.positional => names
                    .get_item(i - call.positional)
                    .map_or_else(|_| name.clone(), |keyword| format!("{keyword}={name}")),
                _ => name,
            }
        })
        .collect();
    let signatures: Vec<String> = binding
        .overloads
        .iter()
        .map(|o| match call.receiver {
            None => format!(" * {}", o.shown()),
            Some(_) => format!(" * {}", o.signature()),
        })
        .collect();
    pyo3::exceptions::PyTypeError::new_err(format!(
        "{}() received an invalid combination of arguments - got ({}), but expected one of:\n{}",
        binding.name,
        given.join(", "),
        signatures.join("\n")
    ))
}
