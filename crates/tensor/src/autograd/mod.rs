//! Reverse-mode automatic differentiation.
//!
//! An op that works on a tensor that requires a gradient hangs a [`Node`] on its result. [`backward`] walks the nodes
//! from the youngest to the oldest, iteratively; formulas are ops themselves, so with `create_graph` gradients
//! differentiate again.

mod accumulation;
pub mod anomaly;
pub(crate) mod elementwise;
mod engine;
pub mod formulas;
pub(crate) mod fused;
mod held;
pub mod hooks;
mod inplace;
mod meta;
pub mod mode;
mod node;
mod saved;
mod validation;
mod views;

pub use engine::{backward, grad};
pub use held::{Held, Visit};
pub use inplace::{assign, check_inplace, overwrite, rebase, relayout};
pub(crate) use meta::Meta;
pub use meta::{Hook, HookHandle};
pub use mode::GradMode;
pub use node::{Backward, Edge, Edges, Gradients, GradientsHook, Node, NodeHook};
pub use saved::{Origin, Saved};

use std::sync::Arc;

use rustorch_error::Result;

use crate::Tensor;

/// Whether an op on these tensors must be recorded.
#[inline]
pub fn is_recording(inputs: &[&Tensor]) -> bool {
    inputs.iter().any(|t| t.requires_grad()) && mode::is_enabled()
}

/// Whether any is complex: fused formulas are real.
#[inline]
pub fn any_complex(tensors: &[&Tensor]) -> bool {
    tensors.iter().any(|t| t.dtype().is_complex())
}

/// The complex conjugate; a real tensor is its own.
#[inline]
pub fn conjugate(tensor: &Tensor) -> Result<Tensor> {
    if tensor.dtype().is_complex() { crate::ops::conj_physical(tensor) } else { Ok(tensor.clone()) }
}

/// The edges from a node to its inputs.
#[inline]
pub fn edges<'a>(inputs: impl IntoIterator<Item = &'a Tensor>) -> Edges {
    let mut edges = Edges::new();
    for input in inputs {
        edges.push(input.edge());
    }
    edges
}

/// Hangs a node with these edges on a fresh result.
#[inline]
pub fn record(result: &Tensor, operation: Arc<dyn Backward>, edges: Edges) {
    let node = Arc::new(Node::new(operation, edges));
    result.set_history(Edge { node, index: 0 });
}

/// As [`record`], on a result that nobody else has seen.
#[inline]
pub(crate) fn record_fresh(result: &mut Tensor, operation: Arc<dyn Backward>, edges: Edges) {
    let node = Arc::new(Node::new(operation, edges));
    result.set_first_history(Edge { node, index: 0 });
}

/// Hangs one node on several results, in the order of its outputs; those that cannot have a gradient are left out.
pub fn record_many(results: &[&Tensor], operation: Arc<dyn Backward>, edges: Edges) {
    let node = Arc::new(Node::new(operation, edges));
    for (index, result) in results.iter().enumerate() {
        if result.dtype().is_differentiable() {
            result.set_history(Edge { node: node.clone(), index });
        }
    }
}
