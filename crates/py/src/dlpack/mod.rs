//! DLPack 1.x: memory shared with other libraries, both ways.

mod abi;
mod export;
mod import;

pub use import::register;
