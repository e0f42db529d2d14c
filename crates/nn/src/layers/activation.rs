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
    /// x where positive, this times `exp(x / this) - 1` elsewhere.
    Celu(f64),
    /// `x relu6(x + 3) / 6`.
    Hardswish,
    /// `relu6(x + 3) / 6`.
    Hardsigmoid,
    /// x limited to these.
    Hardtanh(f64, f64),
    /// 0 where `|x|` is at most this, x elsewhere.
    Hardshrink(f64),
    /// x moved toward 0 by this.
    Softshrink(f64),
    /// `x - tanh(x)`.
    Tanhshrink,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `log(sigmoid(x))`.
    LogSigmoid,
    /// `a sigmoid(b)`, where a and b are the halves of a dimension.
    Glu(i64),
    /// The softmax of `-x` along a dimension.
    Softmin(i64),
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
            Activation::Celu(alpha) => ops::celu(input, alpha),
            Activation::Hardswish => ops::hardswish(input),
            Activation::Hardsigmoid => ops::hardsigmoid(input),
            Activation::Hardtanh(low, high) => ops::hardtanh(input, low.into(), high.into()),
            Activation::Hardshrink(lambda) => ops::hardshrink(input, lambda),
            Activation::Softshrink(lambda) => ops::softshrink(input, lambda),
            Activation::Tanhshrink => ops::tanhshrink(input),
            Activation::Softsign => ops::softsign(input),
            Activation::LogSigmoid => ops::logsigmoid(input),
            Activation::Glu(dim) => ops::glu(input, dim),
            Activation::Softmin(dim) => ops::softmin(input, dim, None),
            Activation::Softmax(dim) => ops::softmax(input, dim, None),
            Activation::LogSoftmax(dim) => ops::log_softmax(input, dim, None),
        }
    }
}
