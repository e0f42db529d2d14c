"""The multinomial distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rustorch
from rustorch import Size, Tensor, UnsupportedError
from rustorch.distributions import constraints
from rustorch.distributions.binomial import Binomial
from rustorch.distributions.categorical import Categorical
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _in_double

__all__ = ["Multinomial"]


class Multinomial(Distribution):
    """The distribution of how often each of K categories is drawn in n draws: P(k) = n! Π p[i]^k[i] / k[i]!

    A value's counts may have any sum as far as `log_prob` is concerned, which need not know n.

    Args:
        total_count: the number n of draws. Default: 1.
        probs: weights of shape (*, K), not negative; they are divided by their sum. Default: None.
        logits: logarithms of weights of shape (*, K), in place of `probs`. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of `probs` and `logits` is given.
        UnsupportedError: (a NotImplementedError) if `total_count` is not an int.

    Example:

    >>> rustorch.distributions.Multinomial(10, rustorch.tensor([1.0, 4.0])).mean
    tensor([2., 8.])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    _expanded = {"_categorical": 0}
    _kept = ("total_count",)

    def __init__(
        self,
        total_count: int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise UnsupportedError(
                f"Multinomial: inhomogeneous total_count is not supported: it must be an int, but is {total_count!r}"
            )
        self.total_count = total_count
        self._categorical = Categorical(probs, logits, validate_args=validate_args)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        """Counts whose sum is at most total_count."""
        return constraints.multinomial(self.total_count)

    @property
    def probs(self) -> Tensor:
        """The probabilities of one draw."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities of one draw."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of `probs` and `logits`."""
        return self._categorical.param_shape

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with rustorch.no_grad():
            shape = self._extended_shape(sample_shape)
            drawn = self._categorical.sample((self.total_count, *sample_shape))
            counts = rustorch.zeros(shape, dtype=self.probs.dtype, device=self.probs.device)
            drawn = drawn.movedim(0, -1)
            return counts.scatter_add(-1, drawn, rustorch.ones_like(drawn, dtype=counts.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return _in_double(_log_probability, self.logits, value)

    def entropy(self) -> Tensor:
        """The entropy, by the expectations of log k! over each category's binomial distribution."""
        n = self.total_count
        counts = Binomial(total_count=n, probs=self.probs, validate_args=False)
        values = counts.enumerate_support(expand=False)
        weights = counts.log_prob(values).exp()
        log_factorials = _in_double(lambda k: (k + 1).lgamma(), values)
        log_all = _in_double(lambda k: (k + 1).lgamma(), rustorch.full_like(self.probs[..., 0], n))
        return n * self._categorical.entropy() - log_all + (weights * log_factorials).sum((0, -1))


def _log_probability(logits: Tensor, k: Tensor) -> Tensor:
    # Categories without probability that were not drawn: 0 times -∞.
    logits, k = rustorch.broadcast_tensors([logits, k])
    terms = (logits * k).masked_fill((k == 0) & logits.isinf(), 0.0)
    return (k.sum(-1) + 1).lgamma() - (k + 1).lgamma().sum(-1) + terms.sum(-1)
