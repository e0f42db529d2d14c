//! How kernel texts are written in Metal's shading language.

use rustorch_gpu::dialect::{Dialect, Signature};

/// Metal's shading language 2.3, the first with 64-bit integers on every GPU of Apple's own.
#[derive(Debug)]
pub struct MetalLanguage;

impl Dialect for MetalLanguage {
    fn name(&self) -> &'static str {
        "Metal 2.3"
    }

    fn prelude(&self) -> &'static str {
        concat!(include_str!("prelude.metal"), include_str!("functions.metal"))
    }

    fn signature(&self, signature: &Signature<'_>) -> (String, String) {
        let threads: u32 = signature.group.iter().product();
        let mut arguments: Vec<String> = signature
            .buffers
            .iter()
            .enumerate()
            .map(|(n, buffer)| {
                let qualifier = if buffer.mutable { "" } else { "const " };
                format!("device {qualifier}{} *{} [[buffer({n})]]", buffer.element, buffer.name)
            })
            .collect();
        if !signature.fields.is_empty() {
            arguments.push(format!("constant Params &p [[buffer({})]]", signature.buffers.len()));
        }
        for (name, place) in [
            ("lid_", "thread_position_in_threadgroup"),
            ("group_", "threadgroup_position_in_grid"),
            ("size_", "threads_per_threadgroup"),
            ("count_", "threadgroups_per_grid"),
        ] {
            arguments.push(format!("uint3 {name} [[{place}]]"));
        }
        let head = format!(
            "[[kernel, max_total_threads_per_threadgroup({threads})]] void {}({})",
            signature.name,
            arguments.join(", ")
        );
        (head, signature.shared_arrays("threadgroup"))
    }
}
