"""Categorical distributions whose values are vectors."""

from __future__ import annotations

from collections.abc import Sequence

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.categorical import Categorical
from rustorch.distributions.distribution import Distribution
from rustorch.nn import functional as F

__all__ = ["OneHotCategorical", "OneHotCategoricalStraightThrough"]


class OneHotCategorical(Distribution):
    """The categorical distribution with values as vectors of one 1 and zeros.

    Args:
        probs: weights of shape (*, K), not negative; they are divided by their sum. Default: None.
        logits: logarithms of weights of shape (*, K), in place of `probs`. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of `probs` and `logits` is given, of at least one dimension.

    Example:

    >>> rustorch.distributions.OneHotCategorical(rustorch.tensor([0.0, 1.0])).sample()
    tensor([0., 1.])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True
    _expanded = {"_categorical": 0}

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        self._categorical = Categorical(probs, logits, validate_args=validate_args)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args=validate_args)

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of `probs` and `logits`."""
        return self._categorical.param_shape

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self._vectors(self._categorical.mode)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def _vectors(self, categories: Tensor) -> Tensor:
        return F.one_hot(categories, self._event_shape[0]).to(self.probs.dtype)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        return self._vectors(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self._event_shape[0]
        values = rustorch.eye(n, dtype=self.probs.dtype, device=self.probs.device)
        values = values.reshape(n, *(1,) * len(self._batch_shape), n)
        return values.expand(n, *self._batch_shape, n) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """A one-hot categorical distribution whose samples pass gradients on to `probs` as if they were the probabilities.

    The straight-through estimator (Bengio, Léonard and Courville, 2013): biased, but it has low variance.

    Args:
        probs: weights of shape (*, K), not negative; they are divided by their sum. Default: None.
        logits: logarithms of weights of shape (*, K), in place of `probs`. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> logits = rustorch.zeros(2, requires_grad=True)
    >>> sample = rustorch.distributions.OneHotCategoricalStraightThrough(logits=logits).rsample()
    >>> (sample * rustorch.tensor([1.0, 3.0])).sum().backward()
    >>> logits.grad
    tensor([-0.5000,  0.5000])
    """

    has_rsample = True

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
