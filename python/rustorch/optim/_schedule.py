"""The base class of schedules."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer


class LRScheduler:
    """Sets the learning rate of every group of an optimizer, epoch by epoch: the base class of schedules.

    A subclass says the rates of epoch `last_epoch` in get_lr(), from `self.base_lrs`, the initial ones, or from those
    that the groups have. The constructor sets the rates of epoch 0; step() goes to the next epoch and is called after
    the optimizer's step, get_last_lr() gives the rates. state_dict() and load_state_dict() keep the place.

    Args:
        optimizer: the optimizer whose groups' rates are set.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Raises:
        TypeError: `optimizer` is no Optimizer.
        KeyError: a group has no 'initial_lr', though `last_epoch` is not -1.

    Example:

    >>> class Harmonic(rustorch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [base / (1 + self.last_epoch) for base in self.base_lrs]
    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = Harmonic(optimizer)
    >>> for _ in range(4):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.5, 0.3333, 0.25]
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                    f"last_epoch >= 0"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.step()

    def get_lr(self) -> list[float]:
        """The learning rate of each group in epoch `last_epoch`."""
        raise NotImplementedError(f"{type(self).__name__} does not say what the learning rate is")

    def _current(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def _closed_form(self) -> list[float] | None:
        """The learning rates of epoch `last_epoch` where they do not follow from those before; None if they must."""
        return None

    def step(self, epoch: int | None = None) -> None:
        """Goes to the next epoch, or to a given one."""
        lrs = None
        if epoch is None:
            self.last_epoch += 1
        else:
            self.last_epoch = epoch
            lrs = self._closed_form()
        for group, lr in zip(self.optimizer.param_groups, lrs or self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = self._current()

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group as step() set it."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule is."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes to where another schedule was when it gave `state_dict`."""
        self.__dict__.update(state_dict)
