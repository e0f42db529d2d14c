//! Forms of activations that are chosen by an argument.

use rustorch_error::{Result, RusTorchError};

use crate::{Tensor, ops};

/// `gelu` with an approximation.
pub(crate) fn gelu_approximate(input: &Tensor, approximate: &str) -> Result<Tensor> {
    match approximate {
        "tanh" => ops::gelu_tanh(input),
        other => Err(RusTorchError::argument(
            "gelu",
            format!("approximate argument must be either 'none' or 'tanh', got '{other}'"),
        )),
    }
}
