"""The half-Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any

import rustorch
from rustorch import Tensor
from rustorch.distributions import constraints
from rustorch.distributions.cauchy import Cauchy
from rustorch.distributions.transformed_distribution import TransformedDistribution
from rustorch.distributions.transforms import AbsTransform
from rustorch.distributions.utils import _parameters

__all__ = ["HalfCauchy"]


class HalfCauchy(TransformedDistribution):
    """The distribution of |X| for a Cauchy X of median 0: p(x) = 2 / (π scale (1 + (x / scale)²)) for x ≥ 0.

    It has neither a finite mean nor a variance.

    Args:
        scale: the median of |X|, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.HalfCauchy(3.0).cdf(rustorch.tensor(3.0))
    tensor(0.5000)
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    base_dist: Any
    _expanded = {}

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None) -> None:
        (scale,) = _parameters(scale)
        super().__init__(
            Cauchy(rustorch.zeros_like(scale), scale, validate_args=False), AbsTransform(), validate_args=validate_args
        )

    @property
    def scale(self) -> Tensor:
        """The median."""
        scale: Tensor = self.base_dist.scale
        return scale

    @property
    def mean(self) -> Tensor:
        return rustorch.full_like(self.scale, math.inf)

    @property
    def mode(self) -> Tensor:
        return rustorch.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return rustorch.full_like(self.scale, math.inf)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        inside: Tensor = self.base_dist.log_prob(value) + math.log(2)
        return inside.masked_fill(value < 0, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return (value / self.scale).atan() * (2 / math.pi)

    def icdf(self, value: Tensor) -> Tensor:
        near = (value < 0.5) | value.isnan()
        low = rustorch.where(near, value, 0.0) * (math.pi / 2)
        high = (1 - rustorch.where(near, 0.5, value)) * (math.pi / 2)
        return self.scale * rustorch.where(near, low.tan(), 1 / high.tan())

    def entropy(self) -> Tensor:
        entropy: Tensor = self.base_dist.entropy() - math.log(2)
        return entropy
