//! The loops that drive an algebra over memory, one per function and instruction set.

mod arithmetic;
mod comparison;
mod complex;
pub mod moments;
pub mod reduction;
pub mod wide;

pub use arithmetic::kernel;

/// The loop of one operation: arguments, result, number of elements, whether to store around the caches.
///
/// Numbers are of the compute dtype, truth values bytes of which any but 0 is true; those that are written are 0 or 1.
///
/// # Safety
/// The level that the kernel was asked for is available. The operation's arguments are valid for reads of `n` elements,
/// the result for writes; an argument is either the very same elements as the result or does not overlap it.
/// After a streaming store, a fence precedes other threads' reads.
pub type Kernel = unsafe fn(arguments: &[*const u8; 3], result: *mut u8, n: usize, stream: bool);

#[cfg(test)]
mod tests;
