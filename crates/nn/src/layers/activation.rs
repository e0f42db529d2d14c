//! Activation functions as layers.

use rustorch_error::Result;
use rustorch_tensor::{Tensor, ops};

use super::Layer;

/// An activation function with its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// x where positive, this times x elsewhere.
    LeakyRelu(f64),
    /// x where positive, this times `exp(x) - 1` elsewhere.
    Elu(f64),
    /// The self-normalising ELU.
    Selu,
    /// `x Φ(x)`.
    Gelu,
    /// `x sigmoid(x)`.
    Silu,
    /// `x tanh(softplus(x))`.
    Mish,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `log(1 + exp(x))`.
    Softplus,
    /// `exp(x) / Σ exp(x)` along a dimension.
    Softmax(i64),
    /// The logarithm of the softmax along a dimension.
    LogSoftmax(i64),
}

impl Layer for Activation {
    fn forward(&self, input: &Tensor) -> Result<Tensor> {
        match *self {
            Activation::Relu => ops::relu(input),
            Activation::Relu6 => ops::relu6(input),
            Activation::LeakyRelu(slope) => ops::leaky_relu(input, slope),
            Activation::Elu(alpha) => ops::elu(input, alpha),
            Activation::Selu => ops::selu(input),
            Activation::Gelu => ops::gelu(input, "none"),
            Activation::Silu => ops::silu(input),
            Activation::Mish => ops::mish(input),
            Activation::Sigmoid => ops::sigmoid(input),
            Activation::Tanh => ops::tanh(input),
            Activation::Softplus => ops::softplus(input, 1.0, 20.0),
            Activation::Softmax(dim) => ops::softmax(input, dim, None),
            Activation::LogSoftmax(dim) => ops::log_softmax(input, dim, None),
        }
    }
}
