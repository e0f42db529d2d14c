"""The base class of distributions that take probabilities or logits."""

from __future__ import annotations

from typing import Any, ClassVar

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import lazy_property, logits_to_probs, probs_to_logits


class _ProbsOrLogits(Distribution):
    """Holds the one of `probs` and `logits` that was given; the other one is computed when it is asked for."""

    #: Whether a parameter is about one event, else its last dimension is about the events of a category.
    _is_binary: ClassVar[bool] = True

    def _choose(self, probs: Any, logits: Any) -> tuple[str, Any]:
        """The name and value of the parameter that was given."""
        if (probs is None) == (logits is None):
            raise InvalidArgumentError(
                f"{type(self).__name__}: Either `probs` or `logits` must be specified, but not both."
            )
        return ("probs", probs) if logits is None else ("logits", logits)

    @lazy_property
    def logits(self) -> Tensor:
        """The logits; those of probabilities 0 and 1 are finite, see `utils.clamp_probs`."""
        return probs_to_logits(self.probs, is_binary=self._is_binary)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return logits_to_probs(self.logits, is_binary=self._is_binary)

    @property
    def _param(self) -> Tensor:
        """One of the two that needs no computing."""
        given: Tensor = self.probs if "probs" in self.__dict__ else self.logits
        return given

    @property
    def param_shape(self) -> Size:
        """The shape of `probs` and `logits`."""
        return self._param.shape

    def _new_like_parameter(self, *shape: int) -> Tensor:
        return rustorch.zeros(shape, dtype=self._param.dtype, device=self._param.device)
