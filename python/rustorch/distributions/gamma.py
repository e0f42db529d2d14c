"""The gamma distribution."""

from __future__ import annotations

from collections.abc import Sequence

import rustorch
from rustorch import Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._gamma_sampling import standard_gamma
from rustorch.distributions.exp_family import ExponentialFamily
from rustorch.distributions.utils import _in_double, _parameters

__all__ = ["Gamma"]


class Gamma(ExponentialFamily):
    """The gamma distribution: p(x) = rateᵃ xᵃ⁻¹ exp(-rate x) / Γ(a), a = concentration, for x > 0.

    `rsample` has gradients by `concentration`, too, by implicit differentiation of the quantile function; they can be
    taken once. `log_prob` and `entropy` are computed in float64, for their terms are large where `concentration` is.

    Args:
        concentration: the shape a, positive.
        rate: 1 / the scale, positive.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Example:

    >>> gamma = rustorch.distributions.Gamma(rustorch.tensor([1.0, 4.0]), 2.0)
    >>> gamma.mean, gamma.log_prob(rustorch.tensor(1.0))
    (tensor([0.5000, 2.0000]), tensor([-1.3069, -1.0192]))
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0.0
    _expanded = {"concentration": 0, "rate": 0}

    def __init__(self, concentration: Tensor | float, rate: Tensor | float, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = _parameters(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.square()

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        sample = standard_gamma(self.concentration.expand(self._extended_shape(sample_shape))) / self.rate
        return sample.clamp(min=rustorch.finfo(sample.dtype).tiny)

    def log_prob(self, value: Tensor | float) -> Tensor:
        """The logarithm of the density at `value`, a tensor or a number."""
        value = rustorch.as_tensor(value, dtype=self.rate.dtype, device=self.rate.device)
        self._check_value(value)
        return _in_double(_log_density, self.concentration, self.rate, value)

    def cdf(self, value: Tensor) -> Tensor:
        """The regularised incomplete gamma function; it has no gradient by `concentration`."""
        self._check_value(value)
        return rustorch.igamma(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        return _in_double(_entropy, self.concentration, self.rate)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        return (x + 1).lgamma() - (x + 1) * (-y).log()


def _log_density(a: Tensor, rate: Tensor, x: Tensor) -> Tensor:
    return a * rate.log() + (a - 1).xlogy(x) - rate * x - a.lgamma()


def _entropy(a: Tensor, rate: Tensor) -> Tensor:
    return a - rate.log() + a.lgamma() + (1 - a) * a.digamma()
