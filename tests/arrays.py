"""Hypothesis strategies for small shapes, arrays of small integers, and what one can index or reduce them with."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

SIZES = st.integers(0, 4)


def shapes(min_dims: int = 0, max_dims: int = 4) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes with sizes of 0 to 4."""
    return st.lists(SIZES, min_size=min_dims, max_size=max_dims).map(tuple)


def numbered(shape: tuple[int, ...], dtype: str = "int64") -> NDArray[Any]:
    """Every element another number, so that a misplaced one is seen."""
    return np.arange(-3, np.prod(shape, dtype=int) - 3).reshape(shape).astype(dtype)


@st.composite
def broadcastable(draw: st.DrawFn, count: int) -> list[tuple[int, ...]]:
    """Shapes that broadcast with each other: of a common one, leading sizes left out and others set to 1."""
    common = draw(shapes())
    result = []
    for _ in range(count):
        kept = common[draw(st.integers(0, len(common))) :]
        result.append(tuple(1 if draw(st.booleans()) else size for size in kept))
    return result


@st.composite
def axes(draw: st.DrawFn, ndim: int) -> Any:
    """None, one dimension or several different ones, counted from either end."""
    if ndim == 0 or draw(st.booleans()):
        return None
    chosen = draw(st.lists(st.integers(0, ndim - 1), min_size=1, unique=True))
    signed = [d - ndim if draw(st.booleans()) else d for d in chosen]
    return signed[0] if len(signed) == 1 and draw(st.booleans()) else tuple(signed)


@st.composite
def basic_index(draw: st.DrawFn, size: int, integers: bool) -> Any:
    """An integer or a slice with a positive step for one dimension."""
    if size and integers and draw(st.booleans()):
        return draw(st.integers(-size, size - 1))
    bound = st.none() | st.integers(-6, 6)
    return slice(draw(bound), draw(bound), draw(st.none() | st.integers(1, 3)))


@st.composite
def index(draw: st.DrawFn, shape: tuple[int, ...], advanced: bool) -> tuple[Any, ...]:
    """Slices, None and an ellipsis; and integers, or with `advanced` integer and boolean arrays.

    Not integers beside arrays: NumPy takes them for arrays of no dimension, PyTorch for a selection that comes first.
    """
    together = draw(broadcastable(len(shape))) if advanced else []
    items: list[Any] = []
    dims = list(shape[: draw(st.integers(0, len(shape)))])
    for d, size in enumerate(dims):
        kind = draw(st.integers(0, 3 if advanced else 1))
        if kind == 2 and size:
            items.append(draw(array_of(together[d], -size, size - 1)))
        elif kind == 3 and draw(st.booleans()):
            items.append(np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool))
        else:
            items.append(draw(basic_index(size, not advanced)))
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), None)
    if len(dims) == len(shape) or draw(st.booleans()):
        items.append(...)
    return tuple(items)


@st.composite
def array_of(draw: st.DrawFn, shape: tuple[int, ...], low: int, high: int) -> NDArray[np.int64]:
    """Integers in [low, high]."""
    count = int(np.prod(shape, dtype=int))
    return np.array(draw(st.lists(st.integers(low, high), min_size=count, max_size=count)), np.int64).reshape(shape)
