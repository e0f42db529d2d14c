//! Calls of hand-written functions that rows of the table name: `is_scaled(alpha)`.

use crate::signature::{Parameter, Type};

/// The call `function(argument, …)` in Rust, of a function below `operations::` and arguments of the op.
pub fn call(text: &str, parameters: &[Parameter]) -> Result<String, String> {
    let word = |word: &str| word.chars().all(|c| c.is_alphanumeric() || c == '_') && !word.is_empty();
    let parts = text.strip_suffix(')').and_then(|text| text.split_once('('));
    let (path, arguments) = parts.ok_or_else(|| format!("'{text}' is no call `function(argument, …)`"))?;
    if !path.split("::").all(word) {
        return Err(format!("'{path}' is no function's name"));
    }
    let arguments: Vec<&str> = arguments.split(',').map(str::trim).filter(|a| !a.is_empty()).collect();
    match arguments.iter().find(|a| !parameters.iter().any(|p| p.name == **a)) {
        Some(unknown) => Err(format!("'{text}': the op has no argument '{unknown}'")),
        None => Ok(format!("operations::{path}({})", arguments.join(", "))),
    }
}

/// A condition in Rust: an argument that is a bool, or a call of a function of `operations/conditions.rs`.
pub fn condition(text: &str, parameters: &[Parameter]) -> Result<String, String> {
    match parameters.iter().find(|p| p.name == text) {
        Some(flag) if flag.kind == Type::Bool => Ok(text.into()),
        Some(_) => Err(format!("'{text}' is no bool; name a function of operations/conditions.rs")),
        None => call(&format!("conditions::{text}"), parameters),
    }
}
