//! Neural networks: what a layer computes and how it initialises, losses, initial distributions and optimizers.
//!
//! A layer keeps what it is (its configuration) apart from what it has learnt (its tensors):
//! [`layers::ParameterizedLayer::forward_with`] computes with the tensors it is handed, and [`layers::Layer::forward`]
//! hands it the layer's own. Python's modules call the same ops, under the same names.

pub mod functional;
pub mod init;
pub mod layers;
pub mod loss;
pub mod optim;

#[cfg(test)]
mod testing;
