//! How a Python call becomes a call of an op.
//!
//! Codegen writes a line per row, of which [`table`] makes a [`Binding`] per public name, and a text of what `help()` shows;
//! everything that runs is here, once. So a thousand ops cost a thousand lines and a thousand closures that read their
//! arguments, not a thousand expansions of an argument parser.

mod bind;
mod call;
pub mod convert;
mod documentation;
mod out;
mod overload;
mod read;
pub mod table;
mod work;

pub use call::{enter, register};
pub use read::Arguments;

use pyo3::prelude::*;

/// What a parameter takes. The names are those of the op table's types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Tensor,
    TensorLike,
    OptionalTensor,
    OptionalTensorLike,
    TensorList,
    Scalar,
    OptionalScalar,
    Int,
    OptionalInt,
    IntList,
    OptionalIntList,
    Shape,
    Float,
    OptionalFloat,
    FloatList,
    OptionalFloatList,
    Bool,
    OptionalBool,
    OptionalDType,
    OptionalDevice,
    OptionalGenerator,
    OptionalMemoryFormat,
    Str,
    OptionalStr,
}

/// One parameter of a signature.
#[derive(Debug)]
pub struct Parameter {
    /// PyTorch's name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it follows the `*`.
    pub keyword_only: bool,
}

/// One signature of a name.
pub struct Overload {
    /// The row's function in Rust, under which it is documented.
    pub function: &'static str,
    /// In order.
    pub parameters: &'static [Parameter],
    /// Whether the function (not the method) takes `out=`.
    pub out: bool,
    /// Reads the arguments and runs the op.
    pub call: for<'py> fn(&Arguments<'_, 'py>) -> PyResult<Bound<'py, PyAny>>,
}

impl Overload {
    /// The parameters as Python writes them.
    fn signature(&self) -> &'static str {
        documentation::of(self.function).signature
    }

    /// The signature of the function, with `out` where it takes that.
    fn shown(&self) -> String {
        match self.signature().strip_suffix(')') {
            Some(rest) if self.out => {
                let starred = self.parameters.iter().any(|p| p.keyword_only || p.kind == Kind::Shape);
                let star = if starred { "" } else { ", *" };
                format!("{rest}{star}, out=None)")
            }
            _ => self.signature().into(),
        }
    }
}

/// What an op that reads no element says for the number of elements from which on it runs without the GIL.
pub const NEVER: usize = usize::MAX;

/// A public name: its signatures and where it stands.
pub struct Binding {
    /// The public name.
    pub name: &'static str,
    /// The name of the row, if this is its in-place form.
    pub row: Option<&'static str>,
    /// Tried in order. None: rows without an in-place form.
    pub overloads: &'static [Overload],
    /// The Python module of the function; none if there is only the method.
    pub module: Option<&'static str>,
    /// Whether Tensor has it as a method.
    pub method: bool,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// From how many elements in its arguments on an op runs without the GIL: [`NEVER`] if it makes views and reads none.
    pub release_from: usize,
}

impl Binding {
    /// The docstring that begins with a signature for `inspect`; a method's first parameter is `self`.
    fn text(&self, name: &str, method: bool) -> String {
        let signature = match self.overloads {
            [only] if method => match only.signature().split_once(", ") {
                Some((_, rest)) => format!("($self, {rest}"),
                None => "($self)".into(),
            },
            [only] => only.shown(),
            _ if method => "($self, *args, **kwargs)".into(),
            _ => "(*args, **kwargs)".into(),
        };
        let functions: Vec<_> = self.overloads.iter().map(|overload| overload.function).collect();
        format!(
            "{name}{signature}\n--\n\n{}",
            documentation::docstring(self.name, &functions, self.row, method)
        )
    }
}

/// The name of an object's type, for messages.
pub fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "object".into(), |name| name.to_string())
}

impl Kind {
    /// What the parameter takes, for messages.
    pub const fn expected(self) -> &'static str {
        match self {
            Kind::Tensor => "Tensor",
            Kind::TensorLike => "Tensor or Number",
            Kind::OptionalTensor => "Tensor or None",
            Kind::OptionalTensorLike => "Tensor, Number or None",
            Kind::TensorList => "tuple of Tensors",
            Kind::Scalar => "Number",
            Kind::OptionalScalar => "Number or None",
            Kind::Int => "int",
            Kind::OptionalInt => "int or None",
            Kind::IntList => "int or tuple of ints",
            Kind::OptionalIntList => "int, tuple of ints or None",
            Kind::Shape => "tuple of ints",
            Kind::Float => "float",
            Kind::OptionalFloat => "float or None",
            Kind::FloatList => "float or tuple of floats",
            Kind::OptionalFloatList => "float, tuple of floats or None",
            Kind::Bool => "bool",
            Kind::OptionalBool => "bool or None",
            Kind::OptionalDType => "rustorch.dtype or None",
            Kind::OptionalDevice => "rustorch.device, str or None",
            Kind::OptionalGenerator => "rustorch.Generator or None",
            Kind::OptionalMemoryFormat => "rustorch.memory_format or None",
            Kind::Str => "str",
            Kind::OptionalStr => "str or None",
        }
    }

    const fn takes_none(self) -> bool {
        matches!(
            self,
            Kind::OptionalTensor
                | Kind::OptionalTensorLike
                | Kind::OptionalScalar
                | Kind::OptionalInt
                | Kind::OptionalIntList
                | Kind::OptionalFloat
                | Kind::OptionalFloatList
                | Kind::OptionalBool
                | Kind::OptionalDType
                | Kind::OptionalDevice
                | Kind::OptionalGenerator
                | Kind::OptionalMemoryFormat
                | Kind::OptionalStr
        )
    }
}
