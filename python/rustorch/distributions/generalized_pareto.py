"""The generalised Pareto distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _parameters

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """The generalised Pareto distribution of excesses: 1 - F(x) = (1 + c z)^(-1/c), z = (x - loc) / scale, for z ≥ 0.

    c = concentration: 0 gives the exponential distribution, c > 0 tails of a power, c < 0 an upper end at
    loc - scale / c (c = -1 is uniform). It has a mean for c < 1 and a variance for c < 1/2, else NaN.

    Args:
        loc: the lower end.
        scale: the scale, positive.
        concentration: the exponent c.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.GeneralizedPareto(0.0, 1.0, 0.5).mean
    tensor(2.)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True
    _expanded = {"loc": 0, "scale": 0, "concentration": 0}

    def __init__(
        self,
        loc: Tensor | float,
        scale: Tensor | float,
        concentration: Tensor | float,
        validate_args: bool | None = None,
    ) -> None:
        self.loc, self.scale, self.concentration = _parameters(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """[loc, ∞), or up to loc - scale / concentration for a negative one."""
        upper = self.loc - self.scale / rustorch.where(self.concentration < 0, self.concentration, -1.0)
        return constraints.interval(self.loc, upper.masked_fill(self.concentration >= 0, math.inf))

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        exponential = rustorch.empty(shape, dtype=self.loc.dtype, device=self.loc.device).exponential_()
        return self.loc + self.scale * self._excess(exponential)

    def _excess(self, y: Tensor) -> Tensor:
        """z at which log(1 - F) is -y: (exp(c y) - 1) / c, y for c = 0."""
        t, small, c = self._near_zero(y)
        series = y * (1 + t / 2 * (1 + t / 3 * (1 + t / 4)))
        return rustorch.where(small, series, (c * y).expm1() / c)

    def _hazard(self, value: Tensor) -> Tensor:
        """-log(1 - F): log(1 + c z) / c, z for c = 0."""
        z = (value - self.loc) / self.scale
        t, small, c = self._near_zero(z)
        series = z * (1 - t * (1 / 2 - t * (1 / 3 - t / 4)))
        return rustorch.where(small, series, (c * z).log1p() / c)

    def _near_zero(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """c x where a series in it serves, whether it does, and c where it does not: gradients by c need both."""
        product = (self.concentration * x).nan_to_num(0.0, math.inf, -math.inf)
        small = product.abs() < 1e-4
        return rustorch.where(small, product, 0.0), small, rustorch.where(small, 1.0, self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        # c = -1 is uniform: 0 times the infinite hazard of the upper end.
        uniform = self.concentration == -1
        hazard = self._hazard(rustorch.where(uniform, self.loc, value))
        return -self.scale.log() - (1 + self.concentration) * hazard

    def log_survival_function(self, value: Tensor) -> Tensor:
        """log(1 - F(value))."""
        self._check_value(value)
        return -self._hazard(value)

    def log_cdf(self, value: Tensor) -> Tensor:
        """log F(value)."""
        return self.cdf(value).log()

    def cdf(self, value: Tensor) -> Tensor:
        return -self.log_survival_function(value).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * self._excess(-(-value).log1p())

    @property
    def mean(self) -> Tensor:
        exists = self.concentration < 1
        c = rustorch.where(exists, self.concentration, 0.5)
        return (self.loc + self.scale / (1 - c)).masked_fill(~exists, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        exists = self.concentration < 0.5
        c = rustorch.where(exists, self.concentration, 0.25)
        return (self.scale.square() / ((1 - c).square() * (1 - 2 * c))).masked_fill(~exists, math.nan)

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1
