//! The nodes of the graph.

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use rustorch_backend::memory::fork::{Mutex, MutexGuard, OnceLock};
use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use super::held::{Held, Visit};
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

    /// The face's object that the op is made of, if it is.
    fn held(&self) -> Option<&Held> {
        None
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
    /// Called with the gradients at the outputs, which they may replace, before the op's own function.
    pub(super) before: Vec<(u64, GradientsHook)>,
    /// Called with the gradients by the inputs, which they may replace, and those at the outputs.
    pub(super) after: Vec<(u64, NodeHook)>,
    /// The face's objects that hooks are made of.
    pub(super) held: Vec<(u64, Held)>,
    /// Where in the program the op was called, in anomaly mode.
    pub(super) trace: Option<String>,
    /// Whose output a saved result of this node is, where it is not this node's own.
    pub(super) output: Option<Edge>,
}

/// Sees gradients, and may replace them.
pub type GradientsHook = Arc<dyn Fn(&[Option<Tensor>]) -> Result<Option<Gradients>> + Send + Sync>;

/// Sees the gradients that a node gives and those that it got, and may replace the former.
pub type NodeHook =
    Arc<dyn Fn(&[Option<Tensor>], &[Option<Tensor>]) -> Result<Option<Gradients>> + Send + Sync>;

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
        let node = Node {
            sequence: SEQUENCE.fetch_add(1, Ordering::Relaxed),
            outputs: operation.outputs(),
            accumulates: operation.accumulates(),
            name: operation.name(),
            operation: Mutex::new(Some(operation)),
            next,
            extras: OnceLock::new(),
        };
        if super::anomaly::is_enabled().0 {
            node.extras_mut().trace = super::anomaly::trace();
        }
        node
    }

    /// What messages say of the place in the program where the op was called, if that is known.
    pub(super) fn origin_note(&self) -> String {
        match self.extras().and_then(|extras| extras.trace.clone()) {
            Some(trace) => format!(". The forward call that made it:\n{trace}"),
            None => String::new(),
        }
    }

    /// What a saved result of this node is a result of.
    pub(super) fn output_edge(self: &Arc<Self>, index: usize) -> Edge {
        let other = self.extras().and_then(|extras| extras.output.clone());
        other.unwrap_or_else(|| Edge { node: self.clone(), index })
    }

    /// A node that wants the same gradients, but whose saved result is a result of `output`.
    pub(super) fn standing_in(&self, operation: Arc<dyn Backward>, output: Edge) -> Self {
        let node = Node::new(operation, self.next.clone());
        node.extras_mut().output = Some(output);
        node
    }

    /// Calls `hook` before the node's own function, with the gradients at its outputs.
    pub fn register_prehook(self: &Arc<Self>, hook: GradientsHook) -> super::HookHandle {
        let id = super::meta::next_handle();
        self.extras_mut().before.push((id, hook));
        super::HookHandle::of_node(id, self)
    }

    /// Calls `hook` after the node's own function, with the gradients it gives and those it got.
    pub fn register_hook(self: &Arc<Self>, hook: NodeHook) -> super::HookHandle {
        let id = super::meta::next_handle();
        self.extras_mut().after.push((id, hook));
        super::HookHandle::of_node(id, self)
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
        self.operation.lock().as_ref().and_then(|op| op.leaf())
    }

    /// Whether this node accumulates into a leaf.
    #[inline]
    pub fn accumulates(&self) -> bool {
        self.accumulates
    }

    /// The op, for one pass; it and what it saved are freed afterwards unless `keep`.
    pub(super) fn take(&self, keep: bool) -> Result<Arc<dyn Backward>> {
        let mut slot = self.operation.lock();
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

    /// Shows the face's objects that die with this node, unless somebody is changing it.
    pub(super) fn show_held(&self, visit: Visit<'_>) {
        if let Some(extras) = self.extras.get().and_then(|extras| extras.try_lock()) {
            for (_, held) in &extras.held {
                visit(held.object());
            }
        }
        if let Some(operation) = self.operation.try_lock()
            && let Some(operation) = &*operation
            && Arc::strong_count(operation) == 1
            && let Some(held) = operation.held()
        {
            visit(held.object());
        }
    }

    /// Takes every hook off.
    pub fn remove_hooks(&self) {
        let Some(mut extras) = self.extras() else { return };
        let removed = (
            mem::take(&mut extras.hooks),
            mem::take(&mut extras.before),
            mem::take(&mut extras.after),
            mem::take(&mut extras.held),
        );
        drop(extras);
        drop(removed);
    }

    pub(super) fn extras(&self) -> Option<MutexGuard<'_, Extras>> {
        self.extras.get().map(|e| e.lock())
    }

    pub(super) fn extras_mut(&self) -> MutexGuard<'_, Extras> {
        self.extras.get_or_init(Box::default).lock()
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
        if let Some(operation) = self.operation.get_mut().take() {
            // What the op saved may hold older nodes, too. It is freed while `pending` holds its inputs' nodes, so it is
            // never the last to hold one.
            drop(operation);
        }
        while let Some(edge) = pending.pop() {
            if let Some(mut node) = Arc::into_inner(edge.node) {
                pending.extend(mem::take(&mut node.next).into_iter().flatten());
                if let Some(operation) = node.operation.get_mut().take() {
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
