//! A tensor's elements as numbers.

use rustorch_backend::memory::Scratch;
use rustorch_backend::{Scalar, with_element};
use rustorch_tensor::{Element, Tensor, ops};

/// The elements in row-major order.
pub(super) fn scalars(tensor: &Tensor) -> rustorch_tensor::Result<Scratch<Scalar>> {
    fn real<T: Element>(tensor: &Tensor) -> rustorch_tensor::Result<Scratch<Scalar>> {
        Scratch::collect(tensor.to_vec::<T>()?.into_iter().map(Element::to_scalar))
    }
    with_element!(tensor.dtype(), T => real::<T>(tensor), else {
        let parts = ops::view_as_real(&tensor.detach())?.to_vec::<f64>()?;
        Scratch::collect(parts.chunks_exact(2).map(|part| Scalar::Complex(part[0], part[1])))
    })
}
