"""The Laplace distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _parameters

__all__ = ["Laplace"]


class Laplace(Distribution):
    """The Laplace (double exponential) distribution: p(x) = exp(-|x - loc| / scale) / (2 scale), over all real numbers.

    `cdf` and `icdf` are exact in the lower tail, where PyTorch's cancel.

    Args:
        loc: the mean.
        scale: the mean distance from it, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.Laplace(0.0, 2.0).variance
    tensor(8.)
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
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.square()

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        made = rustorch.empty((2, *self._extended_shape(sample_shape)), dtype=self.loc.dtype, device=self.loc.device)
        one, other = made.exponential_()
        return self.loc + self.scale * (one - other)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        z = (value - self.loc) / self.scale
        tail = 0.5 * (-z.abs()).exp()
        return rustorch.where(z < 0, tail, 1 - tail)

    def icdf(self, value: Tensor) -> Tensor:
        tail = rustorch.minimum(value, 1 - value)
        return self.loc + self.scale * (value - 0.5).sign() * -(2 * tail).log()

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()
