//! `py/src/generated/*.rs`: the ops as Python sees them, as data for `rustorch_py::arguments`.

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

    /// The Rust function of a row.
    fn function(&self, row: &Op) -> String {
        if self.in_place {
            format!("{}_", row.rust_name.trim_end_matches('_'))
        } else {
            row.rust_name.clone()
        }
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
            // Where there is no method, the function has to have the in-place form.
            let module = (!op.method).then(|| python_module(op));
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

/// A docstring: what the op does, its forms, shapes and errors.
pub fn documentation(public: &Public<'_>) -> String {
    let mut text = String::new();
    for (i, row) in public.rows.iter().enumerate() {
        if i > 0 {
            text += "\n\n";
        }
        if public.rows.len() > 1 {
            let _ = write!(text, "{}({})\n    ", public.name, signature(row, false));
        }
        if public.in_place {
            let _ = write!(text, "In-place form of {}: ", row.name);
        }
        text += &row.doc;
    }
    let row = public.rows[0];
    let notes = super::python::notes(row);
    if !notes.is_empty() {
        let _ = write!(text, "\n\n{notes}");
    }
    for (title, part) in [("Shape", &row.shape), ("Errors", &row.errors)] {
        if let Some(part) = part {
            let _ = write!(text, "\n\n{title}: {}", part.trim());
        }
    }
    let examples: Vec<_> = public.rows.iter().filter_map(|row| row.example.as_deref()).collect();
    if !examples.is_empty() && !public.in_place {
        let _ = write!(text, "\n\nExample:\n\n{}", examples.join("\n").trim_end());
    }
    text
}

/// The longest piece of a string literal on one line, so that rustfmt can lay out what is around it.
const PIECE: usize = 80;

/// A string literal, broken over lines where it is long.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    let mut length = 0;
    for word in text.split_inclusive(' ') {
        // A continued line swallows leading blanks, so a break comes after them.
        if length > 0 && length + word.len() > PIECE && !word.starts_with(' ') {
            out += "\\\n";
            length = 0;
        }
        let escaped = format!("{word:?}");
        out += &escaped[1..escaped.len() - 1];
        length += word.len();
    }
    out + "\""
}

fn parameter(p: &Parameter) -> String {
    let name = python_name(&p.name);
    let kind = p.kind.binding();
    let mut text = format!("Parameter::new({name:?}, {kind})");
    if p.default.is_some() {
        text += ".optional()";
    }
    if p.keyword_only {
        text += ".keyword_only()";
    }
    text
}

/// How an argument is read, and how it is passed on.
fn read(index: usize, p: &Parameter) -> (String, String) {
    let name = format!("p{index}");
    let accessor = match p.kind {
        Type::TensorLike => "tensor_like",
        Type::OptionalTensorLike => "optional_tensor_like",
        other => other.accessor(),
    };
    let read = format!("a.{accessor}({index})?");
    let default = p.rust_default();
    let value = match (&default, p.kind) {
        // Absent and None read the same.
        (None, _) => read,
        (Some(d), kind) if d == "None" && kind.is_optional() => read,
        (Some(d), Type::IntList | Type::FloatList | Type::Shape) => {
            format!("if a.given({index}) {{ {read} }} else {{ Dims::from_slice({d}) }}")
        }
        (Some(d), Type::OptionalIntList) => {
            format!(
                "if a.given({index}) {{ {read} }} else {{ {}.map(Dims::from_slice) }}",
                d.replace("Some(", "Some(&")
            )
        }
        (Some(d), Type::Str) => format!("if a.given({index}) {{ {read} }} else {{ {d}.to_owned() }}"),
        (Some(d), Type::OptionalStr) => {
            format!("if a.given({index}) {{ {read} }} else {{ {d}.map(str::to_owned) }}")
        }
        (Some(d), _) => format!("if a.given({index}) {{ {read} }} else {{ {d} }}"),
    };
    let pass = match p.kind {
        Type::Tensor
        | Type::TensorLike
        | Type::TensorList
        | Type::IntList
        | Type::FloatList
        | Type::Shape
        | Type::Str => format!("&{name}"),
        Type::OptionalTensor | Type::OptionalTensorLike | Type::OptionalGenerator => {
            format!("{name}.as_ref()")
        }
        Type::OptionalIntList | Type::OptionalFloatList | Type::OptionalStr => format!("{name}.as_deref()"),
        _ => name.clone(),
    };
    (format!("let {name} = {value};"), pass)
}

fn overload(public: &Public<'_>, row: &Op) -> String {
    let (reads, passes): (Vec<_>, Vec<_>) =
        row.parameters.iter().enumerate().map(|(i, p)| read(i, p)).unzip();
    let call = format!("ops::{}({})", public.function(row), passes.join(", "));
    let give = if public.writes() {
        format!("a.give_first(&|| {call})")
    } else if let Some(condition) = &row.tuple_when {
        // The condition names parameters, which are places here.
        let places: Vec<_> = condition
            .split(' ')
            .map(|word| match row.parameters.iter().position(|p| p.name == word) {
                Some(place) => format!("p{place}"),
                None => word.to_owned(),
            })
            .collect();
        format!("a.give_tuple_when({}, &|| {call})", places.join(" "))
    } else if row.returns_list() {
        format!("a.give_tuple(&|| {call})")
    } else if row.returns.len() > 1 {
        let names: Vec<_> = (0..row.returns.len()).map(|i| format!("r{i}")).collect();
        let names = names.join(", ");
        format!("a.give_named(&|| {{ let ({names}) = {call}?; Ok(list([{names}])) }})")
    } else {
        format!("a.give(&|| {call})")
    };
    let parameters: Vec<_> = row.parameters.iter().map(parameter).collect();
    format!(
        "Overload {{ signature: {}, parameters: &[{}], out: {}, call: |a| {{ {} {give} }} }}",
        literal(&format!("({})", signature(row, false))),
        parameters.join(", "),
        row.out && !public.in_place,
        reads.join(" ")
    )
}

fn binding(public: &Public<'_>) -> String {
    let overloads: Vec<_> = public.rows.iter().map(|row| overload(public, row)).collect();
    let module = public.module.as_deref().map_or("None".to_owned(), |m| format!("Some({})", literal(m)));
    let aliases: Vec<_> = public.aliases().iter().map(|a| literal(a)).collect();
    let release = match public.rows[0] {
        _ if !public.in_place && public.rows.iter().all(|row| row.kind == Kind::View) => {
            "crate::arguments::NEVER"
        }
        row if row.heavy => "1 << 12",
        _ => "1 << 15",
    };
    format!(
        "Binding {{ name: {}, overloads: &[{}], doc: {}, module: {module}, method: {}, aliases: &[{}], \
         release_from: {release} }},\n",
        literal(&public.name),
        overloads.join(", "),
        literal(&documentation(public)),
        public.method,
        aliases.join(", ")
    )
}

const HEADER: &str = "#![allow(clippy::all, clippy::pedantic, unused_imports)]

use rustorch_backend::{DType, Device, Dims, Scalar};
use rustorch_tensor::ops;

use crate::arguments::{Binding, Kind, Overload, Parameter, Table, entry};
use crate::return_types::list;

pub(super) struct File;
";

/// The files' paths and texts.
pub fn emit(ops: &[Op]) -> Vec<(String, String)> {
    let files = public(ops);
    let mut out = Vec::new();
    let mut modules = String::new();
    let mut calls = String::new();
    for (file, names) in &files {
        let mut text = format!("// {MARK}\n{HEADER}\n");
        text += "impl Table for File {\nconst BINDINGS: &'static [Binding] = &[\n";
        for public in names {
            text += &binding(public);
        }
        text += "];\n}\n\n";
        let entries: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(i, public)| {
                let of_name = |alias| format!("entry::<File, {i}, {alias}>");
                format!("&[{}]", (0..=public.aliases().len()).map(of_name).collect::<Vec<_>>().join(", "))
            })
            .collect();
        let _ = writeln!(
            text,
            "pub(super) const ENTRIES: &[&[crate::arguments::Entry]] = &[{}];",
            entries.join(", ")
        );
        out.push((format!("crates/py/src/generated/{file}.rs"), text));
        let _ = writeln!(modules, "mod {file};");
        let _ = writeln!(
            calls,
            "add_functions(module, {file}::File::BINDINGS, {file}::ENTRIES)?;\n\
             add_methods(class, {file}::File::BINDINGS, {file}::ENTRIES)?;"
        );
    }
    out.push((
        "crates/py/src/generated/mod.rs".into(),
        format!(
            "// {MARK}\n//! The ops of the table.\n\n{modules}\nuse pyo3::prelude::*;\nuse pyo3::types::PyType;\n\n\
             use crate::arguments::{{Table, add_functions, add_methods}};\n\n\
             /// Adds every op to the module and to the class Tensor.\n\
             pub fn register(module: &Bound<'_, PyModule>, class: &Bound<'_, PyType>) -> PyResult<()> {{\n{calls}Ok(())\n}}\n"
        ),
    ));
    out
}
