//! Hooks on tensors, and the handles that take hooks off.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use rustorch_error::{Result, RusTorchError};

use super::super::held::Held;
use super::super::node::Node;
use super::{Hook, Meta};
use crate::Tensor;

static HANDLE: AtomicU64 = AtomicU64::new(0);

/// The number of a new hook.
pub(in crate::autograd) fn next_handle() -> u64 {
    HANDLE.fetch_add(1, Ordering::Relaxed)
}

/// Names a registered hook; [`HookHandle::remove`] takes it off.
#[derive(Debug)]
pub struct HookHandle {
    id: u64,
    owner: Owner,
}

enum Owner {
    Leaf(Weak<Meta>),
    Node(Weak<Node>),
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Owner::Leaf(_) => "leaf",
            Owner::Node(_) => "node",
        })
    }
}

impl HookHandle {
    /// Of a hook on a node.
    pub(in crate::autograd) fn of_node(id: u64, node: &Arc<Node>) -> Self {
        HookHandle { id, owner: Owner::Node(Arc::downgrade(node)) }
    }

    /// Says of which object of the face's the hook is made: it is held as long as the hook.
    #[must_use]
    pub fn holding(self, object: Arc<dyn Any + Send + Sync>) -> Self {
        let held = (self.id, Held::new(object));
        match &self.owner {
            Owner::Leaf(meta) => {
                if let Some(meta) = meta.upgrade() {
                    meta.rare_mut(&mut meta.lock()).held.push(held);
                }
            }
            Owner::Node(node) => {
                if let Some(node) = node.upgrade() {
                    node.extras_mut().held.push(held);
                }
            }
        }
        self
    }

    /// Takes the hook off; a second call does nothing.
    pub fn remove(&self) {
        // What is taken off is dropped after the lock is given back: it may be the last to hold anything.
        match &self.owner {
            Owner::Leaf(meta) => {
                if let Some(meta) = meta.upgrade() {
                    let removed = meta.lock().rare.as_deref_mut().map(|rare| {
                        (
                            take(&mut rare.hooks, |(id, _)| *id == self.id),
                            take(&mut rare.after_accumulate, |(id, _)| *id == self.id),
                            take(&mut rare.held, |(id, _)| *id == self.id),
                        )
                    });
                    drop(removed);
                }
            }
            Owner::Node(node) => {
                if let Some(node) = node.upgrade() {
                    let removed = node.extras().map(|mut extras| {
                        (
                            take(&mut extras.hooks, |(id, ..)| *id == self.id),
                            take(&mut extras.before, |(id, _)| *id == self.id),
                            take(&mut extras.after, |(id, _)| *id == self.id),
                            take(&mut extras.held, |(id, _)| *id == self.id),
                        )
                    });
                    drop(removed);
                }
            }
        }
    }
}

/// The entries that `which` names, taken out.
fn take<T>(entries: &mut Vec<T>, which: impl FnMut(&mut T) -> bool) -> Vec<T> {
    entries.extract_if(.., which).collect()
}

impl Tensor {
    /// Calls `hook` with this tensor's gradient when it is computed; what the hook gives replaces it.
    pub fn register_hook(&self, hook: Hook) -> Result<HookHandle> {
        if !self.requires_grad() {
            return Err(RusTorchError::autograd(
                "register_hook",
                "cannot register a hook on a tensor that doesn't require gradient",
            ));
        }
        let id = HANDLE.fetch_add(1, Ordering::Relaxed);
        let mut state = self.meta.lock();
        if let Some(edge) = &state.history {
            edge.node.extras_mut().hooks.push((id, edge.index, hook));
            return Ok(HookHandle { id, owner: Owner::Node(Arc::downgrade(&edge.node)) });
        }
        self.meta.rare_mut(&mut state).hooks.push((id, hook));
        Ok(HookHandle { id, owner: Owner::Leaf(Arc::downgrade(&self.meta)) })
    }

    /// Calls `hook` with this leaf itself after its gradient has been accumulated; what the hook gives is ignored.
    pub fn register_post_accumulate_grad_hook(&self, hook: Hook) -> Result<HookHandle> {
        if !self.requires_grad() || !self.is_leaf() {
            return Err(RusTorchError::autograd(
                "register_post_accumulate_grad_hook",
                "post accumulate grad hooks can only be registered on leaf tensors that require a gradient",
            ));
        }
        let id = HANDLE.fetch_add(1, Ordering::Relaxed);
        self.meta.rare_mut(&mut self.meta.lock()).after_accumulate.push((id, hook));
        Ok(HookHandle { id, owner: Owner::Leaf(Arc::downgrade(&self.meta)) })
    }
}
