"""The beta distribution."""

from __future__ import annotations

from collections.abc import Sequence

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._gamma_sampling import standard_dirichlet
from rustorch.distributions.exp_family import ExponentialFamily
from rustorch.distributions.utils import _in_double, _parameters

__all__ = ["Beta"]


class Beta(ExponentialFamily):
    """The beta distribution: p(x) = xᵃ⁻¹ (1 - x)ᵇ⁻¹ / B(a, b) over [0, 1], a = concentration1, b = concentration0.

    `rsample` has gradients by both, by implicit differentiation of the quantile function; they can be taken once.

    Args:
        concentration1: a, positive.
        concentration0: b, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> rustorch.distributions.Beta(1.0, 3.0).mean
    tensor(0.2500)
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True
    _expanded = {"concentration1": 0, "concentration0": 0}

    def __init__(
        self,
        concentration1: Tensor | float,
        concentration0: Tensor | float,
        validate_args: bool | None = None,
    ) -> None:
        self.concentration1, self.concentration0 = _parameters(concentration1, concentration0)
        super().__init__(self.concentration1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        """The mode; where no concentration is above 1, the end of the larger one; NaN where both are 1."""
        a, b = self.concentration1 - 1, self.concentration0 - 1
        inner = a.clamp(min=0) / (a.clamp(min=0) + b.clamp(min=0))
        at_end = (a <= 0) & (b <= 0) & ((a < 0) | (b < 0))
        return rustorch.where(at_end, (a >= b).to(inner.dtype), inner)

    @property
    def variance(self) -> Tensor:
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.square() * (total + 1))

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        concentration = rustorch.stack([self.concentration1, self.concentration0], -1)
        return standard_dirichlet(concentration.expand((*self._extended_shape(sample_shape), 2)))[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return _in_double(_log_density, self.concentration1, self.concentration0, value)

    def entropy(self) -> Tensor:
        return _in_double(_entropy, self.concentration1, self.concentration0)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration1, self.concentration0

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        return _log_beta(*natural_params)


def _log_beta(a: Tensor, b: Tensor) -> Tensor:
    return a.lgamma() + b.lgamma() - (a + b).lgamma()


def _log_density(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    return (a - 1).xlogy(x) + rustorch.special.xlog1py(b - 1, -x) - _log_beta(a, b)


def _entropy(a: Tensor, b: Tensor) -> Tensor:
    total = a + b
    return _log_beta(a, b) - (a - 1) * a.digamma() - (b - 1) * b.digamma() + (total - 2) * total.digamma()
