"""Fisher and Snedecor's F-distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._gamma_sampling import standard_gamma
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _in_double, _parameters

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Distribution):
    """The F-distribution, of (X / df1) / (Y / df2) for chi-squared X and Y of df1 and df2 degrees of freedom.

    It has a mean for df2 > 2 and a variance for df2 > 4, else NaN.

    Args:
        df1: the degrees of freedom of the numerator, positive.
        df2: the degrees of freedom of the denominator, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.FisherSnedecor(2.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True
    _expanded = {"df1": 0, "df2": 0}

    def __init__(self, df1: Tensor | float, df2: Tensor | float, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = _parameters(df1, df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        exists = self.df2 > 2
        df2 = rustorch.where(exists, self.df2, 3.0)
        return (df2 / (df2 - 2)).masked_fill(~exists, math.nan)

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return mode.masked_fill(self.df1 <= 2, math.nan)

    @property
    def variance(self) -> Tensor:
        exists = self.df2 > 4
        df2 = rustorch.where(exists, self.df2, 5.0)
        variance = 2 * df2.square() * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2).square() * (df2 - 4))
        return variance.masked_fill(~exists, math.nan)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        above = standard_gamma((self.df1 / 2).expand(shape)) / self.df1
        below = standard_gamma((self.df2 / 2).expand(shape)) / self.df2
        tiny = rustorch.finfo(below.dtype).tiny
        return (above / below.clamp(min=tiny)).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return _in_double(_log_density, self.df1, self.df2, value)


def _log_density(df1: Tensor, df2: Tensor, x: Tensor) -> Tensor:
    a, b = df1 / 2, df2 / 2
    ratio = df1 / df2
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    return a * ratio.log() + (a - 1).xlogy(x) - (a + b) * (ratio * x).log1p() - log_beta
