//! How kernel texts are written in CUDA C.

use std::fmt::Write;

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
        let mut arguments: Vec<String> = signature
            .buffers
            .iter()
            .map(|buffer| {
                let qualifier = if buffer.mutable { "" } else { "const " };
                format!("{qualifier}{} *{}", buffer.element, buffer.name)
            })
            .collect();
        if !signature.fields.is_empty() {
            arguments.push("const Params p".to_string());
        }
        let head = format!(
            "extern \"C\" __global__ void __launch_bounds__({threads}) {}({})",
            signature.name,
            arguments.join(", ")
        );
        let mut shared = String::new();
        for array in signature.shared {
            // Writing to a string cannot fail.
            let _ = writeln!(shared, "__shared__ {} {}[{}];", array.element, array.name, array.length);
        }
        (head, shared)
    }
}
