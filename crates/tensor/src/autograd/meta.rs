//! A tensor's place in the graph.

mod hook_handle;

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use rustorch_backend::memory::fork::{Mutex, MutexGuard};
use rustorch_error::{Result, RusTorchError};

use super::accumulation::AccumulateGrad;
use super::held::Held;
use super::node::{Edge, Node};
use crate::Tensor;
use crate::tensor::Body;
pub use hook_handle::HookHandle;
pub(super) use hook_handle::next_handle;

/// Sees a gradient on its way, and may replace it.
pub type Hook = Arc<dyn Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync>;

#[derive(Default)]
struct State {
    grad: Option<Tensor>,
    history: Option<Edge>,
    /// The node that accumulates into this leaf; it holds this tensor weakly.
    accumulator: Option<Arc<Node>>,
    /// What this tensor shows now, where that is not what each handle of it says: of a leaf in a graph, and where the data
    /// was exchanged.
    shown: Option<Arc<Body>>,
    rare: Option<Box<Rare>>,
}

/// What few tensors have.
#[derive(Default)]
struct Rare {
    hooks: Vec<(u64, Hook)>,
    after_accumulate: Vec<(u64, Hook)>,
    /// The face's objects that hooks are made of.
    held: Vec<(u64, Held)>,
    view: Option<ViewOf>,
    retains_grad: bool,
}

/// What a view knows of the tensor whose storage it shares.
struct ViewOf {
    base: Tensor,
    /// Whether the view was made with recording on: then its history follows its base's.
    recorded: bool,
    /// The storage's version when the view's history was last right.
    version: u32,
}

impl ViewOf {
    /// Whether the base has got a history that the view does not show yet.
    fn is_behind(&self, view: &Tensor) -> bool {
        self.recorded
            && self.version != view.storage().version()
            && self.base.requires_grad()
            && Arc::ptr_eq(self.base.current().storage(), view.storage())
    }
}

/// A tensor's identity: gradient, history, hooks.
#[derive(Default)]
pub struct Meta {
    requires_grad: AtomicBool,
    /// Whether this is a view made with recording on.
    follows_base: AtomicBool,
    state: Mutex<State>,
    /// Whether the state has a rare part: most tensors' never do, and who asks for it then takes no lock.
    is_rare: AtomicBool,
    /// Held by who adds to the gradient.
    pub(super) accumulation: Mutex<()>,
    /// The face's own handle of this tensor (Python's object), if it has one; the face alone reads it.
    face: AtomicPtr<()>,
}

impl Meta {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn set_grad(&self, grad: Option<Tensor>) {
        let old = mem::replace(&mut self.lock().grad, grad);
        drop(old);
    }

    pub(super) fn grad(&self) -> Option<Tensor> {
        self.lock().grad.clone()
    }

    /// Replaces the gradient if it is still `old`; says whether it was.
    pub(super) fn exchange_grad(&self, old: Option<&Tensor>, new: Tensor) -> bool {
        let mut state = self.lock();
        let same = match (&state.grad, old) {
            (None, None) => true,
            (Some(grad), Some(old)) => grad.is_same(old),
            _ => false,
        };
        let dropped = if same { state.grad.replace(new) } else { Some(new) };
        drop(state);
        drop(dropped);
        same
    }

    /// The rare part of `state`, which is this one's.
    fn rare_mut<'a>(&self, state: &'a mut State) -> &'a mut Rare {
        self.is_rare.store(true, Ordering::Release);
        state.rare.get_or_insert_default()
    }

    /// What arrives at this leaf's accumulator `node` needs to know: what the leaf shows, and whether the node still
    /// accumulates into it as it is now.
    pub(super) fn arrival(&self, node: &Arc<Node>) -> Option<(Arc<Body>, bool)> {
        let state = self.lock();
        let current = state.accumulator.as_ref().is_some_and(|own| Arc::ptr_eq(own, node));
        Some((state.shown.clone()?, current))
    }

    /// What the tensor shows now, if its handles may differ.
    pub(super) fn shown(&self) -> Option<Arc<Body>> {
        self.lock().shown.clone()
    }

    /// The tensor shows `body` from now on. Unless its elements are still those that they were, `same`, graphs that were
    /// made before must not accumulate into it.
    pub(crate) fn show(&self, body: &Arc<Body>, same: bool) {
        let mut state = self.lock();
        let accumulator = if same { None } else { state.accumulator.take() };
        let shown = state.shown.replace(body.clone());
        drop(state);
        drop((accumulator, shown));
    }

    pub(super) fn leaf_hooks(&self) -> Vec<Hook> {
        self.rare(|rare| rare.hooks.iter().map(|(_, hook)| hook.clone()).collect())
    }

    pub(super) fn after_accumulate_hooks(&self) -> Vec<Hook> {
        self.rare(|rare| rare.after_accumulate.iter().map(|(_, hook)| hook.clone()).collect())
    }

    fn rare<R: Default>(&self, look: impl FnOnce(&Rare) -> R) -> R {
        if !self.is_rare.load(Ordering::Acquire) {
            return R::default();
        }
        self.lock().rare.as_deref().map(look).unwrap_or_default()
    }

    /// Looks at what this holds, unless somebody is changing it.
    pub(super) fn look(&self, look: impl FnOnce(Holdings<'_>)) {
        let Some(state) = self.state.try_lock() else { return };
        let rare = state.rare.as_deref();
        look(Holdings {
            held: rare.map_or(&[][..], |rare| &rare.held).iter().map(|(_, held)| held).collect(),
            nodes: [state.history.as_ref().map(|edge| &edge.node), state.accumulator.as_ref()],
            tensors: [state.grad.as_ref(), rare.and_then(|rare| rare.view.as_ref()).map(|view| &view.base)],
        });
    }
}

/// What a tensor's place in the graph holds.
pub(super) struct Holdings<'a> {
    pub(super) held: Vec<&'a Held>,
    pub(super) nodes: [Option<&'a Arc<Node>>; 2],
    pub(super) tensors: [Option<&'a Tensor>; 2],
}

impl Tensor {
    /// Whether ops on this tensor are recorded.
    #[inline]
    pub fn requires_grad(&self) -> bool {
        self.meta.requires_grad.load(Ordering::Relaxed)
            || (self.meta.follows_base.load(Ordering::Relaxed) && self.base_was_written())
    }

    /// Whether the base of this view has got a history that the view does not show yet.
    fn base_was_written(&self) -> bool {
        let state = self.meta.lock();
        let Some(view) = state.rare.as_ref().and_then(|rare| rare.view.as_ref()) else { return false };
        view.is_behind(self)
    }

    /// Gives a view its history anew when its storage has been written since: the one by which it follows from its base.
    fn refresh_view(&self) {
        if !self.meta.follows_base.load(Ordering::Relaxed) || !self.base_was_written() {
            return;
        }
        let mut state = self.meta.lock();
        let Some(view) = state.rare.as_mut().and_then(|rare| rare.view.as_mut()) else { return };
        // Another thread may have been faster.
        if !view.is_behind(self) {
            return;
        }
        view.version = self.storage().version();
        let node = super::views::as_strided_node(self, &view.base.current());
        state.history = Some(Edge { node: Arc::new(node), index: 0 });
        drop(state);
        self.meta.requires_grad.store(true, Ordering::Relaxed);
    }

    /// Starts or stops recording ops on a leaf.
    pub fn set_requires_grad(&self, requires_grad: bool) -> Result<()> {
        if requires_grad && !self.dtype().is_differentiable() {
            return Err(RusTorchError::autograd(
                "requires_grad_",
                format!(
                    "only tensors of floating point and complex dtype can require gradients, got {}",
                    self.dtype()
                ),
            ));
        }
        if requires_grad && self.storage().is_inference() && !super::mode::is_inference() {
            return Err(RusTorchError::autograd(
                "requires_grad_",
                "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed; clone() it first",
            ));
        }
        if !requires_grad && !self.is_leaf() {
            return Err(RusTorchError::autograd(
                "requires_grad_",
                "you can only change requires_grad flags of leaf variables; to use a computed tensor in a subgraph \
                 without gradient use detach()",
            ));
        }
        self.meta.requires_grad.store(requires_grad, Ordering::Relaxed);
        Ok(())
    }

    /// This tensor, recording ops from now on.
    pub fn requires_grad_(self) -> Result<Self> {
        self.set_requires_grad(true)?;
        Ok(self)
    }

    /// Whether this tensor was not computed by a recorded op.
    pub fn is_leaf(&self) -> bool {
        self.refresh_view();
        !self.requires_grad() || self.meta.lock().history.is_none()
    }

    /// The gradient that `backward` accumulated.
    pub fn grad(&self) -> Option<Tensor> {
        self.meta.grad()
    }

    /// This tensor as it is now: a handle may be from before its data was exchanged.
    fn current(&self) -> Tensor {
        let body = self.meta.shown().unwrap_or_else(|| self.body.clone());
        Tensor { body, meta: self.meta.clone() }
    }

    /// Replaces the gradient.
    pub fn set_grad(&self, grad: Option<Tensor>) -> Result<()> {
        if grad.as_ref().is_some_and(|grad| grad.is_same(self)) {
            return Err(RusTorchError::autograd("grad", "can't assign a tensor as its own grad"));
        }
        if let Some(g) = &grad
            && (g.shape() != self.shape() || g.dtype() != self.dtype() || g.device() != self.device())
        {
            return Err(RusTorchError::shape(
                "grad",
                format!(
                    "a gradient of shape {:?}, {} on {} was assigned to a tensor of shape {:?}, {} on {}",
                    g.shape(),
                    g.dtype(),
                    g.device(),
                    self.shape(),
                    self.dtype(),
                    self.device()
                ),
            ));
        }
        self.meta.set_grad(grad);
        Ok(())
    }

    /// The node that computed this tensor.
    pub fn grad_fn(&self) -> Option<Arc<Node>> {
        self.refresh_view();
        self.meta.lock().history.as_ref().map(|edge| edge.node.clone())
    }

    /// The name of the node that computed this tensor, with its output number where it has several.
    pub fn grad_fn_name(&self) -> Option<String> {
        self.refresh_view();
        self.meta.lock().history.as_ref().map(|edge| format!("<{}>", edge.node.name()))
    }

    /// Which of its node's outputs this tensor is.
    pub fn output_number(&self) -> usize {
        self.meta.lock().history.as_ref().map_or(0, |edge| edge.index)
    }

    /// Where this tensor's gradient goes: its node, or for a leaf the node that accumulates. `None` if it requires none.
    pub fn edge(&self) -> Option<Edge> {
        if !self.requires_grad() {
            return None;
        }
        self.refresh_view();
        let mut state = self.meta.lock();
        if let Some(edge) = &state.history {
            return Some(edge.clone());
        }
        if let Some(node) = &state.accumulator {
            return Some(Edge { node: node.clone(), index: 0 });
        }
        let body = state.shown.get_or_insert_with(|| self.body.clone()).clone();
        let operation = AccumulateGrad::new(&Tensor { body, meta: self.meta.clone() });
        let node = Arc::new(Node::new(Arc::new(operation), super::node::Edges::new()));
        state.accumulator = Some(node.clone());
        Some(Edge { node, index: 0 })
    }

    /// As [`set_history`](Self::set_history), of a tensor that nobody else has seen: no lock is taken.
    pub(crate) fn set_first_history(&mut self, edge: Edge) {
        let Some(meta) = Arc::get_mut(&mut self.meta) else { return self.set_history(edge) };
        meta.state.get_mut().history = Some(edge);
        *meta.requires_grad.get_mut() = true;
    }

    pub(crate) fn set_history(&self, edge: Edge) {
        let mut state = self.meta.lock();
        let retains = state.rare.as_ref().is_some_and(|rare| rare.retains_grad);
        if retains {
            edge.node.extras_mut().retained.push((edge.index, Arc::downgrade(&self.meta)));
        }
        state.history = Some(edge);
        drop(state);
        self.meta.requires_grad.store(true, Ordering::Relaxed);
    }

    /// Keeps the gradient of a computed tensor in `grad`, as leaves do.
    pub fn retain_grad(&self) -> Result<()> {
        if !self.requires_grad() {
            return Err(RusTorchError::autograd(
                "retain_grad",
                "can't retain_grad on a tensor that has requires_grad=False",
            ));
        }
        let mut state = self.meta.lock();
        let Some(edge) = state.history.clone() else { return Ok(()) };
        let rare = self.meta.rare_mut(&mut state);
        if !rare.retains_grad {
            rare.retains_grad = true;
            edge.node.extras_mut().retained.push((edge.index, Arc::downgrade(&self.meta)));
        }
        Ok(())
    }

    /// Whether `retain_grad` was asked for on a computed tensor.
    pub fn retains_grad(&self) -> bool {
        self.meta.rare(|rare| rare.retains_grad)
    }

    /// The tensor whose storage this view shares, if this is a view.
    pub fn base(&self) -> Option<Tensor> {
        let base = self.meta.rare(|rare| rare.view.as_ref().map(|view| view.base.clone()))?;
        let base = base.current();
        Arc::ptr_eq(base.storage(), self.storage()).then_some(base)
    }

    pub(crate) fn set_base(&self, base: &Tensor) {
        let follows = |t: &Tensor| t.meta.follows_base.load(Ordering::Relaxed);
        let (root, recorded) = match base.base() {
            Some(root) => (root, follows(base)),
            None => (base.clone(), true),
        };
        let recorded =
            recorded && self.dtype().to_real() == root.dtype().to_real() && super::mode::is_enabled();
        let view = ViewOf { base: root, recorded, version: self.storage().version() };
        self.meta.rare_mut(&mut self.meta.lock()).view = Some(view);
        self.meta.follows_base.store(recorded, Ordering::Relaxed);
    }

    /// Whether this view's history follows its base's.
    pub(super) fn follows_base(&self) -> bool {
        self.meta.follows_base.load(Ordering::Relaxed)
    }

    /// The face's own handle of this tensor; null if it has none.
    pub fn face(&self) -> *mut () {
        self.meta.face.load(Ordering::Relaxed)
    }

    /// Remembers the face's own handle of this tensor. Whoever sets it clears it before the handle dies.
    pub fn set_face(&self, handle: *mut ()) {
        self.meta.face.store(handle, Ordering::Relaxed);
    }
}
