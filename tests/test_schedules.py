"""Schedules of learning rates, and what optimizers keep beside them."""

import pickle

import numpy as np
import pytest

import rustorch
from rustorch import nn, optim


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
