"""Functions over tensors whose result is not a tensor, and those that are a line of other ops."""

from __future__ import annotations

from rustorch._C import Tensor

__all__ = [
    "allclose",
    "equal",
    "is_complex",
    "is_conj",
    "is_floating_point",
    "is_neg",
    "is_nonzero",
    "isclose",
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
    if not (input.is_floating_point() or input.is_complex()):
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


def is_conj(input: Tensor) -> bool:
    """False: conjugates are computed at once."""
    return input.is_conj()


def is_neg(input: Tensor) -> bool:
    """False: negation is computed at once."""
    return input.is_neg()


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of a tensor differs from zero."""
    return bool(input)
