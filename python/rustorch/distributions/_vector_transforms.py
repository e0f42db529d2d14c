"""Transforms of vectors and matrices, and of the parts of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rustorch
from rustorch import InvalidArgumentError, Size, Tensor
from rustorch.distributions import constraints
from rustorch.distributions._elementwise_transforms import _clipped_sigmoid, _log_sech_squared
from rustorch.distributions._transform import Transform, _Parameterless
from rustorch.distributions.utils import _sum_rightmost, lazy_property, tril_matrix_to_vec, vec_to_tril_matrix
from rustorch.nn import functional as F


def _of_vectors(shape: Sequence[int]) -> Size:
    """A shape that has a last dimension."""
    if not shape:
        raise InvalidArgumentError("Too few dimensions on input: takes vectors, but got a shape without dimensions")
    return Size(shape)


def _sums_from(x: Tensor) -> Tensor:
    """The sum of each element and those after it, which cancels nothing where the parts are positive."""
    return x.flip(-1).cumsum(-1).flip(-1)


class SoftmaxTransform(_Parameterless):
    """y = softmax(x) over the last dimension, which is not one to one: the inverse gives log y.

    Args:
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> rustorch.distributions.SoftmaxTransform()(rustorch.zeros(4))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return F.softmax(x, dim=-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Sequence[int]) -> Size:
        return _of_vectors(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return _of_vectors(shape)


class StickBreakingTransform(_Parameterless):
    """From K - 1 real numbers to the simplex of K: a bijection.

    A stick of length 1 is broken K - 1 times: z[k] = sigmoid(x[k] - log(K - 1 - k)) is the part that is taken of what
    is left, y[k] = z[k] Π_{j<k} (1 - z[j]). x = 0 gives equal parts. The inverse divides by the sum of the later
    parts; PyTorch's divides by 1 minus the sum of the earlier ones, which cancels where that is near 1.

    Args:
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> rustorch.distributions.StickBreakingTransform()(rustorch.zeros(3))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    @staticmethod
    def _log_left(x: Tensor) -> Tensor:
        """The logarithm of how many parts come after each."""
        return rustorch.arange(x.shape[-1], 0, -1, dtype=x.dtype, device=x.device).log()

    def _call(self, x: Tensor) -> Tensor:
        z = _clipped_sigmoid(x - self._log_left(x))
        left = (1 - z).cumprod(-1)
        return F.pad(z, [0, 1], value=1.0) * F.pad(left, [1, 0], value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        taken = y[..., :-1]
        left = _sums_from(y)[..., 1:].clamp(min=rustorch.finfo(y.dtype).tiny)
        return taken.log() - left.log() + self._log_left(taken)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (F.logsigmoid(self._log_left(x) - x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        *batch, size = _of_vectors(shape)
        return Size((*batch, size + 1))

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        *batch, size = _of_vectors(shape)
        return Size((*batch, size - 1))


class CorrCholeskyTransform(_Parameterless):
    """From D (D - 1) / 2 real numbers to the Cholesky factor of a D × D correlation matrix: a bijection.

    The numbers fill the matrix below the diagonal, row by row. r = tanh(x) is what is taken of the length that a row
    has left: y[i, j] = r[i, j] Π_{k<j} √(1 - r[i, k]²), and the diagonal takes the rest. Inverse and determinant are
    computed from what is left (sinh x[i, j] = y[i, j] / √Σ_{k>j} y[i, k]²) and are exact where tanh(x) is near ±1.

    Args:
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> rustorch.distributions.CorrCholeskyTransform()(rustorch.zeros(1))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        info = rustorch.finfo(x.dtype)
        r = vec_to_tril_matrix(x.tanh().clamp(min=info.eps - 1, max=1 - info.eps), diag=-1)
        # √(1 - tanh²) is 1 / cosh, and 1 outside the triangle, where x is 0.
        left = (1 / vec_to_tril_matrix(x, diag=-1).cosh()).clamp(min=info.tiny).cumprod(-1)
        eye = rustorch.eye(r.shape[-1], dtype=x.dtype, device=x.device)
        return (r + eye) * F.pad(left[..., :-1], [1, 0], value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        squared = y * y
        left = F.pad(_sums_from(squared)[..., 1:], [0, 1], value=1.0)
        # Without the diagonal, which the rest of a row determines, what is left is what the row does not take.
        whole = y.diagonal(dim1=-2, dim2=-1).unsqueeze(-1) > 0
        left = rustorch.where(whole, left, 1 - squared.cumsum(-1))
        return (tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(left, diag=-1).sqrt()).asinh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        # x[i, k] changes its own element by 1 - r² and scales each of the i - 1 - k after it by √(1 - r²).
        places = rustorch.arange(y.shape[-1], dtype=x.dtype, device=x.device)
        weights = tril_matrix_to_vec((places.unsqueeze(-1) - places + 1) / 2, diag=-1)
        return (weights * _log_sech_squared(x)).sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        *batch, count = _of_vectors(shape)
        size = round((0.25 + 2 * count) ** 0.5 + 0.5)
        if size * (size - 1) // 2 != count:
            raise InvalidArgumentError(
                f"CorrCholeskyTransform: takes vectors of D (D - 1) / 2 elements, but got {count}"
            )
        return Size((*batch, size, size))

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        if len(shape) < 2:
            raise InvalidArgumentError(f"Too few dimensions on input: takes matrices, but got shape {tuple(shape)}")
        if shape[-2] != shape[-1]:
            raise InvalidArgumentError(f"CorrCholeskyTransform: takes square matrices, but got shape {tuple(shape)}")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))


class LowerCholeskyTransform(_Parameterless):
    """From matrices to lower triangular ones with a positive diagonal: exp of the diagonal, 0 above it.

    Args:
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> rustorch.distributions.LowerCholeskyTransform()(rustorch.tensor([[0.0, 5.0], [3.0, 0.0]]))
    tensor([[1., 0.],
            [3., 1.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(_Parameterless):
    """From matrices to positive definite ones: L Lᵀ, where L is what `LowerCholeskyTransform` gives.

    Args:
        cache_size: 1 to keep the last pair of argument and result, 0 to keep none. Default: 0.

    Example:

    >>> rustorch.distributions.PositiveDefiniteTransform()(rustorch.tensor([[0.0, 5.0], [3.0, 0.0]]))
    tensor([[ 1.,  3.],
            [ 3., 10.]])
    """

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(rustorch.linalg.cholesky(y))


class _PartsTransform(Transform):
    """Transforms of the parts of a tensor along a dimension."""

    def __init__(self, tseq: Sequence[Transform], dim: int, cache_size: int) -> None:
        if not all(isinstance(t, Transform) for t in tseq):
            raise InvalidArgumentError(f"{type(self).__name__}: takes Transforms, but got {tseq!r}")
        super().__init__(cache_size=cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim

    @property
    def bijective(self) -> Any:
        return all(t.bijective for t in self.transforms)

    def _checked(self, value: Tensor, length: int) -> Tensor:
        if not -value.dim() <= self.dim < value.dim():
            raise InvalidArgumentError(
                f"{type(self).__name__}: dim {self.dim} is outside a tensor of {value.dim()} dimensions"
            )
        if value.shape[self.dim] != length:
            raise InvalidArgumentError(
                f"{type(self).__name__}: takes {length} along dimension {self.dim}, but got shape {tuple(value.shape)}"
            )
        return value


class CatTransform(_PartsTransform):
    """A transform for each of the parts that are concatenated along a dimension.

    Args:
        tseq: the transforms.
        dim: the dimension. Default: 0.
        lengths: how long each part is; None for 1 each. Default: None.
        cache_size: 1 to have each transform keep its last argument and result. Default: 0.

    Example:

    >>> D = rustorch.distributions
    >>> transform = D.CatTransform([D.ExpTransform(), D.identity_transform], lengths=[1, 2])
    >>> transform(rustorch.tensor([0.0, 3.0, 4.0]))
    tensor([1., 3., 4.])
    """

    _arguments = ("transforms", "dim", "lengths")

    def __init__(
        self,
        tseq: Sequence[Transform],
        dim: int = 0,
        lengths: Sequence[int] | None = None,
        cache_size: int = 0,
    ) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise InvalidArgumentError(
                f"CatTransform: got {len(self.transforms)} transforms and {len(self.lengths)} lengths"
            )

    @lazy_property
    def event_dim(self) -> Any:
        """The largest of the parts'."""
        return max(t.event_dim for t in self.transforms)

    @lazy_property
    def length(self) -> int:
        """How long the parts are together."""
        return sum(self.lengths)

    def _parts(self, value: Tensor) -> Sequence[Tensor]:
        return self._checked(value, self.length).split(self.lengths, self.dim)

    def _call(self, x: Tensor) -> Tensor:
        return rustorch.cat([t(part) for t, part in zip(self.transforms, self._parts(x), strict=True)], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return rustorch.cat([t.inv(part) for t, part in zip(self.transforms, self._parts(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The parts' logarithms, concatenated; their sum where `dim` is one of the events'."""
        terms = [
            _sum_rightmost(t.log_abs_det_jacobian(before, after), self.event_dim - t.event_dim)
            for t, before, after in zip(self.transforms, self._parts(x), self._parts(y), strict=True)
        ]
        dim = (self.dim - x.dim() if self.dim >= 0 else self.dim) + self.event_dim
        if dim < 0:
            return rustorch.cat(terms, dim)
        return rustorch.stack(rustorch.broadcast_tensors(terms)).sum(0)

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)


class StackTransform(_PartsTransform):
    """A transform for each of the parts that are stacked along a dimension.

    Args:
        tseq: the transforms.
        dim: the dimension. Default: 0.
        cache_size: 1 to have each transform keep its last argument and result. Default: 0.

    Example:

    >>> D = rustorch.distributions
    >>> transform = D.StackTransform([D.ExpTransform(), D.identity_transform], dim=1)
    >>> transform(rustorch.tensor([[0.0, 3.0]]))
    tensor([[1., 3.]])
    """

    _arguments = ("transforms", "dim")

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    def _parts(self, value: Tensor) -> Sequence[Tensor]:
        return self._checked(value, len(self.transforms)).unbind(self.dim)

    def _call(self, x: Tensor) -> Tensor:
        return rustorch.stack([t(part) for t, part in zip(self.transforms, self._parts(x), strict=True)], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return rustorch.stack([t.inv(part) for t, part in zip(self.transforms, self._parts(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        parts = zip(self.transforms, self._parts(x), self._parts(y), strict=True)
        return rustorch.stack([t.log_abs_det_jacobian(before, after) for t, before, after in parts], self.dim)

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.stack([t.codomain for t in self.transforms], self.dim)
