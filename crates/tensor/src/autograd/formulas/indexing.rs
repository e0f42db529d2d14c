//! Gradients of reading by index.

use std::borrow::Cow;
use std::sync::Arc;

use rustorch_backend::DType;
use rustorch_error::Result;

use crate::autograd::{Backward, Gradients, Node, Origin, Saved};
use crate::operations::creation::cast;
use crate::operations::shape_ops::reshape_to;
use crate::{Tensor, ops};

fn zeros_of(shape: &[usize], like: &Tensor) -> Result<Tensor> {
    let sizes: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    ops::zeros(&sizes, Some(like.dtype()), Some(like.device()), false)
}

/// Zeros with the gradients added where `index` says.
pub fn scatter_sum_grad(grad: &Tensor, shape: &[usize], index: &Tensor, dim: i64) -> Result<Tensor> {
    ops::scatter_add(&zeros_of(shape, grad)?, dim, index, grad)
}

/// Zeros with slices of the gradient added.
pub fn index_add_grad(grad: &Tensor, shape: &[usize], dim: i64, index: &Tensor) -> Result<Tensor> {
    ops::index_add(&zeros_of(shape, grad)?, dim, index, grad, 1.into())
}

/// The gradient of `embedding`: rows summed by index, the padding row left out, each over how often it was named where
/// that is asked for.
pub fn embedding_grad(
    grad: &Tensor,
    shape: &[usize],
    indices: &Tensor,
    padding_idx: i64,
    scale_by_frequency: bool,
) -> Result<Tensor> {
    let mut rows = reshape_to(grad, &[indices.numel(), shape[1]])?;
    let flat = cast(&reshape_to(indices, &[indices.numel()])?, DType::Int64)?;
    if scale_by_frequency {
        let zeros = Tensor::scalar(0.into(), grad.dtype(), grad.device())?;
        let counts = ops::index_write(
            &ops::expand(&zeros, &[shape[0] as i64])?,
            std::slice::from_ref(&flat),
            &Tensor::number(1)?,
            true,
        )?;
        rows = ops::div(&rows, &ops::unsqueeze(&ops::index_select(&counts, 0, &flat)?, 1)?, None)?;
    }
    let rows = if padding_idx < 0 {
        rows
    } else {
        let padding = ops::unsqueeze(&ops::eq(&flat, &Tensor::number(padding_idx)?)?, 1)?;
        ops::where_(&padding, &Tensor::number(0.0)?, &rows)?
    };
    ops::index_write(&zeros_of(shape, grad)?, &[flat], &rows, true)
}

fn save(indices: &[Tensor]) -> Result<Vec<Saved>> {
    indices.iter().map(Saved::input).collect()
}

fn unpack(indices: &[Saved], node: &Arc<Node>) -> Result<Vec<Tensor>> {
    indices.iter().map(|index| index.unpack(node)).collect()
}

struct IndexBackward {
    origin: Origin,
    indices: Vec<Saved>,
}

impl Backward for IndexBackward {
    fn name(&self) -> Cow<'static, str> {
        "IndexBackward0".into()
    }

    fn backward(&self, node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
        let Some(grad) = &grads[0] else { return Ok(smallvec::smallvec![None]) };
        let indices = unpack(&self.indices, node)?;
        let sum = ops::index_write(&self.origin.zeros()?, &indices, grad, true)?;
        Ok(smallvec::smallvec![Some(sum)])
    }
}

/// The node of advanced indexing.
pub fn index_backward(input: &Tensor, indices: &[Tensor]) -> Result<Arc<dyn Backward>> {
    Ok(Arc::new(IndexBackward { origin: Origin::of(input), indices: save(indices)? }))
}

struct IndexPutBackward {
    input: Origin,
    values: Origin,
    indices: Vec<Saved>,
    accumulate: bool,
}

impl Backward for IndexPutBackward {
    fn name(&self) -> Cow<'static, str> {
        "IndexPutBackward0".into()
    }

    fn backward(&self, node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
        let mut gradients: Gradients = smallvec::smallvec![None; 2];
        if let Some(grad) = &grads[0] {
            let indices = unpack(&self.indices, node)?;
            if node.wants(0) {
                let kept = if self.accumulate {
                    grad.clone()
                } else {
                    ops::index_write(grad, &indices, &Tensor::number(0.0)?, false)?
                };
                gradients[0] = Some(self.input.restore(kept)?);
            }
            if node.wants(1) {
                gradients[1] = Some(self.values.restore(ops::index_read(grad, &indices)?)?);
            }
        }
        Ok(gradients)
    }
}

/// The node of `index_write`.
pub fn index_write_backward(
    input: &Tensor,
    indices: &[Tensor],
    values: &Tensor,
    accumulate: bool,
) -> Result<Arc<dyn Backward>> {
    Ok(Arc::new(IndexPutBackward {
        input: Origin::of(input),
        values: Origin::of(values),
        indices: save(indices)?,
        accumulate,
    }))
}

struct CopyBackward {
    target: Origin,
    source: Origin,
}

impl Backward for CopyBackward {
    fn name(&self) -> Cow<'static, str> {
        "CopyBackwards".into()
    }

    fn backward(&self, node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients> {
        let mut gradients: Gradients = smallvec::smallvec![None; 2];
        if let Some(grad) = &grads[0] {
            // What was overwritten no longer counts.
            if node.wants(0) {
                gradients[0] = Some(self.target.zeros()?);
            }
            if node.wants(1) {
                gradients[1] = Some(self.source.restore(cast(grad, self.source.dtype)?)?);
            }
        }
        Ok(gradients)
    }
}

/// The node of `copy_`.
pub fn copy_backward(target: &Tensor, source: &Tensor) -> Arc<dyn Backward> {
    Arc::new(CopyBackward { target: Origin::of(target), source: Origin::of(source) })
}
