//! What NVIDIA's libraries are asked, as libraries in their place understand it, against the CPU. It shows nothing about a
//! GPU: driver and libraries work in the host's memory.
#![allow(unsafe_code, clippy::print_stderr, clippy::unwrap_used)]

mod convolutions;
mod memory;
mod products;

use std::path::{Path, PathBuf};
use std::process::Command;

use rustorch_backend::ComputeBackend;
use rustorch_cpu_simd::CpuBackend;

/// A library of `tests/driver`, compiled; `None` where there is no C compiler.
fn build(name: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.so", std::process::id()));
    let source = format!("{}/tests/driver/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let compiled =
        Command::new("gcc").args(["-O1", "-shared", "-fPIC", &source, "-o"]).arg(&file).arg("-lm").status();
    compiled.is_ok_and(|status| status.success()).then_some(file)
}

/// What the library was asked.
struct Fake(libloading::Library);

impl Fake {
    fn ask(&self, name: &str) -> i32 {
        // SAFETY: the library has a function of this name and type.
        unsafe { self.0.get::<extern "C" fn() -> i32>(name.as_bytes()).expect(name)() }
    }

    fn at(&self, name: &str, n: i32) -> u32 {
        // SAFETY: as above.
        unsafe { self.0.get::<extern "C" fn(i32) -> u32>(name.as_bytes()).expect(name)(n) }
    }
}

#[test]
fn libraries_are_asked_for_what_the_cpu_computes() {
    let libraries = ["libcuda", "libcublasLt", "libcudnn"].map(build);
    let [Some(driver), Some(cublas), Some(cudnn)] = &libraries else {
        eprintln!("skipped: there is no gcc");
        return;
    };
    // SAFETY: this is the only test of the process, and no other thread reads the environment.
    unsafe {
        std::env::set_var("RUSTORCH_CUDA_LIBRARY", driver);
        std::env::set_var("RUSTORCH_CUBLASLT_LIBRARY", cublas);
        std::env::set_var("RUSTORCH_CUDNN_LIBRARY", cudnn);
        std::env::set_var("RUSTORCH_NVRTC_LIBRARY", "/nowhere");
        std::env::set_var("RUSTORCH_CACHE_DIR", "");
    }
    // SAFETY: the libraries have no initialisers.
    let open =
        |file: &PathBuf| Fake(unsafe { libloading::Library::new(file) }.expect("the library is opened"));
    let (products, convolutions) = (open(cublas), open(cudnn));
    let [device] = rustorch_cuda::devices().expect("the driver starts") else { panic!("one device") };
    let cpu = CpuBackend::new().expect("the CPU backend starts");
    let device: &dyn ComputeBackend = *device;
    products::test(&products, &cpu, device);
    convolutions::test(&convolutions, &cpu, device);
    for library in libraries.iter().flatten() {
        let _ = std::fs::remove_file(library);
    }
}
