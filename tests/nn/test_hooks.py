"""Hooks of modules: their order, what they replace, and when they are called."""

import warnings

import pytest

import rustorch
from rustorch import nn


def test_a_backward_hook_replaces_gradients() -> None:
    layer = nn.Linear(2, 2, bias=False)
    x = rustorch.ones(1, 2, requires_grad=True)
    handle = layer.register_full_backward_hook(lambda m, grad_in, grad_out: (grad_in[0] * 0 + 7,))
    pre = layer.register_full_backward_pre_hook(lambda m, grad_out: (grad_out[0] * 2,))
    layer(x).sum().backward()
    assert x.grad.tolist() == [[7, 7]]
    assert layer.weight.grad.tolist() == [[2, 2], [2, 2]]
    handle.remove()
    pre.remove()
    x.grad = None
    layer(x).sum().backward()
    assert x.grad.tolist() == [layer.weight.sum(0).tolist()]


def test_a_backward_hook_without_differentiable_inputs() -> None:
    layer, seen = nn.Linear(2, 3), []
    layer.register_full_backward_hook(lambda m, grad_in, grad_out: seen.append((grad_in, grad_out[0].tolist())))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer(rustorch.ones(1, 2)).sum().backward()
    assert seen == [((None,), [[1, 1, 1]])]


def test_the_order_of_hooks() -> None:
    layer, seen = nn.Identity(), []
    layer.register_forward_hook(lambda m, args, out: seen.append("second"))
    layer.register_forward_hook(lambda m, args, out: seen.append("first"), prepend=True)
    with layer.register_forward_hook(lambda m, args, out: seen.append("third")):
        layer(1)
    layer(1)
    assert seen == ["first", "second", "third", "first", "second"]


def test_a_hook_that_is_always_called() -> None:
    class Failing(nn.Module):
        def forward(self) -> None:
            raise ValueError("no")

    layer, seen = Failing(), []
    layer.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    with pytest.raises(ValueError, match="no"):
        layer()
    assert seen == [None]
