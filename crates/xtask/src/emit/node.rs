//! The gradients of ops that are not elementwise, as the macro `kernels!` takes them.

use std::collections::BTreeSet;

use super::gradient::{Backward, inputs, is_optional, list_parameter};
use super::lower::{Ops, to_tensor_code};
use crate::formula::Expr;
use crate::table::{Gradient, Op};

/// What follows the node's fields, by lines: how many inputs there are, and the gradient of each.
pub(super) fn gradients(ops: &Ops<'_>, op: &Op, b: &Backward) -> Result<Vec<String>, String> {
    if let Gradient::Missing(reason) = &op.gradient {
        return Ok(vec![format!("missing \"'{}' is not implemented: {reason}\"", op.name)]);
    }
    if let Some(list) = list_parameter(op) {
        let (_, expr) = b.formulas.first().ok_or("a list argument needs its formula")?;
        return Ok(vec![format!("all this.{list}_origins.len() => {}", value(ops, op, b, expr)?)]);
    }
    let mut parts = vec![inputs(op).len().to_string() + ","];
    for (i, p) in inputs(op).iter().enumerate() {
        let name = &p.name;
        if matches!(op.gradient, Gradient::Zero) {
            parts.push(format!("{i} => this.{name}_origin.zeros()?,"));
        } else if let Some(reason) = op.missing.get(name) {
            let why = format!("\"'{}' by '{name}' is not implemented: {reason}\"", op.name);
            parts.push(format!("{i} => return Err(kernel_row::missing({why})),"));
        } else if let Some((_, expr)) = b.formulas.iter().find(|(target, _)| target == name) {
            let origin = if p.kind.is_optional() {
                format!("given(this.{name}_origin.as_ref(), node)?")
            } else {
                format!("this.{name}_origin")
            };
            let value = value(ops, op, b, expr).map_err(|e| format!("grad.{name}: {e}"))?;
            parts.push(format!("{i} => {origin}.restore({value})?,"));
        }
    }
    Ok(parts)
}

/// A formula as an expression.
fn value(ops: &Ops<'_>, op: &Op, b: &Backward, expr: &Expr) -> Result<String, String> {
    if matches!(expr, Expr::Name(n) if n == "grad") {
        return Ok("grad.clone()".into());
    }
    let code = to_tensor_code(ops, op, expr)?;
    let mut statements = unpack(op, b, expr);
    let conjugates = list_parameter(op).is_none() && op.conjugates(expr);
    let (last, value) = match code.statements.split_last() {
        // The value is what the last statement binds.
        Some((last, others)) if last.starts_with(&format!("let {} = ", code.value)) => {
            let expression = last.trim_start_matches(&format!("let {} = ", code.value)).trim_end_matches(';');
            (others, expression.to_owned())
        }
        _ => (&code.statements[..], code.value.clone()),
    };
    let formula = last.join(" ");
    if conjugates {
        let body = match value.strip_suffix('?') {
            Some(call) if formula.is_empty() => call.to_owned(),
            _ => format!("{{ {formula} Ok({value}) }}"),
        };
        let body = format!("conjugated(grad, |grad| {body})?");
        return Ok(if statements.is_empty() { body } else { format!("{{ {statements}{body} }}") });
    }
    statements += &formula;
    let statements = statements.trim_end();
    Ok(if statements.is_empty() { value } else { format!("{{ {statements} {value} }}") })
}

/// Statements that bring a formula's saved tensors back.
fn unpack(op: &Op, b: &Backward, expr: &Expr) -> String {
    let mut needed = BTreeSet::new();
    expr.names(&mut |name, attribute| {
        if attribute.is_none() && b.saved.contains_key(name) {
            needed.insert(name.to_owned());
        }
    });
    let statement = |name: &String| {
        if is_optional(op, name) {
            format!("let {name} = this.{name}.as_ref().map(|s| s.unpack(node)).transpose()?; ")
        } else {
            format!("let {name} = saved(this.{name}.as_ref(), node)?; ")
        }
    };
    needed.iter().map(statement).collect()
}
