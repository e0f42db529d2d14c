"""Functions over tensors whose result is not a tensor, and those that are a line of other ops."""

from __future__ import annotations

from typing import Literal, overload

from rustorch import _C
from rustorch._C import Tensor
from rustorch._size import Size

__all__ = [
    "allclose",
    "broadcast_shapes",
    "equal",
    "is_complex",
    "is_floating_point",
    "is_nonzero",
    "isclose",
    "nonzero",
    "numel",
]


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether ``|input - other| <= atol + rtol * |other|``, per element; equal infinities are close.

    With ``equal_nan`` two NaN are close, too.
    """
    if input.dtype != other.dtype:
        raise TypeError(f"isclose(): {input.dtype} did not match {other.dtype}; convert one of them")
    same = input == other
    if equal_nan:
        same = same | (input.isnan() & other.isnan())
    if not input.is_floating_point():
        # Differences of narrow integers would wrap.
        input, other = input.double(), other.double()
    near = (input - other).abs() <= atol + rtol * other.abs()
    return same | (near & other.isfinite() & input.isfinite())


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close, as ``isclose`` defines it."""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and the same elements."""
    return input.shape == other.shape and bool((input == other).all())


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is a real floating-point one."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Whether the dtype is complex."""
    return input.is_complex()


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of a tensor differs from zero."""
    return bool(input)


def broadcast_shapes(*shapes: int | tuple[int, ...] | list[int]) -> Size:
    """The shape to which tensors of the given shapes broadcast; an int is the shape of a vector.

    Example:

    >>> rustorch.broadcast_shapes((3, 1), 4)
    rustorch.Size([3, 4])
    """
    # Tensors of these shapes without memory of their own; a scalar broadcasts to any.
    scalar = _C.empty(())
    return _C.broadcast_tensors([scalar.expand(shape) for shape in shapes] or [scalar])[0].shape


@overload
def nonzero(input: Tensor, *, out: Tensor | None = None, as_tuple: Literal[False] = False) -> Tensor: ...


@overload
def nonzero(input: Tensor, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...


def nonzero(input: Tensor, *, out: Tensor | None = None, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """The coordinates of the elements that differ from zero.

    They are the rows of one int64 tensor, or, with ``as_tuple``, an int64 vector per dimension, which may be used as an
    index.

    Example:

    >>> x = rustorch.tensor([[1, 0], [0, 2]])
    >>> rustorch.nonzero(x)
    tensor([[0, 0],
            [1, 1]])
    >>> x[rustorch.nonzero(x, as_tuple=True)]
    tensor([1, 2])
    """
    if as_tuple:
        return tuple(_C.where(input))
    return _C.nonzero(input) if out is None else _C.nonzero(input, out=out)
