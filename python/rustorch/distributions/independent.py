"""Distributions whose batch is one event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Self, TypeVar

from rustorch import InvalidArgumentError, Size, Tensor, UnsupportedError
from rustorch.distributions import constraints
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _sum_rightmost

__all__ = ["Independent"]

D = TypeVar("D", bound=Distribution)


class Independent(Distribution, Generic[D]):
    """A distribution whose last dimensions of the batch are dimensions of the event: `log_prob` is summed over them.

    Args:
        base_distribution: the distribution.
        reinterpreted_batch_ndims: how many of its batch's dimensions.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: if the batch has fewer dimensions.

    Example:

    >>> D = rustorch.distributions
    >>> diagonal = D.Independent(D.Normal(rustorch.zeros(2, 3), 1.0), 1)
    >>> diagonal.batch_shape, diagonal.event_shape, diagonal.log_prob(rustorch.zeros(3)).shape
    (rustorch.Size([2]), rustorch.Size([3]), rustorch.Size([2]))
    """

    arg_constraints: Any = {}
    base_dist: D

    def __init__(self, base_distribution: D, reinterpreted_batch_ndims: int, validate_args: bool | None = None) -> None:
        batch_ndims = len(base_distribution.batch_shape)
        if not 0 <= reinterpreted_batch_ndims <= batch_ndims:
            raise InvalidArgumentError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), "
                f"actual {reinterpreted_batch_ndims} vs {batch_ndims}"
            )
        shape = base_distribution._extended_shape()
        cut = batch_ndims - reinterpreted_batch_ndims
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        super().__init__(shape[:cut], shape[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        new = self._get_checked_instance(Independent, _instance)
        new.reinterpreted_batch_ndims = self.reinterpreted_batch_ndims
        new.base_dist = self.base_dist.expand((*batch_shape, *self._event_shape[: self.reinterpreted_batch_ndims]))
        made: Self = self._finish_expanding(new, batch_shape, self._event_shape)
        return made

    @property
    def has_rsample(self) -> Any:
        """Whether the base distribution has."""
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> Any:
        """Whether the base distribution has, and nothing is reinterpreted."""
        return not self.reinterpreted_batch_ndims and self.base_dist.has_enumerate_support

    @constraints.dependent_property
    def support(self) -> Any:
        """The base distribution's, of which all elements of an event must be in it."""
        support = self.base_dist.support
        extra = self.reinterpreted_batch_ndims
        return constraints.independent(support, extra) if extra else support

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        return _sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        return _sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        if self.reinterpreted_batch_ndims:
            raise UnsupportedError(
                "Independent does not enumerate the Cartesian product of its elements' values: "
                "use itertools.product of base_dist.enumerate_support()"
            )
        return self.base_dist.enumerate_support(expand=expand)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"
