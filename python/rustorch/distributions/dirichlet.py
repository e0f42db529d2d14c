"""The Dirichlet distribution."""

from __future__ import annotations

from collections.abc import Sequence

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._gamma_sampling import standard_dirichlet
from rustorch.distributions.exp_family import ExponentialFamily
from rustorch.distributions.utils import _in_double

__all__ = ["Dirichlet"]


class Dirichlet(ExponentialFamily):
    """The Dirichlet distribution over the simplex: p(x) = Γ(Σa) Π x[k]^(a[k] - 1) / Γ(a[k]), a = concentration.

    `rsample` has gradients by `concentration`, by implicit differentiation; they can be taken once. Samples of small
    concentrations are drawn as logarithms, so that they do not become 0 / 0.

    Args:
        concentration: the parameters a, positive, of shape (*, K).
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: if `concentration` has no dimension.

    Example:

    >>> rustorch.distributions.Dirichlet(rustorch.tensor([1.0, 3.0])).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True
    _expanded = {"concentration": 1}

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise InvalidArgumentError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        return standard_dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return _in_double(_log_density, self.concentration, value)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def mode(self) -> Tensor:
        """The mode, 0 where a concentration is below 1; where all are, one of the corners."""
        excess = (self.concentration - 1).clamp(min=0.0)
        mode = excess / excess.sum(-1, keepdim=True)
        flat = (self.concentration < 1).all(-1, keepdim=True)
        places = rustorch.arange(mode.shape[-1], device=mode.device)
        corner = (self.concentration.argmax(-1, keepdim=True) == places).to(mode.dtype)
        return rustorch.where(flat, corner, mode)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, keepdim=True)
        return self.concentration * (total - self.concentration) / (total.square() * (total + 1))

    def entropy(self) -> Tensor:
        return _in_double(_entropy, self.concentration)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        (x,) = natural_params
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()


def _log_density(a: Tensor, x: Tensor) -> Tensor:
    return (a - 1).xlogy(x).sum(-1) + a.sum(-1).lgamma() - a.lgamma().sum(-1)


def _entropy(a: Tensor) -> Tensor:
    total = a.sum(-1)
    digammas = (total - a.shape[-1]) * total.digamma() - ((a - 1) * a.digamma()).sum(-1)
    return a.lgamma().sum(-1) - total.lgamma() + digammas
