"""Relaxed categorical distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.categorical import _CategoryProbabilities
from rustorch.distributions.relaxed_bernoulli import _as_tensor
from rustorch.distributions.transformed_distribution import TransformedDistribution
from rustorch.distributions.transforms import ExpTransform

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]


class ExpRelaxedCategorical(_CategoryProbabilities):
    """The logarithms of a relaxed categorical variable: log_softmax((logits + G) / temperature), G of Gumbel's
    distribution.

    Args:
        temperature: the temperature, positive.
        probs: weights of shape (*, K), not negative; they are divided by their sum. Default: None.
        logits: logarithms of weights of shape (*, K), in place of `probs`. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of `probs` and `logits` is given, of at least one dimension.

    Example:

    >>> D = rustorch.distributions.relaxed_categorical
    >>> D.ExpRelaxedCategorical(1.0, logits=rustorch.zeros(3)).rsample().exp().sum()
    tensor(1.)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    # That the numbers are logarithms of a simplex' is not checked.
    support = constraints.real_vector
    has_rsample = True
    _expanded = {"probs": 1, "logits": 1}
    _kept = ("temperature",)

    def __init__(
        self,
        temperature: Tensor | float,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self._normalise(probs, logits)
        self.temperature = _as_tensor(temperature, self._param)
        super().__init__(self._param.shape[:-1], self._param.shape[-1:], validate_args=validate_args)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        exponential = rustorch.empty(shape, dtype=self._param.dtype, device=self._param.device).exponential_()
        return ((self.logits - exponential.log()) / self.temperature).log_softmax(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        count = self._num_events
        score = (self.logits - value * self.temperature).log_softmax(-1).sum(-1)
        return score + math.lgamma(count) + (count - 1) * self.temperature.log()


class RelaxedOneHotCategorical(TransformedDistribution):
    """A distribution over the simplex that becomes a one-hot categorical one where the temperature goes to 0.

    The concrete (Gumbel-softmax) distribution (Maddison, Mnih and Teh, 2017; Jang, Gu and Poole, 2017): its samples
    have gradients.

    Args:
        temperature: the temperature, positive.
        probs: weights of shape (*, K), not negative; they are divided by their sum. Default: None.
        logits: logarithms of weights of shape (*, K), in place of `probs`. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of `probs` and `logits` is given, of at least one dimension.

    Example:

    >>> relaxed = rustorch.distributions.RelaxedOneHotCategorical(rustorch.tensor(0.5), logits=rustorch.zeros(3))
    >>> relaxed.rsample((2,)).sum(-1)
    tensor([1., 1.])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex
    has_rsample = True
    base_dist: Any
    _expanded = {}

    def __init__(
        self,
        temperature: Tensor | float,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Tensor:
        """The temperature."""
        temperature: Tensor = self.base_dist.temperature
        return temperature

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities at temperature 0."""
        logits: Tensor = self.base_dist.logits
        return logits

    @property
    def probs(self) -> Tensor:
        """The probabilities at temperature 0."""
        probs: Tensor = self.base_dist.probs
        return probs
