//! The nodes of the graph.

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use super::meta::{Hook, Meta};
use crate::Tensor;

/// One gradient per edge of a node; `None` where nothing flows.
pub type Gradients = SmallVec<[Option<Tensor>; 2]>;

/// Where a node's gradients go, in the order of its inputs; `None` for an input that requires no gradient.
pub type Edges = SmallVec<[Option<Edge>; 2]>;

/// What an op does to gradients.
pub trait Backward: Send + Sync {
    /// PyTorch's name, such as `MulBackward0`.
    fn name(&self) -> Cow<'static, str>;

    /// The gradients by the inputs from those by the outputs. `grads` has one entry per output; not all are `None`.
    fn backward(&self, node: &Arc<Node>, grads: &[Option<Tensor>]) -> Result<Gradients>;

    /// The leaf into which this node accumulates, if it is that kind of node and the leaf still lives.
    fn leaf(&self) -> Option<Tensor> {
        None
    }

    /// Whether this node accumulates into a leaf.
    fn accumulates(&self) -> bool {
        false
    }

    /// How many outputs the op had.
    fn outputs(&self) -> usize {
        1
    }
}

/// A result of a node: the `index`-th.
#[derive(Clone)]
pub struct Edge {
    /// The node.
    pub node: Arc<Node>,
    /// Which of its outputs.
    pub index: usize,
}

/// What few nodes have.
#[derive(Default)]
pub(super) struct Extras {
    pub(super) hooks: Vec<(u64, usize, Hook)>,
    pub(super) retained: Vec<(usize, Weak<Meta>)>,
}

/// A recorded op. The younger has the larger sequence number, so that order is a topological order.
pub struct Node {
    sequence: u64,
    outputs: usize,
    accumulates: bool,
    next: Edges,
    operation: Mutex<Option<Arc<dyn Backward>>>,
    name: Cow<'static, str>,
    extras: OnceLock<Box<Mutex<Extras>>>,
}

static SEQUENCE: AtomicU64 = AtomicU64::new(1);

impl Node {
    /// A node with its edges.
    pub fn new(operation: Arc<dyn Backward>, next: Edges) -> Self {
        Node {
            sequence: SEQUENCE.fetch_add(1, Ordering::Relaxed),
            outputs: operation.outputs(),
            accumulates: operation.accumulates(),
            name: operation.name(),
            operation: Mutex::new(Some(operation)),
            next,
            extras: OnceLock::new(),
        }
    }

    /// PyTorch's name of the recorded op.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Younger nodes have larger numbers.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How many outputs the op had.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Where the gradients go.
    #[inline]
    pub fn next(&self) -> &[Option<Edge>] {
        &self.next
    }

    /// Whether the gradient by the `input`-th input is wanted.
    #[inline]
    pub fn wants(&self, input: usize) -> bool {
        self.next.get(input).is_some_and(Option::is_some)
    }

    /// The leaf into which this node accumulates.
    pub fn leaf(&self) -> Option<Tensor> {
        self.operation.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|op| op.leaf())
    }

    /// Whether this node accumulates into a leaf.
    #[inline]
    pub fn accumulates(&self) -> bool {
        self.accumulates
    }

    /// The op, for one pass; it and what it saved are freed afterwards unless `keep`.
    pub(super) fn take(&self, keep: bool) -> Result<Arc<dyn Backward>> {
        let mut slot = self.operation.lock().unwrap_or_else(PoisonError::into_inner);
        let found = if keep || self.accumulates { slot.clone() } else { slot.take() };
        found.ok_or_else(|| {
            RusTorchError::autograd(
                "backward",
                format!(
                    "Trying to backward through the graph a second time, at {}: what it saved has been freed. \
                     Specify retain_graph=True the first time if you need to backward through the graph again",
                    self.name()
                ),
            )
        })
    }

    pub(super) fn extras(&self) -> Option<std::sync::MutexGuard<'_, Extras>> {
        self.extras.get().map(|e| e.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn extras_mut(&self) -> std::sync::MutexGuard<'_, Extras> {
        self.extras.get_or_init(Box::default).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Node {
    /// A long chain is freed in a loop: freeing it by recursion would overflow the stack.
    fn drop(&mut self) {
        // Over leaves there is no chain.
        if self.next.iter().flatten().all(|edge| edge.node.next.is_empty()) {
            return;
        }
        let mut pending: Vec<Edge> = mem::take(&mut self.next).into_iter().flatten().collect();
        if let Some(operation) = self.operation.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            // What the op saved may hold older nodes, too. It is freed while `pending` holds its inputs' nodes, so it is
            // never the last to hold one.
            drop(operation);
        }
        while let Some(edge) = pending.pop() {
            if let Some(mut node) = Arc::into_inner(edge.node) {
                pending.extend(mem::take(&mut node.next).into_iter().flatten());
                if let Some(operation) =
                    node.operation.get_mut().unwrap_or_else(PoisonError::into_inner).take()
                {
                    drop(operation);
                }
            }
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.name())
    }
}
