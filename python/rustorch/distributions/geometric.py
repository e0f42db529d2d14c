"""The geometric distribution."""

from __future__ import annotations

from collections.abc import Sequence

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor, special
from rustorch.distributions import constraints
from rustorch.distributions._probabilities import _ProbsOrLogits
from rustorch.distributions.utils import _parameters
from rustorch.nn import functional as F

__all__ = ["Geometric"]


class Geometric(_ProbsOrLogits):
    """The distribution of how many trials fail before the first success: P(k) = (1 - p)ᵏ p, k = 0, 1, 2, …

    `Tensor.geometric_` counts the successful trial, too.

    Args:
        probs: the probability p of success, above 0. Default: None.
        logits: log(p / (1 - p)), in place of `probs`. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of `probs` and `logits` is given.

    Example:

    >>> rustorch.distributions.Geometric(0.25).mean
    tensor(3.)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer
    _expanded = {"probs": 0, "logits": 0}

    def __init__(
        self,
        probs: Tensor | float | None = None,
        logits: Tensor | float | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, given = self._choose(probs, logits)
        (self.__dict__[name],) = _parameters(given)
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._validate_args and name == "probs" and not bool((self.probs > 0).all()):
            raise InvalidArgumentError(
                f"Expected parameter probs (Tensor of shape {tuple(self.probs.shape)}) of distribution {self!r} "
                f"to be positive but found invalid values:\n{self.probs}"
            )

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return rustorch.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return self.mean / self.probs

    def _log_failure(self) -> Tensor:
        """log(1 - p)."""
        return F.logsigmoid(-self.logits) if "probs" not in self.__dict__ else (-self.probs).log1p()

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with rustorch.no_grad():
            shape = self._extended_shape(sample_shape)
            u = 1 - rustorch.rand(shape, dtype=self._param.dtype, device=self._param.device)
            return (u.log() / self._log_failure()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        if "probs" in self.__dict__:
            return special.xlog1py(value, -self.probs) + self.probs.log()
        return value * F.logsigmoid(-self.logits) + F.logsigmoid(self.logits)

    def entropy(self) -> Tensor:
        return F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
