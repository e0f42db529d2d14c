//! What formats share: where bytes come from, how a file takes its place, what is checked of numbers in files, what
//! dtypes are called, and on which device tensors end up.

pub mod conversion;
pub mod destination;
pub mod output;
pub mod replace;
pub mod source;
pub mod validation;
