//! The way from the interpreter into a binding, and the registration of bindings.

use std::ffi::{CString, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use super::bind::{Call, bind};
use super::overload::choose;
use super::table::{Entry, Registered};
use super::{Arguments, Binding};
use crate::errors::{self, internal};
use crate::generated::TABLES;

/// Calls a binding under one of its names. As a method `receiver` is the tensor, as a function it is null.
///
/// # Safety
/// The interpreter calls it, as `METH_FASTCALL | METH_KEYWORDS` says.
pub unsafe fn enter(
    binding: &'static Binding,
    name: &'static str,
    receiver: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls with the GIL held.
    let py = unsafe { Python::assume_attached() };
    let positional = positional as usize;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: `names` is null or a tuple of str, alive during the call.
        let names = unsafe { Borrowed::from_ptr_or_opt(py, names).map(|n| n.cast_unchecked::<PyTuple>()) };
        let count = positional + names.map_or(0, |n| n.len());
        let arguments = if count == 0 {
            &[][..]
        } else {
            // SAFETY: there are `positional` arguments followed by one per name.
            unsafe { std::slice::from_raw_parts(arguments, count) }
        };
        // SAFETY: `receiver` is null or the object whose method this is, alive during the call.
        let receiver = unsafe { Borrowed::from_ptr_or_opt(py, receiver) };
        dispatch(binding, Call { py, receiver, arguments, positional, names })
    }));
    let error = match outcome {
        Ok(Ok(object)) => return object.into_ptr(),
        Ok(Err(error)) => {
            name_op(binding, name, error.value(py));
            error
        }
        Err(payload) => internal(py, binding.name, payload.as_ref()),
    };
    error.restore(py);
    ptr::null_mut()
}

/// Lets an error name the op as it was called: not by the name of which that is an alias or by one that Python does not
/// see, and not only by that of an op of which it is made.
#[cold]
fn name_op(binding: &Binding, op: &str, value: &Bound<'_, PyAny>) {
    let text = value.to_string();
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let end = text.find(|c: char| !part_of_name(c) && c != '.').unwrap_or(text.len());
    let (named, rest) = text.split_at(end);
    let names_op = rest.starts_with([':', '(']);
    let own = errors::is_own(value);
    if names_op && named != op && (named == binding.name || (own && !is_public(named))) {
        let _ = value.setattr("args", (format!("{op}{rest}"),));
        return;
    }
    if !own || (names_op && named == op) {
        return;
    }
    // The functions of other modules are `linalg_norm` here, and `linalg.norm` or `norm` in messages.
    let module = binding.module.and_then(|module| module.strip_prefix("rustorch."));
    let prefix = module.map(|module| module.replace('.', "_") + "_");
    let short =
        prefix.and_then(|prefix| op.strip_prefix(prefix.as_str())).unwrap_or(op).trim_end_matches('_');
    let found = text.match_indices(short).any(|(at, _)| {
        let after = &text[at + short.len()..];
        let ends = after.strip_prefix('_').unwrap_or(after);
        !text[..at].ends_with(part_of_name) && !ends.starts_with(char::is_alphanumeric)
    });
    if !found {
        let _ = value.setattr("args", (format!("{op}: {text}"),));
    }
}

/// Whether an op has this name in Python: `linalg.norm` or `linalg_norm`.
fn is_public(name: &str) -> bool {
    let name = name.replace('.', "_");
    TABLES
        .iter()
        .copied()
        .flatten()
        .any(|r| !r.binding.overloads.is_empty() && names(r.binding).any(|n| n == name))
}

#[inline]
fn dispatch<'py>(binding: &'static Binding, call: Call<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let (overload, bound) = match binding.overloads {
        [only] => match bind(&call, only) {
            Ok(bound) => (only, bound),
            Err(mismatch) => return Err(mismatch.into_error(binding.name)),
        },
        _ => choose(binding, &call)?,
    };
    (overload.call)(&Arguments::new(call.py, binding, overload, bound))
}

/// The interpreter's record of a function. It keeps the pointers for as long as it runs, so they are never freed.
fn definition(
    binding: &Binding,
    name: &str,
    function: Entry,
    method: bool,
) -> PyResult<*mut ffi::PyMethodDef> {
    const FLAGS: c_int = ffi::METH_FASTCALL | ffi::METH_KEYWORDS;
    Ok(Box::into_raw(Box::new(ffi::PyMethodDef {
        ml_name: CString::new(name)?.into_raw(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: function },
        ml_flags: FLAGS,
        ml_doc: CString::new(binding.text(name, method))?.into_raw(),
    })))
}

fn names(binding: &Binding) -> impl Iterator<Item = &'static str> {
    std::iter::once(binding.name).chain(binding.aliases.iter().copied())
}

/// Adds every op of the table to the module, to the class Tensor, or to both.
pub fn register(module: &Bound<'_, PyModule>, class: &Bound<'_, PyType>) -> PyResult<()> {
    let py = module.py();
    let bindings = TABLES.iter().copied().flatten().filter(|r| !r.binding.overloads.is_empty());
    for Registered { binding, entries } in bindings {
        for (name, &function) in names(binding).zip(*entries) {
            if let Some(home) = binding.module {
                let definition = definition(binding, name, function, false)?;
                let home = PyString::intern(py, home);
                // SAFETY: the definition lives forever; a null receiver marks a function.
                let object = unsafe {
                    let raw = ffi::PyCFunction_NewEx(definition, ptr::null_mut(), home.as_ptr());
                    Bound::from_owned_ptr_or_err(py, raw)?
                };
                module.setattr(name, object)?;
            }
            if binding.method {
                let definition = definition(binding, name, function, true)?;
                // SAFETY: the definition lives forever; the descriptor checks that the receiver is of this class.
                let object = unsafe {
                    let raw = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
                    Bound::from_owned_ptr_or_err(py, raw)?
                };
                class.setattr(name, object)?;
            }
        }
    }
    Ok(())
}
