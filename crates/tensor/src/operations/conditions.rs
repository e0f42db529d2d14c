//! When an op of the table is computed in another way: the conditions that the columns `redirect` and `widen` name.

use rustorch_backend::{DType, DeviceKind, Scalar};

use super::arithmetic::pow_special_case;
use crate::Tensor;

/// Whether a factor changes anything.
#[inline]
pub fn is_scaled(alpha: Scalar) -> bool {
    !alpha.is_one()
}

/// Whether a quotient is rounded.
#[inline]
pub fn is_rounded(rounding_mode: Option<&str>) -> bool {
    rounding_mode.is_some()
}

/// Whether GELU is approximated.
#[inline]
pub fn is_approximate(approximate: &str) -> bool {
    approximate != "none"
}

/// Whether a power has a cheaper form.
#[inline]
pub fn is_simple_power(exponent: &Tensor) -> bool {
    pow_special_case(exponent).is_some()
}

/// Whether two tensors promote to bool.
#[inline]
pub fn promote_to_bool(input: &Tensor, other: &Tensor) -> bool {
    crate::result_type(&[input, other]) == DType::Bool
}

/// Whether a tensor is one of bools.
#[inline]
pub fn is_bool(input: &Tensor) -> bool {
    input.dtype() == DType::Bool
}

/// Whether a tensor is complex.
#[inline]
pub fn is_complex(input: &Tensor) -> bool {
    input.dtype().is_complex()
}

/// Whether a tensor is not complex.
#[inline]
pub fn is_real(input: &Tensor) -> bool {
    !is_complex(input)
}

/// Whether numbers are rounded to other places than that of the ones.
#[inline]
pub fn has_decimals(decimals: i64) -> bool {
    decimals != 0
}

/// Whether probabilities are kept away from 0 and 1.
#[inline]
pub fn has_margin(eps: Option<f64>) -> bool {
    eps.is_some()
}

/// Whether there are products of products.
pub fn are_several(operands: &[Tensor]) -> bool {
    operands.len() > 2
}

/// Whether attention is more than its kernel.
pub fn is_decomposed(dropout_p: f64, attn_mask: Option<&Tensor>) -> bool {
    dropout_p != 0.0 || attn_mask.is_some_and(Tensor::requires_grad)
}

/// Whether what follows a product of half precisions is worth a product of float32: not where those have units of their
/// own, as PyTorch decides for CUDA.
pub fn pays_after_products(tensor: &Tensor) -> bool {
    tensor.device().kind != DeviceKind::Cuda
}

/// Whether that is so, and a summand follows.
pub fn pays_with_summand(input: &Tensor, bias: Option<&Tensor>) -> bool {
    bias.is_some() && pays_after_products(input)
}
