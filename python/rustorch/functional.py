"""Functions over tensors whose result is not a tensor, and those that are a line of other ops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rustorch._C import Tensor, _histogramdd

__all__ = ["allclose", "equal", "histogramdd", "is_complex", "is_floating_point", "is_nonzero", "isclose", "numel"]


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


class HistogramDD(NamedTuple):
    """The results of histogramdd()."""

    hist: Tensor
    bin_edges: tuple[Tensor, ...]


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
    hist, *edges = _histogramdd(input, bins, range, weight, density)
    return HistogramDD(hist, tuple(edges))
