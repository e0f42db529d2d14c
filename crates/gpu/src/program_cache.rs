//! Compiled kernels, kept in memory and on disk; some come with the build.
//!
//! On disk a program lies under a hash of device, driver and text. The file begins with all three and the program's hash,
//! which are compared: after a collision, or where the file is not what was written, the text is compiled anew. It is
//! written beside its place and renamed, so that a process that is killed leaves no half of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustorch_backend::memory::fork::Mutex;
use rustorch_error::Result;

use crate::executor::KernelExecutor;
use crate::kernel::Call;
use crate::notice;

/// The compiled kernels of one device.
pub(crate) struct ProgramCache<K> {
    loaded: Mutex<HashMap<Vec<u8>, Arc<K>>>,
    folder: Option<PathBuf>,
}

impl<K> ProgramCache<K> {
    /// A cache that keeps its files in the folder that `RUSTORCH_CACHE_DIR` names (empty: nowhere), or in the user's
    /// cache folder.
    pub(crate) fn new() -> Self {
        Self::within(folder())
    }

    fn within(folder: Option<PathBuf>) -> Self {
        ProgramCache { loaded: Mutex::new(HashMap::new()), folder }
    }

    /// The kernel of a call: loaded, or from disk, or of the build, or compiled.
    pub(crate) fn get<E: KernelExecutor<Kernel = K>>(
        &self,
        executor: &E,
        call: &mut Call<'_>,
    ) -> Result<Arc<K>> {
        let key = call.take_key();
        if let Some(kernel) = self.loaded.lock().get(&key) {
            return Ok(kernel.clone());
        }
        let text = call.render(executor.dialect())?;
        let kernel = Arc::new(self.load(executor, call.name(), &text)?);
        Ok(self.loaded.lock().entry(key).or_insert(kernel).clone())
    }

    fn load<E: KernelExecutor<Kernel = K>>(&self, executor: &E, name: &str, text: &str) -> Result<K> {
        let head =
            format!("rustorch kernel\0{}\0{}\0{text}\0", executor.dialect().name(), executor.identity());
        let path =
            self.folder.as_ref().map(|folder| folder.join(format!("{name}-{:032x}", fnv1a(head.as_bytes()))));
        if let Some(kernel) = path.as_deref().and_then(|path| {
            let file = std::fs::read(path).ok()?;
            let (hash, binary) = file.strip_prefix(head.as_bytes())?.split_first_chunk()?;
            // A file that was cut off, or lost its content with the power, must not reach the driver.
            (u128::from_le_bytes(*hash) == fnv1a(binary)).then_some(())?;
            executor.load(name, binary).ok()
        }) {
            return Ok(kernel);
        }
        if let Some(kernel) = executor.embedded(text).and_then(|binary| executor.load(name, &binary).ok()) {
            return Ok(kernel);
        }
        let (binary, kernel) = notice::watched(executor.info().kind.name(), || {
            let binary = executor.compile(name, text)?;
            let kernel = executor.load(name, &binary)?;
            Ok((binary, kernel))
        })?;
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
    let written = std::fs::write(&beside, [head, &fnv1a(binary).to_le_bytes(), binary].concat())
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// The FNV-1a hash of 128 bits, under which programs are kept.
pub(crate) fn fnv1a(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, &byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::kernel::KernelText;
    use crate::stand_in::StandIn;

    fn call(text: &'static str) -> Call<'static> {
        Call::new(KernelText { name: "one", text })
    }

    #[test]
    fn a_text_is_compiled_once_and_a_file_that_is_not_its_own_is_not_used() {
        let folder = std::env::temp_dir().join(format!("rustorch-program-cache-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let executor = StandIn::new();
        // A new cache is a new process: it has the files alone.
        let compiled = |text| {
            let cache = ProgramCache::within(Some(folder.clone()));
            let before = executor.compiled.load(Ordering::Relaxed);
            let kernel = cache.get(&executor, &mut call(text)).expect("it compiles");
            assert!(Arc::ptr_eq(&kernel, &cache.get(&executor, &mut call(text)).expect("it is loaded")));
            let text = call(text).render(executor.dialect()).expect("it renders");
            assert_eq!(kernel.as_slice(), text.as_bytes());
            executor.compiled.load(Ordering::Relaxed) - before
        };
        assert_eq!(compiled("KERNEL { first }"), 1);
        assert_eq!(compiled("KERNEL { first }"), 0);
        assert_eq!(compiled("KERNEL { second }"), 1);
        let files: Vec<PathBuf> =
            std::fs::read_dir(&folder).expect("the folder is there").flatten().map(|f| f.path()).collect();
        assert_eq!(files.len(), 2, "{files:?}");
        for file in &files {
            let bytes = std::fs::read(file).expect("the file is there");
            std::fs::write(file, &bytes[..bytes.len() - 1]).expect("it can be cut");
        }
        assert_eq!(compiled("KERNEL { first }"), 1, "the file was cut off");
        assert_eq!(compiled("KERNEL { first }"), 0, "and written anew");
        for file in &files {
            let mut bytes = std::fs::read(file).expect("the file is there");
            *bytes.last_mut().expect("it is not empty") ^= 1;
            std::fs::write(file, &bytes).expect("it can be written");
        }
        assert_eq!(compiled("KERNEL { first }"), 1, "the file holds something else");
        std::fs::remove_dir_all(&folder).expect("the folder can go");
    }
}
