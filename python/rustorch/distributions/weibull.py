"""The Weibull distribution."""

from __future__ import annotations

import rustorch
from rustorch import Tensor
from rustorch.distributions import constraints
from rustorch.distributions.exponential import Exponential
from rustorch.distributions.transformed_distribution import TransformedDistribution
from rustorch.distributions.transforms import AffineTransform, PowerTransform
from rustorch.distributions.utils import _in_double, _parameters, euler_constant

__all__ = ["Weibull"]


class Weibull(TransformedDistribution):
    """The Weibull distribution: F(x) = 1 - exp(-(x / scale)ᵏ), k = concentration, over positive numbers.

    Args:
        scale: the scale λ, positive.
        concentration: the exponent k, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.Weibull(2.0, 1.0).mean
    tensor(2.)
    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive
    has_rsample = True
    _expanded = {"scale": 0, "concentration": 0}

    def __init__(self, scale: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = _parameters(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        base = Exponential(rustorch.ones_like(self.scale), validate_args=False)
        transforms = [PowerTransform(self.concentration_reciprocal), AffineTransform(0, self.scale)]
        super().__init__(base, transforms, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale * (1 + self.concentration.reciprocal()).lgamma().exp()

    @property
    def mode(self) -> Tensor:
        k = self.concentration
        return self.scale * ((k - 1) / k).clamp(min=0).pow(k.reciprocal())

    @property
    def variance(self) -> Tensor:
        return _in_double(_variance, self.scale, self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        k = self.concentration
        ratio = value / self.scale
        return (k / self.scale).log() + (k - 1).xlogy(ratio) - ratio.pow(k)

    def entropy(self) -> Tensor:
        reciprocal = self.concentration.reciprocal()
        return euler_constant * (1 - reciprocal) + (self.scale * reciprocal).log() + 1


def _variance(scale: Tensor, concentration: Tensor) -> Tensor:
    # Γ(1 + 2/k) - Γ(1 + 1/k)², whose terms are nearly equal where k is large.
    first = 2 * (1 + 1 / concentration).lgamma()
    second = (1 + 2 / concentration).lgamma()
    return scale.square() * first.exp() * (second - first).expm1()
