//! `tensor/src/generated/ops/*.rs`: dispatch and autograd nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use super::MARK;
use super::documentation::doc;
use super::gradient::{Backward, backward, inputs, is_optional, list_parameter};
use super::lines::wrap;
use super::lower::Ops;
use super::node::gradients;
use super::row::{function, row};
use crate::signature::Type;
use crate::table::{Gradient, Kind, Op};

fn parameter_list(op: &Op) -> String {
    op.parameters.iter().map(|p| format!("{}: {}", p.name, p.kind.rust())).collect::<Vec<_>>().join(", ")
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

/// The node's fields, each with its type and its value.
fn fields(op: &Op, b: &Backward) -> Result<String, String> {
    let mut fields = Vec::new();
    for (name, targets) in &b.saved {
        let wanted = wanted(op, targets);
        let value = match op.returns.iter().position(|r| r == name) {
            Some(0) => format!("({wanted}).then(|| Saved::output(&{name}, 0)).transpose()?"),
            // Further results are constants of the gradient: they have no history.
            Some(_) => format!("({wanted}).then(|| Saved::input(&{name})).transpose()?"),
            None if is_optional(op, name) => {
                format!("{name}.filter(|_| {wanted}).map(Saved::input).transpose()?")
            }
            None => format!("({wanted}).then(|| Saved::input({name})).transpose()?"),
        };
        fields.push(format!("{name}: Option<Saved> = {value}"));
    }
    for name in &b.captured {
        let parameter = op.parameters.iter().find(|p| &p.name == name);
        let parameter = parameter.ok_or_else(|| format!("unknown name '{name}'"))?;
        let (kind, value, _) = parameter.kind.capture(name);
        fields.push(format!("{name}: {kind} = {value}"));
    }
    for name in &b.origins {
        fields.push(if list_parameter(op) == Some(name) {
            format!("{name}_origins: Vec<Origin> = {name}.iter().map(Origin::of).collect()")
        } else if is_optional(op, name) {
            format!("{name}_origin: Option<Origin> = {name}.map(Origin::of)")
        } else if op.returns.contains(name) {
            format!("{name}_origin: Origin = Origin::of(&{name})")
        } else {
            format!("{name}_origin: Origin = Origin::of({name})")
        });
    }
    Ok(fields.join(", "))
}

/// The check that the tensors of a kernel are on one device. What may be a number is left to the op.
fn together(op: &Op) -> Option<String> {
    let wanted = |p: &&crate::signature::Parameter| matches!(p.kind, Type::Tensor | Type::OptionalTensor);
    let single: Vec<_> = op
        .parameters
        .iter()
        .filter(wanted)
        .map(|p| if p.kind == Type::Tensor { format!("Some({})", p.name) } else { p.name.clone() })
        .collect();
    let others = single.join(", ");
    match list_parameter(op) {
        Some(list) => Some(format!("crate::placement::list_together(\"{}\", {list}, &[{others}])", op.name)),
        None if single.len() > 1 => Some(format!("crate::placement::together(\"{}\", &[{others}])", op.name)),
        None => None,
    }
}

/// What a function gives.
fn output(op: &Op) -> String {
    if op.returns_list() {
        "Vec<Tensor>".to_owned()
    } else if op.returns.len() == 1 {
        "Tensor".to_owned()
    } else {
        format!("({})", vec!["Tensor"; op.returns.len()].join(", "))
    }
}

/// `file::name(argument: type, …) -> type`.
fn head(op: &Op) -> String {
    wrap(0, &format!("{}::{}({}) -> {}", op.file, op.rust_name, parameter_list(op), output(op)))
}

/// When an op calls itself on wider tensors, where the given ones are of half precision, and with what.
fn widening(op: &Op) -> Option<String> {
    let condition = op.widen.as_ref()?;
    let (mut seen, mut wider) = (Vec::new(), Vec::new());
    for p in &op.parameters {
        let name = &p.name;
        let (given, how) = match p.kind {
            Type::TensorList => (Some("List"), "list"),
            kind if kind.is_tensor() && kind.is_optional() => (Some("Maybe"), "maybe"),
            kind if kind.is_tensor() => (Some("One"), "one"),
            Type::OptionalDType => (None, "dtype"),
            _ => (None, "as_is"),
        };
        seen.extend(given.map(|given| format!("Given::{given}({name})")));
        wider.push(format!("{how} {name}"));
    }
    let dtype = op.parameters.iter().find(|p| p.kind == Type::OptionalDType);
    let dtype = dtype.map_or("None", |p| p.name.as_str());
    Some(format!("({}), {dtype} if {condition} => ({})", seen.join(", "), wider.join(", ")))
}

/// The row in the macro `kernels!`.
fn kernel(index: &Ops<'_>, op: &Op, b: Option<&Backward>) -> Result<String, String> {
    let results =
        if op.returns.len() == 1 { op.returns[0].clone() } else { format!("({})", op.returns.join(", ")) };
    let mut clauses = Vec::new();
    clauses.extend(widening(op).map(|widening| format!("widen {widening};")));
    if let Some(redirect) = &op.redirect {
        clauses.push(format!("instead {} => {};", redirect.when, redirect.to));
    }
    clauses.extend(together(op).map(|together| format!("on {together};")));
    // A view without a gradient (detach) does not follow its base's history.
    if op.kind == Kind::View && !matches!(op.gradient, Gradient::NotDifferentiable) {
        clauses.push(format!("view of {};", op.parameters[0].name));
    }
    if let Some(b) = b {
        // Formulas speak of the first result's gradient; further results (indices, statistics) have no history.
        let (first, recording) = (&op.returns[0], recording(op));
        clauses.push(format!("record {first} if {recording}, {}, {} {{", edges(op), b.node));
        clauses.push(format!("  {}", fields(op, b)?));
        clauses.push("} (this, node, grad) {".into());
        clauses.extend(gradients(index, op, b)?.iter().map(|line| format!("  {line}")));
        clauses.push("};".into());
    }
    let clauses = clauses.iter().fold(String::new(), |text, clause| {
        let inner = clause.trim_start();
        text + &wrap(2 + clause.len() - inner.len(), inner) + "\n"
    });
    let body = if clauses.is_empty() { "{}".to_owned() } else { format!("{{\n{clauses}}}") };
    Ok(format!("{}{} = {results} {body}\n", doc(op), head(op)))
}

/// The row's in-place form in the macro `overwriting!`, of an op that is not elementwise.
fn in_place(op: &Op) -> String {
    let others = op.parameters[1..].iter().map(|p| format!(", {}: {}", p.name, p.kind.rust()));
    wrap(
        0,
        &format!(
            "{}_ = {}({}{}), \"{}_\";\n",
            op.rust_name.trim_end_matches('_'),
            op.rust_name,
            op.parameters[0].name,
            others.collect::<String>(),
            op.name,
        ),
    )
}

/// A row names what it needs, whatever that is.
const ALLOWED: &str = "
#![allow(clippy::all, clippy::pedantic, unreachable_code, unused_imports, unused_variables, non_snake_case)]
";

const HEADER: &str = "use super::names::*;
";

const NAMES: &str = "/// What the files name.
mod names {
    pub(super) use std::sync::Arc;

    pub(super) use rustorch_backend::Source::{Constant, Input, Register};
    pub(super) use rustorch_backend::{DType, Device, ElementwiseOp, Instruction, Scalar};
    pub(super) use rustorch_error::{Result, RusTorchError};

    pub(super) use crate::autograd::{self, Backward, Gradients, Node, Origin, Saved, formulas};
    pub(super) use crate::operations::elementwise::{Domain, Parts, Promote, Spec};
    pub(super) use crate::operations::kernel_row::{self, conjugated, given, kernels, overwriting, saved, widened};
    pub(super) use crate::operations::row::Derivative::{self, Function, Missing, Same, Zero};
    pub(super) use crate::operations::row::Value::{self, Argument, Grad};
    pub(super) use crate::operations::row::{self, Row, formula, functions, spec};
    pub(super) use crate::operations::widening::{Given, Narrowed, Widening};
    pub(super) use crate::operations;
    pub(super) use crate::ops::{self, *};
    pub(super) use crate::{Generator, Tensor};
}
";

/// A file's rows, by the macro that takes them.
#[derive(Default)]
struct File {
    rows: String,
    functions: String,
    kernels: String,
    widened: String,
    overwriting: String,
    /// Functions that are given on as they are.
    plain: Vec<String>,
}

impl File {
    fn text(&self, name: &str) -> String {
        let mut text = format!("// {MARK}\n{HEADER}\n");
        if !self.plain.is_empty() {
            let list = self.plain.join(", ");
            let list = if self.plain.len() > 1 { format!("{{{list}}}") } else { list };
            text += &wrap(0, &format!("pub use crate::operations::{name}::{list};"));
            text += "\n\n";
        }
        text += &self.rows;
        let macros = [
            ("functions", &self.functions),
            ("kernels", &self.kernels),
            ("widened", &self.widened),
            ("overwriting", &self.overwriting),
        ];
        for (name, rows) in macros {
            if !rows.is_empty() {
                let _ = writeln!(text, "{name}! {{\n{rows}}}\n");
            }
        }
        text.truncate(text.trim_end().len());
        text + "\n"
    }
}

/// The folder of the files, whose lines are wrapped here: to rustfmt, what macros take is text.
const OPS: &str = "crates/tensor/src/generated/ops/";

/// Whether a file is one of those.
pub fn is_wrapped(path: &Path) -> bool {
    path.starts_with(OPS) && !path.ends_with("mod.rs")
}

/// The files' paths and texts.
pub fn emit(ops: &[Op]) -> Result<Vec<(String, String)>, String> {
    let index = Ops::new(ops);
    let mut files: BTreeMap<&str, File> = BTreeMap::new();
    for op in ops {
        // Masks exist only inside fused programs.
        if !op.public && (op.domain == "mask" || op.name == "mask_to_value" || op.name == "value_to_mask") {
            continue;
        }
        let context = |e: String| format!("op '{}': {e}", op.name);
        let file = files.entry(&op.file).or_default();
        if op.kind == Kind::Elementwise {
            file.rows += &row(&index, op).map_err(context)?;
            file.functions += &function(op).map_err(context)?;
            continue;
        }
        match (op.kind, widening(op)) {
            (Kind::Composite, Some(widening)) => {
                let _ = writeln!(file.widened, "{}{} {{\n{}\n}}", doc(op), head(op), wrap(2, &widening));
            }
            (Kind::Composite, None) => file.plain.push(op.rust_name.clone()),
            _ => {
                let b = backward(op).map_err(context)?;
                file.kernels += &kernel(&index, op, b.as_ref()).map_err(context)?;
            }
        }
        if op.inplace {
            file.overwriting += &in_place(op);
        }
    }
    let mut out = Vec::new();
    let mut modules = format!("// {MARK}\n//! Every op of the table as a function.\n{ALLOWED}\n");
    for (name, file) in files {
        let _ = writeln!(modules, "#[rustfmt::skip]\nmod {name};");
        out.push((format!("{OPS}{name}.rs"), file.text(name)));
    }
    let names = out.iter().map(|(path, _)| path.trim_start_matches(OPS).trim_end_matches(".rs"));
    for name in names {
        let _ = writeln!(modules, "pub use {name}::*;");
    }
    out.push((format!("{OPS}mod.rs"), modules + "\n" + NAMES));
    out.push((
        "crates/tensor/src/generated/mod.rs".into(),
        format!("// {MARK}\n//! Written by `cargo xtask codegen`.\n\npub mod ops;\n"),
    ));
    Ok(out)
}
