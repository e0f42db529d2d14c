//! `cargo xtask check`: the rules of the house that no other tool knows.

use std::fs;
use std::path::{Path, PathBuf};

use crate::allocations;

/// Which crates a crate may use. Nothing points back up.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("error", &[]),
    ("backend", &["error"]),
    ("cpu-simd", &["error", "backend"]),
    ("gpu", &["error", "backend"]),
    ("opencl", &["error", "backend", "gpu"]),
    ("cuda-libraries", &["error", "backend", "gpu"]),
    ("cuda", &["error", "backend", "gpu", "cuda-libraries"]),
    ("metal", &["error", "backend", "gpu"]),
    ("tensor", &["error", "backend"]),
    ("nn", &["error", "backend", "tensor"]),
    ("model_io", &["error", "backend", "tensor", "nn"]),
    (
        "rustorch",
        &["error", "backend", "cpu-simd", "gpu", "opencl", "cuda", "metal", "tensor", "nn", "model_io"],
    ),
    ("py", &["error", "backend", "tensor", "nn", "model_io", "rustorch"]),
    ("xtask", &[]),
];

/// Files that may allow `unsafe_code`: crates that reach for hardware, memory or the interpreter.
const UNSAFE: [&str; 9] = [
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

/// The longest a hand-written file may be.
const MAX_LINES: usize = 500;

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
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!("{} broken rules\n  {}", problems.len(), problems.join("\n  ")))
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

fn is_generated(text: &str) -> bool {
    text.lines().take(3).any(|line| line.contains("@generated by"))
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
