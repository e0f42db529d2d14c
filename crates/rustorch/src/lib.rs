//! RusTorch: tensors with automatic differentiation, layers and optimizers, with PyTorch's names and semantics.
//!
//! Call [`init`] once; it registers the backends that this build has. Then:
//!
//! ```
//! use rustorch::{Tensor, ops};
//!
//! rustorch::init()?;
//! let x = Tensor::from_slice(&[1.0_f32, 2.0, 3.0], &[3])?.requires_grad_()?;
//! let y = ops::sum(&ops::mul(&x, &x)?, None, false, None)?;
//! rustorch::autograd::backward(&[y], &[None], false, false, None)?;
//! assert_eq!(x.grad().expect("x is a leaf").to_vec::<f32>()?, [2.0, 4.0, 6.0]);
//! # Ok::<(), rustorch::RusTorchError>(())
//! ```

pub use rustorch_algebra as algebra;
pub use rustorch_backend as backend;
#[cfg(feature = "cpu")]
pub use rustorch_cpu_simd::threads::{num_threads, set_num_threads};
#[cfg(feature = "cuda")]
pub use rustorch_gpu::{Float32Precision, float32_matmul_precision, set_float32_matmul_precision};
pub use rustorch_model_io as model_io;
pub use rustorch_nn as nn;
pub use rustorch_tensor::{
    DType, Device, DeviceKind, Element, Generator, Result, RusTorchError, Scalar, Tensor, TensorOptions,
    autograd, default_dtype, default_generator, manual_seed, ops, registry, set_default_dtype,
};

/// Registers the backends of this build. More calls do nothing more.
///
/// # Errors
/// A backend does not start on this machine.
pub fn init() -> Result<()> {
    #[cfg(feature = "cpu")]
    {
        use rustorch_backend::memory::fork::OnceLock;
        use rustorch_cpu_simd::CpuBackend;

        static CPU: OnceLock<CpuBackend> = OnceLock::new();
        if CPU.get().is_none() {
            // Two threads may come here at once; either's backend will do.
            let _ = CPU.set(CpuBackend::new()?);
        }
        if let Some(cpu) = CPU.get() {
            registry::register(cpu);
        }
    }
    #[cfg(feature = "opencl")]
    registry::register_provider(DeviceKind::OpenCl, rustorch_opencl::backends);
    #[cfg(feature = "cuda")]
    registry::register_provider(DeviceKind::Cuda, rustorch_cuda::backends);
    #[cfg(all(feature = "metal", target_os = "macos"))]
    registry::register_provider(DeviceKind::Metal, rustorch_metal::backends);
    Ok(())
}
