//! `tensor/src/generated/ops/*.rs`: dispatch and autograd nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::MARK;
use super::lower::{Ops, to_program, to_tensor_code};
use crate::formula::{Expr, parse};
use crate::signature::Type;
use crate::table::{Gradient, Kind, Op, pascal};

/// A row's gradient, ready to be written.
struct Backward {
    node: String,
    /// Per argument with a formula: name and parsed formula.
    formulas: Vec<(String, Expr)>,
    /// Tensors whose values formulas use, each with the targets that need it.
    saved: BTreeMap<String, BTreeSet<String>>,
    /// Other arguments that formulas use.
    captured: BTreeSet<String>,
    /// Tensors whose shape or dtype is kept.
    origins: BTreeSet<String>,
}

fn backward(op: &Op) -> Result<Option<Backward>, String> {
    let formulas = match &op.gradient {
        Gradient::Formulas(formulas) => {
            formulas.iter().map(|(t, f)| Ok((t.clone(), parse(f)?))).collect::<Result<Vec<_>, String>>()?
        }
        Gradient::Zero | Gradient::Missing(_) => Vec::new(),
        Gradient::NotDifferentiable | Gradient::Inherited => return Ok(None),
    };
    let mut b = Backward {
        node: format!("{}Backward", pascal(op.rust_name.trim_end_matches('_'))),
        saved: BTreeMap::new(),
        captured: BTreeSet::new(),
        origins: formulas.iter().map(|(t, _)| t.clone()).collect(),
        formulas,
    };
    if matches!(op.gradient, Gradient::Zero) {
        b.origins.extend(op.tensors().map(|p| p.name.clone()));
    }
    for (target, expr) in &b.formulas {
        expr.names(&mut |name, attribute| {
            if name == "grad" || matches!(name, "true" | "false" | "None") {
                return;
            }
            if let Some(attribute) = attribute {
                if attribute != "wanted" {
                    b.origins.insert(name.into());
                }
                return;
            }
            let tensor = op.returns.iter().any(|r| r == name)
                || op.parameters.iter().any(|p| p.name == name && p.kind.is_tensor());
            if tensor {
                b.saved.entry(name.into()).or_default().insert(target.clone());
            } else {
                b.captured.insert(name.into());
            }
        });
    }
    Ok(Some(b))
}

fn parameter_list(op: &Op) -> String {
    op.parameters.iter().map(|p| format!("{}: {}", p.name, p.kind.rust())).collect::<Vec<_>>().join(", ")
}

fn argument_list(op: &Op) -> String {
    op.parameters.iter().map(|p| p.name.clone()).collect::<Vec<_>>().join(", ")
}

fn is_optional(op: &Op, name: &str) -> bool {
    op.parameters.iter().any(|p| p.name == name && p.kind.is_optional())
}

fn list_parameter(op: &Op) -> Option<&str> {
    op.parameters.iter().find(|p| p.kind == Type::TensorList).map(|p| p.name.as_str())
}

/// The inputs of the node: tensor arguments in order, or the list.
fn inputs(op: &Op) -> Vec<&crate::signature::Parameter> {
    op.parameters.iter().filter(|p| p.kind.is_tensor_or_list()).collect()
}

fn recording(op: &Op) -> String {
    if let Some(list) = list_parameter(op) {
        return format!("autograd::mode::is_enabled() && {list}.iter().any(Tensor::requires_grad)");
    }
    if inputs(op).iter().any(|p| p.kind.is_optional()) {
        let any = inputs(op)
            .iter()
            .map(|p| {
                if p.kind.is_optional() {
                    format!("{}.is_some_and(Tensor::requires_grad)", p.name)
                } else {
                    format!("{}.requires_grad()", p.name)
                }
            })
            .collect::<Vec<_>>()
            .join(" || ");
        return format!("autograd::mode::is_enabled() && ({any})");
    }
    let list = inputs(op).iter().map(|p| p.name.clone()).collect::<Vec<_>>().join(", ");
    format!("autograd::is_recording(&[{list}])")
}

fn edges(op: &Op) -> String {
    if let Some(list) = list_parameter(op) {
        return format!("autograd::edges({list})");
    }
    let list = inputs(op)
        .iter()
        .map(|p| {
            if p.kind.is_optional() {
                format!("{}.and_then(Tensor::edge)", p.name)
            } else {
                format!("{}.edge()", p.name)
            }
        })
        .collect::<Vec<_>>()
        .join(", ");
    format!("smallvec::smallvec![{list}]")
}

/// The node's struct literal. `original` names a copy of the first input where an in-place op overwrites it.
fn construct(op: &Op, b: &Backward, original: Option<(&str, &str)>) -> String {
    let mut fields = Vec::new();
    for (name, targets) in &b.saved {
        let result = op.returns.iter().position(|r| r == name);
        let wanted = targets
            .iter()
            .map(|t| {
                if is_optional(op, t) {
                    format!("{t}.is_some_and(Tensor::requires_grad)")
                } else {
                    format!("{t}.requires_grad()")
                }
            })
            .collect::<Vec<_>>()
            .join(" || ");
        let target_is_list = targets.iter().any(|t| list_parameter(op) == Some(t));
        let wanted = if target_is_list { "true".to_owned() } else { wanted };
        fields.push(match (result, original) {
            (Some(_), Some((target, _))) => format!("{name}: ({wanted}).then(|| Saved::output({target}, 0))"),
            (Some(0), None) => format!("{name}: ({wanted}).then(|| Saved::output(&{name}, 0))"),
            // Further results are constants of the gradient: they have no history.
            (Some(_), None) => format!("{name}: ({wanted}).then(|| Saved::input(&{name}))"),
            (None, Some((target, copy))) if name == target => {
                format!("{name}: {copy}.map(|t| Saved::input(&t))")
            }
            (None, _) if is_optional(op, name) => {
                format!("{name}: {name}.filter(|_| {wanted}).map(Saved::input)")
            }
            (None, _) => format!("{name}: ({wanted}).then(|| Saved::input({name}))"),
        });
    }
    for name in &b.captured {
        if let Some(p) = op.parameters.iter().find(|p| &p.name == name) {
            fields.push(format!("{name}: {}", p.kind.capture(name).1));
        }
    }
    for name in &b.origins {
        if list_parameter(op) == Some(name) {
            fields.push(format!("{name}_origins: {name}.iter().map(Origin::of).collect()"));
        } else if is_optional(op, name) {
            fields.push(format!("{name}_origin: {name}.map(Origin::of)"));
        } else if op.returns.contains(name) {
            fields.push(format!("{name}_origin: Origin::of(&{name})"));
        } else {
            fields.push(format!("{name}_origin: Origin::of({name})"));
        }
    }
    format!("Arc::new({} {{ {} }})", b.node, fields.join(", "))
}

fn doc(op: &Op) -> String {
    let mut text = format!("/// {}\n", op.doc);
    if !op.public {
        text += "///\n/// Internal: without a Python name.\n";
    }
    text
}

fn spec(op: &Op) -> String {
    let domain = match op.domain.as_str() {
        "mask" => "Number".to_owned(),
        other => pascal(other),
    };
    format!(
        "static {}: Spec = Spec {{ name: \"{}\", in_place: \"{}_\", op: ElementwiseOp::{}, promote: Promote::{}, domain: Domain::{domain} }};\n",
        op.rust_name.to_uppercase(),
        op.name,
        op.name,
        op.variant(),
        pascal(&op.promote),
    )
}

fn tensors_and_scalars(op: &Op) -> (String, String) {
    let tensors = op.tensors().map(|p| p.name.clone()).collect::<Vec<_>>().join(", ");
    let scalars =
        op.constants().iter().map(|p| format!("Scalar::from({})", p.name)).collect::<Vec<_>>().join(", ");
    (tensors, scalars)
}

fn forward(op: &Op, b: Option<&Backward>) -> String {
    let mut out = doc(op);
    let tuple = if op.returns_list() {
        "Vec<Tensor>".to_owned()
    } else if op.returns.len() == 1 {
        "Tensor".to_owned()
    } else {
        format!("({})", vec!["Tensor"; op.returns.len()].join(", "))
    };
    let _ = writeln!(out, "pub fn {}({}) -> Result<{tuple}> {{", op.rust_name, parameter_list(op));
    if let Some(redirect) = &op.redirect {
        let _ = writeln!(out, "if {} {{ return {}; }}", redirect.when, redirect.to);
    }
    let results =
        if op.returns.len() == 1 { op.returns[0].clone() } else { format!("({})", op.returns.join(", ")) };
    if op.kind == Kind::Elementwise {
        let (tensors, scalars) = tensors_and_scalars(op);
        let _ = writeln!(
            out,
            "let {results} = elementwise::run(&{}, &[{tensors}], &[{scalars}])?;",
            op.rust_name.to_uppercase()
        );
    } else {
        let _ = writeln!(
            out,
            "let {results} = {{ let _mode = autograd::GradMode::no_grad(); operations::{}::{}({})? }};",
            op.file,
            op.rust_name,
            argument_list(op)
        );
    }
    // A view without a gradient (detach) does not follow its base's history.
    if op.kind == Kind::View && !matches!(op.gradient, Gradient::NotDifferentiable) {
        let _ = writeln!(out, "{results}.set_base({});", op.parameters[0].name);
    }
    if let Some(b) = b {
        let _ = writeln!(out, "if {} {{", recording(op));
        let node = construct(op, b, None);
        // Formulas speak of the first result's gradient; further results (indices, statistics) have no history.
        let record = format!("autograd::record(&{}, {node}, {});", op.returns[0], edges(op));
        if op.domain == "float" {
            let _ = writeln!(out, "{record}");
        } else {
            let _ = writeln!(out, "if {}.dtype().is_differentiable() {{ {record} }}", op.returns[0]);
        }
        out += "}\n";
    }
    let _ = writeln!(out, "Ok({results})\n}}\n");
    out
}

fn in_place(op: &Op, b: Option<&Backward>) -> String {
    let target = &op.parameters[0].name;
    let name = format!("{}_", op.rust_name.trim_end_matches('_'));
    let mut out = format!("/// In-place form of [`{}`]: writes the result into `{target}`.\n", op.rust_name);
    let _ = writeln!(out, "pub fn {name}({}) -> Result<()> {{", parameter_list(op));
    let others = op.tensors().skip(1).map(|p| p.name.clone()).collect::<Vec<_>>();
    if op.kind != Kind::Elementwise {
        let _ = writeln!(
            out,
            "autograd::assign(\"{}_\", {target}, &{}({})?)\n}}\n",
            op.name,
            op.rust_name,
            argument_list(op)
        );
        return out;
    }
    if let Some(redirect) = &op.redirect {
        let _ = writeln!(
            out,
            "if {} {{ return autograd::assign(\"{}_\", {target}, &{}?); }}",
            redirect.when, op.name, redirect.to
        );
    }
    let (tensors, scalars) = tensors_and_scalars(op);
    let _ = writeln!(out, "autograd::check_inplace(\"{}_\", {target}, &[{}])?;", op.name, others.join(", "));
    let run = format!(
        "elementwise::run_in_place(&{}, &[{tensors}], &[{scalars}], {target})",
        op.rust_name.to_uppercase()
    );
    if let Some(b) = b {
        let _ = writeln!(out, "if !({}) {{ return {run}; }}", recording(op));
        if let Some(targets) = b.saved.get(target) {
            let wanted =
                targets.iter().map(|t| format!("{t}.requires_grad()")).collect::<Vec<_>>().join(" || ");
            let _ = writeln!(
                out,
                "let original = if {wanted} {{ Some(autograd::snapshot({target})?) }} else {{ None }};"
            );
        }
        let _ = writeln!(out, "let edges: autograd::Edges = {};\n{run}?;", edges(op));
        let node = construct(op, b, Some((target, "original")));
        let _ = writeln!(out, "autograd::rebase({target}, {node}, edges);\nOk(())\n}}\n");
    } else {
        // The result has no gradient (a comparison written into a float): what was recorded before ends here.
        let _ = writeln!(out, "{run}\n}}\n");
    }
    out
}

fn node(ops: &Ops<'_>, op: &Op, b: &Backward) -> Result<String, String> {
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
    let mut statics = String::new();
    for (i, p) in inputs(op).iter().enumerate() {
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
        let fused = if matches!(expr, Expr::Name(_)) || op.kind != Kind::Elementwise {
            None
        } else {
            to_program(ops, op, expr)
        };
        let value = if matches!(expr, Expr::Name(n) if n == "grad") {
            "grad.clone()".to_owned()
        } else {
            format!("{{ {} {} }}", code.statements.join("\n"), code.value)
        };
        if let Some(fused) = fused {
            let name = format!("{}_{}", op.rust_name.to_uppercase(), p.name.to_uppercase());
            let _ = writeln!(
                statics,
                "static {name}: Formula = Formula {{ instructions: &[{}], literals: &[{}], output: {} }};\n",
                fused.instructions.join(", "),
                fused.literals.join(", "),
                fused.output
            );
            let list = fused
                .inputs
                .iter()
                .map(|n| if n == "grad" { "grad".into() } else { format!("&{n}") })
                .collect::<Vec<_>>()
                .join(", ");
            let _ = writeln!(
                out,
                "gradients[{i}] = Some(if autograd::mode::is_enabled() {{ {origin}.restore({value})? }} else {{ autograd::run_fused(&{name}, &[{list}], &[{}], {origin})? }});",
                fused.scalars.join(", ")
            );
        } else {
            let _ = writeln!(out, "gradients[{i}] = Some({origin}.restore({value})?);");
        }
        out += "}\n";
    }
    out += "Ok(gradients)\n}\n}\n\n";
    Ok(statics + &out)
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

const HEADER: &str = "#![allow(clippy::all, clippy::pedantic, unused_imports, unused_variables)]

use std::sync::Arc;

use rustorch_backend::{DType, Device, ElementwiseOp, Instruction, Scalar, Source};
use rustorch_error::{Result, RusTorchError};

use super::saved;
use crate::{Generator, Tensor};
use crate::autograd::{self, Backward, Formula, Gradients, Node, Origin, Saved, formulas};
use crate::operations::{self, elementwise::{self, Domain, Promote, Spec}};
use crate::ops::{self, *};
";

const MOD_HEADER: &str = "//! Every op of the table as a function: dispatch and the node that differentiates it.

use std::sync::Arc;

use rustorch_error::{Result, RusTorchError};

use crate::Tensor;
use crate::autograd::{Node, Saved};

/// A saved tensor that this gradient needs.
fn saved(slot: Option<&Saved>, node: &Arc<Node>) -> Result<Tensor> {
    slot.ok_or_else(|| {
        RusTorchError::autograd(\"backward\", format!(\"{} did not save a tensor that its gradient needs\", node.name()))
    })?
    .unpack(node)
}
";

/// The files' paths and texts.
pub fn emit(ops: &[Op]) -> Result<Vec<(String, String)>, String> {
    let index = Ops::new(ops);
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for op in ops {
        // Masks exist only inside fused programs.
        if !op.public && (op.domain == "mask" || op.name == "mask_to_value" || op.name == "value_to_mask") {
            continue;
        }
        let text = files.entry(&op.file).or_default();
        let context = |e: String| format!("op '{}': {e}", op.name);
        let b = backward(op).map_err(context)?;
        if op.kind == Kind::Composite {
            let _ = writeln!(text, "pub use crate::operations::{}::{};\n", op.file, op.rust_name);
        } else {
            if op.kind == Kind::Elementwise {
                *text += &spec(op);
            }
            *text += &forward(op, b.as_ref());
        }
        if op.inplace {
            *text += &in_place(op, b.as_ref());
        }
        if let Some(b) = &b {
            *text += &node(&index, op, b).map_err(context)?;
        }
    }
    let mut out = Vec::new();
    let mut modules = format!("// {MARK}\n{MOD_HEADER}\n");
    for (file, text) in files {
        let _ = writeln!(modules, "mod {file};\npub use {file}::*;");
        out.push((
            format!("crates/tensor/src/generated/ops/{file}.rs"),
            format!("// {MARK}\n{HEADER}\n{text}"),
        ));
    }
    out.push(("crates/tensor/src/generated/ops/mod.rs".into(), modules));
    out.push((
        "crates/tensor/src/generated/mod.rs".into(),
        format!("// {MARK}\n//! Written by `cargo xtask codegen`.\n\npub mod ops;\n"),
    ));
    Ok(out)
}
