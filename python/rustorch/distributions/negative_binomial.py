"""The negative binomial distribution."""

from __future__ import annotations

from collections.abc import Sequence

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._gamma_sampling import log_standard_gamma
from rustorch.distributions._probabilities import _ProbsOrLogits
from rustorch.distributions.utils import _in_double, broadcast_all
from rustorch.nn import functional as F

__all__ = ["NegativeBinomial"]


class NegativeBinomial(_ProbsOrLogits):
    """The distribution of how many trials succeed before the n-th failure, n = total_count.

    P(k) = Γ(n + k) / (Γ(n) k!) (1 - p)ⁿ pᵏ, where p is the probability of success; n need not be an integer. A sample
    is a Poisson variable whose expectation is a gamma variable.

    Args:
        total_count: n, not negative.
        probs: the probability p in [0, 1). Default: None.
        logits: log(p / (1 - p)), in place of `probs`. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of `probs` and `logits` is given.

    Example:

    >>> rustorch.distributions.NegativeBinomial(3.0, rustorch.tensor(0.5)).mean
    tensor(3.)
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer
    _expanded = {"total_count": 0, "probs": 0, "logits": 0}

    def __init__(
        self,
        total_count: Tensor | float,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, given = self._choose(probs, logits)
        given = given if isinstance(given, Tensor) else rustorch.tensor(float(given))
        total_count, self.__dict__[name] = broadcast_all(total_count, given)
        self.total_count = total_count.to(self._param.dtype)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with rustorch.no_grad():
            log_rate = log_standard_gamma(self.total_count.expand(self._extended_shape(sample_shape))) + self.logits
            return rustorch.poisson(log_rate.exp().to(self._param.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return _in_double(_log_probability, self.total_count, self.logits, value)


def _log_probability(n: Tensor, logits: Tensor, k: Tensor) -> Tensor:
    # With n = 0 the count is 0.
    log_choices = ((n + k).lgamma() - (1 + k).lgamma() - n.lgamma()).masked_fill(n + k == 0, 0.0)
    return log_choices + n * F.logsigmoid(-logits) + k * F.logsigmoid(logits)
