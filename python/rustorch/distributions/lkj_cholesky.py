"""The LKJ distribution of correlation matrices, by their Cholesky factors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.dirichlet import Dirichlet
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _in_double, _parameters
from rustorch.nn import functional as F

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """The distribution of lower Cholesky factors L of correlation matrices with p(L Lᵀ) ∝ det(L Lᵀ)^(concentration -
    1).

    1 makes all correlation matrices equally likely, larger numbers those near the identity. `log_prob` is the density
    of L, not that of L Lᵀ. Samples are drawn by the onion method (Lewandowski, Kurowicka and Joe, 2009), row by row.

    Args:
        dim: the number of rows, at least 2.
        concentration: the exponent plus 1, positive. Default: 1.0.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: if `dim` is below 2.

    Example:

    >>> factor = rustorch.distributions.LKJCholesky(3, 0.5).sample()
    >>> (factor @ factor.mT).diagonal()
    tensor([1., 1., 1.])
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky
    _expanded = {"concentration": 0}
    _kept = ("dim",)

    def __init__(self, dim: int, concentration: Tensor | float = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise InvalidArgumentError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = _parameters(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args=validate_args)

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        with rustorch.no_grad():
            of = self.concentration
            # Row k is a random direction of k numbers, whose squared length has a beta distribution.
            rows = rustorch.arange(1, self.dim, dtype=of.dtype, device=of.device)
            largest = of.unsqueeze(-1) + (self.dim - 2) / 2
            concentrations = rustorch.stack(rustorch.broadcast_tensors([rows / 2, largest - (rows - 1) / 2]), -1)
            # Both the beta variable and its complement, each with all its digits.
            parts = Dirichlet(concentrations, validate_args=False).sample(sample_shape)
            shape = self._extended_shape(sample_shape)
            normal = rustorch.randn(shape, dtype=of.dtype, device=of.device).tril(-1)
            length = normal.square().sum(-1, keepdim=True).sqrt().clamp(min=rustorch.finfo(of.dtype).tiny)
            below = F.pad(parts[..., 0], [1, 0]).sqrt().unsqueeze(-1) * normal / length
            return below + F.pad(parts[..., 1], [1, 0], value=1.0).sqrt().diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        diagonal = value.diagonal(dim1=-2, dim2=-1)[..., 1:]
        return _in_double(_log_density, self.concentration.unsqueeze(-1), diagonal)


def _log_density(concentration: Tensor, diagonal: Tensor) -> Tensor:
    below = diagonal.shape[-1]
    powers = rustorch.arange(below - 1, -1, -1, dtype=diagonal.dtype, device=diagonal.device)
    density = ((2 * (concentration - 1) + powers) * diagonal.log()).sum(-1)
    half = concentration.squeeze(-1) + below / 2
    return density - (0.5 * below * math.log(math.pi) + (half - 0.5).mvlgamma(below) - below * half.lgamma())
