"""The logistic-normal distribution."""

from __future__ import annotations

from typing import Any

from rustorch import Tensor
from rustorch.distributions import constraints
from rustorch.distributions.normal import Normal
from rustorch.distributions.transformed_distribution import TransformedDistribution
from rustorch.distributions.transforms import StickBreakingTransform

__all__ = ["LogisticNormal"]


class LogisticNormal(TransformedDistribution):
    """The distribution over the simplex of a vector of normal variables that `StickBreakingTransform` maps there.

    Args:
        loc: the means, of shape (*, K - 1); numbers are vectors of one.
        scale: the standard deviations, positive, of the same shape.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.LogisticNormal(rustorch.zeros(2), rustorch.ones(2)).sample().shape
    rustorch.Size([3])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex
    has_rsample = True
    base_dist: Any
    _expanded = {}

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        if not base.batch_shape:
            base = base.expand([1])
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        """The means of the normal variables."""
        loc: Tensor = self.base_dist.base_dist.loc
        return loc

    @property
    def scale(self) -> Tensor:
        """The standard deviations of the normal variables."""
        scale: Tensor = self.base_dist.base_dist.scale
        return scale
