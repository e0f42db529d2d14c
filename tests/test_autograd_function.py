"""Custom functions, hooks and graph nodes as Python sees them."""

from typing import Any

import pytest

import rustorch
from rustorch import Tensor
from rustorch.autograd import Function, gradcheck, gradgradcheck
from rustorch.autograd.function import once_differentiable

f64 = rustorch.float64


class Exp(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return grad * y


class Affine(Function):
    """Two outputs, a number among the arguments, setup_context."""

    @staticmethod
    def forward(x: Tensor, y: Tensor, factor: float) -> tuple[Tensor, Tensor]:
        return x * y, x * factor

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        x, y, ctx.factor = inputs
        ctx.save_for_backward(x, y)

    @staticmethod
    def backward(ctx: Any, grad_product: Tensor, grad_scaled: Tensor) -> tuple[Any, ...]:
        x, y = ctx.saved_tensors
        grad_x = grad_product * y + grad_scaled * ctx.factor if ctx.needs_input_grad[0] else None
        grad_y = grad_product * x if ctx.needs_input_grad[1] else None
        return grad_x, grad_y, None


def sample(*shape: int) -> Tensor:
    return rustorch.randn(*shape, dtype=f64, requires_grad=True)


def test_gradients() -> None:
    x, y = sample(2, 3), sample(2, 3)
    assert gradcheck(Exp.apply, (x,))
    assert gradgradcheck(Exp.apply, (x,))
    assert gradcheck(lambda a, b: Affine.apply(a, b, 2.5), (x, y))
    assert gradgradcheck(lambda a, b: Affine.apply(a, b, 2.5), (x, y))
    assert gradcheck(lambda a: Affine.apply(a, y.detach(), 2.5), (x,))


def test_unused_output_gets_zeros_or_none() -> None:
    x, y = sample(3), sample(3)
    product, _ = Affine.apply(x, y, 2.0)
    product.sum().backward()
    assert rustorch.allclose(x.grad, y)

    class Pick(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, a: Tensor | None, b: Tensor | None) -> Tensor:
            assert a is None
            assert b is not None
            return b * 3

    x = sample(3)
    Pick.apply(x)[1].sum().backward()
    assert x.grad.tolist() == [3, 3, 3]


def test_names_and_leaves() -> None:
    y = Exp.apply(sample(1))
    assert y.grad_fn.name() == "ExpBackward"
    assert not y.is_leaf
    assert not Exp.apply(rustorch.ones(1)).requires_grad
    with rustorch.no_grad():
        assert not Exp.apply(sample(1)).requires_grad


def test_non_differentiable_output() -> None:
    class Sorted(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
            mask = (x > 0).to(x.dtype)
            ctx.mark_non_differentiable(mask)
            return x * 2, mask

        @staticmethod
        def backward(ctx: Any, grad: Tensor, _: Any) -> Tensor:
            return grad * 2

    x = sample(3)
    doubled, mask = Sorted.apply(x)
    assert doubled.requires_grad
    assert not mask.requires_grad
    doubled.sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_dirty_input() -> None:
    class Double(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            return grad * 2

    x = sample(3)
    y = x * 3
    z = Double.apply(y)
    assert z is y
    z.sum().backward()
    assert x.grad.tolist() == [6, 6, 6]


def test_input_handed_through() -> None:
    class Same(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            return -grad

    x = sample(2)
    y = Same.apply(x)
    assert y is not x
    assert y.data_ptr() == x.data_ptr()
    y.sum().backward()
    assert x.grad.tolist() == [-1, -1]


def test_changed_saved_tensor_is_refused() -> None:
    y = Exp.apply(sample(2))
    with rustorch.no_grad():
        y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_errors_come_out_as_they_were_raised() -> None:
    class Broken(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            raise KeyError("from backward")

    class Greedy(Broken):
        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:
            return grad, grad

    class Wrong(Broken):
        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Any:
            return 1.0

    with pytest.raises(KeyError, match="from backward"):
        Broken.apply(sample(1)).backward()
    with pytest.raises(RuntimeError, match="incorrect number of gradients"):
        Greedy.apply(sample(1)).backward()
    with pytest.raises((TypeError, RuntimeError)):
        Wrong.apply(sample(1)).backward()
    assert rustorch.is_grad_enabled()


def test_once_differentiable() -> None:
    class Square(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            (x,) = ctx.saved_tensors
            return 2 * x * grad

    x = sample(2)
    assert gradcheck(Square.apply, (x,))
    (grad,) = rustorch.autograd.grad(Square.apply(x).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


def test_hooks() -> None:
    x = sample(2)
    seen: list[Tensor] = []
    y = x * 3
    handle = y.register_hook(lambda grad: grad * 2)
    x.register_hook(seen.append)
    y.sum().backward(retain_graph=True)
    assert seen[0].tolist() == x.grad.tolist() == [6, 6]
    handle.remove()
    handle.remove()
    x.grad = None
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]
    with pytest.raises(RuntimeError):
        rustorch.ones(1).register_hook(print)


def test_hook_errors_come_out() -> None:
    x = sample(2)

    def hook(grad: Tensor) -> None:
        raise LookupError("from a hook")

    x.register_hook(hook)
    with pytest.raises(LookupError, match="from a hook"):
        x.sum().backward()


def test_post_accumulate_hook() -> None:
    x = sample(2)
    arrived: list[list[float]] = []

    def after(leaf: Tensor) -> None:
        assert leaf is x
        arrived.append(leaf.grad.tolist())
        leaf.grad = None

    x.register_post_accumulate_grad_hook(after)
    (x * 2).sum().backward()
    assert arrived == [[2, 2]]
    assert x.grad is None


def test_retain_grad_and_grad_of_computed() -> None:
    x = sample(2)
    y = x * 2
    y.retain_grad()
    assert y.retains_grad
    (y * y).sum().backward()
    assert rustorch.allclose(y.grad, 4 * x.detach())


def test_autograd_functions() -> None:
    x, y = sample(2), sample(2)
    z = (x * y).sum()
    grads = rustorch.autograd.grad(z, (x, y), retain_graph=True)
    assert rustorch.equal(grads[0], y.detach())
    with pytest.raises(RuntimeError, match="allow_unused"):
        rustorch.autograd.grad(z, (x, sample(1)), retain_graph=True)
    assert rustorch.autograd.grad(z, (x, sample(1)), retain_graph=True, allow_unused=True)[1] is None
    zeros = rustorch.autograd.grad(z, (x, sample(1)), retain_graph=True, materialize_grads=True)[1]
    assert zeros.tolist() == [0]
    rustorch.autograd.backward([z, x.sum()], [None, rustorch.tensor(2.0, dtype=f64)])
    assert rustorch.allclose(x.grad, y.detach() + 2)


def test_graph_nodes() -> None:
    x = sample(2)
    y = (x * 2).sum()
    (product, index), *_ = y.grad_fn.next_functions
    assert index == 0
    assert product.name().startswith("MulBackward")
    assert product.next_functions[0][0].name().endswith("AccumulateGrad") or "AccumulateGrad" in repr(
        product.next_functions[0][0]
    )
    assert y.grad_fn == y.grad_fn
    assert y.grad_fn != product


def test_a_context_and_its_graph_are_freed() -> None:
    import gc
    import weakref

    class Mark:
        pass

    class Keep(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.mark = Mark()
            marks.append(weakref.ref(ctx.mark))
            y = x * 2
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx: Any, grad: Tensor) -> Tensor:
            return grad * 2

    marks: list[Any] = []
    y = Keep.apply(sample(2))
    assert marks[0]() is not None
    del y
    gc.collect()
    assert marks[0]() is None
