"""Schedules made of schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ._schedule import LRScheduler
from .optimizer import Optimizer


def _take_back(scheduler: LRScheduler) -> None:
    """Takes a schedule back to before its first step, with those that it is made of."""
    for part in getattr(scheduler, "_schedulers", ()):
        _take_back(part)
    if hasattr(scheduler, "last_epoch"):
        scheduler.last_epoch -= 1


class SequentialLR(LRScheduler):
    """One schedule after another: the next begins at each of the given epochs.

    In epoch t the rate is that of schedule i, where i is the number of milestones that are ≤ t. The first goes on from
    epoch 0, and each other begins with its own epoch 0 at its milestone. step() takes no epoch.

    Args:
        optimizer: the optimizer whose groups' rates are set.
        schedulers: the schedules, of this optimizer.
        milestones: the epochs at which the schedules after the first begin, one fewer than schedules, in rising order.
        last_epoch: the epoch that was reached, to go on from; -1 begins anew. Default: -1.

    Raises:
        ValueError: there is no schedule, one is of another optimizer, or the milestones are not one fewer.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> warm = rustorch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> fall = rustorch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    >>> schedule = rustorch.optim.lr_scheduler.SequentialLR(optimizer, [warm, fall], milestones=[2])
    >>> for _ in range(5):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.5, 0.5, 1.0, 0.9, 0.81]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        if not schedulers:
            raise ValueError("SequentialLR expects at least one scheduler to be chained")
        if any(scheduler.optimizer is not optimizer for scheduler in schedulers):
            raise ValueError("SequentialLR expects all schedulers to belong to the optimizer that it was given")
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR expects one milestone fewer than schedulers, but got {len(schedulers)} schedulers and "
                f"{len(milestones)} milestones"
            )
        self._schedulers = list(schedulers)
        self._milestones = list(milestones)
        self.optimizer = optimizer
        self.last_epoch = last_epoch + 1
        # Each schedule has made its first step: that is taken back, and the one of epoch 0 alone makes it again.
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        for scheduler in self._schedulers:
            _take_back(scheduler)
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first.step()
        self._last_lr = first.get_last_lr()

    def step(self, epoch: int | None = None) -> None:
        if epoch is not None:
            raise ValueError("SequentialLR.step() takes no epoch")
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler.step(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        return {**state, "_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state = dict(state_dict)
        for scheduler, own in zip(self._schedulers, state.pop("_schedulers"), strict=True):
            scheduler.load_state_dict(own)
        self.__dict__.update(state)


class ChainedScheduler(LRScheduler):
    """Several schedules at once, each acting on what the one before it left.

    step() calls the step() of each in turn, and takes no epoch. Schedules that multiply the rate multiply theirs
    together.

    Args:
        schedulers: the schedules, of one optimizer.
        optimizer: that optimizer; None for the first schedule's. Default: None.

    Raises:
        ValueError: there is no schedule, or one is of another optimizer.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> warm = rustorch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> fall = rustorch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    >>> schedule = rustorch.optim.lr_scheduler.ChainedScheduler([warm, fall])
    >>> for _ in range(4):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.5, 0.45, 0.81, 0.729]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler expects at least one scheduler to be chained")
        optimizer = optimizer or schedulers[0].optimizer
        if any(scheduler.optimizer is not optimizer for scheduler in schedulers):
            raise ValueError("ChainedScheduler expects all schedulers to belong to the same optimizer")
        self._schedulers = list(schedulers)
        self.optimizer = optimizer
        self._last_lr = self._current()

    def step(self, epoch: int | None = None) -> None:
        if epoch is not None:
            raise ValueError("ChainedScheduler.step() takes no epoch")
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._current()

    def state_dict(self) -> dict[str, Any]:
        return {"_last_lr": self._last_lr, "_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._last_lr = state_dict["_last_lr"]
        for scheduler, own in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(own)
