//! `tensor/src/generated/ops/*.rs`: dispatch and autograd nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::MARK;
use super::documentation::doc;
use super::gradient::{Backward, backward, inputs, is_optional, list_parameter};
use super::lower::Ops;
use super::node::node;
use super::row::{function, row};
use crate::signature::Type;
use crate::table::{Gradient, Kind, Op};

fn parameter_list(op: &Op) -> String {
    op.parameters.iter().map(|p| format!("{}: {}", p.name, p.kind.rust())).collect::<Vec<_>>().join(", ")
}

fn argument_list(op: &Op) -> String {
    op.parameters.iter().map(|p| p.name.clone()).collect::<Vec<_>>().join(", ")
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

/// Whether a gradient that needs a saved tensor is wanted.
fn wanted(op: &Op, targets: &BTreeSet<String>) -> String {
    if targets.iter().any(|t| list_parameter(op) == Some(t)) {
        return "true".to_owned();
    }
    let each = targets.iter().map(|t| {
        if is_optional(op, t) {
            format!("{t}.is_some_and(Tensor::requires_grad)")
        } else {
            format!("{t}.requires_grad()")
        }
    });
    each.collect::<Vec<_>>().join(" || ")
}

/// The node's struct literal.
fn construct(op: &Op, b: &Backward) -> String {
    let mut fields = Vec::new();
    for (name, targets) in &b.saved {
        let wanted = wanted(op, targets);
        fields.push(match op.returns.iter().position(|r| r == name) {
            Some(0) => format!("{name}: ({wanted}).then(|| Saved::output(&{name}, 0)).transpose()?"),
            // Further results are constants of the gradient: they have no history.
            Some(_) => format!("{name}: ({wanted}).then(|| Saved::input(&{name})).transpose()?"),
            None if is_optional(op, name) => {
                format!("{name}: {name}.filter(|_| {wanted}).map(Saved::input).transpose()?")
            }
            None => format!("{name}: ({wanted}).then(|| Saved::input({name})).transpose()?"),
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
    format!("{} {{ {} }}", b.node, fields.join(", "))
}

/// The check that the tensors of a kernel are on one device. What may be a number is left to the op.
fn together(op: &Op) -> String {
    let wanted = |p: &&crate::signature::Parameter| matches!(p.kind, Type::Tensor | Type::OptionalTensor);
    let single: Vec<_> = op
        .parameters
        .iter()
        .filter(wanted)
        .map(|p| if p.kind == Type::Tensor { format!("Some({})", p.name) } else { p.name.clone() })
        .collect();
    let others = single.join(", ");
    match list_parameter(op) {
        Some(list) => {
            format!("crate::placement::list_together(\"{}\", {list}, &[{others}])?;\n", op.name)
        }
        None if single.len() > 1 => format!("crate::placement::together(\"{}\", &[{others}])?;\n", op.name),
        None => String::new(),
    }
}

/// The beginning of a function, up to its body.
fn head(op: &Op) -> String {
    let tuple = if op.returns_list() {
        "Vec<Tensor>".to_owned()
    } else if op.returns.len() == 1 {
        "Tensor".to_owned()
    } else {
        format!("({})", vec!["Tensor"; op.returns.len()].join(", "))
    };
    format!("{}pub fn {}({}) -> Result<{tuple}> {{\n", doc(op), op.rust_name, parameter_list(op))
}

/// The call of the op itself on wider tensors, where the given ones are of half precision.
fn widened(op: &Op) -> String {
    let Some(condition) = &op.widen else { return String::new() };
    let condition = if condition == "true" { String::new() } else { format!("({condition}) && ") };
    let (mut seen, mut casts) = (Vec::new(), String::new());
    for p in &op.parameters {
        let name = &p.name;
        if let Some((kind, call)) = match p.kind {
            Type::TensorList => Some(("List", format!("&wide.list({name})?"))),
            kind if !kind.is_tensor() => None,
            kind if kind.is_optional() => Some(("Maybe", format!("wide.optional({name})?.as_ref()"))),
            _ => Some(("One", format!("&wide.tensor({name})?"))),
        } {
            seen.push(format!("Given::{kind}({name})"));
            let _ = write!(casts, "{call}, ");
        } else if p.kind == Type::OptionalDType {
            let _ = write!(casts, "wide.dtype({name}), ");
        } else {
            let _ = write!(casts, "{name}, ");
        }
    }
    let dtype = op.parameters.iter().find(|p| p.kind == Type::OptionalDType);
    let dtype = dtype.map_or("None", |p| p.name.as_str());
    format!(
        "if {condition}let Some(wide) = Widening::of(&[{}], {dtype}) {{ return {}({casts})?.narrowed(wide); }}\n",
        seen.join(", "),
        op.rust_name,
    )
}

fn forward(op: &Op, b: Option<&Backward>) -> String {
    let mut out = head(op);
    out += &widened(op);
    if let Some(redirect) = &op.redirect {
        let _ = writeln!(out, "if {} {{ return {}; }}", redirect.when, redirect.to);
    }
    let results =
        if op.returns.len() == 1 { op.returns[0].clone() } else { format!("({})", op.returns.join(", ")) };
    out += &together(op);
    let _ = writeln!(
        out,
        "let {results} = {{ let _mode = autograd::GradMode::no_grad(); operations::{}::{}({})? }};",
        op.file,
        op.rust_name,
        argument_list(op)
    );
    // A view without a gradient (detach) does not follow its base's history.
    if op.kind == Kind::View && !matches!(op.gradient, Gradient::NotDifferentiable) {
        let _ = writeln!(out, "{results}.set_base({});", op.parameters[0].name);
    }
    if let Some(b) = b {
        let _ = writeln!(out, "if {} {{", recording(op));
        let node = construct(op, b);
        // Formulas speak of the first result's gradient; further results (indices, statistics) have no history.
        let record = format!("autograd::record(&{}, Arc::new({node}), {});", op.returns[0], edges(op));
        let _ = writeln!(out, "if {}.dtype().is_differentiable() {{ {record} }}", op.returns[0]);
        out += "}\n";
    }
    let _ = writeln!(out, "Ok({results})\n}}\n");
    out
}

/// The in-place form of an op that is not elementwise.
fn in_place(op: &Op) -> String {
    let target = &op.parameters[0].name;
    format!(
        "/// In-place form of [`{}`]: writes the result into `{target}`.\n\
         pub fn {}_({}) -> Result<()> {{\nautograd::overwrite(\"{}_\", {target}, || {}({}))\n}}\n\n",
        op.rust_name,
        op.rust_name.trim_end_matches('_'),
        parameter_list(op),
        op.name,
        op.rust_name,
        argument_list(op)
    )
}

const HEADER: &str = "#![allow(clippy::all, clippy::pedantic, unused_imports, unused_variables, non_snake_case)]

use std::sync::Arc;

use rustorch_backend::Source::{Constant, Input, Register};
use rustorch_backend::{DType, Device, ElementwiseOp, Instruction, Scalar};
use rustorch_error::{Result, RusTorchError};

use super::saved;
use crate::{Generator, Tensor};
use crate::autograd::{self, Backward, Gradients, Node, Origin, Saved, formulas};
use crate::operations::row::Derivative::{self, Function, Missing, Same, Zero};
use crate::operations::row::Value::{self, Argument, Grad};
use crate::operations::row::{self, Row, formula, functions, spec};
use crate::operations::{self, elementwise::{Domain, Parts, Promote, Spec}, widening::{Given, Narrowed, Widening}};
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
    // Rows, and their functions.
    let mut elementwise: BTreeMap<&str, (String, String)> = BTreeMap::new();
    for op in ops {
        // Masks exist only inside fused programs.
        if !op.public && (op.domain == "mask" || op.name == "mask_to_value" || op.name == "value_to_mask") {
            continue;
        }
        let context = |e: String| format!("op '{}': {e}", op.name);
        if op.kind == Kind::Elementwise {
            let file = elementwise.entry(&op.file).or_default();
            file.0 += &row(&index, op).map_err(context)?;
            file.1 += &function(op).map_err(context)?;
            continue;
        }
        let text = files.entry(&op.file).or_default();
        let b = backward(op).map_err(context)?;
        if op.kind == Kind::Composite && op.widen.is_some() {
            let (file, name) = (&op.file, &op.rust_name);
            let call = format!("operations::{file}::{name}({})", argument_list(op));
            let _ = writeln!(text, "{}{}{call}\n}}\n", head(op), widened(op));
        } else if op.kind == Kind::Composite {
            let _ = writeln!(text, "pub use crate::operations::{}::{};\n", op.file, op.rust_name);
        } else {
            *text += &forward(op, b.as_ref());
        }
        if op.inplace {
            *text += &in_place(op);
        }
        if let Some(b) = &b {
            *text += &node(&index, op, b).map_err(context)?;
        }
    }
    for (file, (rows, functions)) in elementwise {
        let text = files.entry(file).or_default();
        *text = format!("{rows}functions! {{\n{functions}}}\n\n{text}");
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
