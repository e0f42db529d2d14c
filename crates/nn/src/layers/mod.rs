//! Layers: functions of a tensor, with or without something learnt.
//!
//! [`Layer`] is anything that can stand in a [`Sequential`]. [`ParameterizedLayer`] has tensors, which it declares and
//! initialises, and computes with whatever tensors it is handed. [`ConvolutionLayer`] slides a window.

mod activation;
mod batch_norm;
mod convolution;
mod convolution_transpose;
mod dropout;
mod embedding;
mod flatten;
mod linear;
mod normalization;
mod parameters;
mod pooling;
mod sequential;

#[cfg(test)]
mod tests;

use std::fmt::Debug;

use rustorch_error::Result;
use rustorch_tensor::Tensor;

pub use activation::Activation;
pub use batch_norm::{BatchNorm, BatchNormConfig};
pub use convolution::{Conv, Conv1d, Conv2d, Conv3d, ConvConfig};
pub use convolution_transpose::{ConvTranspose, ConvTransposeConfig};
pub use dropout::{Dropout, DropoutKind};
pub use embedding::{Embedding, EmbeddingConfig};
pub use flatten::Flatten;
pub use linear::{Linear, LinearConfig};
pub use normalization::{GroupNorm, GroupNormConfig, LayerNorm, LayerNormConfig, RmsNorm, RmsNormConfig};
pub use parameters::{Declaration, Handed, Parameters, Role};
pub use pooling::{AdaptiveAvgPool, AvgPool, MaxPool};
pub use sequential::Sequential;

/// A function of a tensor.
pub trait Layer: Debug + Send + Sync {
    /// What the layer makes of `input`.
    fn forward(&self, input: &Tensor) -> Result<Tensor>;

    /// Shows every tensor the layer owns with its name, which begins with `prefix`, and its role.
    fn visit(&self, prefix: &str, visitor: &mut dyn FnMut(&str, &Tensor, Role)) {
        let _ = (prefix, visitor);
    }

    /// Says whether the layer is being trained; dropout and batch normalisation care.
    fn set_training(&mut self, training: bool) {
        let _ = training;
    }

    /// The tensors that an optimizer moves.
    fn learned(&self) -> Vec<Tensor> {
        let mut tensors = Vec::new();
        self.visit("", &mut |_, tensor, role| {
            if role == Role::Learned {
                tensors.push(tensor.clone());
            }
        });
        tensors
    }

    /// Every tensor under its name: what a model file holds.
    fn state(&self) -> Vec<(String, Tensor)> {
        let mut tensors = Vec::new();
        self.visit("", &mut |name, tensor, _| tensors.push((name.to_owned(), tensor.detach())));
        tensors
    }
}

/// A layer with tensors of its own, which computes with whatever tensors it is handed.
pub trait ParameterizedLayer: Layer {
    /// Name, shape and role of each tensor, in the order in which the other methods take them.
    fn declarations(&self) -> Vec<Declaration>;

    /// Fills tensors of the declared shapes with their initial values; those that are `None` are left out.
    fn initialize(&self, tensors: Handed<'_>) -> Result<()>;

    /// What the layer makes of `input` with these tensors.
    fn forward_with(&self, tensors: Handed<'_>, input: &Tensor) -> Result<Tensor>;

    /// The layer's own tensors.
    fn parameters(&self) -> &Parameters;
}

/// A layer that slides a window of weights over one or more spatial dimensions.
pub trait ConvolutionLayer: ParameterizedLayer {
    /// Sizes of the window.
    fn kernel_size(&self) -> &[usize];

    /// Steps of the window.
    fn stride(&self) -> &[usize];

    /// Distances between the window's taps.
    fn dilation(&self) -> &[usize];

    /// The number of independent groups of channels.
    fn groups(&self) -> usize;

    /// The spatial sizes that an input of these spatial sizes gives.
    fn output_size(&self, input: &[usize]) -> Result<Vec<usize>>;
}
