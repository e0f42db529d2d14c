//! How kernel texts are written in CUDA C.

use rustorch_gpu::dialect::{Dialect, Signature};

/// CUDA C++ as NVRTC takes it, without any header.
#[derive(Debug)]
pub struct CudaC;

impl Dialect for CudaC {
    fn name(&self) -> &'static str {
        "CUDA C"
    }

    fn prelude(&self) -> &'static str {
        include_str!("prelude.cu")
    }

    fn signature(&self, signature: &Signature<'_>) -> (String, String) {
        let threads: u32 = signature.group.iter().product();
        // Outputs may be their inputs (in-place ops), so no pointer promises to be the only one to its memory.
        let (name, arguments) = (signature.name, signature.arguments(""));
        let head = format!("extern \"C\" __global__ void __launch_bounds__({threads}) {name}({arguments})");
        (head, signature.shared_arrays("__shared__"))
    }
}
