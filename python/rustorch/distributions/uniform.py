"""The continuous uniform distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _parameters

__all__ = ["Uniform"]


class Uniform(Distribution):
    """The uniform distribution: p(x) = 1 / (high - low) in [low, high), and 0 elsewhere.

    `log_prob` of a value outside is -∞ (with `validate_args`, an error unless it is `high`). It has no single mode:
    NaN.

    Args:
        low: the lower end.
        high: the upper end, above `low`.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless `low` < `high`, with `validate_args`.

    Example:

    >>> rustorch.distributions.Uniform(1.0, 5.0).icdf(rustorch.tensor(0.25))
    tensor(2.)
    """

    has_rsample = True
    _expanded = {"low": 0, "high": 0}

    @property
    def arg_constraints(self) -> Any:
        """`low` and `high`, each bounded by the other."""
        return {"low": constraints.less_than(self.high), "high": constraints.greater_than(self.low)}

    def __init__(self, low: Tensor | float, high: Tensor | float, validate_args: bool | None = None) -> None:
        self.low, self.high = _parameters(low, high)
        super().__init__(self.low.shape, validate_args=validate_args)
        if self._validate_args and not bool((self.low < self.high).all()):
            raise InvalidArgumentError(f"Uniform: low must be below high, but got {self.low} and {self.high}")

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """[low, high]."""
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Tensor:
        return math.nan * self.high

    @property
    def stddev(self) -> Tensor:
        return (self.high - self.low) / math.sqrt(12)

    @property
    def variance(self) -> Tensor:
        return (self.high - self.low).square() / 12

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.low + rustorch.rand(shape, dtype=self.low.dtype, device=self.low.device) * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        outside = (value < self.low) | (value >= self.high)
        return (-(self.high - self.low).log() + 0 * value).masked_fill(outside, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return ((value - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def icdf(self, value: Tensor) -> Tensor:
        return self.low + value * (self.high - self.low)

    def entropy(self) -> Tensor:
        return (self.high - self.low).log()
