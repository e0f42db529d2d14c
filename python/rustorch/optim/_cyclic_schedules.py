"""Schedules that rise and fall, and take the momentum with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ._schedule import LRScheduler
from .optimizer import Optimizer


def _per_group(optimizer: Optimizer, name: str, value: float | Sequence[float]) -> list[float]:
    groups = len(optimizer.param_groups)
    values = list(value) if isinstance(value, Sequence) else [value] * groups
    if len(values) != groups:
        raise ValueError(f"Expected {groups} values for {name}, got {len(values)}")
    return values


def _set_momentum(group: dict[str, Any], momentum: float) -> None:
    """Adam's momentum is the first of its betas."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def _check_momentum(name: str, optimizer: Optimizer) -> None:
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError(f"{name}: optimizer must support momentum or beta1 with `cycle_momentum` option enabled")


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine from the initial rate to `eta_min`, and again from the initial rate, each time as long or longer.

    lr(t) = eta_min + (lr(0) - eta_min) (1 + cos(π c / T)) / 2

    where c is the number of epochs since the last restart and T the number between that and the next: T_0 at first,
    then T_mult times as many each time. step() also takes an epoch that may be a fraction, for steps within an epoch.
    From I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017).

    Args:
        optimizer: the optimizer whose groups' rates are set.
        T_0: the number of epochs to the first restart, an int above 0.
        T_mult: how many times longer each cosine is than the one before, an int of at least 1. Default: 1.
        eta_min: the least rate. Default: 0.0.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> for _ in range(7):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0]
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        self.T_0 = self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        share = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Goes to the next epoch, or to a given one, which may be a fraction."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        else:
            if epoch < 0:
                raise ValueError(f"Expected non-negative epoch, but got {epoch}")
            self.T_cur, self.T_i = epoch, self.T_0
            while self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        self.last_epoch = math.floor(epoch)
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = self._current()


class CyclicLR(LRScheduler):
    """Between two rates along a triangle, whose height may shrink; the momentum goes the other way.

    With the place h in the triangle, which is 0 at its ends and 1 at its top, and the height s,

        lr = base_lr + (max_lr - base_lr) h s
        momentum = max_momentum - (max_momentum - base_momentum) h s

    s is 1 for 'triangular', 1 / 2^(c - 1) in the c-th cycle for 'triangular2', gammaᵗ after t steps for 'exp_range'.
    step() is called after each batch. From L. N. Smith, "Cyclical Learning Rates for Training Neural Networks" (2017).

    Args:
        optimizer: the optimizer whose groups' rates are set.
        base_lr: the lower rate, or a list with one per group; it takes the place of the groups' rates.
        max_lr: the upper rate, or a list with one per group.
        step_size_up: the number of steps from the lower rate to the upper. Default: 2000.
        step_size_down: the number of steps back; None for as many. Default: None.
        mode: how the height goes: 'triangular', 'triangular2' or 'exp_range'. Default: 'triangular'.
        gamma: the factor of each step in 'exp_range'. Default: 1.0.
        scale_fn: a function that gives s, in place of `mode`. Default: None.
        scale_mode: what `scale_fn` is called with: 'cycle' for c, 'iterations' for t. Default: 'cycle'.
        cycle_momentum: whether to set the momentum, or Adam's β1, too; a ValueError if there is none. Default: True.
        base_momentum: the lower momentum, or a list with one per group. Default: 0.8.
        max_momentum: the upper momentum, or a list with one per group. Default: 0.9.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.CyclicLR(optimizer, 0.1, 0.5, step_size_up=2, mode="triangular2")
    >>> for _ in range(8):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.1, 0.3, 0.5, 0.3, 0.1, 0.2, 0.3, 0.2]
    >>> optimizer.param_groups[0]["momentum"]
    0.9
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        lows = _per_group(optimizer, "base_lr", base_lr)
        self.max_lrs = _per_group(optimizer, "max_lr", max_lr)
        if last_epoch == -1:
            for low, group in zip(lows, optimizer.param_groups, strict=True):
                group["lr"] = low
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma = mode, gamma
        self._scale_fn = scale_fn
        self.scale_mode = scale_mode if scale_fn else ("iterations" if mode == "exp_range" else "cycle")
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            _check_momentum("CyclicLR", optimizer)
            self.base_momentums = _per_group(optimizer, "base_momentum", base_momentum)
            self.max_momentums = _per_group(optimizer, "max_momentum", max_momentum)
            if last_epoch == -1:
                for least, most, group in zip(
                    self.base_momentums, self.max_momentums, optimizer.param_groups, strict=True
                ):
                    _set_momentum(group, most)
                    group["max_momentum"], group["base_momentum"] = most, least
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lows

    def scale_fn(self, x: float) -> float:
        """How high the triangle is in a cycle, or after so many steps."""
        if self._scale_fn is not None:
            return self._scale_fn(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else float(self.gamma**x)

    def get_lr(self) -> list[float]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for least, most, group in zip(
                self.base_momentums, self.max_momentums, self.optimizer.param_groups, strict=True
            ):
                _set_momentum(group, most - (most - least) * height)
        return [low + (high - low) * height for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        return {name: value for name, value in super().state_dict().items() if name != "_scale_fn"}


class OneCycleLR(LRScheduler):
    """From a low rate up to `max_lr` and down to a lower one in `total_steps` steps; the momentum goes the other way.

    The rate begins at max_lr / div_factor, is max_lr at step pct_start · total_steps - 1, and ends at max_lr /
    (div_factor · final_div_factor) in the last step. Between two of them it goes along half a cosine, a + (b - a) (1 -
    cos(π x)) / 2 for a share x of the way from a to b, or along a line. step() is called after each batch; a step
    beyond the last is a ValueError. From L. N. Smith and N. Topin, "Super-Convergence: Very Fast Training of Neural
    Networks Using Large Learning Rates" (2018).

    Args:
        optimizer: the optimizer whose groups' rates are set.
        max_lr: the largest rate, or a list with one per group.
        total_steps: the number of steps, above 0; None for epochs · steps_per_epoch. Default: None.
        epochs: the number of epochs, where `total_steps` is None. Default: None.
        steps_per_epoch: the number of steps of an epoch, where `total_steps` is None. Default: None.
        pct_start: the share of the steps in which the rate rises, from 0 to 1. Default: 0.3.
        anneal_strategy: 'cos' or 'linear'. Default: 'cos'.
        cycle_momentum: whether to set the momentum, or Adam's β1, too; a ValueError if there is none. Default: True.
        base_momentum: the momentum at the largest rate, or a list with one per group. Default: 0.85.
        max_momentum: the momentum at the ends, or a list with one per group. Default: 0.95.
        div_factor: the largest rate divided by the first. Default: 25.0.
        final_div_factor: the first rate divided by the last. Default: 1e4.
        three_phase: whether to come back to the first rate in as many steps as the rise has, and then go to the last.
            Default: False.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=6, pct_start=0.5)
    >>> for _ in range(5):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.04, 0.52, 1.0, 0.75, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError(
                    "You must define either total_steps OR (epochs AND steps_per_epoch) to get the number of steps"
                )
            total_steps = epochs * steps_per_epoch
        if total_steps <= 0:
            raise ValueError(f"Expected positive integer total_steps, but got {total_steps}")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self.total_steps = total_steps
        self._anneal_func_type = anneal_strategy
        self.cycle_momentum = cycle_momentum
        up = pct_start * total_steps - 1
        # Each phase: where it ends, and between which of the group's rates and momentums it goes.
        self._phases: list[tuple[float, str, str, str, str]] = [
            (up, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        ]
        if three_phase:
            self._phases.append((2 * up + 1 - 1, "max_lr", "initial_lr", "base_momentum", "max_momentum"))
            self._phases.append((total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"))
        else:
            self._phases.append((total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"))
        if last_epoch == -1:
            for high, group in zip(_per_group(optimizer, "max_lr", max_lr), optimizer.param_groups, strict=True):
                group["initial_lr"] = high / div_factor
                group["max_lr"] = high
                group["min_lr"] = group["initial_lr"] / final_div_factor
                group["lr"] = group["initial_lr"]
        if cycle_momentum:
            _check_momentum("OneCycleLR", optimizer)
            if last_epoch == -1:
                for most, least, group in zip(
                    _per_group(optimizer, "max_momentum", max_momentum),
                    _per_group(optimizer, "base_momentum", base_momentum),
                    optimizer.param_groups,
                    strict=True,
                ):
                    _set_momentum(group, most)
                    group["max_momentum"], group["base_momentum"] = most, least
        super().__init__(optimizer, last_epoch)

    def _between(self, start: float, end: float, share: float) -> float:
        if self._anneal_func_type == "linear":
            return start + (end - start) * share
        return end + (start - end) / 2.0 * (1 + math.cos(math.pi * share))

    def get_lr(self) -> list[float]:
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        begin = 0.0
        phase = self._phases[-1]
        for i, candidate in enumerate(self._phases):
            if step <= candidate[0] or i == len(self._phases) - 1:
                phase = candidate
                break
            begin = candidate[0]
        end, from_lr, to_lr, from_momentum, to_momentum = phase
        share = (step - begin) / (end - begin)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                _set_momentum(group, self._between(group[from_momentum], group[to_momentum], share))
        return [self._between(group[from_lr], group[to_lr], share) for group in self.optimizer.param_groups]
