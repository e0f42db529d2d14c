"""The inverse gamma distribution."""

from __future__ import annotations

import math
from typing import Any

import rustorch
from rustorch import Tensor
from rustorch.distributions import constraints
from rustorch.distributions.gamma import Gamma
from rustorch.distributions.transformed_distribution import TransformedDistribution
from rustorch.distributions.transforms import PowerTransform
from rustorch.distributions.utils import _in_double

__all__ = ["InverseGamma"]


class InverseGamma(TransformedDistribution):
    """The distribution of 1 / X for a gamma variable X: p(x) = rateᵃ x^(-a-1) exp(-rate / x) / Γ(a), for x > 0.

    Its mean is infinite for concentration ≤ 1, its variance for concentration ≤ 2.

    Args:
        concentration: the shape a, positive.
        rate: the scale of 1 / X, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.InverseGamma(3.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True
    base_dist: Any
    _expanded = {}

    def __init__(self, concentration: Tensor | float, rate: Tensor | float, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=False)
        super().__init__(base, PowerTransform(-rustorch.ones_like(base.rate)), validate_args=validate_args)

    @property
    def concentration(self) -> Tensor:
        """The shape."""
        concentration: Tensor = self.base_dist.concentration
        return concentration

    @property
    def rate(self) -> Tensor:
        """The scale of the distribution: the rate of the gamma distribution of 1 / x."""
        rate: Tensor = self.base_dist.rate
        return rate

    @property
    def mean(self) -> Tensor:
        mean = self.rate / (self.concentration - 1)
        return mean.masked_fill(self.concentration <= 1, math.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = self.concentration
        return (self.rate.square() / ((a - 1).square() * (a - 2))).masked_fill(a <= 2, math.inf)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return _in_double(_log_density, self.concentration, self.rate, value)

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return rustorch.igammac(self.concentration, self.rate / value)

    def entropy(self) -> Tensor:
        return _in_double(_entropy, self.concentration, self.rate)


def _log_density(a: Tensor, rate: Tensor, x: Tensor) -> Tensor:
    return a * rate.log() - (a + 1) * x.log() - rate / x - a.lgamma()


def _entropy(a: Tensor, rate: Tensor) -> Tensor:
    return a + rate.log() + a.lgamma() - (1 + a) * a.digamma()
