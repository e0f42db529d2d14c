"""The binomial distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rustorch
from rustorch import Size, Tensor, UnsupportedError
from rustorch.distributions import constraints
from rustorch.distributions._probabilities import _ProbsOrLogits
from rustorch.distributions.utils import _in_double, broadcast_all
from rustorch.nn import functional as F

__all__ = ["Binomial"]


class Binomial(_ProbsOrLogits):
    """The distribution of how many of n trials succeed: P(k) = (n over k) pᵏ (1 - p)ⁿ⁻ᵏ, n = total_count.

    Args:
        total_count: the number n of trials. Default: 1.
        probs: the probability p that one succeeds. Default: None.
        logits: log(p / (1 - p)), in place of `probs`. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of `probs` and `logits` is given.

    Example:

    >>> rustorch.distributions.Binomial(4, rustorch.tensor([0.5, 0.25])).mean
    tensor([2., 1.])
    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True
    _expanded = {"total_count": 0, "probs": 0, "logits": 0}

    def __init__(
        self,
        total_count: Tensor | int = 1,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, given = self._choose(probs, logits)
        given = given if isinstance(given, Tensor) else rustorch.tensor(float(given))
        total_count, self.__dict__[name] = broadcast_all(total_count, given)
        self.total_count = total_count.to(self._param.dtype)
        super().__init__(self._param.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """The integers from 0 to total_count."""
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with rustorch.no_grad():
            shape = self._extended_shape(sample_shape)
            return rustorch.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return _in_double(_log_probability, self.total_count, self.logits, value)

    def entropy(self) -> Tensor:
        """The entropy, a sum over every value; its time and memory grow with the largest total_count."""
        most = int(self.total_count.max())
        values = rustorch.arange(1 + most, dtype=self._param.dtype, device=self._param.device)
        values = values.reshape(-1, *(1,) * len(self._batch_shape))
        log_prob = _in_double(_log_probability, self.total_count, self.logits, values)
        # Values beyond a smaller total_count have no probability; their logarithms would give NaN.
        possible = values <= self.total_count
        log_prob = rustorch.where(possible, log_prob, 0.0)
        return -rustorch.where(possible, log_prob.exp() * log_prob, 0.0).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        most = int(self.total_count.max())
        if int(self.total_count.min()) != most:
            raise UnsupportedError(
                "Binomial: enumerate_support needs one total_count for the whole batch, but got "
                f"{int(self.total_count.min())} to {most}"
            )
        values = rustorch.arange(1 + most, dtype=self._param.dtype, device=self._param.device)
        values = values.reshape(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


def _log_probability(n: Tensor, logits: Tensor, k: Tensor) -> Tensor:
    log_choices = (n + 1).lgamma() - (k + 1).lgamma() - (n - k + 1).lgamma()
    return log_choices + k * F.logsigmoid(logits) + (n - k) * F.logsigmoid(-logits)
