"""The base class of schedules."""

from __future__ import annotations

from typing import Any

from .optimizer import Optimizer


class LRScheduler:
    """Sets the learning rate of every group of an optimizer, epoch by epoch; a subclass says how in get_lr()."""

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
