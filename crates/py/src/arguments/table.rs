//! The table of bindings: the macro by which generated files write it.

use pyo3::ffi;
use pyo3::prelude::*;
use rustorch_tensor::{Result, Tensor};
use smallvec::SmallVec;

use super::{Arguments, Binding};

/// A C function that calls [`enter`](super::enter).
pub type Entry = ffi::PyCFunctionFastWithKeywords;

/// A binding and the C functions of its names: its own, then its aliases'.
pub struct Registered {
    /// What the functions call.
    pub binding: &'static Binding,
    /// In the order of the names.
    pub entries: &'static [Entry],
}

/// What a call gives Python, by what its op gives.
pub trait Results: Sized {
    /// Runs the op and hands its results over.
    fn give<'py>(
        arguments: &Arguments<'_, 'py>,
        op: &(dyn Fn() -> Result<Self> + Sync),
    ) -> PyResult<Bound<'py, PyAny>>;
}

impl Results for Tensor {
    fn give<'py>(
        arguments: &Arguments<'_, 'py>,
        op: &(dyn Fn() -> Result<Self> + Sync),
    ) -> PyResult<Bound<'py, PyAny>> {
        arguments.give(op)
    }
}

/// An op that writes into its first argument gives that.
impl Results for () {
    fn give<'py>(
        arguments: &Arguments<'_, 'py>,
        op: &(dyn Fn() -> Result<Self> + Sync),
    ) -> PyResult<Bound<'py, PyAny>> {
        arguments.give_first(op)
    }
}

impl Results for Vec<Tensor> {
    fn give<'py>(
        arguments: &Arguments<'_, 'py>,
        op: &(dyn Fn() -> Result<Self> + Sync),
    ) -> PyResult<Bound<'py, PyAny>> {
        arguments.give_tuple(op)
    }
}

/// Several results are a named tuple.
macro_rules! several {
    ($($result:ident: $type:ty),+) => {
        impl Results for ($($type,)+) {
            fn give<'py>(
                arguments: &Arguments<'_, 'py>,
                op: &(dyn Fn() -> Result<Self> + Sync),
            ) -> PyResult<Bound<'py, PyAny>> {
                arguments.give_named(&|| {
                    let ($($result,)+) = op()?;
                    Ok(SmallVec::from_iter([$($result),+]))
                })
            }
        }
    };
}

several!(a: Tensor, b: Tensor);
several!(a: Tensor, b: Tensor, c: Tensor);
several!(a: Tensor, b: Tensor, c: Tensor, d: Tensor);

/// The bindings of a file of the op table. Each is
///
/// ```text
/// "name" where "module" ["alias", …] work {
///     function(parameter: Kind = default; keyword_only: Kind or None) -> out when condition, in_place_function;
/// }
/// ```
///
/// *where* is `function`, `method` or `both`. *work* says from which size on the GIL is released: `view`, `plain` or `heavy`.
/// `-> out`: the function takes `out=`. `when`: a list of results is a tuple under a condition, otherwise its first. With an
/// in-place function there is also `name_`, in the same places.
macro_rules! bindings {
    ($($name:literal $place:ident $module:literal [$($alias:literal),*] $work:ident {$(
        $function:ident $parameters:tt $(-> $out:ident)? $(when $when:expr)? $(, $in_place:ident)?;
    )+})*) => {
        pub(super) static TABLE: &[Registered] = &[$(
            registered!($name, [$($alias),*], Binding {
                name: $name,
                row: None,
                overloads: &[$(overload!($function $function [$($out)?] [$($when)?] $parameters)),+],
                module: place!($place $module),
                method: place!($place),
                aliases: &[$($alias),*],
                release_from: work!($work),
            }),
            // The in-place form stands where the op stands.
            registered!(concat!($name, "_"), [$(concat!($alias, "_")),*], Binding {
                name: concat!($name, "_"),
                row: Some($name),
                overloads: &[$($(overload!($in_place $function [] [] $parameters),)?)+],
                module: place!($place $module),
                method: place!($place),
                aliases: &[$(concat!($alias, "_")),*],
                release_from: work!(in place $work),
            }),
        )*];
    };
}

/// A binding with a C function per name.
macro_rules! registered {
    ($name:expr, [$($alias:expr),*], $binding:expr) => {{
        static BINDING: Binding = $binding;
        Registered { binding: &BINDING, entries: &[entry!($name), $(entry!($alias)),*] }
    }};
}

/// The C function of a name of `BINDING`.
macro_rules! entry {
    ($name:expr) => {{
        unsafe extern "C" fn enter_op(
            receiver: *mut ffi::PyObject,
            arguments: *const *mut ffi::PyObject,
            positional: ffi::Py_ssize_t,
            names: *mut ffi::PyObject,
        ) -> *mut ffi::PyObject {
            // SAFETY: the pointers are the interpreter's own, passed on as they came.
            unsafe { enter(&BINDING, $name, receiver, arguments, positional, names) }
        }
        enter_op
    }};
}

/// Where a binding stands: its function's module, and whether it is a method.
macro_rules! place {
    (method $module:literal) => {
        None
    };
    ($place:ident $module:literal) => {
        Some($module)
    };
    (function) => {
        false
    };
    ($place:ident) => {
        true
    };
}

/// From how many elements on a binding runs without the GIL.
macro_rules! work {
    (view) => {
        NEVER
    };
    (heavy) => {
        1 << 12
    };
    (plain) => {
        1 << 15
    };
    (in place heavy) => {
        1 << 12
    };
    (in place $work:ident) => {
        1 << 15
    };
}

/// One signature: what is called, and the row's function, under whose name it is documented.
macro_rules! overload {
    ($function:ident $row:ident [$($out:ident)?] [$($when:expr)?] (
        $($parameter:ident: $kind:ident $(or $none:ident)? $(= $default:expr)?),*
        $(; $($keyword:ident: $of:ident $(or $nothing:ident)? $(= $usual:expr)?),+)?
    )) => {
        Overload {
            function: stringify!($row),
            parameters: &[
                $(Parameter {
                    name: stringify!($parameter), kind: Kind::$kind, keyword_only: false,
                    optional: is_given!($($none)? $($default)?),
                },)*
                $($(Parameter {
                    name: stringify!($keyword), kind: Kind::$of, keyword_only: true,
                    optional: is_given!($($nothing)? $($usual)?),
                },)+)?
            ],
            out: is_given!($($out)?),
            call: |arguments| {
                $(let $parameter = read!(arguments $kind [$($default)?]);)*
                $($(let $keyword = read!(arguments $of [$($usual)?]);)+)?
                let op = || ops::$function($(pass!($parameter $kind),)* $($(pass!($keyword $of)),+)?);
                give!(arguments op $($when)?)
            },
        }
    };
}

/// Whether there is anything.
macro_rules! is_given {
    () => {
        false
    };
    ($($anything:tt)+) => {
        true
    };
}

/// Hands the results over.
macro_rules! give {
    ($arguments:ident $op:ident) => {
        Results::give($arguments, &$op)
    };
    ($arguments:ident $op:ident $when:expr) => {
        $arguments.give_tuple_when($when, &$op)
    };
}

/// Reads the next argument. What is absent and None read the same, unless there is a default.
macro_rules! read {
    ($a:ident $kind:ident []) => { read!($a $kind, $a.next())? };
    ($a:ident $kind:ident [$default:expr]) => {{
        let place = $a.next();
        if $a.given(place) { read!($a $kind, place)? } else { usual!($kind $default) }
    }};
    ($a:ident Tensor, $place:expr) => { $a.tensor($place) };
    ($a:ident TensorLike, $place:expr) => { $a.tensor_like($place) };
    ($a:ident OptionalTensor, $place:expr) => { $a.optional_tensor($place) };
    ($a:ident OptionalTensorLike, $place:expr) => { $a.optional_tensor_like($place) };
    ($a:ident TensorList, $place:expr) => { $a.tensors($place) };
    ($a:ident Scalar, $place:expr) => { $a.scalar($place) };
    ($a:ident OptionalScalar, $place:expr) => { $a.optional_scalar($place) };
    ($a:ident Int, $place:expr) => { $a.int($place) };
    ($a:ident OptionalInt, $place:expr) => { $a.optional_int($place) };
    ($a:ident IntList, $place:expr) => { $a.ints($place) };
    ($a:ident OptionalIntList, $place:expr) => { $a.optional_ints($place) };
    ($a:ident Shape, $place:expr) => { $a.ints($place) };
    ($a:ident Float, $place:expr) => { $a.float($place) };
    ($a:ident OptionalFloat, $place:expr) => { $a.optional_float($place) };
    ($a:ident FloatList, $place:expr) => { $a.floats($place) };
    ($a:ident OptionalFloatList, $place:expr) => { $a.optional_floats($place) };
    ($a:ident Bool, $place:expr) => { $a.bool($place) };
    ($a:ident OptionalBool, $place:expr) => { $a.optional_bool($place) };
    ($a:ident OptionalDType, $place:expr) => { $a.optional_dtype($place) };
    ($a:ident OptionalDevice, $place:expr) => { $a.optional_device($place) };
    ($a:ident OptionalGenerator, $place:expr) => { $a.optional_generator($place) };
    ($a:ident OptionalMemoryFormat, $place:expr) => { $a.optional_memory_format($place) };
    ($a:ident Str, $place:expr) => { $a.str($place) };
    ($a:ident OptionalStr, $place:expr) => { $a.optional_str($place) };
}

/// A default, as what is read.
macro_rules! usual {
    (IntList $default:expr) => {
        Dims::from_slice($default)
    };
    (Shape $default:expr) => {
        Dims::from_slice($default)
    };
    (FloatList $default:expr) => {
        Dims::from_slice($default)
    };
    (OptionalIntList $default:expr) => {
        $default.map(Dims::from_slice)
    };
    (Str $default:expr) => {
        String::from($default)
    };
    (OptionalStr $default:expr) => {
        $default.map(String::from)
    };
    ($kind:ident $default:expr) => {
        $default
    };
}

/// An argument as the op takes it.
macro_rules! pass {
    ($value:ident Tensor) => {
        &$value
    };
    ($value:ident TensorLike) => {
        &$value
    };
    ($value:ident TensorList) => {
        &$value
    };
    ($value:ident IntList) => {
        &$value
    };
    ($value:ident FloatList) => {
        &$value
    };
    ($value:ident Shape) => {
        &$value
    };
    ($value:ident Str) => {
        &$value
    };
    ($value:ident OptionalTensor) => {
        $value.as_ref()
    };
    ($value:ident OptionalTensorLike) => {
        $value.as_ref()
    };
    ($value:ident OptionalGenerator) => {
        $value.as_ref()
    };
    ($value:ident OptionalIntList) => {
        $value.as_deref()
    };
    ($value:ident OptionalFloatList) => {
        $value.as_deref()
    };
    ($value:ident OptionalStr) => {
        $value.as_deref()
    };
    ($value:ident $kind:ident) => {
        $value
    };
}

pub(crate) use {bindings, entry, give, is_given, overload, pass, place, read, registered, usual, work};
