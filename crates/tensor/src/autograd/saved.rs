//! Tensors that a node keeps for the backward pass.

use std::sync::Arc;

use rustorch_backend::{DType, Shape, dims_from_slice};
use rustorch_error::{Result, RusTorchError};

use super::hooks::{self, Packed, SavedHooks};
use super::inplace::is_overwritten;
use super::node::{Edge, Node};
use crate::Tensor;
use crate::operations::contiguity::contiguous_copy;
use crate::operations::memory_overlap::share_storage;

/// What is kept of a tensor.
enum Kept {
    Tensor(Tensor),
    /// Apart, for it is rare and larger.
    Packed(Box<PackedTensor>),
}

/// What a pack hook made of a tensor, and where the tensor's gradient goes.
struct PackedTensor {
    packed: Packed,
    hooks: Arc<SavedHooks>,
    edge: Option<Edge>,
    /// Of the tensor.
    origin: Origin,
}

/// A tensor as it was when an op was recorded; unpacking it fails when it has been changed in place since.
pub struct Saved {
    kept: Kept,
    version: u32,
    /// For a result of the node itself: which one. Its history is put back when it is unpacked, because holding it
    /// would be a cycle.
    output: Option<usize>,
}

impl Saved {
    /// Keeps an input, with its history.
    #[inline]
    pub fn input(tensor: &Tensor) -> Result<Self> {
        if hooks::is_watched() && is_overwritten(tensor) {
            Self::new(&copied(tensor)?, None)
        } else {
            Self::new(tensor, None)
        }
    }

    /// Keeps the `index`-th result of the node that will hold this.
    #[inline]
    pub fn output(tensor: &Tensor, index: usize) -> Result<Self> {
        Self::new(tensor, Some(index))
    }

    /// Keeps an input of an op that is going to write into `target`: a copy where they share memory.
    #[inline]
    pub fn before_write(tensor: &Tensor, target: &Tensor) -> Result<Self> {
        if share_storage(tensor, target) { Self::new(&copied(tensor)?, None) } else { Self::input(tensor) }
    }

    #[inline]
    fn new(tensor: &Tensor, output: Option<usize>) -> Result<Self> {
        if tensor.storage().is_inference() {
            return Err(RusTorchError::autograd(
                "save_for_backward",
                "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal \
                 tensor and use it in autograd",
            ));
        }
        let version = tensor.storage().version();
        let own = if output.is_some() { tensor.detach() } else { tensor.clone() };
        let kept = match hooks::is_watched().then(hooks::current).flatten() {
            None => Kept::Tensor(own),
            Some(hooks) => Kept::Packed(Box::new(PackedTensor {
                packed: (hooks.pack)(&own)?,
                origin: Origin::of(tensor),
                edge: if output.is_some() { None } else { tensor.edge() },
                hooks,
            })),
        };
        Ok(Saved { kept, version, output })
    }

    /// The tensor, with its history.
    pub fn unpack(&self, node: &Arc<Node>) -> Result<Tensor> {
        let history = match self.output {
            Some(index) if super::mode::is_enabled() => Some(node.output_edge(index)),
            _ => None,
        };
        let tensor = match &self.kept {
            Kept::Tensor(tensor) => {
                self.check_version(tensor, node)?;
                if history.is_none() {
                    return Ok(tensor.clone());
                }
                tensor.detach()
            }
            Kept::Packed(kept) => {
                let PackedTensor { packed, hooks, edge, origin } = &**kept;
                let tensor = origin.unpacked((hooks.unpack)(packed)?, node)?.detach();
                if self.output.is_none()
                    && super::mode::is_enabled()
                    && let Some(edge) = edge
                {
                    tensor.set_history(edge.clone());
                }
                tensor
            }
        };
        if let Some(edge) = history {
            tensor.set_history(edge);
        }
        Ok(tensor)
    }

    fn check_version(&self, tensor: &Tensor, node: &Node) -> Result<()> {
        let now = tensor.storage().version();
        if now == self.version {
            return Ok(());
        }
        Err(RusTorchError::autograd(
            "backward",
            format!(
                "one of the variables needed for gradient computation has been modified by an inplace operation: \
                 {} of shape {:?}, {}, is at version {now}; expected version {} instead. Clone it before the \
                 in-place operation{}",
                match self.output {
                    Some(index) => format!("output {index} of {}", node.name()),
                    None => format!("a tensor saved by {}", node.name()),
                },
                tensor.shape(),
                tensor.dtype(),
                self.version,
                node.origin_note()
            ),
        ))
    }
}

/// The tensor's content in memory of its own, with the tensor's place in the graph.
#[cold]
fn copied(tensor: &Tensor) -> Result<Tensor> {
    let copy = contiguous_copy(tensor)?;
    if let Some(edge) = tensor.edge() {
        copy.set_history(edge);
    }
    Ok(copy)
}

impl std::fmt::Debug for Saved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kept {
            Kept::Tensor(tensor) => write!(f, "Saved({tensor:?})"),
            Kept::Packed(_) => f.write_str("Saved(packed)"),
        }
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
        Origin { shape: dims_from_slice(tensor.shape()), dtype: tensor.dtype(), device: tensor.device() }
    }

    /// A gradient of this shape and dtype, and on this device: broadcast dimensions are summed, the dtype converted.
    pub fn restore(&self, grad: Tensor) -> Result<Tensor> {
        let mut grad = grad;
        if grad.shape() != self.shape.as_slice() {
            grad = crate::operations::broadcasting::sum_to_size(&grad, &self.shape)?;
        }
        if grad.dtype() != self.dtype {
            grad = crate::operations::creation::cast(&grad, self.dtype)?;
        }
        if !grad.device().is_same(self.device) {
            grad = crate::operations::creation::moved(&grad, self.device)?;
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
