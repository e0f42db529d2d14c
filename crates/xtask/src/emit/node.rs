//! The autograd nodes of ops that are not elementwise, in `tensor/src/generated/ops/*.rs`: what is saved, and the gradient
//! of each input.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::gradient::{Backward, inputs, is_optional, list_parameter};
use super::lower::{Ops, to_tensor_code};
use crate::formula::Expr;
use crate::table::{Gradient, Op};

/// The node of a row: its struct and `impl Backward`.
pub(super) fn node(ops: &Ops<'_>, op: &Op, b: &Backward) -> Result<String, String> {
    let mut out = String::from("#[derive(Debug)]\n");
    let _ = writeln!(out, "struct {} {{", b.node);
    for name in b.saved.keys() {
        let _ = writeln!(out, "{name}: Option<Saved>,");
    }
    for name in &b.captured {
        let p =
            op.parameters.iter().find(|p| &p.name == name).ok_or_else(|| format!("unknown name '{name}'"))?;
        let _ = writeln!(out, "{name}: {},", p.kind.capture(name).0);
    }
    for name in &b.origins {
        if list_parameter(op) == Some(name) {
            let _ = writeln!(out, "{name}_origins: Vec<Origin>,");
        } else if is_optional(op, name) {
            let _ = writeln!(out, "{name}_origin: Option<Origin>,");
        } else {
            let _ = writeln!(out, "{name}_origin: Origin,");
        }
    }
    let _ = writeln!(out, "}}\n\nimpl Backward for {} {{", b.node);
    let _ = writeln!(out, "fn name(&self) -> std::borrow::Cow<'static, str> {{ \"{}0\".into() }}", b.node);
    out += "fn backward(&self, node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {\n";
    if let Gradient::Missing(reason) = &op.gradient {
        let _ = writeln!(
            out,
            "let _ = (node, grads);\nErr(RusTorchError::autograd(\"backward\", \"the derivative of '{}' is not implemented: {reason}\"))\n}}\n}}\n",
            op.name
        );
        return Ok(out);
    }
    let count = inputs(op).len();
    if let Some(list) = list_parameter(op) {
        let (_, expr) = b.formulas.first().ok_or("a list argument needs its formula")?;
        let code = to_tensor_code(ops, op, expr)?;
        let _ = writeln!(
            out,
            "let Some(grad) = &grads[0] else {{ return Ok(smallvec::smallvec![None; self.{list}_origins.len()]) }};"
        );
        out += &unpack(op, b, expr);
        let _ = writeln!(out, "{}\nOk({})\n}}\n}}\n", code.statements.join("\n"), code.value);
        return Ok(out);
    }
    let _ = writeln!(out, "let mut gradients: Gradients = smallvec::smallvec![None; {count}];");
    let _ = writeln!(out, "let Some(grad) = &grads[0] else {{ return Ok(gradients) }};");
    if matches!(op.gradient, Gradient::Zero) {
        out += "let _ = grad;\n";
        for (i, p) in inputs(op).iter().enumerate() {
            let _ = writeln!(
                out,
                "if node.wants({i}) {{ gradients[{i}] = Some(self.{}_origin.zeros()?); }}",
                p.name
            );
        }
        out += "Ok(gradients)\n}\n}\n";
        return Ok(out);
    }
    for (i, p) in inputs(op).iter().enumerate() {
        if let Some(reason) = op.missing.get(&p.name) {
            let _ = writeln!(
                out,
                "if node.wants({i}) {{ return Err(RusTorchError::autograd(\"backward\", \"the derivative of '{}' by '{}' is not implemented: {reason}\")); }}",
                op.name, p.name
            );
        }
        let Some((_, expr)) = b.formulas.iter().find(|(t, _)| *t == p.name) else { continue };
        let _ = writeln!(out, "if node.wants({i}) {{");
        out += &unpack(op, b, expr);
        let code = to_tensor_code(ops, op, expr).map_err(|e| format!("grad.{}: {e}", p.name))?;
        let origin = if p.kind.is_optional() {
            let _ =
                writeln!(out, "let Some(origin) = &self.{}_origin else {{ return Ok(gradients) }};", p.name);
            "origin".to_owned()
        } else {
            let _ = writeln!(out, "let origin = &self.{}_origin;", p.name);
            "origin".to_owned()
        };
        let value = if matches!(expr, Expr::Name(n) if n == "grad") {
            "grad.clone()".to_owned()
        } else if op.conjugates(expr) {
            // The gradient of a holomorphic function is `grad * conj(f')`, and a formula says `grad * f'`.
            format!(
                "{{ let grad = &autograd::conjugate(grad)?; {} autograd::conjugate(&{})? }}",
                code.statements.join("\n"),
                code.value
            )
        } else {
            format!("{{ {} {} }}", code.statements.join("\n"), code.value)
        };
        let _ = writeln!(out, "gradients[{i}] = Some({origin}.restore({value})?);");
        out += "}\n";
    }
    out += "Ok(gradients)\n}\n}\n\n";
    Ok(out)
}

/// Statements that bring a formula's saved tensors back.
fn unpack(op: &Op, b: &Backward, expr: &Expr) -> String {
    let mut needed = BTreeSet::new();
    expr.names(&mut |name, attribute| {
        if attribute.is_none() && b.saved.contains_key(name) {
            needed.insert(name.to_owned());
        }
    });
    needed
        .iter()
        .map(|name| {
            if is_optional(op, name) {
                format!("let {name} = self.{name}.as_ref().map(|s| s.unpack(node)).transpose()?;\n")
            } else {
                format!("let {name} = saved(self.{name}.as_ref(), node)?;\n")
            }
        })
        .collect()
}
