"""Scaling of gradients: numbers that stay exact, since factors are powers of two, and each refusal."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import pytest

import rustorch
from rustorch import nn, optim
from rustorch.amp import GradScaler


def setting(value: float = 1.0, **options: Any) -> tuple[nn.Parameter, optim.Optimizer, GradScaler]:
    weight = nn.Parameter(rustorch.tensor([value]))
    return weight, optim.SGD([weight], lr=0.5), GradScaler("cpu", **options)


def iterate(weight: Any, optimizer: Any, scaler: Any, factor: float = 1.0) -> None:
    optimizer.zero_grad()
    scaler.scale((weight * factor).sum()).backward()
    scaler.step(optimizer)
    scaler.update()


def test_a_step_is_that_without_scaling() -> None:
    weight, optimizer, scaler = setting(init_scale=1024.0)
    scaler.scale((weight * 3).sum()).backward()
    assert weight.grad.item() == 3072
    scaler.unscale_(optimizer)
    assert weight.grad.item() == 3
    scaler.step(optimizer)
    assert weight.item() == -0.5
    scaler.update()
    assert scaler.get_scale() == 1024


def test_a_step_with_an_infinite_gradient_is_skipped() -> None:
    for bad in (math.inf, math.nan):
        weight, optimizer, scaler = setting(init_scale=8.0, backoff_factor=0.25)
        iterate(weight, optimizer, scaler, bad)
        assert weight.item() == 1
        assert scaler.get_scale() == 2
        iterate(weight, optimizer, scaler, 2.0)
        assert weight.item() == 0
        assert scaler.get_scale() == 2


def test_the_factor_grows_after_steps_in_a_row() -> None:
    weight, optimizer, scaler = setting(init_scale=4.0, growth_interval=3, growth_factor=2.0)
    scales = []
    for factor in (1, 1, math.inf, 1, 1, 1, 1):
        iterate(weight, optimizer, scaler, factor)
        scales.append(scaler.get_scale())
    assert scales == [4, 4, 2, 2, 2, 4, 4]
    assert scaler.state_dict()["_growth_tracker"] == 1


def test_the_factor_does_not_grow_to_infinity() -> None:
    weight, optimizer, scaler = setting(init_scale=2.0**127, growth_interval=1)
    iterate(weight, optimizer, scaler, 2.0**-10)
    assert scaler.get_scale() == 2.0**127


def test_optimizers_are_skipped_alone() -> None:
    one, first, scaler = setting(init_scale=2.0)
    other = nn.Parameter(rustorch.tensor([1.0]))
    second = optim.SGD([other], lr=0.5)
    scaler.scale(one.sum() + (other * math.inf).sum()).backward()
    scaler.step(first)
    scaler.step(second)
    scaler.update()
    assert (one.item(), other.item(), scaler.get_scale()) == (0.5, 1, 1)


def test_outputs_of_all_kinds_are_scaled() -> None:
    scaler = GradScaler("cpu", init_scale=2.0)
    x = rustorch.ones(1)
    scaled = scaler.scale([x, (x, x * 2)])
    assert [scaled[0].item(), scaled[1][1].item()] == [2, 4]
    assert isinstance(scaled[1], tuple)
    assert [y.item() for y in scaler.scale(t for t in (x, x))] == [2, 2]
    with pytest.raises(ValueError, match="Tensor or an iterable of Tensors"):
        scaler.scale(3)


def test_disabled_it_steps_and_nothing_else() -> None:
    weight, optimizer, scaler = setting(enabled=False)
    loss = weight.sum()
    assert scaler.scale(loss) is loss
    loss.backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert weight.item() == 0.5
    assert (scaler.get_scale(), scaler.state_dict(), scaler.is_enabled()) == (1.0, {}, False)
    scaler.load_state_dict({})


def test_the_state_goes_on() -> None:
    weight, optimizer, scaler = setting(init_scale=16.0, growth_interval=5)
    iterate(weight, optimizer, scaler)
    state = scaler.state_dict()
    assert state == {
        "scale": 16.0,
        "growth_factor": 2.0,
        "backoff_factor": 0.5,
        "growth_interval": 5,
        "_growth_tracker": 1,
    }
    again = GradScaler("cpu")
    again.load_state_dict(state)
    assert again.state_dict() == state
    for copied in (copy.deepcopy(scaler), pickle.loads(pickle.dumps(scaler))):
        assert copied.state_dict() == state
    with pytest.raises(RuntimeError, match="source state dict is empty"):
        again.load_state_dict({})
    scaler.update(4.0)
    assert scaler.get_scale() == 4
    scaler.update(rustorch.tensor(2.0))
    assert scaler.get_scale() == 2
    scaler.set_growth_factor(3.0)
    scaler.set_backoff_factor(0.1)
    scaler.set_growth_interval(7)
    assert (scaler.get_growth_factor(), scaler.get_backoff_factor(), scaler.get_growth_interval()) == (3.0, 0.1, 7)


def test_calls_in_a_wrong_order() -> None:
    weight, optimizer, scaler = setting()
    with pytest.raises(AssertionError, match="Attempted step but _scale is None"):
        scaler.step(optimizer)
    scaler.scale(weight.sum()).backward()
    with pytest.raises(AssertionError, match="No inf checks were recorded prior to update"):
        scaler.update()
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match="already been called on this optimizer"):
        scaler.unscale_(optimizer)
    with pytest.raises(AssertionError, match="pickled"):
        pickle.dumps(scaler)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="already been called since the last update"):
        scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="called after step"):
        scaler.unscale_(optimizer)
    scaler.update()
    with pytest.raises(RuntimeError, match="Closure use"):
        scaler.step(optimizer, closure=lambda: 0)
    optimizer.zero_grad()
    with pytest.raises(AssertionError, match="No inf checks were recorded for this optimizer"):
        scaler.step(optimizer)
    half = nn.Parameter(rustorch.ones(1, dtype=rustorch.float16))
    scaler.scale(half.sum()).backward()
    with pytest.raises(ValueError, match="FP16 gradients"):
        scaler.step(optim.SGD([half], lr=0.1))


def test_an_optimizer_may_scale_itself() -> None:
    class Own(optim.SGD):
        _step_supports_amp_scaling = True

        def step(self, closure: Any = None) -> Any:
            seen.append((self.grad_scale.item(), self.found_inf.item()))

    seen: list[tuple[float, float]] = []
    weight = nn.Parameter(rustorch.ones(1))
    optimizer, scaler = Own([weight], lr=0.1), GradScaler("cpu", init_scale=4.0)
    iterate(weight, optimizer, scaler)
    iterate(weight, optimizer, scaler, math.inf)
    assert seen == [(4, 0), (4, 1)]
    assert weight.grad.isinf().all()
    assert scaler.get_scale() == 2
    assert not hasattr(optimizer, "grad_scale")


def test_factors_that_cannot_be() -> None:
    with pytest.raises(AssertionError, match="growth factor must be > 1"):
        GradScaler("cpu", growth_factor=1.0)
    with pytest.raises(AssertionError, match="backoff factor must be < 1"):
        GradScaler("cpu", backoff_factor=1.0)


@pytest.mark.skipif(rustorch.cuda.is_available(), reason="about machines without CUDA")
def test_without_cuda_it_is_disabled() -> None:
    with pytest.warns(UserWarning, match="CUDA is not available"):
        assert not GradScaler().is_enabled()
    with pytest.warns(FutureWarning, match="deprecated"):
        assert not rustorch.cuda.amp.GradScaler(enabled=False).is_enabled()
