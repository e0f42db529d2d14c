//! Written by `cargo xtask codegen`.
pub mod elementwise;
