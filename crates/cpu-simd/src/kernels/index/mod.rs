//! Reading and writing at positions that other tensors name.

mod check;
mod gather;
mod nonzero;
mod rows;
mod scatter;

pub(crate) use check::{Bound, changed_meanwhile, check};
pub use gather::gather;
pub use nonzero::{count_nonzero, nonzero};
pub use rows::{index_read, index_write};
pub use scatter::scatter;

#[cfg(test)]
mod tests;
