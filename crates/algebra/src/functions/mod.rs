//! The elementwise functions of real numbers, each once, over any algebra.

mod activation;
mod arithmetic;
mod bitwise;
mod comparison;
mod error_function;
mod exponential;
mod logical;
mod rounding;
mod slope;
mod trigonometric;

pub use activation::*;
pub use arithmetic::*;
pub use bitwise::*;
pub use comparison::*;
pub use error_function::*;
pub use exponential::*;
pub use logical::*;
pub use rounding::*;
pub use slope::*;
pub use trigonometric::*;
