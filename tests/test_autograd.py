"""Reverse mode: what accumulates, what is kept and freed, what is refused, and what hooks see."""

import gc
import sys
import threading
import weakref

import numpy as np
import pytest

import rustorch
from rustorch import autograd

REFUSED = (RuntimeError, ValueError)


def leaf(*values: float) -> rustorch.Tensor:
    return rustorch.tensor([float(v) for v in values or (1, 2, 3)], requires_grad=True)


def test_gradients_accumulate_in_leaves() -> None:
    x = leaf(1, 2, 3)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4, 6]
    (x * 10).sum().backward()
    assert x.grad.tolist() == [12, 14, 16]
    x.grad = None
    (x * 10).sum().backward()
    assert x.grad.tolist() == [10, 10, 10]


def test_a_tensor_used_often_gets_the_sum() -> None:
    x = leaf(2.0)
    y = x * x
    (y * y + y * x + x).sum().backward()
    assert x.grad.item() == 4 * 2**3 + 3 * 2**2 + 1


def test_intermediate_results_keep_no_gradient_unless_asked() -> None:
    x = leaf()
    y, z = x * 2, x * 3
    z.retain_grad()
    (y + z).sum().backward()
    assert (z.grad.tolist(), z.is_leaf, x.is_leaf) == ([1, 1, 1], False, True)
    assert z.retains_grad
    assert not y.retains_grad


def test_backward_needs_a_scalar_or_a_gradient() -> None:
    x = leaf()
    with pytest.raises(REFUSED):
        (x * 2).backward()
    (x * 2).backward(rustorch.tensor([1.0, 0.0, -1.0]))
    assert x.grad.tolist() == [2, 0, -2]
    with pytest.raises(REFUSED):
        (x * 2).backward(rustorch.ones(2))
    with pytest.raises(REFUSED):
        rustorch.ones(1).backward()


def test_a_graph_is_used_once_unless_retained() -> None:
    x = leaf()
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4, 8, 12]
    with pytest.raises(REFUSED, match=r"retain_graph"):
        y.backward()


def test_grad_returns_and_does_not_accumulate() -> None:
    x, w, unused = leaf(), leaf(4, 5, 6), leaf()
    (gx, gw) = autograd.grad((x * w).sum(), (x, w))
    assert (gx.tolist(), gw.tolist()) == ([4, 5, 6], [1, 2, 3])
    assert x.grad is None
    with pytest.raises(REFUSED):
        autograd.grad((x * w).sum(), (x, unused))
    assert autograd.grad((x * w).sum(), (x, unused), allow_unused=True)[1] is None


def test_grad_of_an_intermediate_result() -> None:
    x = leaf(3.0)
    y = x * x
    assert autograd.grad((y * y).sum(), y)[0].item() == 18


def test_higher_derivatives() -> None:
    x = leaf(2.0)
    value, derivatives = x**4, []
    for _ in range(4):
        (value,) = autograd.grad(value.sum(), x, create_graph=True)
        derivatives.append(value.item())
    assert derivatives == [32, 48, 48, 24]


@pytest.mark.filterwarnings("ignore:Using backward")
def test_backward_with_create_graph() -> None:
    x = leaf(3.0)
    (x**3).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    first = x.grad
    (second,) = autograd.grad(first.sum(), x)
    assert (first.item(), second.item()) == (27, 18)
    x.grad = None


def test_gradient_penalty() -> None:
    """A loss on the norm of a gradient, as WGAN-GP has it, against its derivation by hand."""
    w, x = leaf(1, -2, 0.5), leaf(0.3, 0.2, 0.1)
    (gradient,) = autograd.grad((w * x).sum().sigmoid(), x, create_graph=True)
    (gradient**2).sum().backward()
    wv, xv = (np.array(t.tolist()) for t in (w, x))
    s = 1 / (1 + np.exp(-(wv @ xv)))
    d = s * (1 - s)
    want = 2 * d**2 * wv + 2 * d * d * (1 - 2 * s) * (wv @ wv) * xv
    np.testing.assert_allclose(w.grad.tolist(), want, rtol=1e-5)


def test_modes() -> None:
    x = leaf()
    with rustorch.no_grad():
        assert not (x * 2).requires_grad
        with rustorch.enable_grad():
            assert (x * 2).requires_grad
        assert not rustorch.is_grad_enabled()
    with rustorch.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad

    @rustorch.no_grad()
    def frozen() -> rustorch.Tensor:
        return x * 2

    assert not frozen().requires_grad
    assert rustorch.is_grad_enabled()
    with pytest.raises(KeyError), rustorch.no_grad():
        raise KeyError
    assert rustorch.is_grad_enabled()


def test_the_mode_is_each_threads_own() -> None:
    seen = []
    with rustorch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(rustorch.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_detach_shares_memory_and_stops_the_gradient() -> None:
    x = leaf()
    y = x.detach()
    assert y.data_ptr() == x.data_ptr()
    assert not y.requires_grad
    (x * x.detach()).sum().backward()
    assert x.grad.tolist() == [1, 2, 3]


def test_only_floating_tensors_require_gradients() -> None:
    with pytest.raises(REFUSED):
        rustorch.tensor([1, 2], requires_grad=True)
    with pytest.raises(REFUSED):
        rustorch.ones(2, dtype=rustorch.int64).requires_grad_()
    x = leaf()
    assert not (x > 1).requires_grad
    assert not x.argmax().requires_grad
    assert x.max(0).values.requires_grad


def test_requires_grad_of_a_result_cannot_be_switched_off() -> None:
    y = leaf() * 2
    with pytest.raises(REFUSED):
        y.requires_grad = False


def test_a_value_that_was_overwritten_is_noticed() -> None:
    x = leaf()
    y = x.exp()
    y.add_(1)
    with pytest.raises(REFUSED, match=r"inplace|in-place|modified"):
        y.sum().backward()
    z = leaf()
    square = z * z
    with rustorch.no_grad():
        z.add_(1)
    with pytest.raises(REFUSED, match=r"inplace|in-place|modified"):
        square.sum().backward()


def test_overwriting_what_no_formula_needs_is_fine() -> None:
    x = leaf()
    y = x + 1
    y.mul_(3)
    y.sum().backward()
    assert x.grad.tolist() == [3, 3, 3]


def test_leaves_that_require_gradients_cannot_be_overwritten() -> None:
    x = leaf()
    with pytest.raises(REFUSED):
        x.add_(1)
    with pytest.raises(REFUSED):
        x[0].mul_(2)
    with rustorch.no_grad():
        x.add_(1)
    assert x.tolist() == [2, 3, 4]


def test_inplace_takes_part_in_the_graph() -> None:
    x, w = leaf(), leaf(4, 5, 6)
    y = x * 1
    y.mul_(w)
    y.sum().backward()
    assert (x.grad.tolist(), w.grad.tolist()) == ([4, 5, 6], [1, 2, 3])


def test_inplace_on_a_view_reaches_the_base() -> None:
    x, w = leaf(), leaf(7.0)
    y = x * 1
    y[1:2].mul_(w)
    (y * y).sum().backward()
    assert x.grad.tolist() == [2, 2 * 2 * 49, 6]
    assert w.grad.item() == 2 * (2 * 7) * 2


def test_inplace_on_a_constant_by_something_that_requires_gradients() -> None:
    x, zero = leaf(), rustorch.zeros(3)
    zero.add_(x)
    (zero * zero).sum().backward()
    assert x.grad.tolist() == [2, 4, 6]


def test_version_counters() -> None:
    x = rustorch.zeros(3)
    before = x._version
    x.add_(1)
    x[0].fill_(2)
    assert x._version == before + 2
    assert x.view(3)._version == x._version
    assert x.clone()._version == 0


@pytest.mark.rustorch_only
def test_a_missing_gradient_raises() -> None:
    """Where there is none, backward says so; it never answers with zeros."""
    x = leaf(1.0, 2.0)
    with pytest.raises(REFUSED, match="igamma"):
        rustorch.special.gammainc(x, leaf(1.0, 2.0)).sum().backward()


def test_step_functions_have_gradient_zero() -> None:
    x = leaf(1.4, -2.6)
    (x.round() + x.sign() + x.floor() + x).sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_subgradients_are_pytorchs() -> None:
    x = leaf(0.0, 2.0, 2.0)
    x.abs().sum().backward()
    assert x.grad.tolist() == [0, 1, 1]
    x.grad = None
    x.relu().sum().backward()
    assert x.grad.tolist() == [0, 1, 1]
    x.grad = None
    x.amax().backward()
    assert x.grad.tolist() == [0, 0.5, 0.5]
    x.grad = None
    x.max(0).values.backward()
    assert sorted(x.grad.tolist()) == [0, 0, 1]
    x.grad = None
    x.clamp(0, 2).sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_deep_chains_need_no_stack() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.sum().backward()
    assert x.grad.item() == 1
    del y  # freeing a deep graph must not recurse either


def test_wide_graphs_visit_each_node_once() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y * 0.5 + y * 0.5  # 2 ** 60 paths
    y.sum().backward()
    assert x.grad.item() == 1


def test_hooks_on_tensors() -> None:
    x, seen = leaf(), []
    y = x * 2
    handle = y.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: g * 10)
    y.sum().backward()
    assert (seen, x.grad.tolist()) == ([[1, 1, 1]], [20, 20, 20])
    handle.remove()
    (x * 1).sum().backward()
    assert len(seen) == 1
    with pytest.raises(REFUSED):
        rustorch.ones(2).register_hook(print)


def test_hooks_may_raise() -> None:
    x = leaf()
    x.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (x * 2).sum().backward()


class Cube(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x**2


def test_functions_of_the_users_own() -> None:
    x = leaf(2.0)
    (gradient,) = autograd.grad(Cube.apply(x).sum(), x, create_graph=True)
    (second,) = autograd.grad(gradient.sum(), x)
    assert (gradient.item(), second.item()) == (12, 12)


def test_gradcheck_finds_a_wrong_formula() -> None:
    class Wrong(Cube):
        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = rustorch.rand(3, dtype=rustorch.float64, requires_grad=True)
    assert autograd.gradcheck(Cube.apply, (x,))
    assert autograd.gradgradcheck(Cube.apply, (x,))
    with pytest.raises(Exception, match="acobian"):
        autograd.gradcheck(Wrong.apply, (x,))


def test_graphs_are_freed() -> None:
    """What backward saved goes with the result; a cycle through hooks is left to the collector."""
    x = leaf()
    y = (x * x).exp()
    alive = weakref.ref(y)
    y.sum().backward()
    del y
    gc.collect()
    assert alive() is None
    assert sys.getrefcount(x) <= 3


def test_backward_in_a_thread() -> None:
    x = leaf()
    y = (x * x).sum()
    thread = threading.Thread(target=y.backward)
    thread.start()
    thread.join()
    assert x.grad.tolist() == [2, 4, 6]


def test_selected_inputs() -> None:
    x, w = leaf(), leaf(4, 5, 6)
    (x * w).sum().backward(inputs=[x])
    assert x.grad.tolist() == [4, 5, 6]
    assert w.grad is None


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_gradients_have_the_leafs_dtype(dtype: str, device: str) -> None:
    x = rustorch.ones(3, dtype=getattr(rustorch, dtype), device=device, requires_grad=True)
    (x.double() * rustorch.arange(3, dtype=rustorch.float64, device=device)).sum().backward()
    assert x.grad.dtype is x.dtype
    assert x.grad.tolist() == [0, 1, 2]
