"""The categorical distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._probabilities import _ProbsOrLogits

__all__ = ["Categorical"]


class _CategoryProbabilities(_ProbsOrLogits):
    """A distribution whose parameters' last dimension is about the categories; it is normalised."""

    _is_binary = False

    def _normalise(self, probs: Tensor | None, logits: Tensor | None) -> None:
        name, given = self._choose(probs, logits)
        if given.dim() < 1:
            raise InvalidArgumentError(f"`{name}` parameter must be at least one-dimensional.")
        if name == "probs":
            self.__dict__[name] = given / given.sum(-1, keepdim=True)
        else:
            self.__dict__[name] = given - given.logsumexp(-1, keepdim=True)

    @property
    def _num_events(self) -> int:
        return self._param.shape[-1]


class Categorical(_CategoryProbabilities):
    """The distribution of one of the numbers 0, …, K - 1, with a probability for each.

    Mean and variance of a category's number mean nothing: NaN. `logits` of given `probs` are those of probabilities
    clamped to [eps, 1 - eps] of the dtype; where smaller ones matter, give `logits`.

    Args:
        probs: weights of shape (*, K), not negative; they are divided by their sum. Default: None.
        logits: logarithms of weights of shape (*, K), in place of `probs`. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of `probs` and `logits` is given, of at least one dimension.

    Example:

    >>> dice = rustorch.distributions.Categorical(rustorch.tensor([1.0, 1.0, 2.0]))
    >>> dice.probs, dice.log_prob(rustorch.tensor(2))
    (tensor([0.2500, 0.2500, 0.5000]), tensor(-0.6931))
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True
    _expanded = {"probs": 1, "logits": 1}

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        self._normalise(probs, logits)
        super().__init__(self._param.shape[:-1], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """The integers from 0 to K - 1."""
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        return self._new_like_parameter(*self._batch_shape) + math.nan

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return self.mean

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with rustorch.no_grad():
            count, shape = Size(sample_shape).numel(), self._extended_shape(sample_shape)
            rows = self.probs.reshape(-1, self._num_events)
            if count == 0 or rows.shape[0] == 0:
                return rustorch.empty(shape, dtype=rustorch.int64, device=rows.device)
            return rustorch.multinomial(rows, count, replacement=True).T.reshape(shape)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        value = value.long().unsqueeze(-1)
        shape = rustorch.broadcast_shapes(value.shape[:-1], self.logits.shape[:-1])
        logits = self.logits.expand(*shape, self._num_events)
        return logits.gather(-1, value.expand(*shape, 1)).squeeze(-1)

    def entropy(self) -> Tensor:
        logits = self.logits.clamp(min=rustorch.finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = rustorch.arange(self._num_events, dtype=rustorch.int64, device=self._param.device)
        values = values.reshape(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values
