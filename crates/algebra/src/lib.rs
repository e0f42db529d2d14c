//! What an element of a tensor is, and elementwise mathematics, written once.
//!
//! An [`Algebra`] says what numbers are: a vector register of a SIMD width, one integer, or a line of C that a
//! [`printer`] records. A function such as [`silu`](functions::silu) is generic over it, so the CPU runs it on whole
//! vectors and a GPU gets its text. The op table (`ops/*.toml`) names each function's domain and signature.
//!
//! [`FloatAlgebra`] has the transcendental functions. A printer leaves them to the device; vectors implement
//! [`FloatBits`] as well and take them from [`polynomials`] through [`polynomial_transcendentals!`]. A [`Program`] is a
//! sequence of the functions' calls.

mod algebra;
pub mod complex;
mod dtype;
mod element;
pub mod functions;
mod generated;
mod half_precision;
pub mod polynomials;
pub mod printer;
mod program;
mod scalar;
pub mod special;
mod truth;

pub use algebra::{Algebra, FloatAlgebra, FloatBits, IntegerAlgebra};
pub use dtype::{Category, DType, parse_dtype};
pub use element::Element;
pub use generated::elementwise::ElementwiseOp;
pub use half;
pub use half_precision::{bf16_from_f64, f16_from_f64};
pub use program::{Cost, Instruction, Program, RegisterKind, Source};
pub use scalar::Scalar;
pub use truth::Truth;
