//! `py/src/generated`: the ops as Python sees them: a table for `rustorch_py::arguments`, and a text of what `help()` shows.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::MARK;
use crate::signature::{Parameter, Type};
use crate::table::{Kind, Op};

/// What Python's grammar keeps for itself; such a parameter gets a `_` in signatures.
const KEYWORDS: [&str; 8] = ["from", "in", "is", "lambda", "pass", "with", "class", "global"];

/// A parameter's name in Python.
pub fn python_name(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// A public name with the rows that are its overloads.
pub struct Public<'a> {
    /// The name, with `_` for an in-place form.
    pub name: String,
    /// The rows, in order.
    pub rows: Vec<&'a Op>,
    /// Whether this is the in-place form of its rows.
    pub in_place: bool,
    /// The Python module of the function, if there is a function.
    pub module: Option<String>,
    /// Whether Tensor has it as a method.
    pub method: bool,
}

impl Public<'_> {
    /// Whether the op writes into its first argument and gives that.
    pub fn writes(&self) -> bool {
        self.name.ends_with('_')
    }

    /// Other names in the same module.
    pub fn aliases(&self) -> Vec<String> {
        let mut aliases: Vec<String> = Vec::new();
        for row in &self.rows {
            for alias in row.aliases.iter().filter(|a| !a.contains('.')) {
                let alias = if self.in_place { format!("{alias}_") } else { alias.clone() };
                if !aliases.contains(&alias) {
                    aliases.push(alias);
                }
            }
        }
        aliases
    }

    /// The names of the function in other modules: `special.expit` is `("special", "expit")`.
    pub fn elsewhere(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows
            .iter()
            .filter(|_| !self.in_place)
            .flat_map(|row| row.aliases.iter())
            .filter_map(|alias| alias.rsplit_once('.'))
    }
}

/// The public names of the table, by file, each file in the table's order.
pub fn public(ops: &[Op]) -> BTreeMap<&str, Vec<Public<'_>>> {
    let mut files: BTreeMap<&str, Vec<Public<'_>>> = BTreeMap::new();
    for op in ops.iter().filter(|op| op.public && (op.method || op.function)) {
        let names = files.entry(&op.file).or_default();
        // A row that is a method alone is none of the function's overloads.
        let same = |p: &Public<'_>| p.name == op.name && !p.in_place && op.function == p.module.is_some();
        if let Some(known) = names.iter_mut().find(|p| same(p)) {
            known.rows.push(op);
        } else {
            let module = op.function.then(|| python_module(op));
            names.push(Public {
                name: op.name.clone(),
                rows: vec![op],
                in_place: false,
                module,
                method: op.method,
            });
        }
        if op.inplace {
            let name = format!("{}_", op.name);
            if let Some(known) = names.iter_mut().find(|p| p.name == name && p.in_place) {
                known.rows.push(op);
                continue;
            }
            let module = op.function.then(|| python_module(op));
            names.push(Public { name, rows: vec![op], in_place: true, module, method: op.method });
        }
    }
    files
}

fn python_module(op: &Op) -> String {
    if op.module.is_empty() { "rustorch".into() } else { format!("rustorch.{}", op.module) }
}

/// The parameters as Python writes them; without the first where it is `self`.
pub fn signature(op: &Op, method: bool) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut starred = false;
    if method {
        parts.push("$self".into());
    }
    for parameter in op.parameters.iter().skip(usize::from(method)) {
        if parameter.kind == Type::Shape {
            parts.push(format!("*{}", python_name(&parameter.name)));
            starred = true;
            continue;
        }
        if parameter.keyword_only && !starred {
            parts.push("*".into());
            starred = true;
        }
        let name = python_name(&parameter.name);
        parts.push(match &parameter.default {
            Some(default) => format!("{name}={default}"),
            None => name,
        });
    }
    parts.join(", ")
}

/// What `help()` shows of a row: `rustorch_py::arguments::documentation` reads it.
fn documentation(row: &Op) -> Result<String, String> {
    let mut text = format!("=== {}({})\n{}", row.rust_name, signature(row, false), row.doc);
    let notes = super::documentation::notes(row);
    if !notes.is_empty() {
        let _ = write!(text, "\n\n{notes}");
    }
    for (title, part) in [("Shape", &row.shape), ("Errors", &row.errors)] {
        if let Some(part) = part {
            let _ = write!(text, "\n\n{title}: {}", part.trim());
        }
    }
    text += &arguments(row);
    if let Some(example) = &row.example {
        let _ = write!(text, "\n\nExample:\n\n{}", example.trim_end());
    }
    if row.doc.contains("\n\n")
        || text.matches("=== ").count() > 1
        || text.matches("Example:\n\n").count() > 1
    {
        return Err(format!(
            "op '{}': `doc` is one paragraph, and '=== ' and 'Example:' stand for themselves",
            row.name
        ));
    }
    Ok(text + "\n\n")
}

/// The section on a row's arguments.
fn arguments(row: &Op) -> String {
    let mut text = String::new();
    for p in &row.parameters {
        let Some(said) = row.about.get(&p.name) else { continue };
        let default = p.default.as_ref().map_or_else(String::new, |default| format!(" Default: {default}."));
        let _ = write!(text, "\n{}", filled(&format!("{}: {said}{default}", python_name(&p.name))));
    }
    if row.out && !text.is_empty() {
        let said = "a tensor for the result, which is resized where it has another shape, and returned.";
        let _ = write!(text, "\n{}", filled(&format!("out: {said} Default: None.")));
    }
    if text.is_empty() { text } else { format!("\n\nArgs:{text}") }
}

/// An entry of such a section, in lines as long as those of the house.
fn filled(entry: &str) -> String {
    let (mut text, mut length) = ("   ".to_owned(), 3);
    for word in entry.split(' ') {
        let width = word.chars().count() + 1;
        if length + width > WIDTH {
            text += "\n       ";
            length = 7;
        }
        text.push(' ');
        text += word;
        length += width;
    }
    text
}

/// `name: Kind = default`.
fn parameter(p: &Parameter) -> String {
    let mut text = format!("{}: {:?}", python_name(&p.name), p.kind);
    match p.rust_default().as_deref() {
        None => {}
        // Absent and None read the same.
        Some("None") if p.kind.is_optional() => text += " or None",
        // The elements of a default live as long as the program.
        Some(default) if p.kind == Type::OptionalIntList => {
            let _ = write!(text, " = {}", default.replace("Some(", "Some(&"));
        }
        Some(default) => {
            let _ = write!(text, " = {default}");
        }
    }
    text
}

/// The line of a row: its function's name, parameters, and in-place form.
fn overload(row: &Op, in_place: bool) -> String {
    let list = |keyword_only: bool| {
        let chosen = row.parameters.iter().filter(|p| p.keyword_only == keyword_only);
        chosen.map(parameter).collect::<Vec<_>>().join(", ")
    };
    let mut line = format!("{}({}", row.rust_name, list(false));
    let keywords = list(true);
    if !keywords.is_empty() {
        let _ = write!(line, "; {keywords}");
    }
    line.push(')');
    if row.out {
        line += " -> out";
    }
    if let Some(condition) = &row.tuple_when {
        let _ = write!(line, " when {condition}");
    }
    if in_place {
        let _ = write!(line, ", {}_", row.rust_name.trim_end_matches('_'));
    }
    line + ";"
}

/// The longest line.
const WIDTH: usize = 120;

/// The lines of a public name in the macro `bindings!`; `in_place` are the rows that have that form.
fn binding(public: &Public<'_>, in_place: &[&Op]) -> String {
    let place = match (&public.module, public.method) {
        (Some(_), true) => "both",
        (Some(_), false) => "function",
        (None, _) => "method",
    };
    let work = match public.rows[0] {
        _ if public.rows.iter().all(|row| row.kind == Kind::View) => "view",
        row if row.heavy => "heavy",
        _ => "plain",
    };
    let module = public.module.as_deref().unwrap_or("rustorch");
    let aliases: Vec<_> = public.aliases().iter().map(|a| format!("{a:?}")).collect();
    let head = format!("    {:?} {place} {module:?} [{}] {work} {{", public.name, aliases.join(", "));
    let has = |row: &Op| in_place.iter().any(|r| r.rust_name == row.rust_name);
    let overloads: Vec<_> = public.rows.iter().map(|row| overload(row, has(row))).collect();
    let short = format!("{head} {} }}\n", overloads.join(" "));
    if short.len() <= WIDTH {
        return short;
    }
    let lines = overloads.iter().fold(String::new(), |lines, line| format!("{lines}        {line}\n"));
    format!("{head}\n{lines}    }}\n")
}

const HEADER: &str = "#![allow(clippy::all, clippy::pedantic, non_snake_case, unused_imports, unused_macros)]

use super::bound::*;
";

const BOUND: &str = "/// What `bindings!` names.
mod bound {
    pub(super) use pyo3::ffi;
    pub(super) use rustorch_backend::{Dims, Scalar};
    pub(super) use rustorch_tensor::ops;

    pub(super) use crate::arguments::table::{
        Registered, Results, bindings, entry, give, is_given, overload, pass, place, read, registered, usual, work,
    };
    pub(super) use crate::arguments::{Binding, Kind, NEVER, Overload, Parameter, enter};
}
";

/// The files' paths and texts.
pub fn emit(ops: &[Op]) -> Result<Vec<(String, String)>, String> {
    let files = public(ops);
    let mut out = Vec::new();
    let (mut modules, mut tables) = (String::new(), Vec::new());
    let mut documented = format!("{MARK}\n\n");
    for (file, names) in &files {
        let mut text = format!("// {MARK}\n{HEADER}\nbindings! {{\n");
        for public in names.iter().filter(|p| !p.in_place) {
            let name = format!("{}_", public.name);
            let with_form: Vec<_> = public.rows.iter().copied().filter(|row| row.inplace).collect();
            let form = names.iter().find(|p| p.in_place && p.name == name);
            if form.is_some_and(|form| !with_form.is_empty() && form.rows.len() != with_form.len()) {
                return Err(format!("'{name}' is the in-place form of rows of which some are methods alone"));
            }
            text += &binding(public, &with_form);
            for row in &public.rows {
                documented += &documentation(row)?;
            }
        }
        text += "}\n";
        out.push((format!("crates/py/src/generated/{file}.rs"), text));
        let _ = writeln!(modules, "mod {file};");
        tables.push(format!("{file}::TABLE"));
    }
    out.push(("crates/py/src/generated/documentation.txt".into(), documented));
    out.push((
        "crates/py/src/generated/mod.rs".into(),
        format!(
            "// {MARK}\n//! The ops of the table.\n\n{modules}\nuse crate::arguments::table::Registered;\n\n{BOUND}\n\
             /// The bindings, by file.\npub static TABLES: [&[Registered]; {}] = [{}];\n",
            tables.len(),
            tables.join(", ")
        ),
    ));
    Ok(out)
}
