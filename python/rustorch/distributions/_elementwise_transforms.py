"""Transforms of each element for itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._transform import Transform, _Parameterless
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import broadcast_all, lazy_property
from rustorch.nn import functional as F


class ExpTransform(_Parameterless):
    """y = exp(x), from real to positive numbers.

    Args:
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> rustorch.distributions.ExpTransform()(rustorch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """y = x^exponent, between positive numbers.

    Args:
        exponent: a number or a tensor that broadcasts against x.
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> rustorch.distributions.PowerTransform(2.0)(rustorch.tensor([1.0, 3.0]))
    tensor([1., 9.])
    """

    domain = constraints.positive
    codomain = constraints.positive
    bijective = True
    _arguments = ("exponent",)

    def __init__(self, exponent: Tensor | float, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        (self.exponent,) = broadcast_all(exponent)

    @lazy_property
    def sign(self) -> Any:
        return self.exponent.sign()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PowerTransform) and bool((self.exponent == other.exponent).all())

    __hash__ = None  # type: ignore[assignment]

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        # From logarithms, for y / x may overflow where the result does not.
        return self.exponent.abs().log() + (self.exponent - 1).xlogy(x)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        return Size(rustorch.broadcast_shapes(tuple(shape), self.exponent.shape))

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return self.forward_shape(shape)


def _clipped_sigmoid(x: Tensor) -> Tensor:
    info = rustorch.finfo(x.dtype)
    return x.sigmoid().clamp(min=info.tiny, max=1.0 - info.eps)


class SigmoidTransform(_Parameterless):
    """y = 1 / (1 + exp(-x)), whose inverse is the logit; results are kept between tiny and 1 - eps of the dtype.

    Args:
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> rustorch.distributions.SigmoidTransform()(rustorch.tensor([0.0]))
    tensor([0.5000])
    """

    domain = constraints.real
    codomain = constraints.unit_interval
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return _clipped_sigmoid(x)

    def _inverse(self, y: Tensor) -> Tensor:
        info = rustorch.finfo(y.dtype)
        y = y.clamp(min=info.tiny, max=1.0 - info.eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return F.logsigmoid(x) + F.logsigmoid(-x)


class SoftplusTransform(_Parameterless):
    """y = log(1 + exp(x)), from real to positive numbers; for x > 20 it is x.

    Args:
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> rustorch.distributions.SoftplusTransform()(rustorch.tensor([0.0]))
    tensor([0.6931])
    """

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return F.softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-(-y).expm1()).log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return F.logsigmoid(x)


class TanhTransform(_Parameterless):
    """y = tanh(x), from real numbers to (-1, 1).

    The log determinant is a function of x that is exact where tanh(x) rounds to 1. The inverse is not: of y = 1 it is
    infinite, so that a cache is wanted where samples are put back (`cache_size=1`).

    Args:
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> rustorch.distributions.TanhTransform()(rustorch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    domain = constraints.real
    codomain = constraints.interval(-1.0, 1.0)
    bijective = True
    sign = 1

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return _log_sech_squared(x)


def _log_sech_squared(x: Tensor) -> Tensor:
    """log(1 - tanh²(x)), also where tanh(x) rounds to ±1."""
    return 2 * (math.log(2) - x - F.softplus(-2 * x))


class AbsTransform(_Parameterless):
    """y = |x|, which is not one to one: the inverse gives y.

    Args:
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> rustorch.distributions.AbsTransform()(rustorch.tensor([-2.0]))
    tensor([2.])
    """

    domain = constraints.real
    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """y = loc + scale · x.

    Args:
        loc: a number or a tensor.
        scale: a number or a tensor, not 0.
        event_dim: how many of the last dimensions make one event. Default: 0.
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> transform = rustorch.distributions.AffineTransform(1.0, -2.0)
    >>> transform(rustorch.tensor([3.0])), transform.inv(rustorch.tensor([-5.0])), transform.sign
    (tensor([-5.]), tensor([3.]), -1)
    """

    bijective = True
    _arguments = ("loc", "scale", "event_dim")

    def __init__(self, loc: Tensor | float, scale: Tensor | float, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.loc = loc
        self.scale = scale
        self._event_dim = event_dim

    @property
    def event_dim(self) -> int:
        return self._event_dim

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return constraints.independent(constraints.real, self._event_dim) if self._event_dim else constraints.real

    codomain = domain

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AffineTransform) and _same(self.loc, other.loc) and _same(self.scale, other.scale)

    __hash__ = None  # type: ignore[assignment]

    @property
    def sign(self) -> Any:
        """The sign of `scale`, a number if it is one."""
        if isinstance(self.scale, Tensor):
            return self.scale.sign()
        return (self.scale > 0) - (self.scale < 0)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        if isinstance(self.scale, Tensor):
            each = self.scale.abs().log().expand(rustorch.broadcast_shapes(x.shape, self.scale.shape))
        else:
            each = rustorch.full_like(x, math.log(abs(self.scale)))
        return each.sum(tuple(range(-self._event_dim, 0))) if self._event_dim else each

    def forward_shape(self, shape: Sequence[int]) -> Size:
        shapes = [tuple(p.shape) for p in (self.loc, self.scale) if isinstance(p, Tensor)]
        return Size(rustorch.broadcast_shapes(tuple(shape), *shapes))

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return self.forward_shape(shape)


def _same(a: Tensor | float, b: Tensor | float) -> bool:
    """Whether two parameters, numbers or tensors, are equal throughout."""
    equal = a == b
    return bool(equal.all()) if isinstance(equal, Tensor) else bool(equal)


class CumulativeDistributionTransform(Transform):
    """y = F(x), the distribution function of a distribution of numbers; the inverse gives quantiles.

    Args:
        distribution: a distribution that has `cdf`, `icdf` and `log_prob`.
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> D = rustorch.distributions
    >>> D.CumulativeDistributionTransform(D.Normal(0.0, 1.0))(rustorch.tensor([0.0]))
    tensor([0.5000])
    """

    bijective = True
    codomain = constraints.unit_interval
    sign = 1
    _arguments = ("distribution",)

    def __init__(self, distribution: Distribution, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.distribution = distribution

    @property
    def domain(self) -> Any:
        """The support of the distribution."""
        return self.distribution.support

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self.distribution.log_prob(x)
