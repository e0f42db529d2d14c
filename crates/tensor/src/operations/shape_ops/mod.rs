//! Views, joining and splitting.

mod joining;
mod views;

pub use joining::*;
pub use views::*;
pub(crate) use views::{expand_to, permutation};
