"""Schedules of the learning rate: call step() after each epoch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from ._composed_schedules import ChainedScheduler as ChainedScheduler, SequentialLR as SequentialLR
from ._cyclic_schedules import (
    CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts,
    CyclicLR as CyclicLR,
    OneCycleLR as OneCycleLR,
)
from ._function_schedules import LambdaLR as LambdaLR, MultiplicativeLR as MultiplicativeLR
from ._plateau import ReduceLROnPlateau as ReduceLROnPlateau
from ._schedule import LRScheduler as LRScheduler
from .optimizer import Optimizer

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class _LRScheduler(LRScheduler):
    """The name that the base class had, for schedules outside that are derived from it."""


class StepLR(LRScheduler):
    """Multiplies the rate by `gamma` every `step_size` epochs: lr(t) = lr(0) gamma^⌊t / step_size⌋.

    Args:
        optimizer: the optimizer whose groups' rates are set.
        step_size: the number of epochs with one rate.
        gamma: the factor. Default: 0.1.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.StepLR(optimizer, step_size=2)
    >>> for _ in range(5):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 1.0, 0.1, 0.1, 0.01]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self._current()
        return [lr * self.gamma for lr in self._current()]

    def _closed_form(self) -> list[float]:
        return [base * self.gamma ** (self.last_epoch // self.step_size) for base in self.base_lrs]


class MultiStepLR(LRScheduler):
    """Multiplies the rate by `gamma` at each of the given epochs: lr(t) = lr(0) gammaⁿ, where n milestones are ≤ t.

    Args:
        optimizer: the optimizer whose groups' rates are set.
        milestones: the epochs, in any order; one that stands there twice counts twice.
        gamma: the factor. Default: 0.1.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> for _ in range(5):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        factor: float = self.gamma ** self.milestones[self.last_epoch]
        return [lr * factor for lr in self._current()]

    def _closed_form(self) -> list[float]:
        passed = sum(count for epoch, count in self.milestones.items() if epoch <= self.last_epoch)
        return [base * self.gamma**passed for base in self.base_lrs]


class ExponentialLR(LRScheduler):
    """Multiplies the rate by `gamma` every epoch: lr(t) = lr(0) gammaᵗ.

    Args:
        optimizer: the optimizer whose groups' rates are set.
        gamma: the factor.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    >>> for _ in range(4):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.9, 0.81, 0.729]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        factor = 1.0 if self.last_epoch == 0 else self.gamma
        return [lr * factor for lr in self._current()]

    def _closed_form(self) -> list[float]:
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


class LinearLR(LRScheduler):
    """Goes from one share of the initial rate to another in `total_iters` epochs, and stays there.

    lr(t) = lr(0) (start_factor + (end_factor - start_factor) min(t, total_iters) / total_iters)

    Args:
        optimizer: the optimizer whose groups' rates are set.
        start_factor: the share in epoch 0, above 0 and at most 1. Default: 1/3.
        end_factor: the share from epoch `total_iters` on, from 0 to 1. Default: 1.0.
        total_iters: the number of epochs between the two. Default: 5.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> for _ in range(5):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0.0 < start_factor <= 1.0:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        if not 0.0 <= end_factor <= 1.0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        rise = self.end_factor - self.start_factor
        if self.last_epoch == 0:
            factor = self.start_factor
        elif self.last_epoch > self.total_iters:
            factor = 1.0
        else:
            factor = 1.0 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)
        return [lr * factor for lr in self._current()]

    def _closed_form(self) -> list[float]:
        done = min(self.last_epoch, self.total_iters) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * done
        return [base * factor for base in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """Goes from the initial rate to `eta_min` in `T_max` epochs along half a cosine, and back up after that.

    lr(t) = eta_min + (lr(0) - eta_min) (1 + cos(π t / T_max)) / 2

    from I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), without the
    restarts. Each rate is computed from the one before, so that it also follows what another schedule does to it.

    Args:
        optimizer: the optimizer whose groups' rates are set.
        T_max: the number of epochs to the least rate.
        eta_min: the least rate. Default: 0.0.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    >>> for _ in range(6):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.1464]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        epoch, half = self.last_epoch, self.T_max
        if epoch == 0:
            return self._current()
        if (epoch - 1 - half) % (2 * half) == 0:
            rise = (1 - math.cos(math.pi / half)) / 2
            return [lr + (base - self.eta_min) * rise for lr, base in zip(self._current(), self.base_lrs, strict=True)]
        ratio = (1 + math.cos(math.pi * epoch / half)) / (1 + math.cos(math.pi * (epoch - 1) / half))
        return [self.eta_min + (lr - self.eta_min) * ratio for lr in self._current()]

    def _closed_form(self) -> list[float]:
        share = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]


class ConstantLR(LRScheduler):
    """Takes a share of the initial rate for `total_iters` epochs, and the rate itself after that.

    lr(t) = factor lr(0) for t < total_iters, else lr(0)

    Args:
        optimizer: the optimizer whose groups' rates are set.
        factor: the share, from 0 to 1. Default: 1/3.
        total_iters: the number of epochs with that share. Default: 5.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> for _ in range(4):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.5, 0.5, 1.0, 1.0]
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0.0 <= factor <= 1.0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [lr * self.factor for lr in self._current()]
        if self.last_epoch != self.total_iters:
            return self._current()
        return [lr / self.factor for lr in self._current()]

    def _closed_form(self) -> list[float]:
        factor = self.factor if self.last_epoch < self.total_iters else 1.0
        return [base * factor for base in self.base_lrs]


class PolynomialLR(LRScheduler):
    """Takes the rate to 0 in `total_iters` epochs along a power of what is left of them.

    lr(t) = lr(0) (1 - min(t, total_iters) / total_iters)^power

    Args:
        optimizer: the optimizer whose groups' rates are set.
        total_iters: the number of epochs to a rate of 0. Default: 5.
        power: the exponent. Default: 1.0.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=2.0)
    >>> for _ in range(6):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0 or self.last_epoch > self.total_iters:
            return self._current()
        left = (1.0 - self.last_epoch / self.total_iters) / (1.0 - (self.last_epoch - 1) / self.total_iters)
        return [lr * left**self.power for lr in self._current()]

    def _closed_form(self) -> list[float]:
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [base * left**self.power for base in self.base_lrs]
