"""Cycles of Python objects that go through the graph are collected, as soon as nothing else holds the graph."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import rustorch
from rustorch import Tensor


class _Marker:
    """Dies with the cycle that refers to it."""


class _Identity(rustorch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.note = _Identity.note
        return x * 1

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return grad

    note: Any = None


def _leaf(marker: _Marker) -> Any:
    x = rustorch.ones(3, requires_grad=True)
    x.register_hook(lambda grad, keep=(x, marker): None)
    return x


def _after_accumulation(marker: _Marker) -> Any:
    x = rustorch.ones(3, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda leaf, keep=(x, marker): None)
    return x


def _computed(marker: _Marker) -> Any:
    y = rustorch.ones(3, requires_grad=True) * 2
    y.register_hook(lambda grad, keep=(y, marker): None)
    return y


def _node_hook(marker: _Marker) -> Any:
    y = rustorch.ones(3, requires_grad=True) * 2
    y.grad_fn.register_hook(lambda given, got, keep=(y, marker): None)
    return y


def _node_prehook(marker: _Marker) -> Any:
    y = (rustorch.ones(3, requires_grad=True) * 2).exp()
    y.grad_fn.next_functions[0][0].register_prehook(lambda got, keep=(y, marker): None)
    return y


def _node_alone(marker: _Marker) -> Any:
    node = (rustorch.ones(3, requires_grad=True) * 2).grad_fn
    node.register_prehook(lambda got, keep=(node, marker): None)
    return None


def _context(marker: _Marker) -> Any:
    _Identity.note = marker
    y = _Identity.apply(rustorch.ones(3, requires_grad=True))
    _Identity.note = None
    context: Any = None

    class Keep(rustorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            nonlocal context
            context = ctx
            return x * 1

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:
            return grad

    z = Keep.apply(y)
    context.output = z
    return z


def _context_below(marker: _Marker) -> Any:
    z = _context(marker)
    context: Any = None

    class Below(rustorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            nonlocal context
            context = ctx
            return x * 1

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:
            return grad

    y = Below.apply(rustorch.ones(3, requires_grad=True))
    context.output = (y * 2).exp()
    context.note = marker
    return z, context.output


def _attribute(marker: _Marker) -> Any:
    x = rustorch.ones(3)
    x.note = (x, marker)
    return x


CYCLES: dict[str, Callable[[_Marker], Any]] = {
    function.__name__[1:]: function
    for function in (
        _leaf,
        _after_accumulation,
        _computed,
        _node_hook,
        _node_prehook,
        _node_alone,
        _context,
        _context_below,
        _attribute,
    )
}


@pytest.mark.parametrize("name", CYCLES)
def test_a_cycle_is_collected(name: str) -> None:
    marker = _Marker()
    reference = weakref.ref(marker)
    made = CYCLES[name](marker)
    del marker
    gc.collect()
    if made is not None:
        assert reference() is not None, "collected too early"
    del made
    gc.collect()
    assert reference() is None


@pytest.fixture
def often() -> Iterator[None]:
    """The collector runs at every allocation."""
    before = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*before)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("name", CYCLES)
def test_the_collector_runs_while_objects_are_made(name: str) -> None:
    """It meets objects that are half made."""
    references = []
    for _ in range(20):
        marker = _Marker()
        references.append(weakref.ref(marker))
        made = CYCLES[name](marker)
        if name not in ("node_alone", "attribute"):
            results = made if isinstance(made, tuple) else (made,)
            sum((tensor * 2).sum() for tensor in results).backward(retain_graph=True)
            del results
        del made, marker
    gc.collect()
    assert all(reference() is None for reference in references)


def test_hooks_of_a_graph_that_lives_stay() -> None:
    """The object of a leaf may go; the graph goes on holding the leaf, and the leaf its hooks."""
    seen: list[list[float]] = []

    def graph() -> Tensor:
        x = rustorch.ones(3, requires_grad=True)
        y = x * 2
        x.register_hook(lambda grad, keep=x: seen.append(grad.tolist()))
        y.register_hook(lambda grad, keep=y: seen.append(grad.tolist()))
        return (x * y).sum()

    z = graph()
    gc.collect()
    z.backward()
    assert seen == [[1, 1, 1], [4, 4, 4]]


def test_collections_while_other_threads_compute() -> None:
    """Hooks that refer to their tensors work on, however often the collector looks at them."""
    leaves = []
    calls = [0] * 4
    for i in range(4):
        leaf = rustorch.ones(200, requires_grad=True)

        def hook(grad: Tensor, keep: Tensor = leaf, i: int = i) -> Tensor:
            calls[i] += 1
            return grad * keep.detach()

        leaf.register_hook(hook)
        leaf.register_post_accumulate_grad_hook(lambda leaf, keep=leaf: None)
        leaves.append(leaf)

    def work(leaf: Tensor) -> None:
        for _ in range(50):
            (leaf * 2).sum().backward()

    threads = [threading.Thread(target=work, args=(leaf,)) for leaf in leaves]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        gc.collect()
    assert calls == [50] * 4
    assert all(leaf.grad[0].item() == 100 for leaf in leaves)
