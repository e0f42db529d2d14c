//! NVRTC, the compiler of kernel texts, opened when the first kernel is compiled that no cache has.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{null, null_mut};

use rustorch_cuda_libraries::Library;
use rustorch_error::{Result, RusTorchError};

use crate::driver::{self, call};

type Code = c_int;
type Program = *mut c_void;

const COMPILATION: Code = 6;

rustorch_gpu::functions! {
    /// NVRTC of CUDA 11.2 or later.
    Functions {
        fn nvrtcVersion(*mut c_int, *mut c_int) -> Code;
        fn nvrtcGetErrorString(Code) -> *const c_char;
        fn nvrtcGetNumSupportedArchs(*mut c_int) -> Code;
        fn nvrtcGetSupportedArchs(*mut c_int) -> Code;
        fn nvrtcCreateProgram(*mut Program, *const c_char, *const c_char, c_int, *const *const c_char, *const *const c_char) -> Code;
        fn nvrtcDestroyProgram(*mut Program) -> Code;
        fn nvrtcCompileProgram(Program, c_int, *const *const c_char) -> Code;
        fn nvrtcGetPTXSize(Program, *mut usize) -> Code;
        fn nvrtcGetPTX(Program, *mut c_char) -> Code;
        fn nvrtcGetCUBINSize(Program, *mut usize) -> Code;
        fn nvrtcGetCUBIN(Program, *mut c_char) -> Code;
        fn nvrtcGetProgramLogSize(Program, *mut usize) -> Code;
        fn nvrtcGetProgramLog(Program, *mut c_char) -> Code;
    }
}

/// For what a text is compiled; the number is the compute capability, 90 for 9.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The device's own instructions. Any driver of the compiler's major version loads them, and at once.
    Machine(u32),
    /// PTX, which the driver of a newer device compiles once more.
    Ptx(u32),
}

/// The compiler.
pub struct Nvrtc {
    functions: Functions,
    version: (c_int, c_int),
    /// The compute capabilities that it knows, ascending.
    known: Vec<u32>,
}

impl Nvrtc {
    /// The newest NVRTC that a driver of CUDA `most` can load programs of.
    ///
    /// # Errors
    /// There is none; the message says what to install.
    pub fn open(most: c_int) -> Result<Nvrtc> {
        let functions = Functions::load("cuda", Library::NVRTC.open(most)?)?;
        let (mut major, mut minor, mut count) = (0, 0, 0);
        // SAFETY: places for two numbers.
        unsafe { call!(functions, nvrtcVersion, &raw mut major, &raw mut minor) }?;
        // SAFETY: a place for a number.
        unsafe { call!(functions, nvrtcGetNumSupportedArchs, &raw mut count) }?;
        let mut known = vec![0; count as usize];
        // SAFETY: the vector has room for as many as were told.
        unsafe { call!(functions, nvrtcGetSupportedArchs, known.as_mut_ptr()) }?;
        let known = known.into_iter().map(|architecture| architecture as u32).collect();
        Ok(Nvrtc { functions, version: (major, minor), known })
    }

    /// Its major and minor version.
    pub fn version(&self) -> (i32, i32) {
        self.version
    }

    /// How texts for a device are compiled: for itself where this NVRTC knows it, else as PTX of the newest that it
    /// knows.
    ///
    /// # Errors
    /// The device is older than all that it knows.
    pub fn target(&self, capability: u32) -> Result<Target> {
        match self.known.iter().rev().find(|&&known| known <= capability) {
            Some(&known) if known == capability => Ok(Target::Machine(known)),
            Some(&known) => Ok(Target::Ptx(known)),
            None => Err(RusTorchError::unavailable(
                "cuda",
                format!(
                    "NVRTC {}.{} does not compile for devices of compute capability {}.{}; install an older one",
                    self.version.0,
                    self.version.1,
                    capability / 10,
                    capability % 10
                ),
            )),
        }
    }

    /// Compiles a text; the answer is what the driver loads.
    ///
    /// # Errors
    /// The compiler's message.
    pub fn compile(&self, name: &str, text: &str, target: Target) -> Result<Vec<u8>> {
        let no_zero = |_| RusTorchError::argument("compile", "a kernel's text holds no zero byte");
        let source = CString::new(text).map_err(no_zero)?;
        let file = CString::new(format!("{name}.cu")).map_err(no_zero)?;
        let architecture = match target {
            Target::Machine(capability) => format!("--gpu-architecture=sm_{capability}"),
            Target::Ptx(capability) => format!("--gpu-architecture=compute_{capability}"),
        };
        let architecture = CString::new(architecture).map_err(no_zero)?;
        // Contraction is the kernel's to ask for (FMA), so that every device gives the same sums. Kernels that do not
        // call some function of a text are no news.
        let options = [architecture.as_ptr(), c"--fmad=false".as_ptr(), c"--disable-warnings".as_ptr()];
        let (nvrtc, mut program) = (&self.functions, null_mut());
        let (source, file, none) = (source.as_ptr(), file.as_ptr(), null());
        // SAFETY: both strings end with a zero, and there are no headers.
        unsafe { call!(nvrtc, nvrtcCreateProgram, &raw mut program, source, file, 0, none, none) }?;
        let mut program = Owned { functions: nvrtc, program };
        // SAFETY: three options, each ending with a zero.
        let code = unsafe { (self.functions.nvrtcCompileProgram)(program.program, 3, options.as_ptr()) };
        if code == COMPILATION {
            let log =
                program.output(self.functions.nvrtcGetProgramLogSize, self.functions.nvrtcGetProgramLog)?;
            let message = format!("NVRTC refused kernel '{name}':\n{}", driver::text(&log));
            return Err(RusTorchError::device("compile", message));
        }
        self.functions.check("nvrtcCompileProgram", code)?;
        match target {
            Target::Machine(_) => {
                program.output(self.functions.nvrtcGetCUBINSize, self.functions.nvrtcGetCUBIN)
            }
            Target::Ptx(_) => program.output(self.functions.nvrtcGetPTXSize, self.functions.nvrtcGetPTX),
        }
    }
}

impl Functions {
    fn check(&self, function: &'static str, code: Code) -> Result<()> {
        if code == 0 {
            return Ok(());
        }
        // SAFETY: the answer is a constant of the library.
        let text = unsafe { CStr::from_ptr((self.nvrtcGetErrorString)(code)) }.to_string_lossy();
        Err(RusTorchError::device(function, format!("NVRTC answered {text} ({code})")))
    }
}

/// A program that is destroyed when it goes.
struct Owned<'a> {
    functions: &'a Functions,
    program: Program,
}

impl Owned<'_> {
    /// What one of the functions gives that first tell a size.
    fn output(
        &mut self,
        size: unsafe extern "system" fn(Program, *mut usize) -> Code,
        get: unsafe extern "system" fn(Program, *mut c_char) -> Code,
    ) -> Result<Vec<u8>> {
        let mut bytes = 0;
        // SAFETY: a place for the size.
        self.functions.check("nvrtcGetSize", unsafe { size(self.program, &raw mut bytes) })?;
        let mut output = vec![0u8; bytes];
        // SAFETY: the vector has room for the size told.
        self.functions.check("nvrtcGet", unsafe { get(self.program, output.as_mut_ptr().cast()) })?;
        Ok(output)
    }
}

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        // SAFETY: the program is destroyed once, by its owner.
        unsafe { (self.functions.nvrtcDestroyProgram)(&raw mut self.program) };
    }
}
