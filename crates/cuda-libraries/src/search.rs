//! Where NVIDIA's libraries are found.
//!
//! They are looked for in this order: the file that an environment variable names; the system's library path (where one
//! that PyTorch has loaded is found, too); NVIDIA's pip packages, in the site-packages from which this process has
//! loaded libraries; `CUDA_HOME`, `CUDA_PATH` and `/usr/local/cuda`.

use std::path::{Path, PathBuf};

use rustorch_backend::memory::fork::OnceLock;
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::{open_library, site_packages};

/// A library of NVIDIA's in several versions.
#[derive(Debug, Clone, Copy)]
pub struct Library {
    /// What it is, for messages.
    pub name: &'static str,
    /// The environment variable that names its file.
    pub variable: &'static str,
    /// What pip calls it, without the version of CUDA.
    pub package: &'static str,
    /// The newest first: CUDA's major version, the file's name, and the folder in site-packages.
    pub files: &'static [(i32, &'static str, &'static str)],
    /// Files beside it whose names begin so are opened before it, as it looks for them on the system's path only.
    pub first: Option<&'static str>,
}

impl Library {
    /// Whether a variable names the file, which then has to be there. An empty one says to do without.
    pub(crate) fn is_named(&self) -> bool {
        std::env::var_os(self.variable).is_some_and(|named| !named.is_empty())
    }

    /// The compiler of kernels.
    pub const NVRTC: Library = Library {
        name: "the compiler NVRTC",
        variable: "RUSTORCH_NVRTC_LIBRARY",
        package: "nvidia-cuda-nvrtc",
        files: if cfg!(windows) {
            &[
                (13, "nvrtc64_130_0.dll", "nvidia/cu13/bin/x86_64"),
                (12, "nvrtc64_120_0.dll", "nvidia/cuda_nvrtc/bin"),
                (11, "nvrtc64_112_0.dll", "nvidia/cuda_nvrtc/bin"),
            ]
        } else {
            &[
                (13, "libnvrtc.so.13", "nvidia/cu13/lib"),
                (12, "libnvrtc.so.12", "nvidia/cuda_nvrtc/lib"),
                (11, "libnvrtc.so.11.2", "nvidia/cuda_nvrtc/lib"),
            ]
        },
        first: Some("libnvrtc-builtins.so"),
    };

    /// The newest that works with a driver of CUDA `most`.
    ///
    /// # Errors
    /// There is none; the message says what to install.
    pub fn open(&self, most: i32) -> Result<libloading::Library> {
        if let Ok(named) = std::env::var(self.variable) {
            if named.is_empty() {
                let reason = format!("{} is not used, as {} is empty", self.name, self.variable);
                return Err(RusTorchError::unavailable("cuda", reason));
            }
            let missing = |error: RusTorchError| {
                let reason = format!("{} is not where {} says: {error}", self.name, self.variable);
                RusTorchError::unavailable("cuda", reason)
            };
            return self.open_file(Path::new(&named)).map_err(missing);
        }
        static FOLDERS: OnceLock<Vec<PathBuf>> = OnceLock::new();
        let packages = FOLDERS.get_or_init(site_packages);
        let mut names = Vec::new();
        for &(_, name, pip) in self.files.iter().filter(|(major, ..)| *major <= most) {
            if let Ok(library) = open_library("cuda", &[name]) {
                return Ok(library);
            }
            names.push(name);
            let folders = packages.iter().map(|folder| folder.join(pip)).chain(toolkits());
            for file in folders.map(|folder| folder.join(name)).filter(|file| file.exists()) {
                if let Ok(library) = self.open_file(&file) {
                    return Ok(library);
                }
            }
        }
        let major = most.clamp(11, 13);
        let version = if major == 13 { String::new() } else { format!("-cu{major}") };
        Err(RusTorchError::unavailable(
            "cuda",
            format!(
                "{} is missing ({}): pip install {}{version}, or name its file in {}",
                self.name,
                names.join(", "),
                self.package,
                self.variable
            ),
        ))
    }

    fn open_file(&self, file: &Path) -> Result<libloading::Library> {
        let folder = file.parent().and_then(|folder| std::fs::read_dir(folder).ok());
        for beside in folder.into_iter().flatten().filter_map(std::result::Result::ok) {
            if self.first.is_some_and(|first| beside.file_name().to_string_lossy().starts_with(first))
                && let Ok(library) = open_library("cuda", &[&beside.path().to_string_lossy()])
            {
                // It is asked for by name whenever the library works.
                std::mem::forget(library);
            }
        }
        open_library("cuda", &[&file.to_string_lossy()])
    }
}

/// The folders of libraries of toolkits that are installed or named.
fn toolkits() -> impl Iterator<Item = PathBuf> {
    let named = ["CUDA_HOME", "CUDA_PATH"].into_iter().filter_map(std::env::var_os).map(PathBuf::from);
    let libraries = if cfg!(windows) { "bin" } else { "lib64" };
    named.chain([PathBuf::from("/usr/local/cuda")]).map(move |folder| folder.join(libraries))
}
