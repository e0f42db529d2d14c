"""Samples of differences, integrals, histograms and combinatorics."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import integrate

from tests.sample import ALL, FLOATS, INTS, NUMBERS, T, case, op

Array = NDArray[Any]
X = T((3, 5))
REAL = ("float64", "float32")
WHOLE = {"grad": False, "second_grad": False}


def diff(x: Array, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Array:
    pieces = [p for p in (prepend, x, append) if p is not None]
    return np.diff(np.concatenate(pieces, axis=dim), n, axis=dim)


def gradient(x: Array, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> Any:
    count = x.ndim if dim is None else len(np.atleast_1d(dim))
    spacing = spacing if isinstance(spacing, list | tuple) else [spacing] * count
    result = np.gradient(x, *spacing, axis=dim, edge_order=edge_order)
    return list(result) if isinstance(result, list | tuple) else [result]


def trapezoid(y: Array, x: Any = None, dx: float = 1, dim: int = -1) -> Array:
    return np.trapezoid(y, x, dx, dim)


def cumulative_trapezoid(y: Array, x: Any = None, dx: float = 1, dim: int = -1) -> Array:
    return integrate.cumulative_trapezoid(y, x, dx, dim)


def histogram(x: Array, bins: Any, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    weight = None if weight is None else weight.reshape(-1)
    return np.histogram(x.reshape(-1), bins, range, density, weight)


def combinations(x: Array, r: int = 2, with_replacement: bool = False) -> Array:
    select = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    return np.array(list(select(x, r)), x.dtype).reshape(-1, r) if r else x[:0]


def cartesian_prod(*vectors: Array) -> Array:
    return np.array(list(itertools.product(*vectors)), vectors[0].dtype).reshape(-1, len(vectors))


SAMPLES = [
    op(
        "diff",
        diff,
        case(X),
        case(X, 2, 0),
        case(X, 3),
        case(X, prepend=T((3, 1)), append=T((3, 2))),
        case(T((0, 3))),
        dtypes=NUMBERS,
    ),
    op(
        "gradient",
        gradient,
        case(X),
        case(X, spacing=0.5, dim=1),
        case(X, spacing=[0.5, 2.0], edge_order=2),
        case(X, spacing=[T((3,), distinct=True), T((5,), distinct=True)], edge_order=1),
        case(T((6,)), spacing=[T((6,), distinct=True)], edge_order=2),
        dtypes=REAL,
        method=False,
    ),
    op("trapezoid", trapezoid, case(X), case(X, T((5,))), case(X, dx=0.5, dim=0), dtypes=FLOATS, method=False),
    op(
        "cumulative_trapezoid",
        cumulative_trapezoid,
        case(X),
        case(X, T((5,))),
        case(X, dx=0.5, dim=0),
        dtypes=REAL,
        method=False,
    ),
    op(
        "bincount",
        lambda x, minlength=0: np.bincount(x, minlength=minlength),
        case(T((9,), 0, 5)),
        case(T((0,)), minlength=3),
        case(T((9,), 0, 5), minlength=9),
        dtypes=INTS,
        result="int64",
        **WHOLE,
    ),
    op(
        "histc",
        lambda x, bins=100, min=0, max=0: np.histogram(x, bins, (min, max) if min != max else None)[0],
        case(T((40,)), 7, -2, 2),
        case(T((4, 9)), 5),
        dtypes=REAL,
        **WHOLE,
    ),
    op(
        "histogram",
        histogram,
        case(T((40,)), 7),
        case(T((4, 9)), 5, range=(-1.0, 2.0)),
        case(T((4, 9)), 5, weight=T((4, 9), 0, 1), density=True),
        dtypes=REAL,
        result=("same", "same"),
        **WHOLE,
    ),
    op(
        "combinations",
        combinations,
        case(T((5,))),
        case(T((5,)), 3),
        case(T((4,)), 3, True),
        case(T((2,)), 3),
        case(T((5,)), 1),
        dtypes=ALL,
        method=False,
    ),
    op(
        "cartesian_prod",
        cartesian_prod,
        case(T((3,)), T((2,))),
        case(T((3,)), T((0,))),
        case(T((3,)), T((2,)), T((2,))),
        dtypes=ALL,
        method=False,
    ),
    op(
        "unravel_index",
        lambda i, shape: np.unravel_index(i, shape),
        case(T((3, 2), 0, 23), (2, 3, 4)),
        case(T((), 0, 5), (6,)),
        dtypes=INTS,
        result="int64",
        method=False,
        **WHOLE,
    ),
    op(
        "tril_indices",
        lambda row, col, offset=0: np.stack(np.tril_indices(row, offset, col)),
        case(3, 4),
        case(4, 3, 1),
        case(4, 3, -2),
        case(0, 3),
        dtypes=("int64",),
        method=False,
        **WHOLE,
    ),
    op(
        "triu_indices",
        lambda row, col, offset=0: np.stack(np.triu_indices(row, offset, col)),
        case(3, 4),
        case(4, 3, 1),
        case(4, 3, -2),
        case(0, 3),
        dtypes=("int64",),
        method=False,
        **WHOLE,
    ),
]

WITHOUT_SAMPLE = {
    "multinomial": "test_statistics.py",
    "_histogramdd": "test_statistics.py",
}
