//! Devices that are not here, as far as a host can stand in for them.
//!
//! Metal's texts are C++ with a few words more: with `metal_shim/metal_stdlib` the host's compiler takes them, and they
//! run. CUDA's are compiled by NVRTC for each architecture, and do not run.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustorch::backend::{DType, DeviceInfo, DeviceKind};
use rustorch_cuda::{CudaC, Nvrtc, Target};
use rustorch_error::{Result, RusTorchError};
use rustorch_gpu::dialect::Dialect;
use rustorch_gpu::{KernelExecutor, Launch, Limits, Transfer};
use rustorch_metal::MetalLanguage;

/// What becomes of a text.
enum Compiler {
    /// C++ of the host, which runs it; by Clang first, where there is one, that checks address spaces.
    Shim { clang: Option<String> },
    /// NVRTC, for each of these architectures; nothing runs.
    Nvrtc(Nvrtc, Vec<u32>),
}

/// Memory of the host, and a compiler.
pub struct HostExecutor {
    compiler: Compiler,
    info: DeviceInfo,
    limits: Limits,
    identity: String,
    folder: PathBuf,
    files: AtomicUsize,
}

/// A shared library with the kernel, or nothing.
pub struct HostKernel(Option<libloading::Library>);

/// The kernel in the library: its arguments, groups and group's size; whether all went well.
type Run = unsafe extern "C" fn(*const *mut u8, *const u32, *const u32) -> bool;

const SHIM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kernels/metal_shim");
const CPP: [&str; 10] = [
    "-std=c++20",
    "-x",
    "c++",
    "-O1",
    "-shared",
    "-fPIC",
    "-ffp-contract=off",
    "-fsingle-precision-constant",
    "-Wno-attributes",
    "-I",
];
/// Clang has the type `half` for processors that compute with it.
const CLANG: [&str; 7] = ["-std=c++20", "-x", "c++", "-fsyntax-only", "-mavx512fp16", "-w", "-I"];

impl HostExecutor {
    fn new(compiler: Compiler, kind: DeviceKind, identity: String) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kernels-{}", std::process::id()));
        let has_f64 = kind != DeviceKind::Metal;
        HostExecutor {
            compiler,
            info: DeviceInfo {
                kind,
                name: "a stand-in".to_string(),
                parallelism: 4,
                architecture: "host".to_string(),
                memory: None,
                driver: String::new(),
                lacks: if has_f64 { Vec::new() } else { vec![DType::Float64, DType::Complex128] },
                is_host: true,
            },
            limits: Limits {
                group_size: 1024,
                groups: [u32::MAX; 3],
                shared_bytes: 32 * 1024,
                memory_bytes: 1 << 32,
                largest_allocation: 1 << 31,
                has_f64,
            },
            identity,
            folder,
            files: AtomicUsize::new(0),
        }
    }

    /// Metal's texts, compiled by `g++`.
    pub fn metal() -> Result<Self> {
        let version = Command::new("g++").arg("--version").output();
        let version =
            version.map_err(|e| RusTorchError::unavailable("metal", format!("g++ is missing: {e}")))?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let shim = include_str!("metal_shim/metal_stdlib");
        let clang = std::env::var("CLANG").unwrap_or_else(|_| "clang++".to_string());
        let clang = Command::new(&clang).arg("--version").output().is_ok().then_some(clang);
        let identity = format!("{version}{shim}{CPP:?}{clang:?}");
        Ok(Self::new(Compiler::Shim { clang }, DeviceKind::Metal, identity))
    }

    /// CUDA's texts, compiled for `architectures`.
    pub fn cuda(architectures: Vec<u32>) -> Result<Self> {
        let nvrtc = Nvrtc::open(13)?;
        let identity = format!("NVRTC {:?} for {architectures:?}", nvrtc.version());
        Ok(Self::new(Compiler::Nvrtc(nvrtc, architectures), DeviceKind::Cuda, identity))
    }

    /// A file of this process's own.
    fn file(&self, name: &str, end: &str) -> Result<PathBuf> {
        std::fs::create_dir_all(&self.folder).map_err(|e| RusTorchError::io(&self.folder, &e))?;
        Ok(self.folder.join(format!("{name}-{}.{end}", self.files.fetch_add(1, Ordering::Relaxed))))
    }

    fn compile_cpp(&self, name: &str, text: &str, clang: Option<&str>) -> Result<Vec<u8>> {
        let (source, library) = (self.file(name, "cpp")?, self.file(name, "so")?);
        let write = |text: &str| std::fs::write(&source, text).map_err(|e| RusTorchError::io(&source, &e));
        // A declaration of shared memory begins its line.
        if let Some(clang) = clang {
            write(&text.replace("\nthreadgroup ", "\nstatic threadgroup "))?;
            call(clang, &CLANG, &source)?;
        }
        let mut text = text.replace("\nthreadgroup ", "\nstatic thread_local ");
        let buffers = text.matches("[[buffer(").count() - usize::from(text.contains("constant Params &p"));
        let mut arguments: Vec<String> = (0..buffers).map(|n| format!("metal_shim::Any{{a[{n}]}}")).collect();
        if text.contains("constant Params &p") {
            arguments.push(format!("*(Params *)a[{buffers}]"));
        }
        let _ = write!(
            text,
            "\nextern \"C\" bool run_(void **a, const uint *groups, const uint *size) {{\n\
             return metal_shim::run(groups, size, [=](uint3 l, uint3 g, uint3 s, uint3 n) {{ {name}({}, l, g, s, n); }});\n}}\n",
            arguments.join(", ")
        );
        write(&text)?;
        let output = library.to_string_lossy();
        call("g++", &[&["-o", &output], &CPP[..]].concat(), &source)?;
        let binary = std::fs::read(&library).map_err(|e| RusTorchError::io(&library, &e));
        let _ = (std::fs::remove_file(&source), std::fs::remove_file(&library));
        binary
    }
}

/// Runs a compiler over a file.
fn call(compiler: &str, options: &[&str], source: &Path) -> Result<()> {
    let output = Command::new(compiler).args(options).arg(SHIM).arg(source).output();
    let output = output.map_err(|e| RusTorchError::io(Path::new(compiler), &e))?;
    if output.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&output.stderr);
    Err(RusTorchError::device("compile", format!("{compiler} refused {}:\n{log}", source.display())))
}

impl KernelExecutor for HostExecutor {
    type Kernel = HostKernel;
    type Stream = ();
    type Event = ();

    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn dialect(&self) -> &'static dyn Dialect {
        match self.compiler {
            Compiler::Shim { .. } => &MetalLanguage,
            Compiler::Nvrtc(..) => &CudaC,
        }
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn allocate(&self, bytes: usize) -> Result<NonNull<u8>> {
        // The block's size lies before it.
        let mut block = vec![0u64; bytes.div_ceil(8) + 2].into_boxed_slice();
        block[0] = block.len() as u64;
        let start = Box::leak(block).as_mut_ptr();
        // SAFETY: the block has two words more than were asked for.
        NonNull::new(unsafe { start.add(2) }.cast())
            .ok_or_else(|| RusTorchError::unsupported("allocate", "null"))
    }

    unsafe fn free(&self, address: NonNull<u8>) {
        let start: *mut u64 = address.as_ptr().cast();
        // SAFETY: `allocate` made the block, of as many words as its first says.
        unsafe {
            let start = start.sub(2);
            drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(start, *start as usize)));
        }
    }

    fn allocate_pinned(&self, bytes: usize) -> Result<NonNull<u8>> {
        self.allocate(bytes)
    }

    unsafe fn free_pinned(&self, address: NonNull<u8>) {
        // SAFETY: as for `free`.
        unsafe { self.free(address) };
    }

    unsafe fn write(&self, (): &(), transfer: &Transfer) -> Result<()> {
        let (start, offset) = transfer.device;
        // SAFETY: the caller has checked the range.
        unsafe { transfer.host.copy_to_nonoverlapping(start.add(offset), transfer.bytes) };
        Ok(())
    }

    unsafe fn read(&self, (): &(), transfer: &Transfer) -> Result<()> {
        let ((start, offset), bytes) = (transfer.device, transfer.bytes);
        if matches!(self.compiler, Compiler::Nvrtc(..)) {
            // No kernel has written this. As a place where an index was wrong it means that none was, so that the kernels
            // after the check are compiled, too.
            for (at, value) in i64::MAX.to_ne_bytes().into_iter().cycle().take(bytes).enumerate() {
                // SAFETY: the destination has that many bytes.
                unsafe { transfer.host.add(at).write(value) };
            }
            return Ok(());
        }
        // SAFETY: the caller has checked the range.
        unsafe { start.add(offset).copy_to_nonoverlapping(transfer.host, bytes) };
        Ok(())
    }

    fn copy(
        &self,
        (): &(),
        source: (NonNull<u8>, usize),
        destination: (NonNull<u8>, usize),
        bytes: usize,
    ) -> Result<()> {
        let (from, to) = (source.0.as_ptr(), destination.0.as_ptr());
        // SAFETY: the caller has checked the ranges.
        unsafe { std::ptr::copy_nonoverlapping(from.add(source.1), to.add(destination.1), bytes) };
        Ok(())
    }

    fn compile(&self, name: &str, text: &str) -> Result<Vec<u8>> {
        match &self.compiler {
            Compiler::Shim { clang } => self.compile_cpp(name, text, clang.as_deref()),
            Compiler::Nvrtc(nvrtc, architectures) => {
                for &architecture in architectures {
                    // The device's own instructions, so that the assembler sees what is written in PTX.
                    let binary = nvrtc.compile(name, text, Target::Machine(architecture))?;
                    assert!(!binary.is_empty(), "{name} for sm_{architecture}");
                }
                Ok(Vec::new())
            }
        }
    }

    fn load(&self, name: &str, binary: &[u8]) -> Result<HostKernel> {
        if matches!(self.compiler, Compiler::Nvrtc(..)) {
            return Ok(HostKernel(None));
        }
        let file = self.file(name, "so")?;
        std::fs::write(&file, binary).map_err(|e| RusTorchError::io(&file, &e))?;
        let library = rustorch_gpu::open_library("metal", &[&file.to_string_lossy()]);
        let _ = std::fs::remove_file(&file);
        library.map(|library| HostKernel(Some(library)))
    }

    fn launch(&self, (): &(), kernel: &HostKernel, launch: &Launch<'_>) -> Result<()> {
        let Some(library) = &kernel.0 else { return Ok(()) };
        // SAFETY: `compile_cpp` wrote this function.
        let run = unsafe { library.get::<Run>(b"run_\0") };
        let run = run.map_err(|e| RusTorchError::device("launch", e.to_string()))?;
        let mut parameters: Vec<u64> = vec![0; launch.parameters.len().div_ceil(8)];
        let mut arguments: Vec<*mut u8> = launch.buffers.iter().map(|b| b.as_ptr()).collect();
        let start: *mut u8 = parameters.as_mut_ptr().cast();
        // SAFETY: there is room for all bytes of the parameters.
        unsafe { start.copy_from_nonoverlapping(launch.parameters.as_ptr(), launch.parameters.len()) };
        arguments.push(start);
        // SAFETY: the arguments are those of the signature; the kernel stays in its buffers as far as the test is right.
        if unsafe { run(arguments.as_ptr(), launch.groups.as_ptr(), launch.group.as_ptr()) } {
            Ok(())
        } else {
            Err(RusTorchError::device("launch", "not every work-item of a group reached a barrier"))
        }
    }

    fn default_stream(&self) -> &() {
        &()
    }

    fn create_stream(&self, _: i32) -> Result<()> {
        Ok(())
    }

    fn synchronize(&self, (): &()) -> Result<()> {
        Ok(())
    }

    fn record(&self, (): &(), _: bool) -> Result<()> {
        Ok(())
    }

    fn wait_event(&self, (): &(), (): &()) -> Result<()> {
        Ok(())
    }

    fn is_done(&self, (): &()) -> Result<bool> {
        Ok(true)
    }

    fn wait(&self, (): &()) -> Result<()> {
        Ok(())
    }

    unsafe fn extent(&self, _: NonNull<u8>) -> Result<Option<usize>> {
        Ok(None)
    }

    fn elapsed_time(&self, (): &(), (): &()) -> Result<f64> {
        Ok(0.0)
    }
}
