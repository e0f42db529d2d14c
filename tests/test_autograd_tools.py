"""Around autograd: functional, checkpointing, hooks of the graph, anomaly and inference mode, stress."""

import gc
import weakref

import pytest

import rustorch
from rustorch import nn
from rustorch.autograd import functional, graph
from rustorch.utils.checkpoint import checkpoint, checkpoint_sequential


def points() -> tuple[rustorch.Tensor, rustorch.Tensor]:
    x = rustorch.tensor([0.5, -1.0, 2.0], dtype=rustorch.float64)
    return x, rustorch.tensor([[1.0, 2.0, 0.5], [-1.0, 0.3, 1.5]], dtype=rustorch.float64)


def product(x: rustorch.Tensor, w: rustorch.Tensor) -> rustorch.Tensor:
    return (w * x).sin().sum(1)


def close(a: rustorch.Tensor, b: rustorch.Tensor) -> bool:
    return a.shape == b.shape and rustorch.allclose(a, b, rtol=1e-10, atol=1e-12)


def test_jacobian() -> None:
    x, w = points()
    by_x, by_w = functional.jacobian(product, (x, w))
    assert close(by_x, (w * x).cos() * w)
    assert by_w.shape == (2, 2, 3)
    assert close(by_w[0, 0], (w[0] * x).cos() * x)
    assert by_w[0, 1].tolist() == [0, 0, 0]
    single = functional.jacobian(lambda x: x * 2, x)
    assert single.tolist() == [[2, 0, 0], [0, 2, 0], [0, 0, 2]]
    pair = functional.jacobian(lambda x: (x.sum(), x * x), x)
    assert pair[0].tolist() == [1, 1, 1]
    assert pair[1].shape == (3, 3)
    assert functional.jacobian(lambda x: x[:0], x).shape == (0, 3)


def test_products_with_the_jacobian() -> None:
    x, w = points()
    matrix = functional.jacobian(lambda x: product(x, w), x)
    v = rustorch.tensor([2.0, -3.0], dtype=rustorch.float64)
    u = rustorch.tensor([1.0, 0.5, -2.0], dtype=rustorch.float64)
    out, left = functional.vjp(lambda x: product(x, w), x, v)
    assert close(out, product(x, w))
    assert close(left, v @ matrix)
    out, right = functional.jvp(lambda x: product(x, w), x, u)
    assert close(out, product(x, w))
    assert close(right, matrix @ u)
    assert not out.requires_grad
    assert functional.vjp(lambda x: x.sum(), x)[1].tolist() == [1, 1, 1]


def test_hessian_and_its_products() -> None:
    x, w = points()

    def f(x: rustorch.Tensor) -> rustorch.Tensor:
        return product(x, w).sum() ** 2

    matrix = functional.hessian(f, x)
    assert close(matrix, matrix.t())
    v = rustorch.tensor([1.0, 0.5, -2.0], dtype=rustorch.float64)
    assert close(functional.hvp(f, x, v)[1], matrix @ v)
    value, right = functional.vhp(f, x, v)
    assert close(right, matrix @ v)
    assert close(value, f(x))
    blocks = functional.hessian(lambda a, b: (a * b).sum(), (x, x))
    assert blocks[0][0].tolist() == rustorch.zeros(3, 3).tolist()
    assert blocks[0][1].tolist() == rustorch.eye(3).tolist()


def test_functional_results_can_be_differentiated() -> None:
    x, _ = points()
    x.requires_grad_()
    matrix = functional.jacobian(lambda x: x**3, x, create_graph=True)
    matrix.sum().backward()
    assert close(x.grad, 6 * x.detach())
    assert not functional.jacobian(lambda x: x**3, x).requires_grad


def test_functional_errors() -> None:
    x, w = points()
    with pytest.raises(RuntimeError):
        functional.vjp(lambda x: x * 2, x)
    with pytest.raises(RuntimeError, match=r"size|shape"):
        functional.vjp(lambda x: x * 2, x, w)
    with pytest.raises(RuntimeError):
        functional.hessian(lambda x: x * 2, x)
    with pytest.raises(RuntimeError):
        functional.jacobian(lambda x, w: x * 2, (x, w), strict=True)
    assert functional.jacobian(lambda x, w: x * 2, (x, w))[1].tolist() == rustorch.zeros(3, 2, 3).tolist()
    with pytest.raises(TypeError):
        functional.jacobian(lambda x: x, 3.0)


def model() -> nn.Sequential:
    rustorch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 2))


def gradients(run) -> list[list[float]]:
    net = model()
    x = rustorch.randn(5, 4).requires_grad_()
    rustorch.manual_seed(11)
    out = run(net, x)
    out.square().sum().backward()
    return [p.grad.flatten().tolist() for p in (*net.parameters(), x)]


def test_checkpoint_gives_the_same_gradients() -> None:
    """Dropout included: the second run has the first one's random numbers."""
    want = gradients(lambda net, x: net(x))
    assert gradients(lambda net, x: checkpoint(net, x, use_reentrant=False)) == want
    assert gradients(lambda net, x: checkpoint_sequential(net, 3, x, use_reentrant=False)) == want
    nested = gradients(
        lambda net, x: checkpoint(
            lambda y: net[3:](checkpoint(net[:3], y, use_reentrant=False)), x, use_reentrant=False
        )
    )
    assert nested == want


def test_checkpoint_runs_again_in_backward_alone() -> None:
    calls = []
    x = rustorch.ones(3, requires_grad=True)
    state = rustorch.get_rng_state()

    def f(x: rustorch.Tensor, *, scale: float) -> rustorch.Tensor:
        calls.append(rustorch.is_grad_enabled())
        return (x * scale).exp().sin()

    y = checkpoint(f, x, scale=2.0, use_reentrant=False)
    assert calls == [True]
    y.sum().backward(retain_graph=True)
    assert calls == [True, True]
    first = x.grad.clone()
    y.sum().backward()
    assert rustorch.equal(x.grad, 2 * first)
    assert rustorch.equal(rustorch.get_rng_state(), state)


def test_checkpoint_can_be_differentiated_twice() -> None:
    def second(run) -> list[float]:
        x = rustorch.tensor([0.3, 0.7], dtype=rustorch.float64, requires_grad=True)
        (g,) = rustorch.autograd.grad(run(lambda x: (x * x).exp(), x).sum(), x, create_graph=True)
        return rustorch.autograd.grad(g.sum(), x)[0].tolist()

    assert second(lambda f, x: checkpoint(f, x, use_reentrant=False)) == pytest.approx(second(lambda f, x: f(x)))


def test_checkpoint_says_when_the_runs_differ() -> None:
    x = rustorch.ones(3, requires_grad=True)
    calls = []

    def f(x: rustorch.Tensor) -> rustorch.Tensor:
        calls.append(0)
        return x.exp() if len(calls) > 1 else x.exp().sin().exp()

    with pytest.raises(RuntimeError, match=r"saved|number of tensors"):
        checkpoint(f, x, use_reentrant=False).sum().backward()


def test_saved_tensors_hooks() -> None:
    x = rustorch.tensor([1.0, 2.0], requires_grad=True)
    packed = []

    def pack(tensor: rustorch.Tensor) -> list[float]:
        packed.append(tensor.tolist())
        return tensor.tolist()

    with graph.saved_tensors_hooks(pack, lambda values: rustorch.tensor(values) * 10):
        y = x * x.detach()
    assert packed == [[1, 2]]
    y.sum().backward()
    assert x.grad.tolist() == [10, 20]
    with graph.saved_tensors_hooks(lambda t: t, lambda t: "no tensor"):
        y = x.exp()
    with pytest.raises(TypeError):
        y.sum().backward()
    with pytest.raises(ZeroDivisionError), graph.saved_tensors_hooks(lambda t: 1 / 0, lambda t: t):
        x.exp()
    assert x.exp().requires_grad


def test_hooks_of_nodes() -> None:
    x = rustorch.ones(2, requires_grad=True)
    y = x * 3
    seen = []
    handle = y.grad_fn.register_hook(lambda given, got: seen.append((given[0].tolist(), got[0].tolist())))
    y.grad_fn.register_prehook(lambda got: (got[0] * 2,))
    y.sum().backward(retain_graph=True)
    assert seen == [([6, 6], [2, 2])]
    handle.remove()
    y.sum().backward()
    assert len(seen) == 1
    assert x.grad.tolist() == [12, 12]


def test_anomaly_mode_names_the_op() -> None:
    def made_here() -> rustorch.Tensor:
        return (x * 0).sqrt()

    x = rustorch.zeros(1, requires_grad=True)
    with rustorch.autograd.detect_anomaly():
        y = made_here() * 0
        with pytest.raises(RuntimeError, match="returned nan values in its 0th output") as error:
            y.sum().backward()
    assert "SqrtBackward0" in str(error.value) or "MulBackward0" in str(error.value)
    y = made_here() * 0
    y.sum().backward()
    with rustorch.autograd.set_detect_anomaly(True, check_nan=False):
        (made_here() * 0).sum().backward()


@pytest.mark.rustorch_only
def test_anomaly_mode_says_where() -> None:
    x = rustorch.zeros(1, requires_grad=True)
    with rustorch.autograd.detect_anomaly():
        y = x.sqrt() * 0
        with pytest.raises(RuntimeError, match="test_anomaly_mode_says_where"):
            y.sum().backward()


def test_inference_mode() -> None:
    w = rustorch.ones(2, requires_grad=True)
    with rustorch.inference_mode():
        assert rustorch.is_inference_mode_enabled()
        x = w * 2
        x.add_(1)
        kept = w.view(2)
    assert not rustorch.is_inference_mode_enabled()
    assert x.is_inference()
    assert x[0].is_inference()
    assert not kept.is_inference()
    assert not x.requires_grad
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        w * x
    with pytest.raises(RuntimeError, match="nplace update to inference tensor"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="requires_grad=True on inference tensor"):
        x.requires_grad_()
    (w * x.clone()).sum().backward()
    assert w.grad.tolist() == [3, 3]
    assert (w + x).requires_grad

    @rustorch.inference_mode()
    def run() -> rustorch.Tensor:
        return w * 2

    assert run().is_inference()


def test_batched_gradients_are_refused_by_name() -> None:
    x = rustorch.ones(2, requires_grad=True)
    if rustorch.__name__ == "torch":
        pytest.skip("PyTorch has them")
    with pytest.raises(RuntimeError, match="is_grads_batched"):
        rustorch.autograd.grad(x * 2, x, rustorch.eye(2), is_grads_batched=True)


def test_data_has_a_version_of_its_own() -> None:
    x = rustorch.ones(2, requires_grad=True)
    y = x * 2
    z = y * y
    y.data.add_(1)
    assert y._version == 0
    z.sum().backward()
    assert x.grad.tolist() == [12, 12]
    other = y.detach()
    other.add_(1)
    assert y._version == 1


@pytest.mark.parametrize("form", ["sigmoid_", "exp_", "mul_", "copy_", "zero_", "pow_"])
def test_writes_into_views_can_be_differentiated_twice(form: str) -> None:
    def f(x: rustorch.Tensor, w: rustorch.Tensor) -> rustorch.Tensor:
        base = x * x
        part = base.t()[1:, ::2]
        arguments = {"mul_": (w,), "copy_": (w * w,), "pow_": (3,)}.get(form, ())
        getattr(part, form)(*arguments)
        return (base * base).sum() + (part * part).sum()

    x = rustorch.randn(3, 4, dtype=rustorch.float64).abs().add(0.1).requires_grad_()
    w = rustorch.randn(3, 2, dtype=rustorch.float64, requires_grad=True)
    assert rustorch.autograd.gradcheck(f, (x, w))
    assert rustorch.autograd.gradgradcheck(f, (x, w))


def test_a_long_chain_neither_overflows_nor_leaks() -> None:
    """A million nodes: backward, and freeing without it."""
    x = rustorch.ones(1, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 1
    node = weakref.ref(y)
    y.backward()
    assert x.grad.item() == 1
    y = x * 1
    for _ in range(1_000_000):
        y = -y
    del y
    gc.collect()
    assert node() is None
    assert x.grad.item() == 1


def test_memory_falls_as_backward_proceeds() -> None:
    """What a node saved is freed when its turn is over, not at the end."""
    size = 1 << 18
    held = []
    x = rustorch.ones(size, requires_grad=True)
    alive: list[weakref.ref] = []

    class Count(rustorch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            kept = x * 2
            alive.append(weakref.ref(kept))
            ctx.kept = kept
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            del ctx.kept
            held.append(sum(ref() is not None for ref in alive))
            return grad

    y = x
    for _ in range(6):
        y = Count.apply(y)
    y.sum().backward()
    assert held == [5, 4, 3, 2, 1, 0]
