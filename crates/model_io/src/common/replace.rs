//! Putting a file into its place: whole or not at all, with the mode of the one before it, leaving nothing beside it.
//!
//! The content is written into a *draft* beside the place, which then takes its name. A draft is locked by the process
//! that writes it, so one whose lock is free was left by a process that was killed; the next save of that file removes it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustorch_error::{Result, RusTorchError};

use super::output::Output;

/// How many symbolic links are followed, as Linux does.
const LINKS: usize = 40;

/// How many bytes are written at once.
const BUFFER: usize = 256 << 10;

/// The end of a draft's name.
const DRAFT: &str = ".rustorch-draft";

/// Lets `write` write a file, and puts that at `path`; what was there stays when anything fails. A symbolic link stays, and its
/// target is replaced. Errors are told in the name of `op`.
pub fn replace_file(
    op: &'static str,
    path: &Path,
    write: impl FnOnce(&mut Output<'_>) -> Result<()>,
) -> Result<()> {
    let failed = |error: &io::Error| RusTorchError::io(path, error);
    let target = follow(path).map_err(|error| failed(&error))?;
    if target.file_name().is_none() {
        let message = format!("'{}' does not name a file", path.display());
        return Err(RusTorchError::argument(op, message));
    }
    let before = check(op, path, &target)?;
    remove_abandoned(&target);
    let (draft, file) = create_draft(&target, before.is_some()).map_err(|error| failed(&error))?;
    let mut buffered = BufWriter::with_capacity(BUFFER, &file);
    let mut to = Output::new(&path.display().to_string(), &mut buffered);
    let written = write(&mut to).and_then(|()| to.flush());
    // What could not be written is not tried again when the writer is dropped.
    let _ = buffered.into_parts();
    let placed = written.and_then(|()| {
        if let Some(before) = &before {
            keep_owner(&file, before);
            file.set_permissions(before.permissions()).map_err(|error| failed(&error))?;
        }
        fs::rename(&draft, &target).map_err(|error| failed(&error))
    });
    if placed.is_err() {
        // What went wrong before is what counts.
        let _ = fs::remove_file(&draft);
    }
    placed
}

/// Where symbolic links lead, even to where nothing is yet.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_path_buf();
    for _ in 0..LINKS {
        match fs::read_link(&place) {
            Ok(next) => place = place.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(place),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// What is known of the file that is replaced, if there is one; it must be one that this process may write.
fn check(op: &str, path: &Path, target: &Path) -> Result<Option<fs::Metadata>> {
    let before = match fs::metadata(target) {
        Ok(before) => before,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RusTorchError::io(path, &error)),
    };
    if !before.is_file() {
        let message = format!("'{}' is {}, not a regular file; name a file", path.display(), kind(&before));
        return Err(RusTorchError::Io { message: format!("{op}: {message}") });
    }
    OpenOptions::new().write(true).open(target).map_err(|error| RusTorchError::io(path, &error))?;
    Ok(Some(before))
}

#[cfg(unix)]
fn kind(metadata: &fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = metadata.file_type();
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn kind(metadata: &fs::Metadata) -> &'static str {
    if metadata.is_dir() { "a directory" } else { "something else" }
}

/// Keeps owner and group where the system lets this process do so.
#[cfg(unix)]
fn keep_owner(file: &File, before: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = file.metadata().map(|own| (own.uid(), own.gid()));
    if own.is_ok_and(|own| own != (before.uid(), before.gid())) {
        // Refused to all but the superuser; then the file belongs to who wrote it.
        let _ = fchown(file, Some(before.uid()), Some(before.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _before: &fs::Metadata) {}

/// A name's beginning that all drafts of a file have.
fn prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

fn folder(target: &Path) -> &Path {
    target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A locked file beside `target`. One that replaces another is nobody else's to read until it has that one's mode.
fn create_draft(target: &Path, replaces: bool) -> io::Result<(PathBuf, File)> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    loop {
        let mut name = prefix(target);
        name.push(format!("{}.{}{DRAFT}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let draft = target.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if replaces {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        let file = match options.open(&draft) {
            // Another process of this number, on another machine or in another container.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            file => file?,
        };
        // A file system without locks has no way to tell abandoned drafts, which then stay.
        let _ = file.lock();
        // Between its making and its locking another process may have taken it for an abandoned one.
        if draft.exists() {
            return Ok((draft, file));
        }
    }
}

/// Removes drafts of `target` whose writers are gone. Failures are no reason not to save.
fn remove_abandoned(target: &Path) {
    let prefix = prefix(target);
    let prefix = prefix.as_encoded_bytes();
    for entry in fs::read_dir(folder(target)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if !name.starts_with(prefix) || !name.ends_with(DRAFT.as_bytes()) {
            continue;
        }
        let Ok(file) = File::open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(entry.path());
        }
    }
}
