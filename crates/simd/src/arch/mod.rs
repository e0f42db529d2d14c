//! The algebra over each instruction set.
//!
//! [`Vector`] is what an instruction set must offer; [`Float`] makes an algebra of it, transcendental functions
//! included. [`Integer`] is the algebra of one integer or bool: its loops are simple enough for the compiler to
//! vectorise.

#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
pub mod fallback;
mod float;
mod integer;
#[cfg(target_arch = "aarch64")]
pub mod neon;

pub use float::{Float, FloatElement, MAX_LANES, Vector};
pub use integer::{Integer, IntegerElement};
