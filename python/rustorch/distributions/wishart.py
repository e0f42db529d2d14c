"""The Wishart distribution."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._gamma_sampling import standard_gamma
from rustorch.distributions.exp_family import ExponentialFamily
from rustorch.distributions.multivariate_normal import _CovarianceParameter, _half_log_det

__all__ = ["Wishart"]


def _mvdigamma(x: Tensor, p: int) -> Tensor:
    """The derivative of mvlgamma."""
    return (x.unsqueeze(-1) - rustorch.arange(p, dtype=x.dtype, device=x.device) / 2).digamma().sum(-1)


class Wishart(_CovarianceParameter, ExponentialFamily):
    """The Wishart distribution of X Xᵀ, where X has `df` columns, each normal with the covariance Σ of p × p.

    p(V) = det V^((df - p - 1)/2) exp(-tr(Σ⁻¹ V)/2) / (2^(df p/2) det Σ^(df/2) Γₚ(df/2)) over positive definite V; df
    need not be an integer. Samples are drawn by Bartlett's decomposition, with gradients by all parameters. One of the
    three matrices is given.

    Args:
        df: the degrees of freedom, above p - 1.
        covariance_matrix: Σ, positive definite, of shape (*, p, p). Default: None.
        precision_matrix: its inverse. Default: None.
        scale_tril: its Cholesky factor, lower triangular with a positive diagonal. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless one of the matrices is given and `df` is above p - 1.

    Example:

    >>> rustorch.distributions.Wishart(3.0, covariance_matrix=rustorch.eye(2)).mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0.0
    _expanded = {"df": 0, "covariance_matrix": 2, "precision_matrix": 2, "scale_tril": 2}
    _kept = ("_unbroadcasted_scale_tril",)

    @property
    def arg_constraints(self) -> Any:
        """The matrices' constraints, and df > p - 1."""
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Tensor | float,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, matrix = self._choose_matrix(covariance_matrix, precision_matrix, scale_tril)
        given = rustorch.as_tensor(df, dtype=matrix.dtype, device=matrix.device)
        batch_shape = rustorch.broadcast_shapes(matrix.shape[:-2], given.shape)
        self.df = given.expand(batch_shape)
        least = matrix.shape[-1] - 1
        if bool((self.df <= least).any()):
            raise InvalidArgumentError(f"Value of df={df} expected to be greater than ndim - 1 = {least}.")
        self.__dict__[name] = matrix.expand(*batch_shape, *matrix.shape[-2:])
        super().__init__(batch_shape, matrix.shape[-2:], validate_args=validate_args)
        if bool((self.df < matrix.shape[-1]).any()):
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        self._unbroadcasted_scale_tril = self._factor(name, matrix)

    @property
    def _p(self) -> int:
        return self._event_shape[-1]

    def _matrix_df(self) -> Tensor:
        return self.df.reshape(*self._batch_shape, 1, 1)

    @property
    def mean(self) -> Tensor:
        return self._matrix_df() * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """(df - p - 1) Σ; NaN where df is not above p + 1."""
        factor = self._matrix_df() - self._p - 1
        return (factor * self.covariance_matrix).masked_fill(factor <= 0, math.nan)

    @property
    def variance(self) -> Tensor:
        matrix = self.covariance_matrix
        diagonal = matrix.diagonal(dim1=-2, dim2=-1)
        return self._matrix_df() * (matrix.square() + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _bartlett(self, sample_shape: Sequence[int]) -> Tensor:
        shape = self._extended_shape(sample_shape)
        places = rustorch.arange(self._p, dtype=self.df.dtype, device=self.df.device)
        halves = ((self.df.unsqueeze(-1) - places) / 2).expand(shape[:-1])
        chi = (2 * standard_gamma(halves)).sqrt()
        below = rustorch.randn(shape, dtype=self.df.dtype, device=self.df.device).tril(-1)
        factor = self._unbroadcasted_scale_tril @ (below + chi.diag_embed())
        return factor @ factor.mT

    def rsample(self, sample_shape: Sequence[int] = Size(), max_try_correction: int | None = None) -> Tensor:
        """Draws with gradients.

        Args:
            sample_shape: how many. Default: ().
            max_try_correction: how often matrices that rounding made singular are drawn again; None for 10 times.
                Default: None.
        """
        sample = self._bartlett(sample_shape)
        for _ in range(10 if max_try_correction is None else max_try_correction):
            singular = ~constraints.positive_definite.check(sample.detach())
            if not bool(singular.any()):
                break
            warnings.warn("Singular sample detected.", stacklevel=2)
            sample = rustorch.where(singular[..., None, None], self._bartlett(sample_shape), sample)
        return sample

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        p, half = self._p, self.df / 2
        factor = self._unbroadcasted_scale_tril
        batch = rustorch.broadcast_shapes(factor.shape[:-2], value.shape[:-2])
        value = value.expand(*batch, p, p)
        trace = rustorch.cholesky_solve(value, factor.expand(*batch, p, p)).diagonal(dim1=-2, dim2=-1).sum(-1)
        log_det = 2 * _half_log_det(rustorch.linalg.cholesky(value))
        return (half - (p + 1) / 2) * log_det - trace / 2 - self._log_constant()

    def _log_constant(self) -> Tensor:
        """log(2^(df p/2) det Σ^(df/2) Γₚ(df/2))."""
        p = self._p
        scale = p * math.log(2) / 2 + _half_log_det(self._unbroadcasted_scale_tril)
        return self.df * scale + (self.df / 2).mvlgamma(p)

    def entropy(self) -> Tensor:
        p, half = self._p, self.df / 2
        scale = p * math.log(2) / 2 + _half_log_det(self._unbroadcasted_scale_tril)
        return (p + 1) * scale + half.mvlgamma(p) - (half - (p + 1) / 2) * _mvdigamma(half, p) + half * p

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._p - 1) / 2

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        half = y + (self._p + 1) / 2
        return half * (self._p * math.log(2) - rustorch.linalg.slogdet(-2 * x)[1]) + half.mvlgamma(self._p)
