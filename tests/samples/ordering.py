"""Samples of sorting, searching, sets and statistics by order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests import references as ref
from tests.sample import ALL, FLOATS, NUMBERS, T, case, op

Array = NDArray[Any]
X = T((3, 5), distinct=True)
CUBE = T((2, 5, 3), distinct=True)
LINE = T((9,), distinct=True)
TIES = T((4, 6), -2, 2, dtype="int64")
REAL = ("float64", "float32")


def kept(dim: int | None, keepdim: bool, *results: Array) -> Any:
    """Results with the reduced dimension back, if it is kept."""
    arrays = tuple(np.expand_dims(r, dim) if keepdim and dim is not None else r for r in results)
    return arrays if len(arrays) > 1 else arrays[0]


def order(x: Array, dim: int, descending: bool) -> Array:
    """Stable, in both directions."""
    if not x.ndim:
        return np.array(0)
    return np.argsort(-x if descending else x, axis=dim, kind="stable")


def sort(x: Array, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    x = x.astype(np.int64) if x.dtype == bool else x
    places = order(x, dim, descending)
    return (np.take_along_axis(x, places, dim) if x.ndim else x), places


def topk(x: Array, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    return tuple(np.take(r, range(k), dim) for r in sort(x, dim, largest))


def kthvalue(x: Array, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    return kept(dim, keepdim, *(np.take(r, k - 1, dim) for r in sort(x, dim)))


def median(x: Array, dim: int | None = None, keepdim: bool = False) -> Any:
    if dim is None:
        return np.sort(x, axis=None)[(x.size - 1) // 2]
    return kthvalue(x, (x.shape[dim] + 1) // 2, dim, keepdim)


def mode(x: Array, dim: int = -1, keepdim: bool = False) -> Any:
    def along(line: Array) -> tuple[Any, int]:
        values, counts = np.unique(line, return_counts=True)
        value = values[np.argmax(counts)]
        return value, np.flatnonzero(line == value)[-1]

    moved = np.moveaxis(x, dim, -1)
    values, places = np.empty(moved.shape[:-1], x.dtype), np.empty(moved.shape[:-1], np.int64)
    for i in np.ndindex(*moved.shape[:-1]):
        values[i], places[i] = along(moved[i])
    return kept(dim, keepdim, values, places)


def quantile(function: Any) -> Any:
    def run(x: Array, q: Any, dim: int | None = None, keepdim: bool = False, interpolation: str = "linear") -> Array:
        return np.asarray(function(x, q, axis=dim, keepdims=keepdim, method=interpolation))

    return run


def searchsorted(line: Array, x: Array, right: bool = False, side: str | None = None, **kwargs: Any) -> Array:
    side = "right" if right or side == "right" else "left"
    if line.ndim == 1:
        return np.searchsorted(line, x, side)
    rows = [np.searchsorted(a, b, side) for a, b in zip(line, x, strict=True)]
    return np.stack(rows)


def unique(
    x: Array, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    results = np.unique(x, return_inverse=return_inverse, return_counts=return_counts, axis=dim)
    if return_inverse:
        results = list(results)
        results[1] = results[1].reshape(x.shape if dim is None else -1)
    return results


def unique_consecutive(x: Array, return_inverse: bool = False, return_counts: bool = False, dim: Any = None) -> Any:
    rows = np.moveaxis(x, dim, 0) if dim is not None else x.reshape(-1)
    flat = rows.reshape(len(rows), -1)
    first = np.concatenate([[True], (flat[1:] != flat[:-1]).any(1)])
    inverse = np.cumsum(first) - 1
    values = rows[first] if dim is None else np.moveaxis(rows[first], 0, dim)
    results = [values]
    if return_inverse:
        results.append(inverse.reshape(x.shape) if dim is None else inverse)
    if return_counts:
        results.append(np.bincount(inverse))
    return results


def norm(x: Array, p: float = 2, dim: Any = None, keepdim: bool = False) -> Array:
    return np.sum(np.abs(x) ** p, axis=dim, keepdims=keepdim) ** (1 / p)


def pair(name: str, reference: Any, *cases: Any, **fields: Any) -> Any:
    """An op that gives values and indices."""
    fields.setdefault("dtypes", NUMBERS)
    return op(name, reference, *cases, result=("same", "int64"), **fields)


SETS = {"grad": False, "second_grad": False}

SAMPLES = [
    pair(
        "sort",
        sort,
        case(X),
        case(CUBE, 1),
        case(CUBE, 0, True),
        case(LINE, stable=True),
        case(T(())),
        case(T((0, 3)), 1),
    ),
    pair("sort", sort, case(T((7, 3)), 0), case(T((40,)), descending=True), dtypes=("bool",), grad=False),
    pair("sort", sort, case(TIES), case(TIES, 0, descending=True, stable=True), dtypes=("int64",), grad=False),
    op(
        "argsort",
        lambda x, dim=-1, descending=False, stable=False: order(x.astype(np.float64), dim, descending),
        case(X),
        case(CUBE, 1, True),
        case(TIES, 0, stable=True),
        dtypes=ALL,
        result="int64",
        grad=False,
    ),
    op("msort", lambda x: np.sort(x, axis=0), case(X), case(CUBE), case(LINE), dtypes=ALL),
    pair(
        "topk",
        topk,
        case(X, 2),
        case(CUBE, 3, 1),
        case(CUBE, 2, 0, False),
        case(LINE, 9),
        case(X, 0),
    ),
    pair("topk", topk, case(T((2000,), distinct=True), 5), dtypes=("float64", "int32", "int16"), grad=False),
    pair("kthvalue", kthvalue, case(X, 2), case(CUBE, 5, 1), case(CUBE, 1, 0, True), case(LINE, 4)),
    op("median", median, case(X), case(LINE), case(T((4,), distinct=True)), dtypes=NUMBERS),
    pair("median", median, case(X, 1), case(CUBE, 0), case(CUBE, 1, True)),
    op("nanmedian", median, case(X), case(LINE), case(T((4,), distinct=True)), dtypes=NUMBERS),
    pair("nanmedian", median, case(X, 1), case(CUBE, 0), case(CUBE, 1, True)),
    pair("mode", mode, case(X), case(CUBE, 1, True), case(TIES, dtypes=("int64",)), case(TIES, 0, dtypes=("int64",))),
    op(
        "quantile",
        quantile(np.quantile),
        case(X, 0.3),
        case(X, T((3,), 0.05, 0.95), 1),
        case(CUBE, 0.7, 1, True),
        *[case(X, 0.37, 0, interpolation=name) for name in ("lower", "higher", "midpoint", "nearest")],
        dtypes=REAL,
    ),
    op(
        "nanquantile",
        quantile(np.nanquantile),
        case(X, 0.3),
        case(X, T((3,), 0.05, 0.95), 1),
        case(CUBE, 0.7, 1, True),
        dtypes=REAL,
    ),
    op(
        "searchsorted",
        searchsorted,
        case(T((1,)), T((3, 2))),
        case(T((0,)), T((3,))),
        case(T((1,)), 1.5, dtypes=FLOATS),
        case(T((1,)), T((3, 2)), right=True),
        case(T((4, 1)), T((4, 3)), side="right"),
        dtypes=NUMBERS,
        result="int64",
        method=False,
        **SETS,
    ),
    op(
        "bucketize",
        lambda x, b, right=False: np.searchsorted(b, x, "right" if right else "left"),
        case(T((3, 4)), T((1,))),
        case(T((3, 4)), T((1,)), right=True),
        case(2, T((1,))),
        dtypes=NUMBERS,
        result="int64",
        method=False,
        **SETS,
    ),
    op(
        "isin",
        lambda x, y, invert=False: np.isin(x, y, invert=invert),
        case(T((3, 4)), T((5,))),
        case(T((3, 4)), T((2, 2)), invert=True),
        case(T((6,)), T((0,))),
        case(T((6,)), 1),
        dtypes=NUMBERS,
        result="bool",
        method=False,
        **SETS,
    ),
    op("unique", unique, case(T((4, 5))), case(T(())), case(T((0,))), case(T((7, 2)), dim=0), dtypes=ALL, **SETS),
    op(
        "unique",
        unique,
        case(T((4, 5)), return_inverse=True, return_counts=True),
        case(T((2, 9)), return_inverse=True, return_counts=True, dim=1),
        dtypes=ALL,
        result=("same", "int64", "int64"),
        **SETS,
    ),
    op(
        "unique_consecutive",
        unique_consecutive,
        case(T((4, 5), -1, 1)),
        case(T((7, 1), 0, 1), dim=0),
        dtypes=ALL,
        **SETS,
    ),
    op(
        "unique_consecutive",
        unique_consecutive,
        case(T((4, 5), 0, 1), return_inverse=True, return_counts=True),
        case(T((2, 9), 0, 1), return_inverse=True, return_counts=True, dim=1),
        dtypes=ALL,
        result=("same", "int64", "int64"),
        **SETS,
    ),
    op("argwhere", np.argwhere, case(T((3, 5), -1, 1)), case(T((0, 3))), dtypes=ALL, result="int64", grad=False),
    op(
        "aminmax",
        lambda x, dim=None, keepdim=False: (np.min(x, dim, keepdims=keepdim), np.max(x, dim, keepdims=keepdim)),
        case(X),
        case(X, dim=1),
        case(X, dim=0, keepdim=True),
        dtypes=NUMBERS,
        result=("same", "same"),
    ),
    op(
        "logcumsumexp",
        lambda x, dim: np.logaddexp.accumulate(x, dim) if x.ndim else x,
        case(X, 1),
        case(CUBE, 0),
        case(T(()), 0),
    ),
    op("logcumsumexp", lambda x, dim: np.logaddexp.accumulate(x, dim), case(T((4, 33), -90, 90), 1), grad=False),
    op("nanmean", ref.reducer(np.nanmean), case(X), case(X, 1), case(CUBE, (0, 2), keepdim=True)),
    op("dist", lambda x, y, p=2: norm(x - y, p), case(X, T((5,))), case(X, T((3, 5)), 1), case(X, T((3, 1)), 3)),
    op(
        "renorm",
        lambda x, p, dim, m: (
            x * np.where((n := norm(x, p, tuple(d for d in range(x.ndim) if d != dim), True)) > m, m / (n + 1e-7), 1)
        ),
        case(T((3, 5)), 2, 0, 2.0),
        case(T((2, 4, 3)), 1, 2, 5),
        case(T((3, 5)), 2, 1, 100),
        dtypes=FLOATS,
        inplace=True,
    ),
    op(
        "sum_to_size",
        lambda x, *s: x.sum(tuple(range(x.ndim - len(s))), keepdims=False).sum(
            tuple(d for d, n in enumerate(s) if n == 1), keepdims=True
        ),
        case(T((2, 3)), 2, 1),
        case(T((2, 3, 4)), 3, 1),
        function=False,
        dtypes=FLOATS,
    ),
    op(
        "cov",
        lambda x, correction=1: np.cov(x, ddof=correction),
        case(T((3, 6))),
        case(T((6,))),
        case(T((3, 6)), correction=0),
    ),
    op(
        "cov",
        lambda x, fweights=None, aweights=None: np.cov(x, fweights=fweights, aweights=aweights),
        case(T((3, 4)), fweights=T((4,), 1, 3, dtype="int64")),
        case(T((3, 4)), aweights=T((4,), 0.5, 2)),
        case(T((3, 4)), fweights=T((4,), 1, 3, dtype="int64"), aweights=T((4,), 0.5, 2)),
        dtypes=REAL,
    ),
    op("corrcoef", np.corrcoef, case(T((3, 6))), case(T((2, 9))), dtypes=REAL),
]
