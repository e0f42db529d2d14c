"""autograd.graph: where saved tensors are, what may be written into, edges and versions; settings of checkpoints."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import rustorch
from rustorch.autograd import graph
from rustorch.utils import checkpoint


def test_saving_on_the_cpu() -> None:
    for pin in (False, True) if rustorch.cuda.is_available() else (False,):
        x = rustorch.tensor([1.0, 2.0], dtype=rustorch.float64, requires_grad=True)
        with graph.save_on_cpu(pin_memory=pin):
            y = x.clone()
            z = (y * y).exp().sum()
        z.backward()
        expected = 2 * x.detach() * x.detach().square().exp()
        assert rustorch.allclose(x.grad, expected)


def test_what_is_saved_on_the_cpu_is_a_copy() -> None:
    x = rustorch.tensor([1.0, 2.0], requires_grad=True)
    with graph.save_on_cpu():
        y = x.clone()
        z = (y * y).sum()
    z.backward(retain_graph=True)
    gradient = x.grad.clone()
    z.backward()
    assert x.grad.equal(2 * gradient)


def test_hooks_can_be_refused() -> None:
    with graph.disable_saved_tensors_hooks("not in here"):
        with pytest.raises(RuntimeError, match="not in here"), graph.save_on_cpu():
            pass
        with (
            pytest.raises(RuntimeError, match="nor here"),
            graph.disable_saved_tensors_hooks("nor here"),
            graph.save_on_cpu(),
        ):
            pass
        with pytest.raises(RuntimeError, match="not in here"), graph.save_on_cpu():
            pass
    with (
        graph.save_on_cpu(),
        pytest.raises(RuntimeError, match="hooks are"),
        graph.disable_saved_tensors_hooks("hooks are on"),
    ):
        pass
    with graph.save_on_cpu():
        assert (rustorch.ones(1, requires_grad=True) * 2).requires_grad


def test_saved_tensors_may_be_written_into() -> None:
    x = rustorch.tensor([1.0, 2.0], requires_grad=True)
    with graph.allow_mutation_on_saved_tensors():
        y = x.clone()
        z = (y**2).sum()
        y.sin_()
        z.backward()
    assert x.grad.tolist() == [2, 4]
    y = x.clone()
    z = (y**2).sum()
    y.sin_()
    with pytest.raises(RuntimeError, match="modified"):
        z.backward()


def test_saved_copies_end_with_their_context() -> None:
    x = rustorch.tensor([1.0, 2.0], requires_grad=True)
    with graph.allow_mutation_on_saved_tensors() as context:
        y = x.clone()
        z = (y**2).sum()
        y.sin_()
        context.clear()
        with pytest.raises((RuntimeError, AssertionError), match=r"clear|context|mutat"):
            z.backward()


@pytest.mark.rustorch_only
def test_saved_copies_go_with_their_graph() -> None:
    x = rustorch.ones(3, requires_grad=True)
    with graph.allow_mutation_on_saved_tensors() as context:
        for _ in range(3):
            (x * x).sum().backward()
        gc.collect()
        assert len(context._copies) == 0


def test_gradient_edges() -> None:
    x = rustorch.ones(2, requires_grad=True)
    edge = graph.get_gradient_edge(x * 2)
    assert isinstance(edge, graph.GradientEdge)
    assert (edge.node.name(), edge.output_nr) == ("MulBackward0", 0)
    leaf = graph.get_gradient_edge(x)
    assert leaf.node.name().endswith("AccumulateGrad")
    assert leaf.node.variable is x
    with pytest.raises(RuntimeError, match="does not require gradients"):
        graph.get_gradient_edge(rustorch.ones(2))


def test_versions_can_be_counted_up() -> None:
    tensors: list[Any] = [
        rustorch.zeros(3),
        rustorch.zeros(()),
        rustorch.zeros(0, 2),
        rustorch.zeros(2, 3).t(),
        rustorch.zeros(2, dtype=rustorch.bool),
        rustorch.ones(2, requires_grad=True),
    ]
    for tensor in tensors:
        before = tensor._version
        graph.increment_version(tensor)
        assert tensor._version == before + 1
    graph.increment_version(tensors[:2])
    assert [t._version for t in tensors[:2]] == [2, 2]
    assert tensors[-1].tolist() == [1, 1]
    x = rustorch.ones(2, requires_grad=True)
    y = x.clone()
    z = (y * y).sum()
    graph.increment_version(y)
    with pytest.raises(RuntimeError, match="modified"):
        z.backward()


def different(stops_early: bool) -> Any:
    """A checkpoint whose second run saves more, once it has saved all."""
    calls = []

    def run(x: rustorch.Tensor) -> rustorch.Tensor:
        calls.append(0)
        y = x.sin()
        return y.exp() if len(calls) > 1 else y

    x = rustorch.ones(2, requires_grad=True)
    with checkpoint.set_checkpoint_early_stop(stops_early):
        return checkpoint.checkpoint(run, x, use_reentrant=False).sum()


def test_second_runs_stop_early_or_not() -> None:
    different(True).backward()
    with pytest.raises(checkpoint.CheckpointError, match=r"second run 2|more tensors during recomputation"):
        different(False).backward()


@pytest.mark.rustorch_only
@pytest.mark.parametrize("inside", [None, True])
def test_debugging_says_where_tensors_were_saved(inside: bool | None) -> None:
    calls = []

    def run(x: rustorch.Tensor) -> rustorch.Tensor:
        calls.append(0)
        if len(calls) > 1:
            return x[:1].exp()
        return x.exp()

    x = rustorch.ones(2, requires_grad=True)
    with checkpoint.set_checkpoint_debug_enabled(inside):
        y = checkpoint.checkpoint(run, x, use_reentrant=False, debug=inside is None)
    with pytest.raises(checkpoint.CheckpointError) as raised:
        y.sum().backward()
    text = str(raised.value)
    first, second = text.split("In the first run it was saved at\n")[1].split("and in the second at\n")
    assert "return x.exp()" in first
    assert "return x[:1].exp()" in second
    with checkpoint.set_checkpoint_debug_enabled(False):
        calls.clear()
        y = checkpoint.checkpoint(run, x, use_reentrant=False, debug=True)
    with pytest.raises(checkpoint.CheckpointError) as raised:
        y.sum().backward()
    assert "saved at" not in str(raised.value)


def test_a_graph_with_copies_is_collected() -> None:
    x = rustorch.ones(2, requires_grad=True)
    hooks = graph.save_on_cpu()
    with hooks:
        y = x * x
    reference = weakref.ref(hooks)
    del hooks, y
    gc.collect()
    assert reference() is None
