//! `cargo xtask codegen` writes the generated files; `cargo xtask check` fails where the house's rules are broken.

mod allocations;
mod call;
mod check;
mod circles;
mod emit;
mod formula;
mod signature;
mod source;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs, io::Write};

/// The repository's root.
fn root() -> PathBuf {
    let manifest =
        env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR")).into());
    Path::new(&manifest).ancestors().nth(2).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Runs rustfmt over generated Rust, so that `cargo fmt --check` agrees with codegen.
fn rustfmt(text: &str, root: &Path) -> Result<String, String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("rustfmt could not be started (rustup component add rustfmt): {e}"))?;
    let mut stdin = child.stdin.take().ok_or("rustfmt has no stdin")?;
    let owned = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(owned.as_bytes()));
    let output = child.wait_with_output().map_err(|e| format!("rustfmt: {e}"))?;
    writer.join().map_err(|_| "rustfmt's input thread failed")?.map_err(|e| format!("rustfmt: {e}"))?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(|e| format!("rustfmt: {e}"))
    } else {
        Err(format!("rustfmt refused generated code; see its message above.\n{text}"))
    }
}

/// The generated files: path below the root, text.
fn generate(root: &Path) -> Result<Vec<(PathBuf, String)>, String> {
    let ops = table::read(&root.join("crates/backend/ops"))?;
    let mut files =
        vec![("crates/algebra/src/generated/elementwise.rs".into(), emit::elementwise::emit(&ops)?)];
    files.extend(emit::tensor::emit(&ops)?);
    files.extend(emit::bindings::emit(&ops)?);
    files.extend(emit::python::emit(&ops));
    files
        .into_iter()
        .map(|(path, text)| {
            let path = PathBuf::from(path);
            let formatted = path.extension().is_some_and(|e| e == "rs") && !emit::tensor::is_wrapped(&path);
            let text = if formatted { rustfmt(&text, root)? } else { text };
            Ok((path, text))
        })
        .collect()
}

fn codegen(root: &Path) -> Result<(), String> {
    for (path, text) in generate(root)? {
        let full = root.join(&path);
        if fs::read_to_string(&full).is_ok_and(|old| old == text) {
            continue;
        }
        if let Some(folder) = full.parent() {
            fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        fs::write(&full, text).map_err(|e| format!("{}: {e}", full.display()))?;
        eprintln!("wrote {}", path.display());
    }
    Ok(())
}

fn main() -> ExitCode {
    let command = env::args().nth(1).unwrap_or_default();
    let root = root();
    let result = match command.as_str() {
        "codegen" => codegen(&root),
        "check" => generate(&root).and_then(|files| check::run(&root, &files)),
        other => Err(format!("unknown command '{other}'; there are: codegen, check")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask {command}: {message}");
            ExitCode::FAILURE
        }
    }
}
