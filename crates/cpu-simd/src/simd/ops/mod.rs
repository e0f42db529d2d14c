//! The loops that drive an algebra over memory, one per function and instruction set.

mod arithmetic;
mod comparison;
mod complex;
pub mod reduction;
pub mod wide;

pub use arithmetic::{Kernel, kernel};

#[cfg(test)]
mod tests;
