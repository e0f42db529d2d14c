//! How kernel texts are written in OpenCL C 1.2.

use std::fmt::Write;

use rustorch_gpu::dialect::{Dialect, Signature};

/// OpenCL C 1.2.
#[derive(Debug)]
pub struct OpenClC;

impl Dialect for OpenClC {
    fn name(&self) -> &'static str {
        "OpenCL C 1.2"
    }

    fn prelude(&self) -> &'static str {
        include_str!("prelude.cl")
    }

    fn signature(&self, signature: &Signature<'_>) -> (String, String) {
        let [x, y, z] = signature.group;
        let mut arguments: Vec<String> = signature
            .buffers
            .iter()
            .map(|buffer| {
                let qualifier = if buffer.mutable { "" } else { "const " };
                format!("__global {qualifier}{} *{}", buffer.element, buffer.name)
            })
            .collect();
        if !signature.fields.is_empty() {
            arguments.push("const Params p".to_string());
        }
        let head = format!(
            "__kernel __attribute__((reqd_work_group_size({x}, {y}, {z}))) void {}({})",
            signature.name,
            arguments.join(", ")
        );
        let mut shared = String::new();
        for array in signature.shared {
            // Writing to a string cannot fail.
            let _ = writeln!(shared, "__local {} {}[{}];", array.element, array.name, array.length);
        }
        (head, shared)
    }
}
