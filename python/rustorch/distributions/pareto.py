"""The Pareto distribution."""

from __future__ import annotations

import math
from typing import Any

import rustorch
from rustorch import Tensor
from rustorch.distributions import constraints
from rustorch.distributions.exponential import Exponential
from rustorch.distributions.transformed_distribution import TransformedDistribution
from rustorch.distributions.transforms import AffineTransform, ExpTransform
from rustorch.distributions.utils import _parameters

__all__ = ["Pareto"]


class Pareto(TransformedDistribution):
    """The Pareto distribution of type 1: p(x) = alpha scaleᵃˡᵖʰᵃ / x^(alpha + 1) for x ≥ scale.

    Its mean is infinite for alpha ≤ 1, its variance for alpha ≤ 2.

    Args:
        scale: the least value, positive.
        alpha: the exponent, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.Pareto(1.0, 3.0).mean
    tensor(1.5000)
    """

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}
    has_rsample = True
    _expanded = {"scale": 0, "alpha": 0}

    def __init__(self, scale: Tensor | float, alpha: Tensor | float, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = _parameters(scale, alpha)
        base = Exponential(self.alpha, validate_args=False)
        transforms = [ExpTransform(), AffineTransform(0, self.scale)]
        super().__init__(base, transforms, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """[scale, ∞)."""
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        # Where there is no mean, 2 stands in for alpha, so that gradients are finite.
        finite = self.alpha > 1
        alpha = rustorch.where(finite, self.alpha, 2.0)
        return (alpha * self.scale / (alpha - 1)).masked_fill(~finite, math.inf)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        finite = self.alpha > 2
        alpha = rustorch.where(finite, self.alpha, 3.0)
        variance = self.scale.square() * alpha / ((alpha - 1).square() * (alpha - 2))
        return variance.masked_fill(~finite, math.inf)

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())
