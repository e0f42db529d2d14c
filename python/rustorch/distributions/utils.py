"""What distributions are built with: broadcasting of parameters, probabilities and logits, triangular matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, Generic, TypeVar, overload

import rustorch
from rustorch import InvalidArgumentError, Tensor
from rustorch.nn import functional as F

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

euler_constant = 0.57721566490153286061

R = TypeVar("R", covariant=True)


def broadcast_all(*values: Tensor | float) -> tuple[Tensor, ...]:
    """The values as tensors of one shape.

    Numbers take dtype and device of the first tensor, and those of `rustorch.tensor` if there is none.

    Raises:
        InvalidArgumentError: if a value is neither a tensor nor a number.

    Example:

    >>> [x.shape for x in rustorch.distributions.utils.broadcast_all(1.0, rustorch.zeros(3, 1), rustorch.ones(2))]
    [rustorch.Size([3, 2]), rustorch.Size([3, 2]), rustorch.Size([3, 2])]
    """
    for value in values:
        if not isinstance(value, (Tensor, bool, int, float)):
            raise InvalidArgumentError(f"broadcast_all: takes tensors and numbers, but got a {type(value).__name__}")
    first = next((value for value in values if isinstance(value, Tensor)), None)
    dtype = rustorch.get_default_dtype() if first is None else first.dtype
    device = None if first is None else first.device
    made = [v if isinstance(v, Tensor) else rustorch.tensor(v, dtype=dtype, device=device) for v in values]
    return tuple(rustorch.broadcast_tensors(made))


def _parameters(*values: Tensor | float) -> tuple[Tensor, ...]:
    """`broadcast_all`, but tensors of integers become floats, which parameters of continuous distributions are."""
    floats = (
        v.to(rustorch.get_default_dtype()) if isinstance(v, Tensor) and not v.is_floating_point() else v for v in values
    )
    return broadcast_all(*floats)


def _standard_normal(shape: Sequence[int], dtype: rustorch.dtype, device: rustorch.device) -> Tensor:
    """Standard Gaussian numbers."""
    return rustorch.empty(tuple(shape), dtype=dtype, device=device).normal_()


def _sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """The sum over the last `dim` dimensions."""
    return value if dim == 0 else value.sum(tuple(range(-dim, 0)))


def _common_dtype(*tensors: Tensor) -> rustorch.dtype:
    """The dtype of a result of the tensors: those without dimensions count only where no other one is a float."""
    found: rustorch.dtype | None = None
    for of_dimensions in (True, False):
        for tensor in tensors:
            if bool(tensor.dim()) is of_dimensions and (of_dimensions or found is None or not found.is_floating_point):
                found = tensor.dtype if found is None else rustorch.promote_types(found, tensor.dtype)
    assert found is not None
    return found if found.is_floating_point else rustorch.get_default_dtype()


def _in_double(formula: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """A formula of tensors, computed in float64 and rounded once.

    Densities and entropies are differences of logarithms of gamma functions which are large where parameters are: in
    float32 nothing of them would remain. A device that has no float64 (Metal) computes in float32.
    """
    dtype = _common_dtype(*tensors)
    wide = rustorch.float32 if any(t.device.type == "metal" for t in tensors) else rustorch.float64
    return formula(*(t.to(wide) for t in tensors)).to(dtype)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities from logits: the sigmoid if `is_binary`, else the softmax over the last dimension.

    Example:

    >>> rustorch.distributions.utils.logits_to_probs(rustorch.zeros(4))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    return logits.sigmoid() if is_binary else F.softmax(logits, dim=-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities between eps and 1 - eps, where eps is that of the dtype, so that logarithms are finite.

    Example:

    >>> rustorch.distributions.utils.clamp_probs(rustorch.tensor([0.0, 0.5]))
    tensor([1.1921e-07, 5.0000e-01])
    """
    eps = rustorch.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Logits of probabilities that are first clamped by `clamp_probs`: log p - log(1 - p) if `is_binary`, else log p.

    Example:

    >>> rustorch.distributions.utils.probs_to_logits(rustorch.tensor([0.5, 0.75]), is_binary=True)
    tensor([0.0000, 1.0986])
    """
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


class lazy_property(Generic[R]):
    """A property that is computed when it is first read and kept as an attribute from then on.

    What it computes is recorded for gradients even where reading happens under `no_grad`. Setting the attribute before
    the first read decides it.

    Args:
        wrapped: the method that computes.

    Example:

    >>> class Square:
    ...     def __init__(self, side):
    ...         self.side = side
    ...     @rustorch.distributions.utils.lazy_property
    ...     def area(self):
    ...         return self.side**2
    >>> square = Square(3)
    >>> square.area, "area" in vars(square)
    (9, True)
    """

    def __init__(self, wrapped: Callable[[Any], R]) -> None:
        self.wrapped = wrapped
        update_wrapper(self, wrapped)  # type: ignore[arg-type]

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> lazy_property[R]: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> R: ...
    def __get__(self, instance: object | None, owner: type | None = None) -> R | lazy_property[R]:
        if instance is None:
            return self
        with rustorch.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def _tril_mask(n: int, diag: int, device: rustorch.device) -> Tensor:
    places = rustorch.arange(n, device=device)
    return places < places.unsqueeze(-1) + (diag + 1)


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The elements of square matrices on and below a diagonal, row by row.

    Shape:
        (*, D, D) to (*, N), N = D (D + 1) / 2 for `diag` 0, the main diagonal.

    Example:

    >>> rustorch.distributions.utils.tril_matrix_to_vec(rustorch.tensor([[1, 2], [3, 4]]))
    tensor([1, 3, 4])
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise InvalidArgumentError(f"tril_matrix_to_vec: diag {diag} is outside [{-n}, {n - 1}]")
    return mat[..., _tril_mask(n, diag, mat.device)]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Square matrices whose elements on and below a diagonal are those of a vector, row by row, the others 0.

    Shape:
        (*, N) to (*, D, D), the inverse of `tril_matrix_to_vec`.

    Example:

    >>> rustorch.distributions.utils.vec_to_tril_matrix(rustorch.tensor([1, 2, 3]))
    tensor([[1, 0],
            [2, 3]])
    """
    count = vec.shape[-1]
    # D is the positive root of D² + (1 + 2 diag) D - |diag| (diag + 1) - 2 count.
    root = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    n = round(root)
    if abs(n - root) > 1e-9:
        raise InvalidArgumentError(
            f"vec_to_tril_matrix: {count} elements do not fill a square matrix up to diagonal {diag}"
        )
    mat = vec.new_zeros((*vec.shape[:-1], n, n))
    mat[..., _tril_mask(n, diag, vec.device)] = vec
    return mat
