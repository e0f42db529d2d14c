//! `cargo xtask check`: the rules of the house that no other tool knows.

use std::fs;
use std::path::{Path, PathBuf};

use crate::source::is_generated;
use crate::{allocations, circles};

/// Which crates a crate may use. Nothing points back up.
const MAY_USE: [(&str, &[&str]); 16] = [
    ("error", &[]),
    ("algebra", &["error"]),
    ("backend", &["error", "algebra"]),
    ("simd", &["error", "algebra"]),
    ("cpu-simd", &["error", "algebra", "backend", "simd"]),
    ("gpu", &["error", "algebra", "backend"]),
    ("opencl", &["error", "backend", "gpu"]),
    ("cuda-libraries", &["error", "backend", "gpu"]),
    ("cuda", &["error", "backend", "gpu", "cuda-libraries"]),
    ("metal", &["error", "backend", "gpu"]),
    ("tensor", &["error", "backend"]),
    ("nn", &["error", "backend", "tensor"]),
    ("model_io", &["error", "backend", "tensor", "nn"]),
    (
        "rustorch",
        &[
            "error", "algebra", "backend", "cpu-simd", "gpu", "opencl", "cuda", "metal", "tensor", "nn",
            "model_io",
        ],
    ),
    ("py", &["error", "backend", "tensor", "nn", "model_io", "rustorch"]),
    ("xtask", &[]),
];

/// Files that may allow `unsafe_code`: crates that reach for hardware, memory or the interpreter.
const UNSAFE: [&str; 10] = [
    "crates/simd/",
    "crates/cpu-simd/",
    "crates/gpu/",
    "crates/opencl/",
    "crates/cuda/",
    "crates/cuda-libraries/",
    "crates/metal/",
    "crates/rustorch/tests/kernels/",
    "crates/backend/src/memory/",
    "crates/py/",
];

/// Crates whose locks ops take.
const LOCKING: [&str; 11] = [
    "algebra",
    "backend",
    "cpu-simd",
    "cuda",
    "cuda-libraries",
    "gpu",
    "metal",
    "nn",
    "opencl",
    "simd",
    "tensor",
];

/// Files there that may use locks that a forked child could find taken: where the others are made of them, and where a
/// child starts threads of its own.
const PLAIN_LOCKS: [&str; 2] = ["crates/backend/src/memory/fork.rs", "crates/cpu-simd/src/threads.rs"];

/// The longest a hand-written file may be.
const MAX_LINES: usize = 500;

/// The most lines of Rust that codegen may write: a row is data, and what serves every row is written by hand, once.
const MAX_GENERATED: usize = 18_000;

/// Names that say nothing. `utils` in Python is PyTorch's name, as in `utils.data`.
const VAGUE: [&str; 4] = ["utils", "helpers", "misc", "common"];

/// Folders of what other tools wrote.
const SKIPPED: [&str; 9] = [
    ".git",
    ".venv",
    "target",
    "dist",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
];

/// Fails with every rule that is broken.
pub fn run(root: &Path, generated: &[(PathBuf, String)]) -> Result<(), String> {
    let mut problems = Vec::new();
    dependencies(root, &mut problems)?;
    fallbacks(root, &mut problems)?;
    for (path, text) in generated {
        if fs::read_to_string(root.join(path)).ok().as_deref() != Some(text) {
            problems
                .push(format!("{}: differs from what `cargo xtask codegen` writes; run it", path.display()));
        }
    }
    let mut files = Vec::new();
    for folder in ["crates", "python", "tests", "examples", "benches"] {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    for path in &files {
        let relative = path.strip_prefix(root).unwrap_or(path);
        source_file(path, relative, &mut problems)?;
    }
    stale(root, generated, &files, &mut problems);
    rows_and_text(root, generated, &mut problems)?;
    circles::find(root, &mut problems)?;
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{} broken rules\n  {}", problems.len(), problems.join("\n  ")))
}

/// The op table is read, what follows from it is not: its files are short, and the rest is little and kept out of diffs.
fn rows_and_text(
    root: &Path,
    generated: &[(PathBuf, String)],
    problems: &mut Vec<String>,
) -> Result<(), String> {
    let folder = root.join("crates/backend/ops");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for path in entries.filter_map(|entry| entry.ok().map(|e| e.path())) {
        let lines =
            fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?.lines().count();
        if lines > MAX_LINES {
            let name = path.strip_prefix(root).unwrap_or(&path).display();
            problems.push(format!("{name}: {lines} lines; at most {MAX_LINES}, one file per family of ops"));
        }
    }
    let rust = generated.iter().filter(|(path, _)| path.extension().is_some_and(|e| e == "rs"));
    let lines: usize = rust.map(|(_, text)| text.lines().count()).sum();
    if lines > MAX_GENERATED {
        problems
            .push(format!("codegen writes {lines} lines of Rust; at most {MAX_GENERATED}: let rows be data"));
    }
    let marked =
        fs::read_to_string(root.join(".gitattributes")).map_err(|e| format!(".gitattributes: {e}"))?;
    for (path, _) in generated {
        let path = path.to_string_lossy().replace('\\', "/");
        if !path.contains("/src/generated/") && !marked.contains(&format!("{path} linguist-generated -diff"))
        {
            problems.push(format!("{path}: is generated; mark it in .gitattributes, as the others are"));
        }
    }
    Ok(())
}

/// Every method of the contract falls back to the CPU: one that is forgotten would be lacking on every other device.
fn fallbacks(root: &Path, problems: &mut Vec<String>) -> Result<(), String> {
    const CONTRACT: &str = "crates/backend/src/compute.rs";
    const FALLBACK: &str = "crates/tensor/src/registry/fallback.rs";
    let read = |path: &str| fs::read_to_string(root.join(path)).map_err(|e| format!("{path}: {e}"));
    let (contract, fallback) = (read(CONTRACT)?, read(FALLBACK)?);
    let (_, methods) =
        contract.split_once("pub trait ComputeBackend").ok_or("there is no trait ComputeBackend")?;
    for line in methods.lines() {
        let Some((name, _)) = line.strip_prefix("    fn ").and_then(|rest| rest.split_once('(')) else {
            continue;
        };
        if !fallback.contains(&format!("fn {name}(")) {
            problems.push(format!("{FALLBACK}: lacks `{name}` of {CONTRACT}"));
        }
    }
    Ok(())
}

/// The direction of dependencies, from the manifests.
fn dependencies(root: &Path, problems: &mut Vec<String>) -> Result<(), String> {
    let folder = root.join("crates");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let manifest = entry.path().join("Cargo.toml");
        let Ok(text) = fs::read_to_string(&manifest) else { continue };
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
            problems.push(format!("crates/{name}: say in crates/xtask/src/check.rs what it may use"));
            continue;
        };
        let manifest: toml::Table =
            toml::from_str(&text).map_err(|e| format!("{}: {e}", manifest.display()))?;
        // dev-dependencies are left out: a test may look at the whole house.
        let tables =
            ["dependencies", "build-dependencies"].iter().filter_map(|t| manifest.get(*t)?.as_table());
        for dependency in tables.flat_map(|t| t.keys()) {
            let used = match dependency.strip_prefix("rustorch-") {
                Some(rest) => rest.replace("model-io", "model_io"),
                None if dependency == "rustorch" => "rustorch".to_owned(),
                None => continue,
            };
            if !allowed.contains(&used.as_str()) {
                problems.push(format!("crates/{name}: must not depend on crates/{used}"));
            }
        }
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", folder.display()))?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            if !SKIPPED.contains(&name.as_str()) && !name.starts_with(".venv") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|e| e == "rs" || e == "py" || e == "pyi") {
            files.push(path);
        }
    }
    Ok(())
}

fn source_file(path: &Path, relative: &Path, problems: &mut Vec<String>) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let name = relative.display();
    if is_generated(&text) {
        return Ok(());
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        problems.push(format!(
            "{name}: {lines} lines; at most {MAX_LINES}, split it by what its parts are about"
        ));
    }
    let place = relative.to_string_lossy().replace('\\', "/");
    let vague = relative.with_extension("");
    let vague = vague.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).find(|part| {
        VAGUE.contains(&part.as_str())
            && !place.starts_with("crates/model_io/")
            && !(part == "utils" && place.starts_with("python/rustorch/"))
    });
    if let Some(part) = vague {
        problems.push(format!("{name}: '{part}' says nothing; name the module after what it holds"));
    }
    for (line, what) in allocations::unbounded(&place, &text) {
        problems.push(format!(
            "{name}:{line}: {what} ends the process where there is no memory; a list whose length comes from data or \
             arguments is a memory::Scratch (results: memory::gathered), and one that is short says '// Short: …'"
        ));
    }
    for (line, lock) in plain_locks(&place, &text) {
        problems.push(format!(
            "{name}:{line}: a forked child may find this {lock} taken for ever; memory::fork has locks that it finds free"
        ));
    }
    let allows_unsafe = text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("#![allow(") && line.contains("unsafe_code")
            || line.starts_with("#[allow(unsafe_code")
    });
    if allows_unsafe && !UNSAFE.iter().any(|allowed| place.starts_with(allowed)) {
        problems.push(format!("{name}: allows unsafe_code; only {} may", UNSAFE.join(", ")));
    }
    Ok(())
}

/// Where a file names a lock of the standard library's that ops would take, and which.
fn plain_locks<'a>(place: &str, text: &'a str) -> Vec<(usize, &'a str)> {
    const LOCKS: [&str; 6] = ["Mutex", "RwLock", "OnceLock", "LazyLock", "Condvar", "Once"];
    let is_op = LOCKING.iter().any(|name| place.starts_with(&format!("crates/{name}/src/")));
    if !is_op
        || PLAIN_LOCKS.contains(&place)
        || place.ends_with("/tests.rs")
        || place.ends_with("/testing.rs")
    {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // Tests stand at a file's end.
        if line == "#[cfg(test)]" && text.lines().nth(number + 1).is_some_and(|next| next.starts_with("mod "))
        {
            break;
        }
        let Some((_, names)) = line.split_once("std::sync::") else { continue };
        let words = names.split(|c: char| !c.is_alphanumeric());
        found.extend(words.filter(|word| LOCKS.contains(word)).map(|word| (number + 1, word)));
    }
    found
}

/// Generated files that codegen no longer writes.
fn stale(root: &Path, generated: &[(PathBuf, String)], files: &[PathBuf], problems: &mut Vec<String>) {
    for path in files {
        let relative = path.strip_prefix(root).unwrap_or(path);
        let is_known = generated.iter().any(|(known, _)| known == relative);
        if !is_known && fs::read_to_string(path).is_ok_and(|text| is_generated(&text)) {
            problems.push(format!(
                "{}: codegen does not write this file any more; delete it",
                relative.display()
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain_locks;

    #[test]
    fn locks_that_a_fork_does_not_wait_for_are_found_where_ops_take_them() {
        let text = "use std::sync::{Arc, Mutex};\nlet once: std::sync::OnceLock<u8>;\nuse std::sync::atomic::AtomicBool;\n\
                    #[cfg(test)]\nmod tests {\n    use std::sync::RwLock;\n}\n";
        assert_eq!(plain_locks("crates/gpu/src/notice.rs", text), [(1, "Mutex"), (2, "OnceLock")]);
        assert_eq!(plain_locks("crates/backend/src/memory/fork.rs", text), []);
        assert_eq!(plain_locks("crates/py/src/errors.rs", text), []);
    }
}
