//! Gradients of Fourier transforms, which are transforms.

use rustorch_backend::memory::Scratch;
use rustorch_error::Result;

use crate::{Tensor, ops};

/// The gradient of a complex transform: the one that goes the other way.
pub fn fourier_complex_grad(grad: &Tensor, dims: &[i64], inverse: bool, scale: f64) -> Result<Tensor> {
    ops::fourier_complex(grad, dims, !inverse, scale)
}

/// `grad` along `dim` times 1 for the frequencies that are their own conjugates, and times `inner` for the others, which
/// stand for two. There are `size` real numbers.
fn weighted(grad: &Tensor, dim: i64, size: usize, inner: f64) -> Result<Tensor> {
    let bins = grad.shape()[dim as usize];
    let own = |k: usize| k == 0 || 2 * k == size;
    let weights = Scratch::collect((0..bins).map(|k| if own(k) { 1.0 } else { inner }))?;
    let weights = Tensor::from_slice_on(grad.device(), &weights, &[bins])?;
    let weights = ops::to_dtype(&weights, Some(grad.dtype().to_real()))?;
    let mut shape: Vec<i64> = vec![1; grad.ndim()];
    shape[dim as usize] = bins as i64;
    ops::mul(grad, &ops::reshape(&weights, &shape)?)
}

/// The gradient of half the spectrum of real numbers of `shape`: what the half says as if its inner frequencies stood
/// for two halves each.
pub fn fourier_from_real_grad(grad: &Tensor, shape: &[usize], dims: &[i64], scale: f64) -> Result<Tensor> {
    let Some(&last) = dims.last() else { return ops::real(grad) };
    let size = shape[last as usize];
    ops::fourier_to_real(&weighted(grad, last, size, 0.5)?, dims, size as i64, scale)
}

/// The gradient of real numbers by half their spectrum: its inner frequencies have been counted twice.
pub fn fourier_to_real_grad(grad: &Tensor, dims: &[i64], scale: f64) -> Result<Tensor> {
    let half = ops::fourier_from_real(grad, dims, scale)?;
    let Some(&last) = dims.last() else { return Ok(half) };
    weighted(&half, last, grad.shape()[last as usize], 2.0)
}
