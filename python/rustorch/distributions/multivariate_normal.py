"""The multivariate normal distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.utils import _standard_normal, lazy_property

__all__ = ["MultivariateNormal"]


def _batch_mv(matrix: Tensor, vector: Tensor) -> Tensor:
    """Products of matrices and vectors, whose batches broadcast."""
    if matrix.dim() == 2:
        return vector @ matrix.mT
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def _batch_mahalanobis(scale_tril: Tensor, x: Tensor) -> Tensor:
    """|L⁻¹ x|² for lower triangular L and vectors x, whose batches broadcast."""
    if scale_tril.dim() == 2:
        # One triangle for all vectors: one solution with many right sides.
        solved = rustorch.linalg.solve_triangular(scale_tril, x.reshape(-1, x.shape[-1]).mT, upper=False)
        return solved.square().sum(0).reshape(x.shape[:-1])
    size = x.shape[-1]
    batch = rustorch.broadcast_shapes(scale_tril.shape[:-2], x.shape[:-1])
    solved = rustorch.linalg.solve_triangular(
        scale_tril.expand(*batch, size, size), x.expand(*batch, size).unsqueeze(-1), upper=False
    )
    return solved.square().sum((-2, -1))


def _half_log_det(scale_tril: Tensor) -> Tensor:
    """log det L for triangular L: half of the covariance's log determinant."""
    return scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def _precision_to_scale_tril(precision: Tensor) -> Tensor:
    """The Cholesky factor of the inverse, without inverting: the factor of the matrix in reverse order is its
    inverse's."""
    reversed_factor = rustorch.linalg.cholesky(precision.flip((-2, -1)))
    inverse = reversed_factor.flip((-2, -1)).mT
    eye = rustorch.eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return rustorch.linalg.solve_triangular(inverse, eye.expand_as(inverse), upper=False)


class _CovarianceParameter(Distribution):
    """A distribution that takes one of a covariance matrix, its inverse, and its Cholesky factor; the others are
    lazy."""

    _unbroadcasted_scale_tril: Tensor

    def _choose_matrix(
        self, covariance_matrix: Tensor | None, precision_matrix: Tensor | None, scale_tril: Tensor | None
    ) -> tuple[str, Tensor]:
        named = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        given = [(name, matrix) for name, matrix in named.items() if matrix is not None]
        if len(given) != 1:
            raise InvalidArgumentError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
            )
        name, matrix = given[0]
        if matrix.dim() < 2:
            raise InvalidArgumentError(
                f"{name} must be at least two-dimensional, with optional leading batch dimensions"
            )
        return name, matrix

    def _factor(self, name: str, matrix: Tensor) -> Tensor:
        if name == "scale_tril":
            return matrix
        return rustorch.linalg.cholesky(matrix) if name == "covariance_matrix" else _precision_to_scale_tril(matrix)

    def _expand_matrix(self, matrix: Tensor) -> Tensor:
        return matrix.expand(*self._batch_shape, *matrix.shape[-2:])

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower triangular L with L Lᵀ = covariance_matrix."""
        return self._expand_matrix(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """L Lᵀ."""
        return self._expand_matrix(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance matrix."""
        return self._expand_matrix(rustorch.cholesky_inverse(self._unbroadcasted_scale_tril))


class MultivariateNormal(_CovarianceParameter):
    """The normal distribution of vectors of K: p(x) = exp(-(x - μ)ᵀ Σ⁻¹ (x - μ) / 2) / √((2π)ᴷ det Σ).

    One of the three matrices is given; computations use the Cholesky factor, so that `scale_tril` costs least.

    Args:
        loc: the mean μ, of shape (*, K).
        covariance_matrix: Σ, positive definite, of shape (*, K, K). Default: None.
        precision_matrix: its inverse. Default: None.
        scale_tril: its Cholesky factor L, lower triangular with a positive diagonal, Σ = L Lᵀ. Default: None.
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: unless `loc` is a vector at least and one of the matrices is given.
        LinAlgError: if a matrix is not positive definite and `validate_args` is False.

    Example:

    >>> normal = rustorch.distributions.MultivariateNormal(rustorch.zeros(2), rustorch.eye(2))
    >>> normal.log_prob(rustorch.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True
    _expanded = {"loc": 1, "covariance_matrix": 2, "precision_matrix": 2, "scale_tril": 2}
    _kept = ("_unbroadcasted_scale_tril",)

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise InvalidArgumentError("loc must be at least one-dimensional.")
        name, matrix = self._choose_matrix(covariance_matrix, precision_matrix, scale_tril)
        batch_shape = rustorch.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.__dict__[name] = matrix.expand(*batch_shape, *matrix.shape[-2:])
        self.loc = loc.expand(*batch_shape, loc.shape[-1])
        # Validated first: Cholesky would refuse a matrix with an error that does not say which parameter it is.
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = self._factor(name, matrix)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self._unbroadcasted_scale_tril.square().sum(-1).expand(self._extended_shape())

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        noise = _standard_normal(self._extended_shape(sample_shape), self.loc.dtype, self.loc.device)
        return self.loc + _batch_mv(self._unbroadcasted_scale_tril, noise)

    def _log_det(self) -> Tensor:
        return 2 * _half_log_det(self._unbroadcasted_scale_tril)

    def _squared_distance(self, difference: Tensor) -> Tensor:
        return _batch_mahalanobis(self._unbroadcasted_scale_tril, difference)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + self._log_det() + self._squared_distance(value - self.loc))

    def entropy(self) -> Tensor:
        constant = 0.5 * self._event_shape[0] * (1 + math.log(2 * math.pi))
        return (constant + _half_log_det(self._unbroadcasted_scale_tril)).expand(self._batch_shape)
