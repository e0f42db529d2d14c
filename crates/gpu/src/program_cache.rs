//! Compiled kernels, kept in memory and on disk.
//!
//! On disk a program lies under a hash of device, driver and text. The file begins with all three, which are compared:
//! a collision or a cut-off file is compiled anew. It is written beside its place and renamed, so that a process that is
//! killed leaves no half of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustorch_error::Result;

use crate::executor::KernelExecutor;
use crate::kernel::Call;

/// The compiled kernels of one device.
pub(crate) struct ProgramCache<K> {
    loaded: RwLock<HashMap<String, Arc<K>>>,
    folder: Option<PathBuf>,
}

impl<K> ProgramCache<K> {
    /// A cache that keeps its files in the folder that `RUSTORCH_CACHE_DIR` names (empty: nowhere), or in the user's
    /// cache folder.
    pub(crate) fn new() -> Self {
        ProgramCache { loaded: RwLock::new(HashMap::new()), folder: folder() }
    }

    /// The kernel of a call: loaded, or from disk, or compiled.
    pub(crate) fn get<E: KernelExecutor<Kernel = K>>(&self, executor: &E, call: &Call<'_>) -> Result<Arc<K>> {
        let key = call.key();
        if let Some(kernel) = self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(kernel.clone());
        }
        let text = call.render(executor.dialect())?;
        let kernel = Arc::new(self.load(executor, call.name(), &text)?);
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        Ok(loaded.entry(key).or_insert(kernel).clone())
    }

    fn load<E: KernelExecutor<Kernel = K>>(&self, executor: &E, name: &str, text: &str) -> Result<K> {
        let head =
            format!("rustorch kernel\0{}\0{}\0{text}\0", executor.dialect().name(), executor.identity());
        let path = self.folder.as_ref().map(|folder| folder.join(format!("{name}-{:032x}", fnv1a(&head))));
        if let Some(kernel) = path.as_deref().and_then(|path| {
            let file = std::fs::read(path).ok()?;
            executor.load(name, file.strip_prefix(head.as_bytes())?).ok()
        }) {
            return Ok(kernel);
        }
        let binary = executor.compile(name, text)?;
        let kernel = executor.load(name, &binary)?;
        if let Some(path) = path {
            // The cache saves time only: a full or read-only disk is no reason to fail.
            let _ = keep(&path, head.as_bytes(), &binary);
        }
        Ok(kernel)
    }
}

fn folder() -> Option<PathBuf> {
    let named = |name| std::env::var_os(name).map(PathBuf::from);
    if let Some(folder) = named("RUSTORCH_CACHE_DIR") {
        return (!folder.as_os_str().is_empty()).then_some(folder);
    }
    let user = if cfg!(target_os = "macos") {
        named("HOME").map(|home| home.join("Library/Caches"))
    } else {
        named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")))
    };
    user.map(|folder| folder.join("rustorch").join("kernels"))
}

/// Writes beside `path`, then renames.
fn keep(path: &Path, head: &[u8], binary: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let written =
        std::fs::write(&beside, [head, binary].concat()).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// The FNV-1a hash of 128 bits.
fn fnv1a(text: &str) -> u128 {
    text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}
