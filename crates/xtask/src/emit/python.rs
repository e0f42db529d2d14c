//! What Python tools read: the stub `_C.pyi`, the re-exports, the named tuples, the API reference.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::MARK;
use super::bindings::{Public, public, python_name, signature};
use crate::signature::{Parameter, Type};
use crate::table::{Gradient, Op};

/// The hand-written part of the stub, with marks where the ops' methods and functions go.
const STUB: &str = include_str!("../../../py/stubs/_C.pyi");
/// The hand-written stubs of settings, streams, and of the functions behind nn, optim and safetensors.
const ROOMS: [&str; 4] = [
    include_str!("../../../py/stubs/settings.pyi"),
    include_str!("../../../py/stubs/streams.pyi"),
    include_str!("../../../py/stubs/nn.pyi"),
    include_str!("../../../py/stubs/model_io.pyi"),
];
const METHODS: &str = "    # <methods of the op table>\n";
const FUNCTIONS: &str = "# <functions of the op table>\n";

/// A type in the stub, under names that the class's own attributes do not hide.
fn stub_type(kind: Type) -> String {
    kind.stub()
        .split_inclusive(|c: char| !c.is_alphanumeric())
        .map(|piece| {
            let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
            let rest = &piece[word.len()..];
            match word {
                "int" | "float" | "bool" | "dtype" | "device" | "memory_format" | "Number" => {
                    format!("_{word}{rest}")
                }
                _ => piece.to_owned(),
            }
        })
        .collect()
}

fn stub_parameter(p: &Parameter) -> String {
    let name = python_name(&p.name);
    let kind = stub_type(p.kind);
    if p.kind == Type::Shape {
        return format!("*{name}: {kind}");
    }
    match &p.default {
        Some(default) => format!("{name}: {kind} = {default}"),
        None => format!("{name}: {kind}"),
    }
}

fn result_type(public: &Public<'_>, row: &Op, method: bool) -> String {
    if public.writes() {
        if method { "Self".into() } else { "Tensor".into() }
    } else if row.tuple_when.is_some() {
        // Which one it is depends on the values of arguments.
        "Any".into()
    } else if row.returns_list() {
        "tuple[Tensor, ...]".into()
    } else if row.returns.len() > 1 {
        format!("_return_types.{}", row.name)
    } else {
        "Tensor".into()
    }
}

/// A stub line of one signature.
fn stub_line(public: &Public<'_>, name: &str, row: &Op, method: bool) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut starred = false;
    if method {
        parts.push("self".into());
    }
    for p in row.parameters.iter().skip(usize::from(method)) {
        if p.keyword_only && !starred {
            parts.push("*".into());
            starred = true;
        }
        starred |= p.kind == Type::Shape;
        parts.push(stub_parameter(p));
    }
    if row.out && !public.in_place && !method {
        if !starred {
            parts.push("*".into());
        }
        let kind = if row.returns.len() > 1 { "Sequence[Tensor]" } else { "Tensor" };
        parts.push(format!("out: {kind} | None = None"));
    }
    format!("def {name}({}) -> {}: ...\n", parts.join(", "), result_type(public, row, method))
}

/// The stub lines of a name and its aliases.
fn stub(public: &Public<'_>, method: bool) -> String {
    let indent = if method { "    " } else { "" };
    let mut text = String::new();
    for name in std::iter::once(public.name.clone()).chain(public.aliases()) {
        for row in &public.rows {
            if public.rows.len() > 1 {
                let _ = writeln!(text, "{indent}@overload");
            }
            let _ = write!(text, "{indent}{}", stub_line(public, &name, row, method));
        }
    }
    text
}

fn stub_file(files: &BTreeMap<&str, Vec<Public<'_>>>) -> String {
    let (mut methods, mut functions) = (String::new(), String::new());
    for public in files.values().flatten() {
        if public.method {
            methods += &stub(public, true);
        }
        if public.module.is_some() {
            functions += &stub(public, false);
        }
    }
    let text = STUB.replace(METHODS, &methods).replace(FUNCTIONS, &functions);
    format!("# {MARK}\n# The hand-written parts stand in crates/py/stubs.\n{text}\n{}", ROOMS.concat())
}

/// Every function of a Python module with its name in `rustorch._C`, sorted.
fn functions_of(files: &BTreeMap<&str, Vec<Public<'_>>>, module: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for public in files.values().flatten() {
        if public.module.as_deref() == Some(module) {
            // What begins with `_` serves functions written in Python, which take it from `rustorch._C`.
            if public.name.starts_with('_') {
                continue;
            }
            let short = public.rows[0].short_name.clone() + if public.in_place { "_" } else { "" };
            names.insert(short, public.name.clone());
            names.extend(public.aliases().into_iter().map(|alias| (alias.clone(), alias)));
        }
        for (home, alias) in public.elsewhere() {
            if format!("rustorch.{home}") == module {
                names.insert(alias.into(), public.name.clone());
            }
        }
    }
    names
}

fn exports(files: &BTreeMap<&str, Vec<Public<'_>>>, module: &str, doc: &str) -> String {
    let mut text = format!("# {MARK}\n\"\"\"{doc}\"\"\"\n\nfrom rustorch._C import (\n");
    let mut names = functions_of(files, module);
    if module == "rustorch.linalg" {
        names.insert("LinAlgError".into(), "LinAlgError".into());
    }
    for (name, native) in &names {
        if name == native {
            let _ = writeln!(text, "    {name},");
        } else {
            let _ = writeln!(text, "    {native} as {name},");
        }
    }
    text += ")\n\n__all__ = [\n";
    for name in names.keys() {
        let _ = writeln!(text, "    \"{name}\",");
    }
    text + "]\n"
}

/// The modules that hold nothing but ops and their errors: their name, and what they are about.
const MODULES: [(&str, &str); 4] = [
    ("fft", "Discrete Fourier transforms."),
    ("linalg", "Linear algebra: norms, products, decompositions, solvers."),
    ("signal.windows", "Window functions."),
    ("special", "The special functions of mathematics."),
];

fn named_tuples(files: &BTreeMap<&str, Vec<Public<'_>>>) -> String {
    let mut text = format!(
        "# {MARK}\n\"\"\"What ops with several results give. Imported when the first such op runs.\"\"\"\n\n\
         from typing import NamedTuple\n\nfrom rustorch._C import Tensor\n"
    );
    for public in files.values().flatten() {
        let Some(row) = public.rows.iter().find(|row| row.returns.len() > 1) else { continue };
        let _ = write!(
            text,
            "\n\nclass {}(NamedTuple):\n    \"\"\"The results of {}().\"\"\"\n\n",
            public.name, public.name
        );
        for field in &row.returns {
            let _ = writeln!(text, "    {field}: Tensor");
        }
    }
    text
}

fn reference(files: &BTreeMap<&str, Vec<Public<'_>>>) -> String {
    let mut text = format!(
        "<!-- {MARK} -->\n# Ops\n\nEvery op of the table in `crates/backend/ops`. \"m\": also a method of Tensor; \
         \"_\": also in place, under the name with a `_` at its end; \"out\": the function takes `out=`.\n"
    );
    for (file, names) in files {
        let title = file.replace('_', " ");
        let _ = write!(text, "\n## {title}\n\n| op | | what it computes | gradient |\n|---|---|---|---|\n");
        for public in names.iter().filter(|p| !p.in_place) {
            for row in &public.rows {
                let module = if row.module.is_empty() { String::new() } else { format!("{}.", row.module) };
                let mut marks = Vec::new();
                if public.method {
                    marks.push("m");
                }
                if row.inplace {
                    marks.push("_");
                }
                if row.out {
                    marks.push("out");
                }
                let gradient = match &row.gradient {
                    Gradient::Formulas(formulas) => {
                        format!(
                            "by {}",
                            formulas.keys().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")
                        )
                    }
                    Gradient::Inherited => "of the ops inside".into(),
                    Gradient::Zero => "zero".into(),
                    Gradient::Missing(reason) => format!("raises: {reason}"),
                    Gradient::NotDifferentiable => "none".into(),
                };
                let aliases = if row.aliases.is_empty() {
                    String::new()
                } else {
                    format!(
                        " Also: {}.",
                        row.aliases.iter().map(|a| format!("`{a}`")).collect::<Vec<_>>().join(", ")
                    )
                };
                let _ = writeln!(
                    text,
                    "| `{module}{}({})` | {} | {}{aliases} | {gradient} |",
                    row.short_name,
                    signature(row, false),
                    marks.join(" "),
                    row.doc.replace('|', "\\|"),
                );
            }
        }
    }
    text
}

/// The files' paths and texts.
pub fn emit(ops: &[Op]) -> Vec<(String, String)> {
    let files = public(ops);
    let mut out = vec![
        ("python/rustorch/_C.pyi".into(), stub_file(&files)),
        (
            "python/rustorch/_ops.py".into(),
            exports(&files, "rustorch", "The ops of the table that are functions of `rustorch`."),
        ),
        (
            "python/rustorch/nn/_functional_ops.py".into(),
            exports(
                &files,
                "rustorch.nn.functional",
                "The ops of the table that are functions of `rustorch.nn.functional`.",
            ),
        ),
        ("python/rustorch/return_types.py".into(), named_tuples(&files)),
        ("docs/api/ops.md".into(), reference(&files)),
    ];
    for (module, doc) in MODULES {
        let name = format!("rustorch.{module}");
        if !functions_of(&files, &name).is_empty() {
            let path = format!("python/rustorch/{}.py", module.replace('.', "/"));
            out.push((path, exports(&files, &name, doc)));
        }
    }
    out
}
