"""Schedules by functions of the epoch. Their pickles name rustorch.optim.lr_scheduler, where all are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ._schedule import LRScheduler
from .optimizer import Optimizer


class LambdaLR(LRScheduler):
    """The initial rate times a function of the epoch: lr(t) = lr(0) f(t).

    state_dict() leaves the functions out, which need not be picklable; a schedule that loads it has functions of its
    own.

    Args:
        optimizer: the optimizer whose groups' rates are set.
        lr_lambda: f, called with the epoch; or a list with one function per group.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.9**epoch)
    >>> for _ in range(4):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.9, 0.81, 0.729]
    """

    __module__ = "rustorch.optim.lr_scheduler"

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas: list[Callable[[int], float]] = (
            list(lr_lambda) if isinstance(lr_lambda, Sequence) else [lr_lambda] * groups
        )
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [base * factor(self.last_epoch) for base, factor in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        return {name: value for name, value in super().state_dict().items() if name != "lr_lambdas"}


class MultiplicativeLR(LRScheduler):
    """The rate times a function of the epoch: lr(t) = lr(t - 1) f(t).

    The function is not called for epoch 0. state_dict() leaves the functions out, as that of LambdaLR does.

    Args:
        optimizer: the optimizer whose groups' rates are set.
        lr_lambda: f, called with the epoch; or a list with one function per group.
        last_epoch: the epoch that was reached, to go on from; every group then needs its 'initial_lr'. -1 begins anew.
            Default: -1.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> rates = []
    >>> schedule = rustorch.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.5 if epoch % 2 else 1.0)
    >>> for _ in range(5):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    __module__ = "rustorch.optim.lr_scheduler"

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas: list[Callable[[int], float]] = (
            list(lr_lambda) if isinstance(lr_lambda, Sequence) else [lr_lambda] * groups
        )
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._current()
        return [lr * factor(self.last_epoch) for lr, factor in zip(self._current(), self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        return {name: value for name, value in super().state_dict().items() if name != "lr_lambdas"}
