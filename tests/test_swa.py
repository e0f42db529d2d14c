"""Averages of weights against their formulas, and what the rates of SWALR are in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rustorch
from rustorch import nn, optim
from rustorch.optim.swa_utils import (
    SWALR,
    AveragedModel,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.norm = nn.BatchNorm1d(2)

    def forward(self, x: Any) -> Any:
        return self.norm(self.layer(x))


def steps(averaged: AveragedModel, count: int = 5) -> tuple[list[np.ndarray], Small]:
    """Updates with weights drawn anew, and gives those."""
    model, weights = Small(), []
    for _ in range(count):
        with rustorch.no_grad():
            model.layer.weight.normal_()
            model.norm.running_mean.normal_()
            model.norm.num_batches_tracked += 2
        weights.append(model.layer.weight.detach().numpy().copy())
        averaged.update_parameters(model)
    return weights, model


@pytest.mark.parametrize("given", [{}, {"avg_fn": get_swa_avg_fn()}, {"multi_avg_fn": get_swa_multi_avg_fn()}])
def test_the_mean_of_weights(given: dict[str, Any]) -> None:
    source = Small()
    before = source.layer.weight.clone()
    averaged = AveragedModel(source, **given)
    weights, model = steps(averaged)
    np.testing.assert_allclose(averaged.module.layer.weight.detach().numpy(), np.mean(weights, 0), rtol=1e-5, atol=1e-6)
    assert averaged.n_averaged.item() == 5
    assert averaged.module.layer.weight.requires_grad
    assert source.layer.weight.equal(before)
    # Buffers are those of the last model.
    assert averaged.module.norm.running_mean.equal(model.norm.running_mean)
    assert averaged.module.norm.num_batches_tracked.item() == 10
    x = rustorch.randn(4, 3)
    assert averaged(x).equal(averaged.module(x))


@pytest.mark.parametrize(
    "make", [lambda d: {"avg_fn": get_ema_avg_fn(d)}, lambda d: {"multi_avg_fn": get_ema_multi_avg_fn(d)}]
)
def test_the_moving_average_of_weights(make: Any) -> None:
    averaged = AveragedModel(Small(), **make(0.75))
    weights, _ = steps(averaged)
    expected = weights[0]
    for weight in weights[1:]:
        expected = 0.75 * expected + 0.25 * weight
    np.testing.assert_allclose(averaged.module.layer.weight.detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def test_buffers_may_be_averaged() -> None:
    averaged = AveragedModel(Small(), use_buffers=True, multi_avg_fn=get_ema_multi_avg_fn(0.5))
    model = Small()
    for value in (1.0, 3.0):
        model.norm.running_mean.fill_(value)
        averaged.update_parameters(model)
    assert averaged.module.norm.running_mean.tolist() == [2, 2]


def test_the_state_has_the_count() -> None:
    averaged = AveragedModel(Small())
    steps(averaged, 3)
    again = AveragedModel(Small())
    again.load_state_dict(averaged.state_dict())
    assert again.n_averaged.item() == 3
    assert again.module.layer.weight.equal(averaged.module.layer.weight)
    assert "module.layer.weight" in averaged.state_dict()


def test_averages_that_cannot_be() -> None:
    for make in (get_ema_avg_fn, get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match=r"decay value 1\.5"):
            make(1.5)
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn"):
        AveragedModel(Small(), avg_fn=get_swa_avg_fn(), multi_avg_fn=get_swa_multi_avg_fn())


def test_statistics_of_batch_norms() -> None:
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2)).eval()
    batches = [(rustorch.randn(8, 3) * 2 + 1, i) for i in range(4)]
    update_bn(batches, model)
    arrays = [x.numpy() for x, _ in batches]
    np.testing.assert_allclose(model[0].running_mean, np.mean([a.mean(0) for a in arrays], 0), rtol=1e-5)
    np.testing.assert_allclose(model[0].running_var, np.mean([a.var(0, ddof=1) for a in arrays], 0), rtol=1e-5)
    assert model[0].momentum == 0.1
    assert not model.training
    plain = nn.Linear(2, 2)
    update_bn([None], plain)  # No batch norm, no pass.


# Recorded from PyTorch 2.15: SGD with rates 1.0 and 0.5, swa_lr (0.1, 0.2), six steps.
RECORDED = {
    ("cos", 4): [[1.0, 0.868198, 0.55, 0.231802, 0.1, 0.1, 0.1], [0.5, 0.456066, 0.35, 0.243934, 0.2, 0.2, 0.2]],
    ("linear", 4): [[1.0, 0.775, 0.55, 0.325, 0.1, 0.1, 0.1], [0.5, 0.425, 0.35, 0.275, 0.2, 0.2, 0.2]],
    ("linear", 0): [[0.1] * 7, [0.2] * 7],
}


@pytest.mark.parametrize(("strategy", "epochs"), RECORDED)
def test_rates_go_to_the_last_one(strategy: str, epochs: int) -> None:
    groups = [{"params": [rustorch.zeros(1)], "lr": 1.0}, {"params": [rustorch.zeros(1)], "lr": 0.5}]
    optimizer = optim.SGD(groups, lr=1.0)
    schedule = SWALR(optimizer, [0.1, 0.2], anneal_epochs=epochs, anneal_strategy=strategy)
    rates = []
    for _ in range(7):
        rates.append(schedule.get_last_lr())
        optimizer.step()
        schedule.step()
    np.testing.assert_allclose(np.transpose(rates), RECORDED[strategy, epochs], atol=1e-6)


def test_a_schedule_goes_on_from_its_state() -> None:
    def make() -> tuple[optim.Optimizer, SWALR]:
        optimizer = optim.SGD([rustorch.zeros(1)], lr=1.0)
        return optimizer, SWALR(optimizer, 0.0, anneal_epochs=8)

    optimizer, schedule = make()
    for _ in range(3):
        optimizer.step()
        schedule.step()
    other, again = make()
    other.load_state_dict(optimizer.state_dict())
    again.load_state_dict(schedule.state_dict())
    for _ in range(3):
        for o, s in ((optimizer, schedule), (other, again)):
            o.step()
            s.step()
        assert again.get_last_lr() == schedule.get_last_lr()


def test_rates_that_cannot_be() -> None:
    optimizer = optim.SGD([rustorch.zeros(1)], lr=1.0)
    for options, message in (
        ({"swa_lr": [0.1, 0.2]}, "swa_lr"),
        ({"swa_lr": 0.1, "anneal_strategy": "sine"}, "anneal_strategy"),
        ({"swa_lr": 0.1, "anneal_epochs": -1}, "anneal_epochs"),
    ):
        with pytest.raises(ValueError, match=message):
            SWALR(optimizer, **options)
