"""Distributions of functions of a random variable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.independent import Independent
from rustorch.distributions.transforms import ComposeTransform, Transform
from rustorch.distributions.utils import _sum_rightmost

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The distribution of f(X), where X has the base distribution and f is a transform, or several one after the other.

    log p(y) = log p(x) - log |det df/dx|, x = f⁻¹(y). Its events have as many dimensions as base or transform need.

    Args:
        base_distribution: the distribution of X.
        transforms: a transform, or a list of them, the first of which is applied first.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: if `transforms` are no transforms, or take more dimensions than the base has.

    Example:

    >>> D = rustorch.distributions
    >>> logistic = D.TransformedDistribution(D.Uniform(0.0, 1.0), [D.SigmoidTransform().inv])
    >>> logistic.log_prob(rustorch.tensor(0.0)).exp()
    tensor(0.2500)
    """

    arg_constraints: Any = {}

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | list[Transform],
        validate_args: bool | None = None,
    ) -> None:
        given = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(given, list) or not all(isinstance(t, Transform) for t in given):
            raise InvalidArgumentError(
                f"transforms must be a Transform or a list of Transforms, but was {transforms!r}"
            )
        self.transforms = given

        shape = base_distribution._extended_shape()
        base_event_dim = len(base_distribution.event_shape)
        transform = ComposeTransform(given)
        domain_dim, codomain_dim = transform.domain.event_dim, transform.codomain.event_dim
        if len(shape) < domain_dim:
            raise InvalidArgumentError(
                f"base_distribution needs to have shape with size at least {domain_dim}, but got {tuple(shape)}."
            )
        forward_shape = transform.forward_shape(shape)
        # The transforms' parameters may have dimensions that the base lacks.
        expanded = transform.inverse_shape(forward_shape)
        if shape != expanded:
            base_distribution = base_distribution.expand(expanded[: len(expanded) - base_event_dim])
        if domain_dim > base_event_dim:
            base_distribution = Independent(base_distribution, domain_dim - base_event_dim)
        self.base_dist: Any = base_distribution

        event_dim = max(codomain_dim, base_event_dim + codomain_dim - domain_dim)
        cut = len(forward_shape) - event_dim
        super().__init__(forward_shape[:cut], forward_shape[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        new = self._get_checked_instance(TransformedDistribution, _instance)
        shape = Size((*batch_shape, *self._event_shape))
        for transform in reversed(self.transforms):
            shape = transform.inverse_shape(shape)
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        new.transforms = self.transforms
        self._expand_parameters(new, Size(batch_shape))
        made: Self = self._finish_expanding(new, batch_shape, self._event_shape)
        return made

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        """The last transform's codomain."""
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        extra = len(self._event_shape) - support.event_dim
        return constraints.independent(support, extra) if extra > 0 else support

    @property
    def has_rsample(self) -> Any:
        """Whether the base distribution has."""
        return self.base_dist.has_rsample

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with rustorch.no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        return self._forward(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        event_dim = len(self._event_shape)
        total: Tensor | None = None
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            term = transform.log_abs_det_jacobian(x, y)
            term = _sum_rightmost(term, event_dim - transform.domain.event_dim)
            total = term if total is None else total + term
            y = x
        base = _sum_rightmost(self.base_dist.log_prob(y), event_dim - len(self.base_dist.event_shape))
        return base if total is None else base - total

    def _turned(self, probability: Tensor) -> Tensor:
        """The probability, or that of the other side where the transforms fall."""
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        if isinstance(sign, Tensor):
            return rustorch.where(sign < 0, 1 - probability, probability)
        return 1 - probability if sign < 0 else probability

    def cdf(self, value: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._turned(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._forward(self.base_dist.icdf(self._turned(value)))
