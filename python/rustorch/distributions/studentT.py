"""Student's t-distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._gamma_sampling import standard_gamma
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _in_double, _parameters, _standard_normal

__all__ = ["StudentT"]


class StudentT(Distribution):
    """Student's t-distribution: p(x) ∝ (1 + z² / df)^(-(df + 1) / 2), z = (x - loc) / scale, over all real numbers.

    It has a mean for df > 1 (else NaN), and a variance for df > 2 (infinite for 1 < df ≤ 2, else NaN). `rsample` has
    gradients by all three parameters.

    Args:
        df: the degrees of freedom, positive.
        loc: the median. Default: 0.0.
        scale: the scale, positive. Default: 1.0.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.StudentT(4.0).variance
    tensor(2.)
    """

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _expanded = {"df": 0, "loc": 0, "scale": 0}

    def __init__(
        self,
        df: Tensor | float,
        loc: Tensor | float = 0.0,
        scale: Tensor | float = 1.0,
        validate_args: bool | None = None,
    ) -> None:
        self.df, self.loc, self.scale = _parameters(df, loc, scale)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        finite = self.df > 2
        df = rustorch.where(finite, self.df, 3.0)
        variance = (self.scale.square() * df / (df - 2)).masked_fill(~finite, math.inf)
        return variance.masked_fill(self.df <= 1, math.nan)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        normal = _standard_normal(shape, self.df.dtype, self.df.device)
        chi2 = 2 * standard_gamma((self.df / 2).expand(shape))
        return self.loc + self.scale * normal * (chi2 / self.df).rsqrt()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return _in_double(_log_density, self.df, self.loc, self.scale, value)

    def entropy(self) -> Tensor:
        return _in_double(_entropy, self.df, self.scale)


def _log_beta(df: Tensor) -> Tensor:
    """log B(df / 2, 1 / 2)."""
    return (df / 2).lgamma() - ((df + 1) / 2).lgamma() + 0.5 * math.log(math.pi)


def _log_density(df: Tensor, loc: Tensor, scale: Tensor, x: Tensor) -> Tensor:
    z = (x - loc) / scale
    return -(df + 1) / 2 * (z.square() / df).log1p() - scale.log() - 0.5 * df.log() - _log_beta(df)


def _entropy(df: Tensor, scale: Tensor) -> Tensor:
    digammas = ((df + 1) / 2).digamma() - (df / 2).digamma()
    return scale.log() + (df + 1) / 2 * digammas + 0.5 * df.log() + _log_beta(df)
