"""Mixtures of distributions of one family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.categorical import Categorical
from rustorch.distributions.constraints import MixtureSameFamilyConstraint
from rustorch.distributions.distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """The mixture Σₖ w[k] p[k](x) of the distributions along the last dimension of a batch.

    Args:
        mixture_distribution: a Categorical with the weights w of the K components.
        component_distribution: the components, whose batch's last dimension is K long.
        validate_args: whether values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: if these are no such distributions, or their batches do not fit.

    Example:

    >>> D = rustorch.distributions
    >>> weights = D.Categorical(rustorch.tensor([0.25, 0.75]))
    >>> mixture = D.MixtureSameFamily(weights, D.Normal(rustorch.tensor([0.0, 4.0]), 1.0))
    >>> mixture.mean, mixture.variance
    (tensor(3.), tensor(4.))
    """

    arg_constraints: Any = {}
    has_rsample = False

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise InvalidArgumentError(
                f"The mixture distribution needs to be a Categorical, but is a {type(mixture_distribution).__name__}"
            )
        if not isinstance(component_distribution, Distribution):
            raise InvalidArgumentError(
                "The component distribution needs to be a Distribution, but is a "
                f"{type(component_distribution).__name__}"
            )
        mixture_batch, component_batch = mixture_distribution.batch_shape, component_distribution.batch_shape
        if not component_batch:
            raise InvalidArgumentError(
                "MixtureSameFamily: the components need a batch, whose last dimension counts them"
            )
        batch_shape = component_batch[:-1]
        for one, other in zip(reversed(mixture_batch), reversed(batch_shape), strict=False):
            if one != 1 and other != 1 and one != other:
                raise InvalidArgumentError(
                    f"`mixture_distribution.batch_shape` ({tuple(mixture_batch)}) is not compatible with "
                    f"`component_distribution.batch_shape`({tuple(batch_shape)})"
                )
        count = mixture_distribution.param_shape[-1]
        if count != component_batch[-1]:
            raise InvalidArgumentError(
                f"`mixture_distribution component` ({count}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({component_batch[-1]})"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        self._num_component = count
        self._event_ndims = len(component_distribution.event_shape)
        super().__init__(batch_shape, component_distribution.event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        new = self._get_checked_instance(MixtureSameFamily, _instance)
        new._component_distribution = self._component_distribution.expand((*batch_shape, self._num_component))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._num_component = self._num_component
        new._event_ndims = self._event_ndims
        made: Self = self._finish_expanding(new, batch_shape, self._event_shape)
        return made

    @constraints.dependent_property
    def support(self) -> Any:
        """The components' support."""
        return MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """The distribution of the components' numbers."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components."""
        return self._component_distribution

    def _average(self, of_components: Tensor) -> Tensor:
        """The weighted sum over the components of a tensor that has the events' dimensions."""
        probs = self._mixture_distribution.probs
        weights = probs.reshape(*probs.shape, *(1,) * self._event_ndims)
        return (weights * of_components).sum(-1 - self._event_ndims)

    def _pad(self, x: Tensor) -> Tensor:
        return x.unsqueeze(-1 - self._event_ndims)

    @property
    def mean(self) -> Tensor:
        return self._average(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        """The mean of the components' variances plus the variance of their means."""
        components = self._component_distribution
        return self._average(components.variance + (components.mean - self._pad(self.mean)).square())

    def cdf(self, x: Tensor) -> Tensor:
        return (self._component_distribution.cdf(self._pad(x)) * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        self._check_value(x)
        of_components = self._component_distribution.log_prob(self._pad(x))
        return (of_components + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with rustorch.no_grad():
            drawn = self._component_distribution.sample(sample_shape)
            chosen = self._mixture_distribution.expand(self._batch_shape).sample(sample_shape)
            place = drawn.dim() - 1 - self._event_ndims
            index = chosen.reshape(*chosen.shape, *(1,) * (self._event_ndims + 1))
            return drawn.gather(place, index.expand(*chosen.shape, 1, *self._event_shape)).squeeze(place)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
