"""Views in place: squeeze_(), t_() and their like change a tensor's layout, and nothing else."""

from collections.abc import Callable

import pytest

import rustorch
from rustorch import Tensor

CALLS: dict[str, tuple[str, tuple[object, ...]]] = {
    "squeeze_": ("squeeze", ()),
    "squeeze_ of one": ("squeeze", (1,)),
    "squeeze_ of two": ("squeeze", ((0, 1),)),
    "unsqueeze_": ("unsqueeze", (-1,)),
    "transpose_": ("transpose", (0, 2)),
    "swapaxes_": ("swapaxes", (1, -1)),
    "swapdims_": ("swapdims", (1, 2)),
    "as_strided_": ("as_strided", ((2, 2), (1, 2), 1)),
    "t_": ("t", ()),
}


def _start(name: str, device: str) -> Tensor:
    shape = (3, 4) if name == "t_" else (3, 1, 4)
    return rustorch.rand(shape, dtype=rustorch.float64, device=device)


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest) -> tuple[str, Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """The name, the op, and its form in place."""
    op, args = CALLS[request.param]
    return request.param, lambda x: getattr(x, op)(*args), lambda x: getattr(x, op + "_")(*args)


def test_the_tensor_itself_changes(call, device: str) -> None:
    name, op, in_place = call
    x = _start(name, device)
    alias, want = x.view_as(x), op(x)
    assert in_place(x) is x
    assert (x.shape, x.stride(), x.data_ptr()) == (want.shape, want.stride(), want.data_ptr())
    x.add_(1)
    assert rustorch.equal(op(alias), x)
    x.detach_()


def test_gradients(call, device: str) -> None:
    """Of a tensor that is computed, saved before, seen by views, and written after."""
    name, op, in_place = call
    leaf = _start(name, device).requires_grad_()

    def compute(change: Callable[[Tensor], Tensor]) -> Tensor:
        y = leaf * 2
        saved, view = y * y, y[1:]
        z = change(y)
        return (z**3).sum() + saved.sum() + (view**2).sum() + (change(leaf.exp()) ** 2).sum()

    (want,) = rustorch.autograd.grad(compute(op), leaf, create_graph=True)
    (got,) = rustorch.autograd.grad(compute(in_place), leaf, create_graph=True)
    assert rustorch.allclose(got, want, rtol=1e-12)
    (want,) = rustorch.autograd.grad(want.sum(), leaf)
    (got,) = rustorch.autograd.grad(got.sum(), leaf)
    assert rustorch.allclose(got, want, rtol=1e-12)


test_gradients = pytest.mark.rustorch_only(test_gradients)  # PyTorch counts it as a write


@pytest.mark.parametrize("recorded", [True, False])
def test_views_see_later_writes(call, recorded: bool, device: str) -> None:
    name, op, in_place = call
    weight = rustorch.tensor(1.5, dtype=rustorch.float64, device=device, requires_grad=True)
    start = _start(name, device)

    def compute(change: Callable[[Tensor], Tensor]) -> Tensor:
        y = start * weight if recorded else start.clone()
        view = y[1:]
        z = change(y)
        z.mul_(weight)
        return (view**2).sum() + (z**3).sum()

    (want,) = rustorch.autograd.grad(compute(op), weight)
    if name == "as_strided_" and not recorded:
        # Now the view reaches beyond its base.
        with pytest.raises(RuntimeError, match="reaches beyond"):
            compute(in_place).backward()
        return
    (got,) = rustorch.autograd.grad(compute(in_place), weight)
    assert got.item() == pytest.approx(want.item(), rel=1e-12)


def test_a_leaf_is_changed_without_recording_alone(call, device: str) -> None:
    name, op, in_place = call
    x = _start(name, device).requires_grad_()
    with pytest.raises(RuntimeError, match="leaf"):
        in_place(x)
    want = op(x.detach())
    with rustorch.no_grad():
        assert in_place(x) is x
    assert x.is_leaf
    assert x.requires_grad
    assert x.shape == want.shape
    (x**2).sum().backward()
    assert x.grad.shape == x.shape
    assert rustorch.allclose(x.grad, 2 * want)


@pytest.mark.rustorch_only
def test_a_computed_tensor_keeps_its_history_in_every_mode(call, device: str) -> None:
    """PyTorch leaves the shape from before to the gradient's node."""
    name, op, in_place = call
    leaf = _start(name, device).requires_grad_()
    (want,) = rustorch.autograd.grad((op(leaf * 2) ** 2).sum(), leaf)
    y = leaf * 2
    y.retain_grad()
    with rustorch.no_grad():
        in_place(y)
    (y**2).sum().backward()
    assert rustorch.allclose(leaf.grad, want)
    assert y.grad.shape == y.shape


@pytest.mark.rustorch_only
@pytest.mark.parametrize("shape", [(2, 3), (3, 3)])
def test_a_leaf_that_changes_between_forward_and_backward(shape: tuple[int, int], device: str) -> None:
    """The gradient would not be of what it shows now, even where the shapes agree."""
    x = rustorch.rand(shape, device=device).requires_grad_()
    y = x * x.detach()
    with rustorch.no_grad():
        x.t_()
    with pytest.raises(RuntimeError, match="another layout"):
        y.sum().backward()
    assert x.grad is None
