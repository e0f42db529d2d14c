//! The backward pass.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use rustorch_error::{Result, RusTorchError};
use smallvec::SmallVec;

use super::accumulation::apply_leaf_hooks;
use super::mode::{self, GradMode};
use super::node::{Edge, Gradients, Node};
use super::saved::Origin;
use super::validation::{replacement, replacements};
use crate::Tensor;
use crate::ops;

/// A node whose turn comes by age: every consumer of its outputs is younger and has run.
struct Ready(Arc<Node>);

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        self.0.sequence() == other.0.sequence()
    }
}

impl Eq for Ready {}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.sequence().cmp(&other.0.sequence())
    }
}

type Slots = SmallVec<[Option<Tensor>; 1]>;

/// Which gradients `grad` is asked for.
struct Targets<'a> {
    /// Whether leaves accumulate their gradients instead of giving them.
    accumulate: bool,
    edges: Vec<Edge>,
    inputs: &'a [Tensor],
    found: Vec<Option<Tensor>>,
    /// The nodes from which a target can be reached; others need not run.
    useful: HashSet<u64>,
}

impl Targets<'_> {
    fn new<'a>(roots: &[Edge], inputs: &'a [Tensor], accumulate: bool) -> Result<Targets<'a>> {
        let edges = inputs
            .iter()
            .map(|input| {
                input.edge().ok_or_else(|| {
                    RusTorchError::autograd("grad", "one of the differentiated Tensors does not require grad")
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let targets: HashSet<u64> = edges.iter().map(|e| e.node.sequence()).collect();
        let useful = useful_nodes(roots, &targets);
        Ok(Targets { accumulate, found: vec![None; edges.len()], edges, inputs, useful })
    }

    fn capture(&mut self, node: &Arc<Node>, slots: &Slots) -> Result<()> {
        if self.accumulate && node.accumulates() {
            return Ok(());
        }
        for (i, edge) in self.edges.iter().enumerate() {
            if Arc::ptr_eq(&edge.node, node)
                && let Some(Some(grad)) = slots.get(edge.index)
            {
                let grad = if node.accumulates() {
                    apply_leaf_hooks(&self.inputs[i], grad.clone())?
                } else {
                    grad.clone()
                };
                self.found[i] = Some(grad);
            }
        }
        Ok(())
    }
}

/// The nodes below `roots` from which one of `targets` can be reached.
fn useful_nodes(roots: &[Edge], targets: &HashSet<u64>) -> HashSet<u64> {
    let mut useful = HashSet::new();
    let mut seen = HashSet::new();
    let mut stack: Vec<(Arc<Node>, bool)> = roots.iter().map(|e| (e.node.clone(), false)).collect();
    while let Some((node, children_done)) = stack.pop() {
        let id = node.sequence();
        if children_done {
            let reaches = targets.contains(&id)
                || node.next().iter().flatten().any(|e| useful.contains(&e.node.sequence()));
            if reaches {
                useful.insert(id);
            }
        } else if seen.insert(id) {
            stack.push((node.clone(), true));
            stack.extend(node.next().iter().flatten().map(|e| (e.node.clone(), false)));
        }
    }
    useful
}

fn add_into(slot: &mut Option<Tensor>, grad: Tensor, node: &Node) -> Result<()> {
    *slot = Some(match slot.take() {
        None => grad,
        Some(old) if old.shape() == grad.shape() => ops::add(&old, &grad, 1.into())?,
        Some(old) => {
            return Err(RusTorchError::autograd(
                "backward",
                format!(
                    "gradients of shapes {:?} and {:?} arrived at one output of {}",
                    old.shape(),
                    grad.shape(),
                    node.name()
                ),
            ));
        }
    });
    Ok(())
}

/// Runs hooks on, and keeps, the gradients that have arrived at a node's outputs.
fn before_node(node: &Arc<Node>, slots: &mut Slots) -> Result<()> {
    let Some(extras) = node.extras() else { return Ok(()) };
    let hooks: Vec<_> = extras.hooks.iter().map(|(_, index, hook)| (*index, hook.clone())).collect();
    let retained: Vec<_> = extras.retained.clone();
    drop(extras);
    for (index, hook) in hooks {
        if let Some(Some(grad)) = slots.get(index)
            && let Some(replaced) = replacement(Some(grad), hook(grad)?)?
        {
            slots[index] = Some(replaced);
        }
    }
    for (index, meta) in retained {
        if let (Some(meta), Some(Some(grad))) = (meta.upgrade(), slots.get(index)) {
            meta.accumulate(grad, false)?;
        }
    }
    Ok(())
}

/// Runs the hooks that see all gradients at a node's outputs.
fn before_function(node: &Arc<Node>, slots: &mut Slots) -> Result<()> {
    let Some(extras) = node.extras() else { return Ok(()) };
    let hooks: Vec<_> = extras.before.iter().map(|(_, hook)| hook.clone()).collect();
    drop(extras);
    for hook in hooks {
        if let Some(replaced) = hook(slots)? {
            *slots = replacements(slots, replaced)?.into_iter().collect();
        }
    }
    Ok(())
}

/// Runs the hooks that see the gradients that a node gives.
fn after_function(node: &Arc<Node>, mut gradients: Gradients, slots: &Slots) -> Result<Gradients> {
    let Some(extras) = node.extras() else { return Ok(gradients) };
    let hooks: Vec<_> = extras.after.iter().map(|(_, hook)| hook.clone()).collect();
    drop(extras);
    for hook in hooks {
        if let Some(replaced) = hook(&gradients, slots)? {
            gradients = replacements(&gradients, replaced)?;
        }
    }
    Ok(gradients)
}

/// An error of a node's function, with the place of its forward call where that is known.
fn located(node: &Node, error: RusTorchError) -> RusTorchError {
    match error {
        RusTorchError::Autograd { op, message } if op == "backward" && !message.contains('\n') => {
            RusTorchError::autograd("backward", message + &node.origin_note())
        }
        other => other,
    }
}

fn run(roots: Vec<(Edge, Tensor)>, keep_graph: bool, mut targets: Option<&mut Targets<'_>>) -> Result<()> {
    let mut pending: HashMap<u64, Slots> = HashMap::new();
    let mut ready = BinaryHeap::new();
    let deliver =
        |edge: &Edge, grad: Tensor, pending: &mut HashMap<u64, Slots>, ready: &mut BinaryHeap<Ready>| {
            let slots = pending.entry(edge.node.sequence()).or_insert_with(|| {
                ready.push(Ready(edge.node.clone()));
                smallvec::smallvec![None; edge.node.outputs()]
            });
            add_into(&mut slots[edge.index], grad, &edge.node)
        };
    for (edge, grad) in roots {
        deliver(&edge, grad, &mut pending, &mut ready)?;
    }
    while let Some(Ready(node)) = ready.pop() {
        let Some(mut slots) = pending.remove(&node.sequence()) else { continue };
        before_node(&node, &mut slots)?;
        if let Some(targets) = targets.as_deref_mut() {
            targets.capture(&node, &slots)?;
            let goes_on = if node.accumulates() {
                targets.accumulate
            } else {
                node.next().iter().flatten().any(|e| targets.useful.contains(&e.node.sequence()))
            };
            if !goes_on {
                continue;
            }
        }
        let operation = node.take(keep_graph)?;
        before_function(&node, &mut slots)?;
        let gradients = operation.backward(&node, &slots).map_err(|e| located(&node, e))?;
        super::anomaly::check(&node, &gradients)?;
        let gradients = after_function(&node, gradients, &slots)?;
        drop(operation);
        drop(slots);
        for (edge, grad) in node.next().iter().zip(gradients) {
            if let (Some(edge), Some(grad)) = (edge, grad)
                && targets.as_deref().is_none_or(|t| t.useful.contains(&edge.node.sequence()))
            {
                deliver(edge, grad, &mut pending, &mut ready)?;
            }
        }
    }
    Ok(())
}

/// The start of a pass: each tensor's edge with the gradient that flows into it.
fn seed(op: &'static str, tensors: &[Tensor], grads: &[Option<Tensor>]) -> Result<Vec<(Edge, Tensor)>> {
    if !grads.is_empty() && grads.len() != tensors.len() {
        return Err(RusTorchError::autograd(
            op,
            format!("got {} tensors and {} gradients", tensors.len(), grads.len()),
        ));
    }
    let mut roots = Vec::with_capacity(tensors.len());
    for (i, tensor) in tensors.iter().enumerate() {
        let edge = tensor.edge().ok_or_else(|| {
            RusTorchError::autograd(
                op,
                format!("element {i} of tensors does not require grad and does not have a grad_fn"),
            )
        })?;
        let grad = match grads.get(i).and_then(Option::as_ref) {
            Some(grad) if grad.shape() == tensor.shape() => {
                if grad.dtype().is_complex() != tensor.dtype().is_complex() {
                    return Err(RusTorchError::autograd(
                        op,
                        format!(
                            "for complex tensors, both grad_output and output are required to have the same dtype, but \
                             grad_output[{i}] is {} and output[{i}] is {}",
                            grad.dtype(),
                            tensor.dtype()
                        ),
                    ));
                }
                Origin::of(tensor).admit(grad.clone(), op, i)?
            }
            Some(grad) => {
                return Err(RusTorchError::shape(
                    op,
                    format!(
                        "mismatch in shape: grad_output[{i}] has a shape of {:?} and output[{i}] has a shape of {:?}",
                        grad.shape(),
                        tensor.shape()
                    ),
                ));
            }
            None if tensor.numel() != 1 => {
                return Err(RusTorchError::autograd(
                    op,
                    format!(
                        "grad can be implicitly created only for scalar outputs, but got a tensor of shape {:?}; \
                         pass its gradient, or reduce it first, for example with sum()",
                        tensor.shape()
                    ),
                ));
            }
            None if tensor.dtype().is_complex() => {
                return Err(RusTorchError::autograd(
                    op,
                    format!(
                        "grad can be implicitly created only for real scalar outputs but got {}; pass its gradient",
                        tensor.dtype()
                    ),
                ));
            }
            None => {
                let one = Tensor::empty(tensor.shape(), tensor.dtype(), tensor.device())?;
                one.backend()?.fill(one.operand(), 1.into())?;
                one
            }
        };
        roots.push((edge, grad));
    }
    Ok(roots)
}

/// Accumulates the gradients of `tensors` into the leaves (or into `inputs` alone, when given).
///
/// `grads` has the gradient of each tensor; it may be empty where all have one element.
pub fn backward(
    tensors: &[Tensor],
    grads: &[Option<Tensor>],
    retain_graph: bool,
    create_graph: bool,
    inputs: Option<&[Tensor]>,
) -> Result<()> {
    let _mode = GradMode::set(create_graph);
    let roots = seed("backward", tensors, grads)?;
    let Some(inputs) = inputs else { return run(roots, retain_graph || create_graph, None) };
    let edges: Vec<Edge> = roots.iter().map(|(e, _)| e.clone()).collect();
    let mut targets = Targets::new(&edges, inputs, true)?;
    run(roots, retain_graph || create_graph, Some(&mut targets))?;
    for (input, found) in inputs.iter().zip(targets.found) {
        if let Some(found) = found {
            input.meta.accumulate(&found, false)?;
        }
    }
    Ok(())
}

/// The gradients of `outputs` by `inputs`; `None` for an input that the outputs do not depend on.
pub fn grad(
    outputs: &[Tensor],
    inputs: &[Tensor],
    grads: &[Option<Tensor>],
    retain_graph: bool,
    create_graph: bool,
) -> Result<Vec<Option<Tensor>>> {
    let _mode = GradMode::set(create_graph);
    let roots = seed("grad", outputs, grads)?;
    let edges: Vec<Edge> = roots.iter().map(|(e, _)| e.clone()).collect();
    let mut targets = Targets::new(&edges, inputs, false)?;
    run(roots, retain_graph || create_graph, Some(&mut targets))?;
    debug_assert_eq!(mode::is_enabled(), create_graph);
    Ok(targets.found)
}
