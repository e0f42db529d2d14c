"""The half-normal distribution."""

from __future__ import annotations

import math
from typing import Any

import rustorch
from rustorch import Tensor
from rustorch.distributions import constraints
from rustorch.distributions.normal import Normal
from rustorch.distributions.transformed_distribution import TransformedDistribution
from rustorch.distributions.transforms import AbsTransform
from rustorch.distributions.utils import _parameters

__all__ = ["HalfNormal"]


class HalfNormal(TransformedDistribution):
    """The distribution of |X| for a normal X of mean 0: p(x) = √(2/π) exp(-x² / (2 scale²)) / scale for x ≥ 0.

    Args:
        scale: the standard deviation of X, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.HalfNormal(1.0).mean
    tensor(0.7979)
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    base_dist: Any
    _expanded = {}

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None) -> None:
        (scale,) = _parameters(scale)
        super().__init__(
            Normal(rustorch.zeros_like(scale), scale, validate_args=False), AbsTransform(), validate_args=validate_args
        )

    @property
    def scale(self) -> Tensor:
        """The standard deviation of the normal distribution that is folded."""
        scale: Tensor = self.base_dist.scale
        return scale

    @property
    def mean(self) -> Tensor:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self) -> Tensor:
        return rustorch.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return self.scale.square() * (1 - 2 / math.pi)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        inside: Tensor = self.base_dist.log_prob(value) + math.log(2)
        return inside.masked_fill(value < 0, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return (value / (self.scale * math.sqrt(2))).erf()

    def icdf(self, value: Tensor) -> Tensor:
        return self.scale * math.sqrt(2) * value.erfinv()

    def entropy(self) -> Tensor:
        entropy: Tensor = self.base_dist.entropy() - math.log(2)
        return entropy
