"""Averages of a model's weights over the steps of its training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

from rustorch import _C, nn
from rustorch._C import Tensor
from rustorch.autograd.grad_mode import no_grad
from rustorch.nn.modules.batchnorm import _BatchNorm

from ._schedule import LRScheduler
from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Average = Callable[[Tensor, Tensor, Any], Tensor]
MultiAverage = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def _is_continuous(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average of one tensor: a function of the average, the tensor and how many went into it.

    It gives ``decay * average + (1 - decay) * tensor``.

    Args:
        decay: the share that the average keeps, from 0 to 1, else a ValueError. Default: 0.999.

    Example:

    >>> average = rustorch.optim.swa_utils.get_ema_avg_fn(0.75)
    >>> average(rustorch.tensor([4.0]), rustorch.tensor([8.0]), 1)
    tensor([5.])
    """
    _check_decay(decay)

    def update(average: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return decay * average + (1 - decay) * current

    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """The exponential moving average of several tensors, in place: a function of the averages, the tensors, and how
    many went into them.

    Each average becomes ``decay * average + (1 - decay) * tensor``.

    Args:
        decay: the share that an average keeps, from 0 to 1, else a ValueError. Default: 0.999.

    Example:

    >>> average = [rustorch.tensor([4.0])]
    >>> rustorch.optim.swa_utils.get_ema_multi_avg_fn(0.75)(average, [rustorch.tensor([8.0])], 1)
    >>> average
    [tensor([5.])]
    """
    _check_decay(decay)

    def update(averages: Sequence[Tensor], currents: Sequence[Tensor], num_averaged: Any) -> None:
        with no_grad():
            for average, current in zip(averages, currents, strict=True):
                if _is_continuous(average):
                    average.lerp_(current, 1 - decay)
                else:
                    average.copy_(average * decay + current * (1 - decay))

    return update


def get_swa_avg_fn() -> Average:
    """The mean of one tensor over steps: a function of the mean so far, the tensor, and how many went into the mean.

    Example:

    >>> average = rustorch.optim.swa_utils.get_swa_avg_fn()
    >>> average(rustorch.tensor([4.0]), rustorch.tensor([8.0]), 3)
    tensor([5.])
    """

    def update(average: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            moved: Tensor = average + (current - average) / (num_averaged + 1)
            return moved

    return update


def get_swa_multi_avg_fn() -> MultiAverage:
    """The mean of several tensors over steps, in place: a function of the means so far, the tensors, and how many went
    into the means.

    Example:

    >>> average = [rustorch.tensor([4.0])]
    >>> rustorch.optim.swa_utils.get_swa_multi_avg_fn()(average, [rustorch.tensor([8.0])], 3)
    >>> average
    [tensor([5.])]
    """

    def update(averages: Sequence[Tensor], currents: Sequence[Tensor], num_averaged: Any) -> None:
        with no_grad():
            count = int(num_averaged) + 1
            for average, current in zip(averages, currents, strict=True):
                if _is_continuous(average):
                    average.lerp_(current, 1 / count)
                else:
                    average.copy_(average + (current - average) / count)

    return update


class AveragedModel(nn.Module):
    """A copy of a model, whose parameters are averages of those that the model had at each `update_parameters`.

    The first update copies the parameters, each other one averages. The copy is `module`, and `n_averaged` counts the
    updates; both are in the state_dict.

    Args:
        model: the model to copy; it is not changed.
        device: where the copy is; None for where the model is. Default: None.
        avg_fn: what makes a new average of the average, a parameter and the number of averaged ones; None for their
            mean. Default: None.
        multi_avg_fn: the same for lists of tensors of one device and dtype, in place. Together with `avg_fn` it is an
            AssertionError. Default: None.
        use_buffers: whether buffers are averaged, too; they are copied at each update if not. Default: False.

    Shape:
        those of the model.

    Example:

    >>> model = rustorch.nn.Linear(1, 1, bias=False)
    >>> averaged = rustorch.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = rustorch.nn.init.constant_(model.weight, value)
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.item(), averaged.n_averaged.item()
    (3.0, 3)
    >>> moving = rustorch.optim.swa_utils.AveragedModel(
    ...     model, multi_avg_fn=rustorch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
    ... )
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: nn.Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", _C.tensor(0, dtype=_C.int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged copy gives."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: nn.Module) -> None:
        """Takes the parameters that the model has now into the averages."""
        with no_grad():
            self._update(model)
        self.n_averaged += 1

    def _update(self, model: nn.Module) -> None:
        averages, currents = self._averaged(self.module), self._averaged(model)
        pairs = [
            (average.detach(), current.detach().to(average.device))
            for average, current in zip(averages, currents, strict=True)
        ]
        if int(self.n_averaged) == 0:
            for average, current in pairs:
                average.copy_(current)
        elif self.avg_fn is not None:
            for average, current in pairs:
                average.copy_(self.avg_fn(average, current, self.n_averaged.to(average.device)))
        else:
            update = self.multi_avg_fn or get_swa_multi_avg_fn()
            groups: dict[Any, tuple[list[Tensor], list[Tensor]]] = {}
            for average, current in pairs:
                group = groups.setdefault((average.device, average.dtype), ([], []))
                group[0].append(average)
                group[1].append(current)
            for (device, _), (own, new) in groups.items():
                update(own, new, self.n_averaged.to(device))
        if not self.use_buffers:
            for own_buffer, buffer in zip(self.module.buffers(), model.buffers(), strict=True):
                own_buffer.copy_(buffer.to(own_buffer.device))

    def _averaged(self, model: nn.Module) -> Iterable[Tensor]:
        return chain(model.parameters(), model.buffers()) if self.use_buffers else model.parameters()


def update_bn(loader: Iterable[Any], model: nn.Module, device: Any = None) -> None:
    """Computes the running statistics of a model's batch norms anew: their means over one pass of a loader.

    Averaged weights need it, since no batch has gone through them. The model is in training mode for the pass, and in
    the mode it was in after it. A model without batch norms is left alone.

    Args:
        loader: batches; of a tuple or list the first entry is what the model takes.
        model: the model.
        device: where batches are moved to; None for nowhere. Default: None.

    Example:

    >>> model = rustorch.nn.BatchNorm1d(1)
    >>> batches = [rustorch.tensor([[1.0], [3.0]]), rustorch.tensor([[5.0], [7.0]])]
    >>> rustorch.optim.swa_utils.update_bn(batches, model)
    >>> model.running_mean, model.running_var
    (tensor([4.]), tensor([2.]))
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    was_training = model.training
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        # The mean over all batches, in place of a moving one.
        norm.momentum = None
    with no_grad():
        for batch in loader:
            content = batch[0] if isinstance(batch, list | tuple) else batch
            model(content if device is None else content.to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Leads the learning rate of each group from what it is to a fixed one, along a half cosine or a line.

    With the first rate lr and the last one swa, after step t of T = anneal_epochs it is

        swa · a + lr · (1 - a),  a = min(1, t / T), or of that (1 - cos(π a)) / 2

    Args:
        optimizer: the optimizer whose groups' rates are set.
        swa_lr: the last rate, or one per group.
        anneal_epochs: the number of steps until then, not negative. Default: 10.
        anneal_strategy: 'cos' or 'linear'. Default: 'cos'.
        last_epoch: the epoch that was reached, to go on from. Default: -1.

    Raises:
        ValueError: `anneal_strategy` or `anneal_epochs` is none of those, or there are not as many rates as groups.

    Example:

    >>> optimizer = rustorch.optim.SGD([rustorch.zeros(1)], lr=1.0)
    >>> schedule = rustorch.optim.swa_utils.SWALR(optimizer, swa_lr=0.0, anneal_epochs=4, anneal_strategy="linear")
    >>> rates = []
    >>> for _ in range(6):
    ...     rates.append(round(schedule.get_last_lr()[0], 4))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        groups = optimizer.param_groups
        rates = list(swa_lr) if isinstance(swa_lr, list | tuple) else [swa_lr] * len(groups)
        if len(rates) != len(groups):
            raise ValueError(f"swa_lr must have as many rates as there are groups, {len(groups)}, but got {len(rates)}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        for group, rate in zip(groups, rates, strict=True):
            group["swa_lr"] = rate
        self.anneal_epochs = anneal_epochs
        self._anneal_strategy = anneal_strategy
        self._step_count = 0
        super().__init__(optimizer, last_epoch)

    def step(self, epoch: int | None = None) -> None:
        """Goes to the next step."""
        self._step_count += 1
        super().step(epoch)

    def _share(self, step: int) -> float:
        """How far the rates have gone after a number of steps, from 0 to 1."""
        reached = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return reached if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * reached)) / 2

    def get_lr(self) -> list[float]:
        """The learning rate of each group, from the one that it has."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            last = group["swa_lr"]
            first = last if before == 1 else (group["lr"] - before * last) / (1 - before)
            rates.append(last * now + first * (1 - now))
        return rates
