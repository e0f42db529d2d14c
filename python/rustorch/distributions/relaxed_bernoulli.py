"""Relaxed Bernoulli distributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._probabilities import _ProbsOrLogits
from rustorch.distributions.transformed_distribution import TransformedDistribution
from rustorch.distributions.transforms import SigmoidTransform
from rustorch.distributions.utils import _parameters
from rustorch.nn import functional as F

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(_ProbsOrLogits):
    """The logits of a relaxed Bernoulli variable: (logits + L) / temperature, where L has the logistic distribution.

    Args:
        temperature: the temperature, positive.
        probs: the probability of 1. Default: None.
        logits: its log odds, in place of `probs`. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of `probs` and `logits` is given.

    Example:

    >>> D = rustorch.distributions.relaxed_bernoulli
    >>> D.LogitRelaxedBernoulli(1.0, logits=rustorch.zeros(2)).log_prob(rustorch.tensor(0.0))
    tensor([-1.3863, -1.3863])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real
    has_rsample = True
    _expanded = {"probs": 0, "logits": 0}
    _kept = ("temperature",)

    def __init__(
        self,
        temperature: Tensor | float,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, given = self._choose(probs, logits)
        (self.__dict__[name],) = _parameters(given)
        self.temperature = _as_tensor(temperature, self._param)
        super().__init__(self._param.shape, validate_args=validate_args)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = (2, *self._extended_shape(sample_shape))
        one, other = rustorch.empty(shape, dtype=self._param.dtype, device=self._param.device).exponential_().log()
        return (self.logits + one - other) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        difference = self.logits - value * self.temperature
        return self.temperature.log() + F.logsigmoid(difference) + F.logsigmoid(-difference)


def _as_tensor(temperature: Tensor | float, like: Tensor) -> Tensor:
    if isinstance(temperature, Tensor):
        return temperature
    return rustorch.tensor(temperature, dtype=like.dtype, device=like.device)


class RelaxedBernoulli(TransformedDistribution):
    """A distribution over (0, 1) that becomes Bernoulli's where the temperature goes to 0, with gradients of its
    samples.

    The binary concrete distribution (Maddison, Mnih and Teh, 2017; Jang, Gu and Poole, 2017).

    Args:
        temperature: the temperature, positive.
        probs: the probability of 1 at temperature 0. Default: None.
        logits: its log odds, in place of `probs`. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of `probs` and `logits` is given.

    Example:

    >>> relaxed = rustorch.distributions.RelaxedBernoulli(rustorch.tensor(0.5), probs=rustorch.tensor([0.1, 0.9]))
    >>> relaxed.rsample((3,)).shape
    rustorch.Size([3, 2])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    base_dist: Any
    _expanded = {}

    def __init__(
        self,
        temperature: Tensor | float,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Tensor:
        """The temperature."""
        temperature: Tensor = self.base_dist.temperature
        return temperature

    @property
    def logits(self) -> Tensor:
        """The log odds of 1 at temperature 0."""
        logits: Tensor = self.base_dist.logits
        return logits

    @property
    def probs(self) -> Tensor:
        """The probability of 1 at temperature 0."""
        probs: Tensor = self.base_dist.probs
        return probs
