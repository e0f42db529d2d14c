//! What a row says of its op: to Rust, and to `help()`.

use crate::table::{ComplexForm, Gradient, Kind, Op};

/// What an op's docstring says beyond its one sentence: broadcasting, dtypes, memory, gradient.
pub fn notes(op: &Op) -> String {
    let mut notes: Vec<String> = Vec::new();
    if op.kind == Kind::Elementwise {
        if op.tensors().count() > 1 {
            notes.push("Shapes broadcast against each other; ShapeMismatchError if they do not.".into());
        }
        let complex = op.complex.is_some();
        let (takes, otherwise) = match op.domain.as_str() {
            "number" if complex => ("every dtype", ""),
            "number" => ("every real dtype and bool", "; DTypeError otherwise"),
            "real" if complex => ("integers, floats and complex numbers", "; DTypeError otherwise"),
            "real" => ("integers and floats", "; DTypeError otherwise"),
            "float" | "special" if op.promote == "same" && complex => {
                ("floats and complex numbers", "; DTypeError otherwise")
            }
            "float" | "special" if op.promote == "same" => ("floats", "; DTypeError otherwise"),
            "float" | "special" if complex => {
                ("every dtype", "; integers and bools become the default float dtype")
            }
            "float" | "special" => (
                "every real dtype",
                "; integers and bools become the default float dtype; DTypeError otherwise",
            ),
            "integer" => ("integers and bool", "; DTypeError otherwise"),
            _ => ("masks", "; DTypeError otherwise"),
        };
        notes.push(format!("Takes {takes}{otherwise}."));
        if op.complex == Some(ComplexForm::Real) && op.result_kind != "mask" {
            notes.push(
                "Complex numbers give real ones".to_owned()
                    + if op.inplace { ", which can not be written over them." } else { "." },
            );
        }
    }
    if op.kind == Kind::View {
        notes.push("The result shares memory with its input.".into());
    }
    match &op.gradient {
        Gradient::Zero => notes.push("Its gradient is zero.".into()),
        Gradient::Missing(reason) => {
            notes.push(format!("backward() through it raises AutogradError: {reason}."));
        }
        Gradient::NotDifferentiable => notes.push("The result has no gradient.".into()),
        Gradient::Formulas(_) | Gradient::Inherited => {}
    }
    notes.join(" ")
}

/// The documentation of a row's function.
pub(super) fn doc(op: &Op) -> String {
    let mut text = format!("/// {}\n", op.doc);
    if !op.public {
        text += "///\n/// Internal: without a Python name.\n";
    }
    text
}
