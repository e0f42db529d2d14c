"""The Cauchy distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _parameters

__all__ = ["Cauchy"]


class Cauchy(Distribution):
    """The Cauchy (Lorentz) distribution: p(x) = 1 / (π scale (1 + z²)), z = (x - loc) / scale, over all real numbers.

    It has no mean (NaN) and no finite variance. `cdf` and `icdf` are exact in both tails, where PyTorch's cancel.

    Args:
        loc: the median.
        scale: half the width at half the height, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.Cauchy(0.0, 1.0).cdf(rustorch.tensor([-1.0, 0.0]))
    tensor([0.2500, 0.5000])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _expanded = {"loc": 0, "scale": 0}

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        self.loc, self.scale = _parameters(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return rustorch.full_like(self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return rustorch.full_like(self.loc, math.inf)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.loc + rustorch.empty(shape, dtype=self.loc.dtype, device=self.loc.device).cauchy_() * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return -math.log(math.pi) - self.scale.log() - ((value - self.loc) / self.scale).square().log1p()

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        z = (value - self.loc) / self.scale
        return rustorch.atan2(rustorch.ones_like(z), -z) / math.pi

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * standard_quantile(value)

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()


def standard_quantile(p: Tensor) -> Tensor:
    """tan(π (p - ½)), by cotangents in the tails, where p - ½ would lose what p has."""
    middle = rustorch.where((p - 0.5).abs() < 0.25, p - 0.5, 0.0)
    tail = rustorch.where((p - 0.5).abs() < 0.25, 0.25, rustorch.minimum(p, 1 - p))
    outer = (p - 0.5).sign() / (math.pi * tail).tan()
    return rustorch.where((p - 0.5).abs() < 0.25, (math.pi * middle).tan(), outer)
