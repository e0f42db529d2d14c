//! Tensors that a node keeps for the backward pass.

use std::sync::Arc;

use rustorch_backend::{DType, Shape};
use rustorch_error::{Result, RusTorchError};

use super::node::{Edge, Node};
use crate::Tensor;

/// A tensor as it was when an op was recorded; unpacking it fails when it has been changed in place since.
#[derive(Debug)]
pub struct Saved {
    tensor: Tensor,
    version: u32,
    /// For a result of the node itself: which one. Its history is put back when it is unpacked, because holding it
    /// would be a cycle.
    output: Option<usize>,
}

impl Saved {
    /// Keeps an input, with its history.
    #[inline]
    pub fn input(tensor: &Tensor) -> Self {
        Saved { tensor: tensor.clone(), version: tensor.storage().version(), output: None }
    }

    /// Keeps the `index`-th result of the node that will hold this.
    #[inline]
    pub fn output(tensor: &Tensor, index: usize) -> Self {
        Saved { tensor: tensor.detach(), version: tensor.storage().version(), output: Some(index) }
    }

    /// The tensor, with its history.
    pub fn unpack(&self, node: &Arc<Node>) -> Result<Tensor> {
        let now = self.tensor.storage().version();
        if now != self.version {
            return Err(RusTorchError::autograd(
                "backward",
                format!(
                    "one of the variables needed for gradient computation has been modified by an inplace operation: \
                     {} of shape {:?}, {}, is at version {now}; expected version {} instead. Clone it before the \
                     in-place operation",
                    match self.output {
                        Some(index) => format!("output {index} of {}", node.name()),
                        None => format!("a tensor saved by {}", node.name()),
                    },
                    self.tensor.shape(),
                    self.tensor.dtype(),
                    self.version
                ),
            ));
        }
        if let Some(index) = self.output
            && super::mode::is_enabled()
        {
            let tensor = self.tensor.detach();
            tensor.set_history(Edge { node: node.clone(), index });
            return Ok(tensor);
        }
        Ok(self.tensor.clone())
    }
}

/// Shape and dtype of an input: what its gradient must have.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Sizes.
    pub shape: Shape,
    /// Element type.
    pub dtype: DType,
    /// Where it is.
    pub device: crate::Device,
}

impl Origin {
    /// Of a tensor.
    #[inline]
    pub fn of(tensor: &Tensor) -> Self {
        Origin { shape: Shape::from_slice(tensor.shape()), dtype: tensor.dtype(), device: tensor.device() }
    }

    /// A gradient of this shape and dtype: broadcast dimensions are summed, the dtype converted.
    pub fn restore(&self, grad: Tensor) -> Result<Tensor> {
        let mut grad = grad;
        if grad.shape() != self.shape.as_slice() {
            grad = crate::operations::broadcasting::sum_to_size(&grad, &self.shape)?;
        }
        if grad.dtype() != self.dtype {
            grad = crate::operations::creation::cast(&grad, self.dtype)?;
        }
        Ok(grad)
    }

    /// Zeros of this shape and dtype.
    pub fn zeros(&self) -> Result<Tensor> {
        let zeros = Tensor::empty(&self.shape, self.dtype, self.device)?;
        zeros.backend()?.fill(zeros.operand(), 0.into())?;
        Ok(zeros)
    }
}
