//! Argument lists in the table: `input: Tensor, dim: int[]? = None, *, dtype: dtype? = None`.

/// The type of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::enum_variant_names, reason = "DType is PyTorch's name")]
pub enum Type {
    /// A tensor.
    Tensor,
    /// A tensor or a Python number, which becomes a 0-d tensor that yields in promotion.
    TensorLike,
    /// A tensor or None.
    OptionalTensor,
    /// A tensor, a number or None.
    OptionalTensorLike,
    /// A sequence of tensors.
    TensorList,
    /// A Python number.
    Scalar,
    /// A Python number or None.
    OptionalScalar,
    /// An integer.
    Int,
    /// An integer or None.
    OptionalInt,
    /// A sequence of integers, or a single one.
    IntList,
    /// The same, or None.
    OptionalIntList,
    /// Sizes: a sequence, or the rest of the positional arguments.
    Shape,
    /// A float.
    Float,
    /// A float or None.
    OptionalFloat,
    /// A sequence of floats, or a single one.
    FloatList,
    /// The same, or None.
    OptionalFloatList,
    /// A bool.
    Bool,
    /// A bool or None.
    OptionalBool,
    /// A dtype or None.
    OptionalDType,
    /// A device or its name, or None.
    OptionalDevice,
    /// A random generator or None.
    OptionalGenerator,
    /// A memory format or None.
    OptionalMemoryFormat,
    /// A string.
    Str,
    /// A string or None.
    OptionalStr,
}

impl Type {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "Tensor" => Type::Tensor,
            "TensorLike" => Type::TensorLike,
            "Tensor?" => Type::OptionalTensor,
            "TensorLike?" => Type::OptionalTensorLike,
            "Tensor[]" => Type::TensorList,
            "Scalar" => Type::Scalar,
            "Scalar?" => Type::OptionalScalar,
            "int" => Type::Int,
            "int?" => Type::OptionalInt,
            "int[]" => Type::IntList,
            "int[]?" => Type::OptionalIntList,
            "shape" => Type::Shape,
            "float" => Type::Float,
            "float?" => Type::OptionalFloat,
            "float[]" => Type::FloatList,
            "float[]?" => Type::OptionalFloatList,
            "bool" => Type::Bool,
            "bool?" => Type::OptionalBool,
            "dtype?" => Type::OptionalDType,
            "device?" => Type::OptionalDevice,
            "generator?" => Type::OptionalGenerator,
            "memory_format?" => Type::OptionalMemoryFormat,
            "str" => Type::Str,
            "str?" => Type::OptionalStr,
            _ => return None,
        })
    }

    /// Whether the argument is one tensor.
    pub fn is_tensor(self) -> bool {
        matches!(self, Type::Tensor | Type::TensorLike | Type::OptionalTensor | Type::OptionalTensorLike)
    }

    /// Whether the argument is one tensor or several.
    pub fn is_tensor_or_list(self) -> bool {
        self.is_tensor() || self == Type::TensorList
    }

    /// Whether None is allowed.
    pub fn is_optional(self) -> bool {
        matches!(
            self,
            Type::OptionalTensor
                | Type::OptionalTensorLike
                | Type::OptionalScalar
                | Type::OptionalInt
                | Type::OptionalIntList
                | Type::OptionalFloat
                | Type::OptionalFloatList
                | Type::OptionalBool
                | Type::OptionalDType
                | Type::OptionalDevice
                | Type::OptionalGenerator
                | Type::OptionalMemoryFormat
                | Type::OptionalStr
        )
    }

    /// The Rust parameter type of a generated or hand-written op.
    pub fn rust(self) -> &'static str {
        match self {
            Type::Tensor | Type::TensorLike => "&Tensor",
            Type::OptionalTensor | Type::OptionalTensorLike => "Option<&Tensor>",
            Type::TensorList => "&[Tensor]",
            Type::Scalar => "Scalar",
            Type::OptionalScalar => "Option<Scalar>",
            Type::Int => "i64",
            Type::OptionalInt => "Option<i64>",
            Type::IntList | Type::Shape => "&[i64]",
            Type::OptionalIntList => "Option<&[i64]>",
            Type::Float => "f64",
            Type::OptionalFloat => "Option<f64>",
            Type::FloatList => "&[f64]",
            Type::OptionalFloatList => "Option<&[f64]>",
            Type::Bool => "bool",
            Type::OptionalBool => "Option<bool>",
            Type::OptionalDType => "Option<DType>",
            Type::OptionalDevice => "Option<Device>",
            Type::OptionalGenerator => "Option<&Generator>",
            Type::OptionalMemoryFormat => "Option<MemoryFormat>",
            Type::Str => "&str",
            Type::OptionalStr => "Option<&str>",
        }
    }

    /// The type under which a node keeps a non-tensor argument, how it is taken, and how it is passed on.
    pub fn capture(self, name: &str) -> (&'static str, String, String) {
        let field = format!("this.{name}");
        match self {
            Type::IntList | Type::Shape => ("Vec<i64>", format!("{name}.to_vec()"), format!("&{field}")),
            Type::OptionalIntList => {
                ("Option<Vec<i64>>", format!("{name}.map(<[i64]>::to_vec)"), format!("{field}.as_deref()"))
            }
            Type::FloatList => ("Vec<f64>", format!("{name}.to_vec()"), format!("&{field}")),
            Type::OptionalFloatList => {
                ("Option<Vec<f64>>", format!("{name}.map(<[f64]>::to_vec)"), format!("{field}.as_deref()"))
            }
            Type::Str => ("String", format!("{name}.to_owned()"), format!("&{field}")),
            Type::OptionalStr => {
                ("Option<String>", format!("{name}.map(str::to_owned)"), format!("{field}.as_deref()"))
            }
            other => (other.rust(), name.to_owned(), field),
        }
    }

    /// The type in the stub file.
    pub fn stub(self) -> &'static str {
        match self {
            Type::Tensor => "Tensor",
            Type::TensorLike => "Tensor | Number",
            Type::OptionalTensor => "Tensor | None",
            Type::OptionalTensorLike => "Tensor | Number | None",
            Type::TensorList => "Sequence[Tensor]",
            Type::Scalar => "Number",
            Type::OptionalScalar => "Number | None",
            Type::Int => "int",
            Type::OptionalInt => "int | None",
            Type::IntList => "int | Sequence[int]",
            Type::OptionalIntList => "int | Sequence[int] | None",
            Type::Shape => "int | Sequence[int]",
            Type::Float => "float",
            Type::OptionalFloat => "float | None",
            Type::FloatList => "float | Sequence[float]",
            Type::OptionalFloatList => "float | Sequence[float] | None",
            Type::Bool => "bool",
            Type::OptionalBool => "bool | None",
            Type::OptionalDType => "dtype | None",
            Type::OptionalDevice => "device | str | None",
            Type::OptionalGenerator => "Generator | None",
            Type::OptionalMemoryFormat => "memory_format | None",
            Type::Str => "str",
            Type::OptionalStr => "str | None",
        }
    }
}

/// One argument.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// PyTorch's name.
    pub name: String,
    /// See [`Type`].
    pub kind: Type,
    /// The default as Python writes it.
    pub default: Option<String>,
    /// Whether it follows the `*`.
    pub keyword_only: bool,
}

impl Parameter {
    /// The default as a Rust expression of [`Type::rust`].
    pub fn rust_default(&self) -> Option<String> {
        let default = self.default.as_deref()?;
        Some(match (self.kind, default) {
            (_, "None") => "None".into(),
            (Type::Bool, "True") => "true".into(),
            (Type::Bool, "False") => "false".into(),
            (Type::Scalar, v) if v.contains('.') => format!("Scalar::Float({v})"),
            (Type::Scalar, v) => format!("Scalar::Int({v})"),
            (Type::OptionalScalar, v) => format!("Some(Scalar::Float({v}))"),
            (Type::Float, v) if !v.contains(['.', 'e']) => format!("{v}.0"),
            (Type::IntList | Type::FloatList | Type::Shape, v) => {
                format!("&[{}]", v.trim_matches(['(', ')', '[', ']']))
            }
            (Type::Str, v) => format!("\"{}\"", v.trim_matches('\'')),
            (kind, v) if kind.is_optional() => format!("Some({v})"),
            (_, v) => v.into(),
        })
    }
}

/// Reads an argument list.
pub fn parse_parameters(text: &str) -> Result<Vec<Parameter>, String> {
    let mut parameters = Vec::new();
    let mut keyword_only = false;
    for part in split_top_level(text) {
        if part == "*" {
            keyword_only = true;
            continue;
        }
        let (name, rest) = part.split_once(':').ok_or_else(|| format!("argument '{part}' lacks its type"))?;
        let (kind, default) = match rest.split_once('=') {
            Some((kind, default)) => (kind.trim(), Some(default.trim().to_owned())),
            None => (rest.trim(), None),
        };
        let kind =
            Type::parse(kind).ok_or_else(|| format!("argument '{name}' has the unknown type '{kind}'"))?;
        parameters.push(Parameter { name: name.trim().into(), kind, default, keyword_only });
    }
    Ok(parameters)
}

/// Splits at commas outside brackets.
fn split_top_level(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (i, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|p| !p.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_types_defaults_and_keyword_only() {
        let p =
            parse_parameters("input: Tensor, dim: int[]? = None, *, eps: float = 1e-5, size: int[] = (1, 2)")
                .expect("valid");
        assert_eq!(p.len(), 4);
        assert_eq!(
            (p[1].kind, p[1].default.as_deref(), p[1].keyword_only),
            (Type::OptionalIntList, Some("None"), false)
        );
        assert_eq!((p[2].rust_default().as_deref(), p[2].keyword_only), (Some("1e-5"), true));
        assert_eq!(p[3].rust_default().as_deref(), Some("&[1, 2]"));
    }

    #[test]
    fn names_the_unknown_type() {
        assert!(parse_parameters("x: Tensr").is_err_and(|e| e.contains("Tensr")));
    }
}
