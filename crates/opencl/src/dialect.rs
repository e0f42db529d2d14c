//! How kernel texts are written in OpenCL C 1.2.

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
        let (name, arguments) = (signature.name, signature.arguments("__global "));
        let size = format!("__attribute__((reqd_work_group_size({x}, {y}, {z})))");
        (format!("__kernel {size} void {name}({arguments})"), signature.shared_arrays("__local"))
    }
}
