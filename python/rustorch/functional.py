"""Functions over tensors whose result is not a tensor, and those that are a line of other ops."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any, NamedTuple

from rustorch import _C
from rustorch._C import InvalidArgumentError, Tensor
from rustorch._naming import named
from rustorch._size import Size

__all__ = [
    "allclose",
    "broadcast_shapes",
    "einsum",
    "equal",
    "histogramdd",
    "is_complex",
    "is_conj",
    "is_floating_point",
    "is_neg",
    "is_nonzero",
    "isclose",
    "lu",
    "numel",
    "tensordot",
]

_LETTERS = string.ascii_uppercase + string.ascii_lowercase


@named
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether ``|input - other| <= atol + rtol * |other|``, per element; equal infinities are close.

    With ``equal_nan`` two NaN are close, too.
    """
    if input.dtype != other.dtype:
        raise TypeError(f"isclose(): {input.dtype} did not match {other.dtype}; convert one of them")
    same = input == other
    if equal_nan:
        same = same | (input.isnan() & other.isnan())
    if not (input.is_floating_point() or input.is_complex()):
        # Differences of narrow integers would wrap.
        input, other = input.double(), other.double()
    near = (input - other).abs() <= atol + rtol * other.abs()
    return same | (near & other.isfinite() & input.isfinite())


@named
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close, as ``isclose`` defines it."""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


@named
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and the same elements."""
    return input.shape == other.shape and bool((input == other).all())


@named
def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()


@named
def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is a real floating-point one."""
    return input.is_floating_point()


@named
def is_complex(input: Tensor) -> bool:
    """Whether the dtype is complex."""
    return input.is_complex()


@named
def is_conj(input: Tensor) -> bool:
    """False: conjugates are computed at once."""
    return input.is_conj()


@named
def is_neg(input: Tensor) -> bool:
    """False: negation is computed at once."""
    return input.is_neg()


@named
def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of a tensor differs from zero."""
    return bool(input)


@named
def broadcast_shapes(*shapes: int | tuple[int, ...] | list[int]) -> Size:
    """The shape to which tensors of the given shapes broadcast; an int is the shape of a vector.

    Example:

    >>> rustorch.broadcast_shapes((3, 1), 4)
    rustorch.Size([3, 4])
    """
    # Tensors of these shapes without memory of their own; a scalar broadcasts to any.
    scalar = _C.empty(())
    return _C.broadcast_tensors([scalar.expand(shape) for shape in shapes] or [scalar])[0].shape


@named
def einsum(*args: Any) -> Tensor:
    """Einstein's summation: ``einsum(equation, *operands)``, or operands with lists of dimension numbers.

    ``einsum("ij,jk->ik", a, b)`` and ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` are the same; ``...`` stands for the
    dimensions without a letter.

    >>> a = rustorch.tensor([[1, 2], [3, 4]])
    >>> rustorch.einsum("ij->j", a)
    tensor([4, 6])
    """
    if not args:
        raise InvalidArgumentError("einsum: at least the equation and one operand are needed")
    equation, operands = (args[0], args[1:]) if isinstance(args[0], str) else _equation_of(args)
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    return _C.einsum(equation, operands)


def _equation_of(args: Sequence[Any]) -> tuple[str, tuple[Tensor, ...]]:
    """Operands, each followed by its list of dimension numbers, and perhaps the output's list."""
    pairs = len(args) // 2
    subscripts = [_letters(numbers) for numbers in args[1 : 2 * pairs : 2]]
    output = f"->{_letters(args[-1])}" if len(args) % 2 else ""
    return ",".join(subscripts) + output, tuple(args[: 2 * pairs : 2])


def _letters(numbers: Any) -> str:
    """0 to 51 as letters, capitals first, and the ellipsis as it is."""
    if not isinstance(numbers, list | tuple):
        raise InvalidArgumentError(f"einsum: each operand needs a list of dimension numbers, got {numbers!r}")
    for number in numbers:
        if number is not ... and not (isinstance(number, int) and 0 <= number < len(_LETTERS)):
            raise InvalidArgumentError(f"einsum: dimension numbers are 0 to {len(_LETTERS) - 1} or ..., got {number!r}")
    return "".join("..." if number is ... else _LETTERS[number] for number in numbers)


@named
def tensordot(a: Tensor, b: Tensor, dims: int | Tensor | Sequence[Any] = 2, out: Tensor | None = None) -> Tensor:
    """The sums of products over dimensions of two tensors.

    ``dims`` is how many of the last of ``a`` meet the first of ``b``, or two lists of dimensions.

    >>> a = rustorch.arange(6).reshape(2, 3)
    >>> rustorch.tensordot(a, a, dims=([1], [1]))
    tensor([[ 5, 14],
            [14, 50]])
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist() if dims.numel() > 1 else int(dims.item())
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.dim(), b.dim()):
            raise InvalidArgumentError(
                f"tensordot: dims must be between 0 and {min(a.dim(), b.dim())} for shapes {tuple(a.shape)} and "
                f"{tuple(b.shape)}, got {dims}"
            )
        return _C.tensordot(a, b, list(range(a.dim() - dims, a.dim())), list(range(dims)), out=out)
    of_a, of_b = ([side] if isinstance(side, int) else [int(dim) for dim in side] for side in dims)
    return _C.tensordot(a, b, of_a, of_b, out=out)


@named
def lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> tuple[Tensor, ...]:
    """The LU decomposition, packed, and its pivots; with ``get_infos`` also where U is singular, else an error.

    >>> rustorch.lu(rustorch.tensor([[1.0, 2.0], [4.0, 4.0]]))[1]
    tensor([2, 2], dtype=rustorch.int32)
    """
    packed, pivots, info = _C.linalg_lu_factor_ex(A, pivot=pivot, check_errors=not get_infos)
    return (packed, pivots, info) if get_infos else (packed, pivots)


class HistogramDD(NamedTuple):
    """The results of histogramdd()."""

    hist: Tensor
    bin_edges: tuple[Tensor, ...]


@named
def histogramdd(
    input: Tensor,
    bins: int | Sequence[int] | Sequence[Tensor],
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> HistogramDD:
    """The histogram of points, whose coordinates the last dimension of ``input`` holds, over a grid of bins.

    ``bins`` is the number of bins of equal width, one for all dimensions or one for each, or each dimension's edges.
    ``range`` has the lowest and the highest coordinate of each dimension in turn; without it the data's extremes count.
    Each point counts 1, or its ``weight``; with ``density`` the histogram integrates to 1.
    """
    hist, *edges = _C._histogramdd(input, bins, range, weight, density)
    return HistogramDD(hist, tuple(edges))
