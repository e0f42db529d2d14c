"""The Kumaraswamy distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.transformed_distribution import TransformedDistribution
from rustorch.distributions.transforms import AffineTransform, PowerTransform
from rustorch.distributions.uniform import Uniform
from rustorch.distributions.utils import _in_double, _parameters, clamp_probs, euler_constant

__all__ = ["Kumaraswamy"]


class Kumaraswamy(TransformedDistribution):
    """The Kumaraswamy distribution: F(x) = 1 - (1 - xᵃ)ᵇ over [0, 1], a = concentration1, b = concentration0.

    It looks like a beta distribution and has a quantile function in closed form. `log_prob`, `cdf` and `icdf` are
    computed from logarithms, which keeps their digits at both ends.

    Args:
        concentration1: a, positive.
        concentration0: b, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.Kumaraswamy(2.0, 1.0).mean
    tensor(0.6667)
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True
    _expanded = {"concentration1": 0, "concentration0": 0}

    def __init__(
        self,
        concentration1: Tensor | float,
        concentration0: Tensor | float,
        validate_args: bool | None = None,
    ) -> None:
        self.concentration1, self.concentration0 = _parameters(concentration1, concentration0)
        zero, one = rustorch.zeros_like(self.concentration0), rustorch.ones_like(self.concentration0)
        transforms = [
            PowerTransform(self.concentration0.reciprocal()),
            AffineTransform(1.0, -1.0),
            PowerTransform(self.concentration1.reciprocal()),
        ]
        super().__init__(Uniform(zero, one, validate_args=False), transforms, validate_args=validate_args)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with rustorch.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        of = self.concentration1
        return self.icdf(clamp_probs(rustorch.rand(shape, dtype=of.dtype, device=of.device)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return _in_double(_log_density, self.concentration1, self.concentration0, value)

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return -(self.concentration0 * _log1mexp(self.concentration1 * value.log())).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        return (_log1mexp((-value).log1p() / self.concentration0) / self.concentration1).exp()

    @property
    def mean(self) -> Tensor:
        return _in_double(partial(_log_moment, 1), self.concentration1, self.concentration0).exp()

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        inside = (a >= 1) & (b >= 1) & (a * b > 1)
        return ((a - 1) / (a * b - 1)).pow(a.reciprocal()).masked_fill(~inside, math.nan)

    @property
    def variance(self) -> Tensor:
        return _in_double(_variance, self.concentration1, self.concentration0)

    def entropy(self) -> Tensor:
        return _in_double(_entropy, self.concentration1, self.concentration0)


def _log1mexp(x: Tensor) -> Tensor:
    """log(1 - exp(x)) for x ≤ 0."""
    near = x > -math.log(2)
    of_near = (-rustorch.where(near, x, -1.0).expm1()).log()
    return rustorch.where(near, of_near, (-rustorch.where(near, -1.0, x).exp()).log1p())


def _log_moment(order: int, a: Tensor, b: Tensor) -> Tensor:
    """log E xⁿ = log(b B(1 + n/a, b))."""
    return b.log() + (1 + order / a).lgamma() + b.lgamma() - (1 + order / a + b).lgamma()


def _log_density(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    return a.log() + b.log() + (a - 1).xlogy(x) + (b - 1).xlogy(-(a * x.log()).expm1())


def _variance(a: Tensor, b: Tensor) -> Tensor:
    first = 2 * _log_moment(1, a, b)
    return first.exp() * (_log_moment(2, a, b) - first).expm1()


def _entropy(a: Tensor, b: Tensor) -> Tensor:
    return 1 - 1 / b + (1 - 1 / a) * ((b + 1).digamma() + euler_constant) - a.log() - b.log()
