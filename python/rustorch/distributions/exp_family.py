"""The base class of exponential families."""

from __future__ import annotations

import rustorch
from rustorch import Tensor
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _sum_rightmost

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """A distribution of the form p(x) = h(x) exp(⟨t(x), θ⟩ - A(θ)).

    A subclass gives the natural parameters θ as `_natural_params`, the log normaliser A as `_log_normalizer` and
    E log h(x) as `_mean_carrier_measure`. Entropy (A(θ) - ⟨θ, ∇A(θ)⟩ - E log h) and the divergence between two
    distributions of one family (a Bregman divergence of A) then follow by automatic differentiation.

    Args:
        batch_shape: the shape of the batch. Default: ().
        event_shape: the shape of one draw. Default: ().
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> issubclass(rustorch.distributions.Normal, rustorch.distributions.ExponentialFamily)
    True
    """

    _mean_carrier_measure: float | Tensor

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise self._lacks("_natural_params")

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise self._lacks("_log_normalizer")

    def entropy(self) -> Tensor:
        """The entropy in nats, by the gradient of the log normaliser."""
        # Without a gradient by the parameters there is nothing to differentiate the entropy by.
        recorded = rustorch.is_grad_enabled() and any(p.requires_grad for p in self._natural_params)
        parameters = [p if p.requires_grad else p.detach().requires_grad_() for p in self._natural_params]
        with rustorch.enable_grad():
            normalizer = self._log_normalizer(*parameters)
            gradients = rustorch.autograd.grad(normalizer.sum(), parameters, create_graph=recorded)
            result = normalizer - self._mean_carrier_measure
            for parameter, gradient in zip(parameters, gradients, strict=True):
                term = parameter * gradient
                result = result - _sum_rightmost(term, term.dim() - len(self._batch_shape))
        return result if recorded else result.detach()
