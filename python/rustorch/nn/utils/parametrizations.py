"""Parametrizations that are ready: orthogonal matrices, spectral and weight normalisation."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import rustorch
from rustorch._C import Tensor
from rustorch.autograd.grad_mode import no_grad
from rustorch.nn import functional as F
from rustorch.nn.modules.module import Module

from . import parametrize
from .spectral_norm import as_matrix, default_dim
from .weight_norm import norm_except_dim, normalized

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _tensor_of(module: Module, name: str) -> Tensor:
    tensor = getattr(module, name, None)
    if not isinstance(tensor, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return tensor


class _OrthMaps(Enum):
    matrix_exp = auto()
    cayley = auto()
    householder = auto()


def _is_orthogonal(q: Tensor) -> bool:
    rows, columns = q.shape[-2:]
    identity = rustorch.eye(columns, dtype=q.dtype, device=q.device)
    return rustorch.allclose(q.mH @ q, identity, atol=10.0 * rows * rustorch.finfo(q.dtype).eps)


def _made_orthogonal(a: Tensor) -> Tensor:
    """The orthogonal factor of a matrix, with the signs that make the other factor's diagonal positive."""
    reflectors, tau = rustorch.geqrf(a)
    signs = reflectors.diagonal(dim1=-2, dim2=-1).sgn()
    return rustorch.linalg.householder_product(reflectors, tau) * signs.unsqueeze(-2)


class _Orthogonal(Module):
    """Maps any matrix to one with orthonormal columns, or rows where there are fewer of them."""

    base: Tensor

    def __init__(self, weight: Tensor, orthogonal_map: _OrthMaps, *, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == _OrthMaps.householder:
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        transposed = x.shape[-2] < x.shape[-1]
        if transposed:
            x = x.mT
        rows, columns = x.shape[-2:]
        if self.orthogonal_map == _OrthMaps.householder:
            below = x.tril(-1)
            tau = 2.0 / (1.0 + (below * below).sum(-2))
            q = rustorch.linalg.householder_product(below, tau)
            q = q * x.diagonal(dim1=-2, dim2=-1).to(rustorch.int32).unsqueeze(-2)
        else:
            lower = x.tril()
            if rows != columns:
                lower = rustorch.cat([lower, x.new_zeros(*x.shape[:-1], rows - columns)], -1)
            skew = lower - lower.mH
            if self.orthogonal_map == _OrthMaps.matrix_exp:
                q = rustorch.matrix_exp(skew)
            else:
                identity = rustorch.eye(rows, dtype=x.dtype, device=x.device)
                q = rustorch.linalg.solve(identity - 0.5 * skew, identity + 0.5 * skew)
            q = q[..., :columns]
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if transposed else q

    def right_inverse(self, q: Tensor) -> Tensor:
        """What forward() maps to `q`; where it is not orthogonal, to the orthogonal matrix of its decomposition."""
        with no_grad():
            return self._right_inverse(q)

    def _right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {q.shape}."
            )
        wide = q.shape[-2] < q.shape[-1]
        tall = q.mT if wide else q
        rows, columns = tall.shape[-2:]
        if not hasattr(self, "base"):
            if self.orthogonal_map != _OrthMaps.householder:
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            # forward() computes with reflectors below the diagonal, and with signs on it.
            reflectors, tau = rustorch.geqrf(tall)
            diagonal = reflectors.diagonal(dim1=-2, dim2=-1)
            signs = diagonal.sign()
            diagonal.copy_(signs.where(tau != 0.0, -signs))
            return reflectors.mT if wide else reflectors
        if rows != columns:
            others = rustorch.randn(*tall.shape[:-1], rows - columns, dtype=q.dtype, device=q.device)
            self.base = _made_orthogonal(rustorch.cat([tall, others], -1))
        else:
            self.base = tall.clone() if _is_orthogonal(tall) else _made_orthogonal(tall)
        # Both maps take -1 on the diagonal to the identity: A - Aᴴ does not see it, and Householder's has signs there.
        negative_identity = rustorch.zeros_like(q)
        negative_identity.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return negative_identity


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keeps a matrix of a module orthogonal while it is learned: orthonormal columns, or rows if there are fewer.

    The parameter `original` is any matrix X, and A its lower triangle minus the conjugate transpose of that.
    'matrix_exp' is `exp(A)`, 'cayley' `(I - A/2)⁻¹ (I + A/2)`, and 'householder' a product of the reflections whose
    vectors are X's columns below the diagonal. With use_trivialization the result is multiplied by a fixed orthogonal
    matrix, the buffer `base`, so that learning starts at the tensor as it is, and assignment works (M. Lezcano-Casado,
    2019).

    Args:
        module: the module; it is returned.
        name: the name of its parameter or buffer, a matrix or a batch of them. Default: 'weight'.
        orthogonal_map: 'matrix_exp', 'cayley' or 'householder'; None is 'matrix_exp' for square or complex matrices and
            else 'householder'. Default: None.
        use_trivialization: whether there is a base. It takes memory, and makes most optimizations better.
            Default: True.

    Raises:
        ValueError: where the module has no such tensor, it has fewer than two dimensions, orthogonal_map is another
            word, or 'householder' is asked for complex numbers.

    Example:

    >>> layer = rustorch.nn.utils.parametrizations.orthogonal(rustorch.nn.Linear(20, 40))
    >>> q = layer.weight
    >>> rustorch.allclose(q.T @ q, rustorch.eye(20), atol=1e-5)
    True
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in _OrthMaps.__members__:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    parametrization = _Orthogonal(weight, _OrthMaps[orthogonal_map], use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, parametrization, unsafe=True)


class _WeightNorm(Module):
    """Gives the weight of a length and a direction."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return normalized(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The length and the direction of a weight."""
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Splits a module's weight into length and direction, which are learned instead (T. Salimans and D. Kingma, 2016).

    `weight = g · v / ‖v‖`; g is `parametrizations.weight.original0`, v `parametrizations.weight.original1`. States that
    nn.utils.weight_norm() saved, with `weight_g` and `weight_v`, are loaded, too.

    Args:
        module: the module; it is returned.
        name: the name of its parameter or buffer. Default: 'weight'.
        dim: the dimension along which each index has a length of its own; None is one length for all. Default: 0.

    Example:

    >>> layer = rustorch.nn.utils.parametrizations.weight_norm(rustorch.nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.shape, layer.parametrizations.weight.original1.shape
    (rustorch.Size([40, 1]), rustorch.Size([40, 20]))
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict: dict[str, Any], prefix: str, *others: object) -> None:
        old = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in old):
            for index, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{name}.original{index}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    """Divides a weight by its largest singular value, of which power iterations keep an estimate."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight.detach(), self.dim)
            rows, columns = matrix.shape
            u, v = matrix.new_empty(rows).normal_(0, 1), matrix.new_empty(columns).normal_(0, 1)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            # Enough for a good estimate: one iteration per use keeps it good.
            self._power_method(matrix, 15)

    def _power_method(self, matrix: Tensor, iterations: int) -> None:
        with no_grad():
            for _ in range(iterations):
                self._u.copy_(F.normalize(matrix.mv(self._v), dim=0, eps=self.eps))
                self._v.copy_(F.normalize(matrix.mH.mv(self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # The next call writes into the buffers, and this one's gradient still wants them.
        u, v = self._u.clone(), self._v.clone()
        return weight / rustorch.vdot(u, matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself, as if it were of norm 1."""
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divides a module's weight by its largest singular value (T. Miyato et al., 2018).

    `weight = W / (uᴴ W v)`, where power iterations at each use in train() bring the buffers u and v near the singular
    vectors; there are 15 at first. W is `parametrizations.weight.original`. A vector is divided by its length.

    Args:
        module: the module; it is returned.
        name: the name of its parameter or buffer. Default: 'weight'.
        n_power_iterations: how many power iterations there are at each use in train(). Default: 1.
        eps: the least length by which u and v are divided. Default: 1e-12.
        dim: the dimension that is the matrix's rows, all others are its columns; None is that of the outputs, 1 for
            transposed convolutions and else 0. Default: None.

    Raises:
        ValueError: where the module has no such tensor, or n_power_iterations is not positive.
        IndexError: where the tensor has no dimension `dim`.

    Example:

    >>> layer = rustorch.nn.utils.parametrizations.spectral_norm(rustorch.nn.Linear(20, 40), n_power_iterations=50)
    >>> rustorch.allclose(rustorch.linalg.matrix_norm(layer.weight, 2), rustorch.tensor(1.0), atol=1e-3)
    True
    """
    weight = _tensor_of(module, name)
    parametrization = _SpectralNorm(weight, n_power_iterations, default_dim(module) if dim is None else dim, eps)
    return parametrize.register_parametrization(module, name, parametrization)
