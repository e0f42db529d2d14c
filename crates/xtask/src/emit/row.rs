//! The elementwise rows of `tensor/src/generated/ops/*.rs`: a static each, and a line for their functions.

use std::fmt::Write;

use super::bindings::python_name;
use super::documentation::doc;
use super::lines::wrap;
use super::lower::{Ops, Program, to_program};
use crate::formula::{Expr, parse};
use crate::table::{ComplexForm, Gradient, Op, pascal};

/// The static of a row: what `rustorch_tensor::operations::row` runs.
pub(super) fn row(ops: &Ops<'_>, op: &Op) -> Result<String, String> {
    if let Some(p) = op.parameters.iter().find(|p| p.kind.is_tensor_or_list() && p.kind.rust() != "&Tensor") {
        return Err(format!("'{}' is not one tensor", p.name));
    }
    let derivatives = derivatives(ops, op)?;
    let mut saves = [0u8; 4];
    for (target, derivative) in derivatives.iter().enumerate() {
        for name in &derivative.inputs {
            let slot =
                if op.returns.contains(name) { Some(3) } else { op.tensors().position(|p| &p.name == name) };
            if let Some(slot) = slot {
                saves[slot] |= 1 << target;
            }
        }
    }
    let texts: Vec<_> = derivatives.iter().map(|d| d.text.as_str()).collect();
    let text = format!(
        "pub(crate) static {}: Row = Row {{ spec: {}, tensors: {}, node: \"{}Backward0\", saves: {saves:?}, derivatives: &[{}] }};\n\n",
        op.row(),
        spec(op),
        op.tensors().count(),
        pascal(op.rust_name.trim_end_matches('_')),
        texts.join(", ")
    );
    Ok(wrap(0, text.trim_end()) + "\n\n")
}

/// The line of a row's functions in the macro `functions!`.
pub(super) fn function(op: &Op) -> Result<String, String> {
    let tensors: Vec<_> = op.tensors().map(|p| p.name.as_str()).collect();
    if op.parameters.iter().skip(tensors.len()).any(|p| p.kind.is_tensor()) {
        return Err("the tensors of an elementwise op come first".into());
    }
    let others: Vec<_> =
        op.parameters.iter().skip(tensors.len()).map(|p| format!("{}: {}", p.name, p.kind.rust())).collect();
    let mut line = doc(op);
    let _ = write!(line, "{}: {}({}", op.row(), op.rust_name, tensors.join(", "));
    match &op.redirect {
        Some(redirect) => {
            let _ =
                write!(line, ") given({}) unless {} => {}", others.join(", "), redirect.when, redirect.to);
        }
        None if others.is_empty() => line.push(')'),
        None if others.len() == op.constants().len() => {
            let _ = write!(line, "; {})", others.join(", "));
        }
        None => return Err("what is neither a tensor nor a number has no use without a redirect".into()),
    }
    if op.inplace {
        let _ = write!(line, ", {}_", op.rust_name.trim_end_matches('_'));
    }
    Ok(line + ";\n")
}

fn spec(op: &Op) -> String {
    let domain = match op.domain.as_str() {
        "mask" => "Number".to_owned(),
        "special" => "Float".to_owned(),
        other => pascal(other),
    };
    let arguments: Vec<_> =
        op.tensors().chain(op.constants()).map(|p| format!("\"{}\"", python_name(&p.name))).collect();
    let complex = match op.complex {
        None => "None",
        Some(ComplexForm::Real) => "Some(Parts::Real)",
        Some(_) => "Some(Parts::Complex)",
    };
    format!(
        "spec!(\"{}\", [{}], {}, {}, {domain}, {complex}, {})",
        op.name,
        arguments.join(", "),
        op.variant(),
        pascal(&op.promote),
        op.wraps,
    )
}

/// A `Derivative`, and the names of what it is computed from.
struct Derivative {
    text: String,
    inputs: Vec<String>,
}

fn derivatives(ops: &Ops<'_>, op: &Op) -> Result<Vec<Derivative>, String> {
    let plain = |text: &str| Derivative { text: text.into(), inputs: Vec::new() };
    let missing = |by: &str, reason: &str| {
        plain(&format!("Missing(\"the derivative of '{}'{by} is not implemented: {reason}\")", op.name))
    };
    op.tensors()
        .map(|p| {
            Ok(Some(match &op.gradient {
                Gradient::NotDifferentiable | Gradient::Inherited => return Ok(None),
                Gradient::Zero => plain("Zero"),
                Gradient::Missing(reason) => missing("", reason),
                Gradient::Formulas(formulas) => match (formulas.get(&p.name), op.missing.get(&p.name)) {
                    (Some(text), _) => {
                        derivative(ops, op, &parse(text)?).map_err(|e| format!("grad.{}: {e}", p.name))?
                    }
                    (None, Some(reason)) => missing(&format!(" by '{}'", p.name), reason),
                    (None, None) => plain("Derivative::None"),
                },
            }))
        })
        .filter_map(Result::transpose)
        .collect()
}

fn derivative(ops: &Ops<'_>, op: &Op, expr: &Expr) -> Result<Derivative, String> {
    if *expr == Expr::Name("grad".into()) {
        return Ok(Derivative { text: "Same".into(), inputs: Vec::new() });
    }
    if let Some(Program { instructions, constants, inputs, numbers }) = to_program(ops, op, expr)? {
        let places: Vec<_> = numbers
            .iter()
            .map(|name| {
                let place = op.constants().iter().position(|p| &p.name == name);
                place.map(|n| n.to_string()).ok_or_else(|| format!("the row does not pass '{name}'"))
            })
            .collect::<Result<_, _>>()?;
        let text = format!(
            "formula!({}, [{}], [{}], {}, [{}])",
            values(op, &inputs)?,
            constants.join(", "),
            places.join(", "),
            op.conjugates(expr),
            instructions.join(", ")
        );
        return Ok(Derivative { text, inputs });
    }
    // A function of `autograd/formulas`, of tensors.
    match expr {
        Expr::Call(name, arguments) => {
            let inputs = arguments
                .iter()
                .map(|a| match a {
                    Expr::Name(name) => Ok(name.clone()),
                    _ => Err(format!("{name}: pass it tensors by their names")),
                })
                .collect::<Result<Vec<_>, String>>()?;
            let passed: Vec<_> = (0..inputs.len()).map(|i| format!("values[{i}]")).collect();
            let text = format!(
                "Function {{ inputs: &{}, call: |values| formulas::{name}({}) }}",
                values(op, &inputs)?,
                passed.join(", ")
            );
            Ok(Derivative { text, inputs })
        }
        _ => Err("neither elementwise ops nor a function of autograd/formulas".into()),
    }
}

/// The list of `Value`s for names of tensors.
fn values(op: &Op, names: &[String]) -> Result<String, String> {
    let values = names
        .iter()
        .map(|name| {
            if name == "grad" {
                return Ok("Grad".to_owned());
            }
            if op.returns.contains(name) {
                return Ok("Value::Result".to_owned());
            }
            let place = op.tensors().position(|p| &p.name == name);
            place.map(|n| format!("Argument({n})")).ok_or_else(|| format!("unknown name '{name}'"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(format!("[{}]", values.join(", ")))
}
