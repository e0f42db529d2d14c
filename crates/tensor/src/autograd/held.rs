//! What a tensor's place in the graph holds of another language's objects: hooks, contexts of custom functions. Python's
//! collector of cycles asks.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::node::{Edge, Node};
use crate::Tensor;

/// How many there are: where there are none, nobody need look for them.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// An object of the face's language that the graph holds.
pub struct Held(Arc<dyn Any + Send + Sync>);

impl Held {
    /// Holds an object.
    pub fn new(object: Arc<dyn Any + Send + Sync>) -> Self {
        COUNT.fetch_add(1, Ordering::Relaxed);
        Held(object)
    }

    /// The object.
    pub fn object(&self) -> &(dyn Any + Send + Sync) {
        &*self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held")
    }
}

/// Is shown an object.
pub type Visit<'a> = &'a mut dyn FnMut(&(dyn Any + Send + Sync));

impl Tensor {
    /// Shows the objects that die with this handle: those of its own place in the graph and of the nodes below, as far
    /// as nothing else holds them.
    ///
    /// Two calls show the same as long as no backward pass runs and no other thread gets a handle of this tensor.
    pub fn visit_held(&self, visit: Visit<'_>) {
        if COUNT.load(Ordering::Relaxed) > 0 {
            visit_tensor(self, true, visit);
        }
    }
}

fn visit_tensor(tensor: &Tensor, with_others: bool, visit: Visit<'_>) {
    if Arc::strong_count(&tensor.meta) != 1 {
        return;
    }
    tensor.meta.look(|own| {
        for held in own.held {
            visit(held.object());
        }
        for node in own.nodes.into_iter().flatten() {
            visit_nodes(node, visit);
        }
        // A gradient with a graph of its own, and the base of a view.
        for other in own.tensors.into_iter().flatten().filter(|_| with_others) {
            visit_tensor(other, false, visit);
        }
    });
}

fn visit_nodes(first: &Arc<Node>, visit: Visit<'_>) {
    let mut pending = vec![first];
    while let Some(node) = pending.pop() {
        if Arc::strong_count(node) != 1 {
            continue;
        }
        node.show_held(visit);
        pending.extend(node.next().iter().flatten().map(|Edge { node, .. }| node));
    }
}

impl Node {
    /// Shows the objects that die with this handle of the node, as [`Tensor::visit_held`] does.
    pub fn visit_held(self: &Arc<Self>, visit: Visit<'_>) {
        if COUNT.load(Ordering::Relaxed) > 0 {
            visit_nodes(self, visit);
        }
    }
}
