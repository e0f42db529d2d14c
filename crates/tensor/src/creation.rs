//! How a new tensor is described.

use rustorch_backend::{DType, Device};

/// Options of creation functions; the defaults are PyTorch's.
#[derive(Debug, Clone, Copy, Default)]
pub struct TensorOptions {
    /// The dtype; `None` for the op's default.
    pub dtype: Option<DType>,
    /// The device; `None` for the default device.
    pub device: Option<Device>,
    /// Whether ops on the tensor are recorded.
    pub requires_grad: bool,
}
