"""Modules in the corners: settings that change, hooks that replace, assigned state, options that are refused."""

import copy
import pickle
import warnings
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import rustorch
from rustorch import nn, optim
from rustorch.nn import functional as F


def test_a_changed_setting_changes_what_a_layer_computes() -> None:
    x = rustorch.rand(1, 2, 7, 7)
    conv = nn.Conv2d(2, 3, 3)
    conv.stride = (2, 2)
    conv.padding = (1, 1)
    np.testing.assert_array_equal(
        conv(x).detach().numpy(force=True), F.conv2d(x, conv.weight, conv.bias, 2, 1).detach().numpy(force=True)
    )
    norm = nn.LayerNorm(7)
    norm.eps = 1.0
    np.testing.assert_allclose(
        norm(x).detach().numpy(force=True), F.layer_norm(x, (7,), eps=1.0).numpy(force=True), rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_compute_the_same_and_change_alone(copied) -> None:
    net = nn.Sequential(nn.Conv1d(1, 2, 3, padding="same"), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(8, 2))
    x = rustorch.rand(5, 1, 4)
    other = copied(net)
    assert other(x).tolist() == net(x).tolist()
    other.eval()
    assert net[1].training
    assert other[1].num_batches_tracked.item() == 1


def test_a_parameter_that_is_a_plain_attribute() -> None:
    """Weight normalisation and its like put a computed tensor in a parameter's place."""
    layer = nn.Linear(2, 1, bias=False)
    scale = nn.Parameter(rustorch.tensor(3.0))
    del layer.weight
    layer.weight = rustorch.ones(1, 2) * scale
    layer(rustorch.ones(1, 2)).sum().backward()
    assert scale.grad.item() == 2


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_same_padding_puts_the_odd_zero_at_the_end() -> None:
    x = rustorch.arange(4.0).view(1, 1, 4)
    weight = rustorch.tensor([[[1.0, 10.0]]])
    assert F.conv1d(x, weight, padding="same").tolist() == [[[10, 21, 32, 3]]]
    assert F.conv1d(x, weight, padding="valid").tolist() == [[[10, 21, 32]]]
    with pytest.raises((ValueError, RuntimeError), match="strided"):
        nn.Conv1d(1, 1, 2, stride=2, padding="same")


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


def test_extra_state() -> None:
    class Counting(nn.Module):
        count = 0

        def get_extra_state(self) -> int:
            return self.count

        def set_extra_state(self, state: int) -> None:
            self.count = state

    a, b = nn.Sequential(Counting()), nn.Sequential(Counting())
    a[0].count = 5
    assert a.state_dict() == OrderedDict({"0._extra_state": 5})
    b.load_state_dict(a.state_dict())
    assert b[0].count == 5
    with pytest.raises(RuntimeError, match=r"Missing.*_extra_state"):
        b.load_state_dict({})


def test_assigning_a_state() -> None:
    layer, state = nn.Linear(2, 2), {"weight": rustorch.ones(2, 2, dtype=rustorch.float64), "bias": rustorch.zeros(2)}
    layer.load_state_dict(state, assign=True)
    assert layer.weight.dtype is rustorch.float64
    assert layer.weight.requires_grad
    assert layer.weight.data_ptr() == state["weight"].data_ptr()
    assert isinstance(layer.weight, nn.Parameter)


def test_buffers() -> None:
    module = nn.Module()
    module.mean = nn.Buffer(rustorch.ones(2))
    module.scratch = nn.Buffer(rustorch.ones(1), persistent=False)
    assert list(module.state_dict()) == ["mean"]
    module.mean = rustorch.zeros(2)
    assert dict(module.named_buffers())["mean"].tolist() == [0, 0]
    del module.scratch
    assert [name for name, _ in module.named_buffers()] == ["mean"]


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda: nn.Module().foo, AttributeError, "'Module' object has no attribute 'foo'"),
        (lambda: nn.Module().register_buffer("a.b", None), KeyError, r"buffer name can.*t contain"),
        (lambda: nn.Module().register_parameter("", None), KeyError, "be empty string"),
        (lambda: nn.Module().register_parameter("training", None), KeyError, "already exists"),
        (lambda: nn.Module().add_module("a", 3), TypeError, "int is not a Module subclass"),
        (lambda: nn.Module().train("yes"), ValueError, "training mode is expected to be boolean"),
        (lambda: nn.Linear(1, 1).to(rustorch.int64), TypeError, "only accepts floating point"),
        (lambda: nn.BatchNorm2d(3)(rustorch.zeros(3, 3)), ValueError, r"expected 4D input \(got 2D input\)"),
        (lambda: nn.Dropout(2.0), ValueError, "has to be between 0 and 1, but got 2.0"),
        (lambda: nn.Linear(1, 1).get_buffer("weight"), AttributeError, "is not a buffer"),
    ],
)
def test_errors(act, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        act()


@pytest.mark.rustorch_only
@pytest.mark.parametrize(
    ("act", "error", "option"),
    [
        (lambda: nn.EmbeddingBag(2, 2, sparse=True), NotImplementedError, "sparse"),
        (lambda: nn.Embedding(2, 2, sparse=True), NotImplementedError, "sparse"),
        (lambda: nn.MSELoss(size_average=False), TypeError, "size_average"),
        (lambda: F.cross_entropy(rustorch.ones(1, 2), rustorch.tensor([0]), reduce=False), TypeError, "reduce"),
        (lambda: optim.Adam([rustorch.ones(1)], differentiable=True), NotImplementedError, "differentiable"),
        (lambda: rustorch.utils.data.DataLoader([1], num_workers=2), ValueError, "num_workers=2"),
    ],
)
def test_options_that_are_not_built_are_named(act, error: type[Exception], option: str) -> None:
    with pytest.raises(error, match=option):
        act()


def test_functions_in_place() -> None:
    for name in ("relu", "relu6", "elu", "selu", "celu", "leaky_relu", "silu", "mish", "hardswish", "hardsigmoid"):
        x = rustorch.linspace(-4, 4, 9)
        want = getattr(F, name)(x)
        assert x[0].item() == -4
        assert getattr(F, name)(x, inplace=True) is x
        assert x.tolist() == want.tolist()


def test_pools_with_indices_and_open_sizes() -> None:
    x = rustorch.arange(24.0).view(1, 1, 4, 6)
    values, indices = nn.MaxPool2d(2, return_indices=True)(x)
    assert values.tolist() == [[[[7, 9, 11], [19, 21, 23]]]]
    assert indices.tolist() == [[[[7, 9, 11], [19, 21, 23]]]]
    assert nn.AdaptiveAvgPool2d((1, None))(x).tolist() == [[[[9, 10, 11, 12, 13, 14]]]]


def test_gradient_clipping() -> None:
    a, b = (rustorch.ones(2, requires_grad=True) for _ in range(2))
    (3 * a.sum() + 4 * b.sum()).backward()
    total = nn.utils.clip_grad_norm_([a, b], 1.0)
    assert total.item() == pytest.approx(np.sqrt(50))
    np.testing.assert_allclose(a.grad.tolist() + b.grad.tolist(), np.array([3, 3, 4, 4]) / np.sqrt(50), rtol=1e-5)
    nn.utils.clip_grad_value_([a, b], 0.5)
    np.testing.assert_allclose(b.grad.tolist(), [0.5, 0.5])
    a.grad.fill_(float("inf"))
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_(a, 1.0, error_if_nonfinite=True)


def test_parameters_as_a_vector() -> None:
    layer = nn.Linear(2, 3)
    vector = nn.utils.parameters_to_vector(layer.parameters()).detach()
    nn.utils.vector_to_parameters(vector * 0 + rustorch.arange(9.0), layer.parameters())
    assert layer.weight.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert layer.bias.tolist() == [6, 7, 8]


def sequence(optimizer: optim.Optimizer, milestones: list[int]) -> optim.lr_scheduler.LRScheduler:
    parts = [optim.lr_scheduler.ConstantLR(optimizer, 0.1, 100), optim.lr_scheduler.ExponentialLR(optimizer, 0.9)]
    return optim.lr_scheduler.SequentialLR(optimizer, parts, milestones)


SCHEDULES = {
    "step": (lambda o: optim.lr_scheduler.StepLR(o, 2, 0.1), lambda n: 0.1 ** (n // 2)),
    "milestones": (
        lambda o: optim.lr_scheduler.MultiStepLR(o, [1, 3, 3], 0.5),
        lambda n: 0.5 ** ((n >= 1) + 2 * (n >= 3)),
    ),
    "exponential": (lambda o: optim.lr_scheduler.ExponentialLR(o, 0.9), lambda n: 0.9**n),
    "cosine": (lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 4), lambda n: (1 + np.cos(np.pi * n / 4)) / 2),
    "lambda": (lambda o: optim.lr_scheduler.LambdaLR(o, lambda n: 1 / (n + 1)), lambda n: 1 / (n + 1)),
    "linear": (lambda o: optim.lr_scheduler.LinearLR(o, 0.5, 1.0, 4), lambda n: 0.5 + min(n, 4) / 8),
    "sequential": (lambda o: sequence(o, [2]), lambda n: 0.1 if n < 2 else 0.9 ** (n - 2)),
    "sequential without its first": (lambda o: sequence(o, [0]), lambda n: 0.9**n),
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
def test_schedules(name: str) -> None:
    build, factor = SCHEDULES[name]
    optimizer = optim.SGD([rustorch.ones(1, requires_grad=True)], lr=2.0)
    scheduler, seen = build(optimizer), []
    for _ in range(5):
        seen.append(optimizer.param_groups[0]["lr"])
        assert scheduler.get_last_lr() == [seen[-1]]
        scheduler.step()
    np.testing.assert_allclose(seen, [2 * factor(n) for n in range(5)], rtol=1e-9, atol=1e-12)
    other = build(optim.SGD([rustorch.ones(1, requires_grad=True)], lr=2.0))
    other.load_state_dict(scheduler.state_dict())
    assert other.last_epoch == 5


@pytest.mark.rustorch_only
def test_schedules_of_schedules_of_schedules() -> None:
    schedules = optim.lr_scheduler
    optimizer = optim.SGD([rustorch.ones(1, requires_grad=True)], lr=1.0)
    parts = [sequence(optimizer, [0]), schedules.LinearLR(optimizer, 0.5, 1.0, 4)]
    whole = schedules.SequentialLR(optimizer, parts, [3])
    seen = []
    for _ in range(5):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        whole.step()
    # PyTorch counts the first epoch of a sequence in a sequence twice.
    np.testing.assert_allclose(seen, [1, 0.9, 0.81, 0.5, 0.625])


def test_named_parameters_and_hooks_of_optimizers() -> None:
    layer, seen = nn.Linear(1, 1), []
    optimizer = optim.SGD(layer.named_parameters(), lr=1.0)
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("before"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("after"))
    optimizer.step()
    assert seen == ["before", "after"]


def test_an_optimizer_can_be_pickled() -> None:
    x = rustorch.ones(2, requires_grad=True)
    optimizer = optim.Adam([x], lr=0.1)
    x.sum().backward()
    optimizer.step()
    other = pickle.loads(pickle.dumps(optimizer))
    assert repr(other) == repr(optimizer)
    (y,) = other.param_groups[0]["params"]
    assert other.state[y]["exp_avg"].tolist() == optimizer.state[x]["exp_avg"].tolist()


@pytest.mark.rustorch_only
def test_safe_open(tmp_path: Path) -> None:
    from rustorch.safetensors import load, safe_open, save, save_file

    path = tmp_path / "x.safetensors"
    save_file({"a": rustorch.ones(2)}, path, {"note": "hello"})
    with safe_open(path, "pt") as file:
        assert file.keys() == ["a"]
        assert file.metadata() == {"note": "hello"}
        assert file.get_tensor("a").tolist() == [1, 1]
    assert load(save({"a": rustorch.ones(2)}))["a"].tolist() == [1, 1]
    with pytest.raises(TypeError, match="invalid"):
        save_file({"a": 3}, path)
