//! What `help()` shows of the ops: signatures, sentences and examples, from a text that codegen writes.

use std::collections::{HashMap, HashSet};

use rustorch_backend::memory::fork::OnceLock;

/// Per row of the op table a line `=== function(parameters)`, then its docstring.
const TEXT: &str = include_str!("../generated/documentation.txt");
/// What a row's line begins with.
const ROW: &str = "=== ";
/// What stands before the entries of a row's arguments.
const ARGUMENTS: &str = "Args:\n";
/// What stands before a row's example.
const EXAMPLE: &str = "Example:\n\n";

/// What is written of a row.
#[derive(Debug, Default)]
pub struct Documentation {
    /// The parameters as Python writes them, in brackets.
    pub signature: &'static str,
    /// What it does.
    pub sentence: &'static str,
    /// Dtypes, shapes, errors; nothing, or paragraphs.
    notes: &'static str,
    /// What each argument is; nothing, or lines.
    arguments: &'static str,
    /// A session; nothing, or lines.
    example: &'static str,
}

/// The rows' documentation by their functions.
fn rows() -> HashMap<&'static str, Documentation> {
    TEXT.split(ROW)
        .filter_map(|row| {
            let (head, body) = row.split_once('\n')?;
            let (function, _) = head.split_once('(')?;
            let (body, example) = body.split_once(EXAMPLE).unwrap_or((body, ""));
            let (body, arguments) = body.split_once(ARGUMENTS).unwrap_or((body, ""));
            let (sentence, notes) = body.split_once("\n\n").unwrap_or((body, ""));
            let documentation = Documentation {
                signature: &head[function.len()..],
                sentence: sentence.trim_end(),
                notes: notes.trim_end(),
                arguments: arguments.trim_end(),
                example: example.trim_end(),
            };
            Some((function, documentation))
        })
        .collect()
}

/// What is written of the row with this function in Rust.
pub fn of(function: &str) -> &'static Documentation {
    static NOTHING: Documentation =
        Documentation { signature: "()", sentence: "", notes: "", arguments: "", example: "" };
    static ROWS: OnceLock<HashMap<&'static str, Documentation>> = OnceLock::new();
    ROWS.get_or_init(rows).get(function).unwrap_or(&NOTHING)
}

/// The entries of the arguments of several signatures, each entry once. A method's first argument is the tensor itself, and
/// `out` belongs to functions that give new tensors.
fn arguments(rows: &[&Documentation], method: bool, out: bool) -> String {
    let mut entries: Vec<String> = Vec::new();
    for row in rows {
        let mut own: Vec<String> = Vec::new();
        for line in row.arguments.lines() {
            match own.last_mut() {
                Some(entry) if line.starts_with("     ") => {
                    entry.push('\n');
                    entry.push_str(line);
                }
                _ => own.push(line.to_owned()),
            }
        }
        let own = own.into_iter().skip(usize::from(method));
        entries.extend(own.filter(|entry| out || !entry.starts_with("    out: ")));
    }
    let mut seen = HashSet::new();
    entries.retain(|entry| seen.insert(entry.clone()));
    entries.join("\n")
}

/// The docstring of a name from its rows' functions; `of_row` is the row's name where this is its in-place form.
pub fn docstring(name: &str, functions: &[&'static str], of_row: Option<&str>, method: bool) -> String {
    let rows: Vec<&Documentation> = functions.iter().map(|function| of(function)).collect();
    let sentence = |row: &&Documentation| {
        let form = of_row.map_or_else(String::new, |row| format!("In-place form of {row}: "));
        match rows.len() {
            1 => format!("{form}{}", row.sentence),
            _ => format!("{name}{}\n    {form}{}", row.signature, row.sentence),
        }
    };
    let mut parts: Vec<String> = rows.iter().map(sentence).collect();
    parts.extend(rows.first().map(|row| row.notes.to_owned()));
    let entries = arguments(&rows, method, of_row.is_none() && !method);
    if !entries.is_empty() {
        parts.push(format!("{ARGUMENTS}{entries}"));
    }
    let examples: Vec<&str> = rows.iter().map(|row| row.example).filter(|e| !e.is_empty()).collect();
    if of_row.is_none() && !examples.is_empty() {
        parts.push(format!("{EXAMPLE}{}", examples.join("\n")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}
