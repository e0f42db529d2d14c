"""The multivariate normal distribution whose covariance is of low rank but for its diagonal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions.distribution import Distribution
from rustorch.distributions.multivariate_normal import _batch_mahalanobis, _batch_mv, _half_log_det
from rustorch.distributions.utils import _standard_normal, lazy_property

__all__ = ["LowRankMultivariateNormal"]


def _capacitance_tril(factor: Tensor, diag: Tensor) -> Tensor:
    """The Cholesky factor of I + Wᵀ D⁻¹ W."""
    eye = rustorch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
    return rustorch.linalg.cholesky(eye + (factor.mT / diag.unsqueeze(-2)) @ factor)


class LowRankMultivariateNormal(Distribution):
    """The multivariate normal distribution with the covariance W Wᵀ + D, W of rank R and D diagonal.

    Determinants and solutions cost those of R × R matrices, by the determinant lemma and Woodbury's identity.

    Args:
        loc: the mean, of shape (*, K).
        cov_factor: W, of shape (*, K, R).
        cov_diag: the diagonal of D, positive, of shape (*, K).
        validate_args: whether parameters and values are checked; None takes the default. Default: None.

    Raises:
        InvalidArgumentError: if the shapes do not fit.

    Example:

    >>> W = rustorch.tensor([[1.0], [0.0]])
    >>> normal = rustorch.distributions.LowRankMultivariateNormal(rustorch.zeros(2), W, rustorch.ones(2))
    >>> normal.covariance_matrix
    tensor([[2., 0.],
            [0., 1.]])
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True
    _expanded = {"loc": 1, "cov_factor": 2, "cov_diag": 1}
    _kept = ("_unbroadcasted_cov_factor", "_unbroadcasted_cov_diag", "_capacitance_tril")

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        if loc.dim() < 1:
            raise InvalidArgumentError("loc must be at least one-dimensional.")
        size = loc.shape[-1]
        if cov_factor.dim() < 2 or cov_factor.shape[-2] != size:
            raise InvalidArgumentError(
                f"cov_factor must be a batch of matrices with shape {size} x m, but has shape {tuple(cov_factor.shape)}"
            )
        if cov_diag.shape[-1:] != loc.shape[-1:]:
            raise InvalidArgumentError(
                f"cov_diag must be a batch of vectors with shape ({size},), but has shape {tuple(cov_diag.shape)}"
            )
        shapes = loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1]
        try:
            batch_shape = rustorch.broadcast_shapes(*shapes)
        except RuntimeError as error:
            raise InvalidArgumentError(
                f"Incompatible batch shapes: loc {tuple(loc.shape)}, cov_factor {tuple(cov_factor.shape)}, "
                f"cov_diag {tuple(cov_diag.shape)}"
            ) from error
        self.loc = loc.expand(*batch_shape, size)
        self.cov_factor = cov_factor.expand(*batch_shape, *cov_factor.shape[-2:])
        self.cov_diag = cov_diag.expand(*batch_shape, size)
        super().__init__(batch_shape, (size,), validate_args=validate_args)
        self._unbroadcasted_cov_factor = cov_factor
        self._unbroadcasted_cov_diag = cov_diag
        self._capacitance_tril = _capacitance_tril(cov_factor, cov_diag)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self.cov_factor.square().sum(-1) + self.cov_diag

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        # D^½ (I + D^-½ W Wᵀ D^-½) D^½: the matrix in the middle has no eigenvalue below 1.
        root = self.cov_diag.sqrt().unsqueeze(-1)
        factor = self.cov_factor / root
        eye = rustorch.eye(root.shape[-2], dtype=root.dtype, device=root.device)
        return root * rustorch.linalg.cholesky(eye + factor @ factor.mT)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """W Wᵀ + D."""
        return self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance, D⁻¹ - D⁻¹ W C⁻¹ Wᵀ D⁻¹."""
        solved = self._solved_factor()
        precision = self._unbroadcasted_cov_diag.reciprocal().diag_embed() - solved.mT @ solved
        return precision.expand(*self._batch_shape, *precision.shape[-2:])

    def _solved_factor(self) -> Tensor:
        """A with D⁻¹ - Aᵀ A as the precision: C^-½ Wᵀ D⁻¹."""
        weighted = self._unbroadcasted_cov_factor.mT / self._unbroadcasted_cov_diag.unsqueeze(-2)
        capacitance = self._capacitance_tril.expand(*weighted.shape[:-2], *self._capacitance_tril.shape[-2:])
        return rustorch.linalg.solve_triangular(capacitance, weighted, upper=False)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        rank = self.cov_factor.shape[-1]
        shared = _standard_normal((*shape[:-1], rank), self.loc.dtype, self.loc.device)
        own = _standard_normal(shape, self.loc.dtype, self.loc.device)
        spread = self._unbroadcasted_cov_diag.sqrt() * own
        return self.loc + _batch_mv(self._unbroadcasted_cov_factor, shared) + spread

    def _log_det(self) -> Tensor:
        return 2 * _half_log_det(self._capacitance_tril) + self._unbroadcasted_cov_diag.log().sum(-1)

    def _squared_distance(self, difference: Tensor) -> Tensor:
        scaled = difference / self._unbroadcasted_cov_diag
        projected = _batch_mv(self._unbroadcasted_cov_factor.mT, scaled)
        return (difference * scaled).sum(-1) - _batch_mahalanobis(self._capacitance_tril, projected)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + self._log_det() + self._squared_distance(value - self.loc))

    def entropy(self) -> Tensor:
        entropy = 0.5 * (self._event_shape[0] * (1 + math.log(2 * math.pi)) + self._log_det())
        return entropy.expand(self._batch_shape)
