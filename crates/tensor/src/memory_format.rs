//! Memory formats: in which order the dimensions of a tensor follow each other in memory.

use rustorch_backend::{Dims, contiguous_strides, stepped};
use rustorch_error::{Result, RusTorchError};

use crate::{Tensor, ops};

/// PyTorch's memory formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryFormat {
    /// Row-major.
    Contiguous,
    /// As the source's, where it is dense.
    Preserve,
    /// Of 4 dimensions, the second varies fastest: NHWC.
    ChannelsLast,
    /// Of 5 dimensions, the second varies fastest: NDHWC.
    ChannelsLast3d,
}

impl MemoryFormat {
    /// The dimensions from the slowest to the fastest; `None` for the formats that any number of dimensions can have.
    fn order(self) -> Option<&'static [usize]> {
        match self {
            MemoryFormat::ChannelsLast => Some(&[0, 2, 3, 1]),
            MemoryFormat::ChannelsLast3d => Some(&[0, 2, 3, 4, 1]),
            MemoryFormat::Contiguous | MemoryFormat::Preserve => None,
        }
    }

    /// The strides of a dense tensor of this shape.
    fn strides(self, op: &'static str, shape: &[usize]) -> Result<Dims<isize>> {
        let Some(order) = self.order() else { return Ok(contiguous_strides(shape)) };
        if order.len() != shape.len() {
            return Err(RusTorchError::shape(
                op,
                format!(
                    "memory format {self:?} is for tensors of {} dimensions, not of shape {shape:?}",
                    order.len()
                ),
            ));
        }
        let mut strides: Dims<isize> = shape.iter().map(|_| 1).collect();
        let mut step = 1;
        for &dim in order.iter().rev() {
            strides[dim] = step;
            step = stepped(step, shape[dim].max(1));
        }
        Ok(strides)
    }
}

/// The dimensions from the slowest to the fastest, if the tensor lies in memory without gaps in some order.
fn dense_strides(tensor: &Tensor) -> Option<Dims<isize>> {
    let (shape, strides) = (tensor.shape(), tensor.strides());
    let mut dims: Vec<usize> = (0..shape.len()).filter(|&d| shape[d] != 1).collect();
    dims.sort_by_key(|&d| strides[d]);
    let mut step = 1;
    for d in dims {
        if strides[d] != step {
            return None;
        }
        step = stepped(step, shape[d]);
    }
    Some(strides.into())
}

impl Tensor {
    /// Whether the elements lie without gaps in the order of a memory format.
    pub fn is_contiguous_in(&self, format: MemoryFormat) -> Result<bool> {
        let Some(order) = format.order() else { return Ok(self.is_contiguous()) };
        if order.len() != self.ndim() {
            return Ok(false);
        }
        let strides = format.strides("is_contiguous", self.shape())?;
        let fits = |d: usize| self.shape()[d] == 1 || self.strides()[d] == strides[d];
        Ok(self.numel() == 0 || (0..self.ndim()).all(fits))
    }
}

/// A copy of `input`, differentiable, in a memory format.
pub(crate) fn copied(op: &'static str, input: &Tensor, format: MemoryFormat) -> Result<Tensor> {
    let strides = match format {
        MemoryFormat::Preserve => dense_strides(input),
        format => Some(format.strides(op, input.shape())?),
    };
    let copy = Tensor::empty(input.shape(), input.dtype(), input.device())?;
    let copy = match strides {
        Some(strides) => copy.alias(copy.layout().with_strides(op, strides)?),
        None => copy,
    };
    ops::copy_(&copy, input, false)?;
    Ok(copy)
}

/// The tensor itself where it is in a memory format, else a copy that is.
pub(crate) fn converted(op: &'static str, input: &Tensor, format: MemoryFormat) -> Result<Tensor> {
    if format == MemoryFormat::Preserve {
        return Err(RusTorchError::argument(
            op,
            "preserve memory format is unsupported by contiguous(); use clone()",
        ));
    }
    if input.is_contiguous_in(format)? {
        return Ok(input.clone());
    }
    copied(op, input, format)
}

/// A fresh tensor without history laid out anew: as `like` for `Preserve`.
pub(crate) fn laid_out(
    op: &'static str,
    fresh: Tensor,
    like: &Tensor,
    format: MemoryFormat,
) -> Result<Tensor> {
    let strides = match format {
        MemoryFormat::Preserve => dense_strides(like),
        format => Some(format.strides(op, fresh.shape())?),
    };
    let Some(strides) = strides.filter(|strides| strides.as_slice() != fresh.strides()) else {
        return Ok(fresh);
    };
    let laid = Tensor::empty(fresh.shape(), fresh.dtype(), fresh.device())?;
    let laid = laid.alias(laid.layout().with_strides(op, strides)?);
    laid.backend()?.copy(fresh.operand(), laid.operand())?;
    if fresh.requires_grad() {
        laid.set_requires_grad(true)?;
    }
    Ok(laid)
}
