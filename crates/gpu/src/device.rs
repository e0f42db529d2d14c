//! [`Device`]: what kernels need of a device, without its type.

use rustorch_backend::Buffer;
use rustorch_error::Result;

use crate::executor::Limits;
use crate::kernel::Call;
use crate::vendor_library::{Convolution, MatrixProduct};

/// What kernels need of a device, without its type.
pub trait Device: Send + Sync {
    /// What it can do.
    fn limits(&self) -> &Limits;
    /// How many compute units it has.
    fn parallelism(&self) -> usize;
    /// Its name in messages.
    fn kind(&self) -> &'static str;
    /// Compiles a call's text if need be, and queues the kernel over `groups` groups.
    fn run(&self, call: Call<'_>, groups: [usize; 3]) -> Result<()>;
    /// Lets the vendor's library multiply, where there is one that computes this product; says whether it does.
    fn library_product(&self, product: &MatrixProduct<'_>) -> Result<bool>;
    /// The same for a convolution or one of its gradients.
    fn library_convolution(&self, convolution: &Convolution<'_>) -> Result<bool>;
    /// Memory for the time of a method.
    fn temporary(&self, bytes: usize) -> Result<Buffer>;
    /// Copies device memory to the host, and waits for it.
    fn read(&self, buffer: &Buffer, offset: usize, destination: &mut [u8]) -> Result<()>;
    /// Copies host memory to the device.
    fn write(&self, buffer: &Buffer, offset: usize, source: &[u8]) -> Result<()>;
}
