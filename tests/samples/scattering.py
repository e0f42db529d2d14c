"""Samples of ops that write where an index, a mask or a view says."""

import numpy as np

from tests import references as ref
from tests.sample import ALL, FLOATS, NUMBERS, T, case, op

X = T((3, 5))
CUBE = T((2, 3, 4))
ROWS = T((2, 5), 0, 2, dtype="int64")
PICK = T((4,), 0, 2, dtype="int64")
ONE = T((1,), 0, 2, dtype="int64")
MASK = T((3, 5), dtype="bool")


def combine(values, reduce):
    """One value of several."""
    if reduce == "mean":
        mean = np.sum(values) / len(values)
        return mean if np.asarray(values).dtype.kind == "f" else np.floor(mean)
    return {"sum": np.sum, "prod": np.prod, "amax": np.max, "amin": np.min}[reduce](values)


def scatter_reduce(x, dim, index, source, reduce, include_self=True):
    """Collects what falls on each element, then combines it."""
    groups = {}
    for position in np.ndindex(index.shape):
        target = list(position)
        target[dim] = index[position]
        groups.setdefault(tuple(target), []).append(source[position])
    out = x.copy()
    for target, values in groups.items():
        out[target] = combine([x[target], *values] if include_self else values, reduce)
    return out


def index_reduce(x, dim, index, source, reduce, include_self=True):
    """The same with an index of slices."""
    shape = [1] * x.ndim
    shape[dim] = -1
    return scatter_reduce(x, dim, np.broadcast_to(index.reshape(shape), source.shape), source, reduce, include_self)


def set_items(x, key, values):
    """x[key] = values on a copy."""
    out = x.copy()
    out[key] = values
    return out


def index_put(x, indices, values, accumulate=False):
    """x[indices] = values on a copy, or +=."""
    if not accumulate:
        return set_items(x, tuple(indices), values)
    out = x.copy()
    np.add.at(out, tuple(indices), values)
    return out


def put(x, index, source, accumulate=False):
    """The same with flat indices."""
    return index_put(x.reshape(-1), (index,), source, accumulate).reshape(x.shape)


def masked_scatter(x, mask, source):
    """The first elements of the source where the mask holds."""
    mask = np.broadcast_to(mask, x.shape)
    return set_items(x, mask, source.reshape(-1)[: mask.sum()])


REDUCTIONS = [
    op(
        "scatter_reduce",
        scatter_reduce,
        *(
            case(X, 0, ROWS, T((2, 5)), reduce, include_self=include_self)
            for reduce in ("sum", "mean", "amax", "amin")
            for include_self in (True, False)
        ),
        case(T((3, 5), 1, 2), 0, ROWS, T((2, 5), 1, 2), "prod"),
        case(T((3, 5), 1, 2), 1, T((2, 3), 0, 4, dtype="int64"), T((3, 4), 1, 2), "prod", include_self=False),
        case(CUBE, 2, T((2, 3, 6), 0, 3, dtype="int64"), T((2, 3, 6)), "amax", dtypes=FLOATS),
        dtypes=("float64", "float32", "int64", "int32"),
        inplace=True,
    ),
    op(
        "index_reduce",
        index_reduce,
        *(
            case(X, 0, PICK, T((4, 5)), reduce, include_self=include_self)
            for reduce in ("mean", "amax", "amin")
            for include_self in (True, False)
        ),
        case(T((3, 5), 1, 2), 0, PICK, T((4, 5), 1, 2), "prod"),
        dtypes=("float64", "float32", "int64", "int32"),
        inplace=True,
    ),
]

REPLACING = [
    op(
        "index_put",
        index_put,
        case(X, [ONE], T((5,))),
        case(CUBE, [ONE, T((), 0, 2, dtype="int64")], T((1, 4))),
        case(X, [MASK], T(())),
        case(X, [PICK, PICK], T((4,)), accumulate=True),
        dtypes=NUMBERS,
    ),
    op(
        "index_fill",
        lambda x, dim, i, v: set_items(x, (slice(None),) * dim + (i,), v),
        case(X, 0, PICK, 2),
        case(CUBE, 2, PICK, T(())),
        dtypes=NUMBERS,
        inplace=True,
    ),
    op(
        "index_copy",
        lambda x, dim, i, s: set_items(x, (slice(None),) * dim + (i,), s),
        case(X, 0, ONE, T((1, 5))),
        case(CUBE, 2, ONE, T((2, 3, 1))),
        dtypes=ALL,
        inplace=True,
    ),
    op(
        "put",
        put,
        case(X, T((1,), -15, 14, dtype="int64"), T((1,))),
        case(X, T((2, 3), 0, 14, dtype="int64"), T((2, 3)), accumulate=True),
        dtypes=NUMBERS,
        inplace=True,
        function=False,
    ),
    op(
        "masked_scatter",
        masked_scatter,
        case(X, MASK, T((15,))),
        case(X, T((5,), dtype="bool"), T((4, 5))),
        dtypes=ALL,
        inplace=True,
    ),
    op(
        "select_scatter",
        lambda x, s, dim, i: set_items(x, (slice(None),) * dim + (i,), s),
        case(X, T((3,)), 1, -2),
        case(CUBE, T((3, 4)), 0, 1),
        dtypes=ALL,
    ),
    op(
        "slice_scatter",
        lambda x, s, dim=0, start=None, end=None, step=1: set_items(
            x, (slice(None),) * dim + (slice(start, end, step),), s
        ),
        case(X, T((3, 2)), 1, 1, -1, 2),
        case(X, T((2, 5)), start=1),
        case(X, X),
        dtypes=ALL,
    ),
    op(
        "diagonal_scatter",
        lambda x, s, offset=0: set_items(x, (np.arange(len(s)), np.arange(len(s)) + offset), s),
        case(X, T((3,))),
        case(X, T((2,)), 3),
        dtypes=ALL,
    ),
]

READING = [
    op(
        "take_along_dim",
        lambda x, i, dim=None: np.take_along_axis(x, i, dim) if dim is not None else x.reshape(-1)[i.reshape(-1)],
        case(X, T((3, 2), -5, 4, dtype="int64"), 1),
        case(X, T((1, 5), 0, 2, dtype="int64"), 0),
        case(X, T((2, 2), 0, 14, dtype="int64")),
        dtypes=ALL,
    ),
    op(
        "unravel_index",
        lambda i, shape: list(np.unravel_index(i, shape)),
        case(T((2, 3), 0, 11, dtype="int64"), (3, 4)),
        case(T((0,), dtype="int64"), (0, 4)),
        dtypes=("int64",),
        grad=False,
        method=False,
    ),
    op("argwhere", np.argwhere, case(T((3, 5), -1, 1)), case(CUBE), dtypes=ALL, result="int64", grad=False),
    op(
        "scatter",
        lambda x, dim, i, s, reduce: ref.scatter({"add": np.add, "multiply": np.multiply}[reduce])(x, dim, i, s),
        case(X, 0, ROWS, T((2, 5)), reduce="add"),
        case(X, 0, ROWS, 2, reduce="multiply"),
        dtypes=NUMBERS,
        inplace=True,
    ),
]

SAMPLES = REDUCTIONS + REPLACING + READING

WITHOUT_SAMPLE = {
    "index_put_": "test_indexing_properties.py",
    "as_strided_scatter": "test_views.py",  # depends on the storage, not on the values
}
