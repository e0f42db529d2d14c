"""Gradients from outside the library's own formulas: of hooks, custom functions, callers. They fit, or are refused."""

from collections.abc import Callable
from typing import Any

import pytest

import rustorch
from rustorch import Tensor

Change = Callable[[Tensor], Any]

REFUSED = (RuntimeError, TypeError, ValueError)
# What the gradient of a vector of three float32 may not become.
SHAPES: list[Change] = [
    lambda g: rustorch.ones(7, device=g.device),
    lambda g: g[:1],
    lambda g: g[:0],
    lambda g: g.sum(),
    lambda g: g.reshape(3, 1),
]
KINDS: list[Change] = [lambda g: g.to(rustorch.complex64), lambda g: 3.0, lambda g: [g]]
# What a function's backward may give, as PyTorch has it: it is summed, or converted.
FITTING: list[Change] = [
    lambda g: g.double(),
    lambda g: g.half(),
    lambda g: g.long(),
    lambda g: g.expand(2, 3) / 2,
    lambda g: (g / 4).expand(2, 2, 3),
]


def _hook(x: Tensor, change: Change) -> Tensor:
    y = x * 2
    y.register_hook(change)
    return y


def _leaf_hook(x: Tensor, change: Change) -> Tensor:
    x.register_hook(change)
    return x * 2


def _before_node(x: Tensor, change: Change) -> Tensor:
    y = x * 2
    y.grad_fn.register_prehook(lambda got: (change(got[0]),))
    return y


def _after_node(x: Tensor, change: Change) -> Tensor:
    y = x * 2
    y.grad_fn.register_hook(lambda given, got: (change(given[0]), *given[1:]))
    return y


def _function(x: Tensor, change: Change) -> Tensor:
    class Twice(rustorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Tensor) -> Tensor:
            return a * 2

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:
            return change(grad)

    return Twice.apply(x)


ENTRANCES = {"hook": _hook, "leaf": _leaf_hook, "before": _before_node, "after": _after_node, "function": _function}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("change", [*SHAPES, *KINDS])
@pytest.mark.parametrize("entrance", ENTRANCES)
def test_another_shape_or_kind_is_refused(entrance: str, change: Change, create_graph: bool, device: str) -> None:
    x = rustorch.ones(3, device=device, requires_grad=True)
    y = ENTRANCES[entrance](x, change)
    with pytest.raises(REFUSED):
        y.sum().backward(create_graph=create_graph)
    assert x.grad is None
    with pytest.raises(REFUSED):
        rustorch.autograd.grad(ENTRANCES[entrance](x * 1, change).sum(), x, create_graph=create_graph)


@pytest.mark.parametrize("change", FITTING)
@pytest.mark.parametrize("entrance", ENTRANCES)
def test_gradients_that_can_be_made_to_fit(entrance: str, change: Change, device: str) -> None:
    """A function's are; a hook gives what it got, of the same kind."""
    x = rustorch.ones(3, device=device, requires_grad=True)
    y = ENTRANCES[entrance](x, change)
    if entrance != "function":
        with pytest.raises(REFUSED):
            y.sum().backward()
        return
    y.sum().backward()
    assert (x.grad.dtype, x.grad.shape, x.grad.device) == (x.dtype, x.shape, x.device)
    assert x.grad.tolist() == [1, 1, 1]


def test_a_number_of_gradients_that_is_wrong_is_refused() -> None:
    class Product(rustorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
            return a * b

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:
            return grad

    x = rustorch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="number of gradients"):
        Product.apply(x, x.detach()).sum().backward()
    for wrong in (lambda given, got: given[:1], lambda given, got: (*given, None)):
        y = x * x.detach()
        y.grad_fn.register_hook(wrong)
        with pytest.raises(REFUSED):
            y.sum().backward()


def test_a_gradient_of_what_has_none_is_not_looked_at() -> None:
    class Product(rustorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
            return a * b

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:
            return grad, rustorch.ones(7)

    x = rustorch.ones(3, requires_grad=True)
    Product.apply(x, rustorch.ones(3)).sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_no_hook_makes_a_gradient_of_nothing() -> None:
    class Both(rustorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Tensor) -> tuple[Tensor, Tensor]:
            ctx.set_materialize_grads(False)
            return a * 1, a * 2

        @staticmethod
        def backward(ctx: Any, one: Tensor | None, two: Tensor | None) -> Any:
            return one

    a, _ = Both.apply(rustorch.ones(3, requires_grad=True))
    a.grad_fn.register_prehook(lambda got: (got[0], rustorch.ones(3)))
    with pytest.raises(RuntimeError, match="None"):
        a.sum().backward()


def test_post_accumulate_hooks_give_nothing() -> None:
    x = rustorch.ones(3, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda t: 5)
    with pytest.raises(TypeError):
        (x * 2).sum().backward()


@pytest.mark.parametrize("how", ["backward", "grad"])
def test_gradients_that_callers_give(how: str, device: str) -> None:
    def gradient(given: Any) -> Tensor:
        x = rustorch.ones(3, device=device, requires_grad=True)
        if how == "grad":
            return rustorch.autograd.grad(x * 2, x, given)[0]
        (x * 2).backward(given)
        return x.grad

    for dtype in (rustorch.float64, rustorch.float16, rustorch.int64):
        got = gradient(rustorch.ones(3, dtype=dtype, device=device))
        assert (got.dtype, got.tolist()) == (rustorch.float32, [2, 2, 2])
    for wrong in (rustorch.ones(1), rustorch.ones(2, 3), rustorch.ones(3, dtype=rustorch.complex64), 1.0):
        with pytest.raises(REFUSED):
            gradient(wrong.to(device) if isinstance(wrong, Tensor) else wrong)


def test_assigned_gradients(device: str) -> None:
    x = rustorch.ones(3, device=device, requires_grad=True)
    for wrong in (x, rustorch.ones(4), rustorch.ones(1, 3), rustorch.ones(3, dtype=rustorch.float64), 3.0):
        with pytest.raises(REFUSED):
            x.grad = wrong if wrong is x or not isinstance(wrong, Tensor) else wrong.to(device)
    assert x.grad is None


@pytest.mark.rustorch_only
@pytest.mark.parametrize("other", [(5,), (1,), (1, 3), (3, 1)])
@pytest.mark.parametrize("way", ["data", "set_"])
def test_a_leaf_whose_data_was_exchanged(way: str, other: tuple[int, ...], device: str) -> None:
    """PyTorch leaves a gradient of the old shape in `grad`."""
    x = rustorch.ones(3, device=device, requires_grad=True)
    y = x * 2
    with rustorch.no_grad():
        if way == "data":
            x.data = rustorch.ones(other, device=device)
        else:
            x.set_(rustorch.ones(other, device=device))
    with pytest.raises(RuntimeError, match="other data"):
        y.sum().backward()
    assert x.grad is None
    # What comes after is of the new data, and is not added to a gradient of the old.
    (x * 2).sum().backward()
    assert x.grad.shape == x.shape
    x.data = rustorch.ones(7, device=device)
    with pytest.raises(RuntimeError, match="set grad to None"):
        (x * 2).sum().backward()
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2] * 7


def test_a_leaf_with_other_data_of_the_same_kind(device: str) -> None:
    x = rustorch.ones(3, device=device, requires_grad=True)
    y = (x * 2).sum()
    x.data = rustorch.zeros(3, device=device)
    y.backward()
    assert x.grad.tolist() == [2, 2, 2]


@pytest.mark.rustorch_only
def test_unpacked_tensors_are_what_was_packed() -> None:
    """PyTorch computes with whatever an unpack hook gives."""
    hooks = rustorch.autograd.graph.saved_tensors_hooks
    x = rustorch.full((3,), 2.0, requires_grad=True)
    for wrong in (lambda t: t[:1], lambda t: t.expand(2, 3), lambda t: t.long(), lambda t: t.to(rustorch.complex64)):
        for create_graph in (False, True):
            with hooks(lambda t: t, wrong):
                y = x.exp()
            with pytest.raises(RuntimeError, match="unpack hook"):
                y.sum().backward(create_graph=create_graph)
    with hooks(lambda t: t.half(), lambda t: t):
        y = x * x
    y.sum().backward()
    assert (x.grad.dtype, x.grad.tolist()) == (rustorch.float32, [4, 4, 4])


def test_a_retained_gradient_is_added_to() -> None:
    y = rustorch.ones(2, requires_grad=True) * 1
    y.retain_grad()
    y.sum().backward(retain_graph=True)
    first = y.grad
    y.sum().backward()
    assert y.grad.tolist() == [2, 2]
    assert first.tolist() == [1, 1]


def test_hooks_of_leaves_that_backward_names() -> None:
    """`inputs=` accumulates as without."""
    x = rustorch.ones(2, requires_grad=True)
    seen = []
    x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    (x * 2).sum().backward(inputs=[x])
    (x * 2).sum().backward(inputs=[x, x])
    assert seen == [[2, 2], [4, 4]]
