"""Samples of the ops that are not elementwise: reductions, shapes, indexing and matrices.

A `case` is one call; each T in it becomes a tensor. The fields are described in sample.py.
"""

import numpy as np
from scipy import special

from tests import references as ref
from tests.sample import ALL, FLOATS, NUMBERS, T, case, op

F = "nn.functional."
X = T((3, 5))
CUBE = T((2, 3, 4))
DISTINCT = T((3, 1, 5), distinct=True)
REDUCE = (
    case(T(())),
    case(X),
    case(X, 1),
    case(CUBE, (0, -1)),
    case(CUBE, 1, keepdim=True),
    case(T((2, 0, 3)), 2),
    case(T((2, 0, 3)), 1),
)
EXTREME = (case(T(())), case(T((4, 5), distinct=True)), case(DISTINCT, 0), case(DISTINCT, -1, keepdim=True))
SPREAD = (case(X), case(X, 1), case(CUBE, (0, 2), keepdim=True), case(X, 0, correction=0), case(X, unbiased=False))

REDUCTIONS = [
    op("sum", ref.reducer(np.sum), *REDUCE, dtypes=ALL, result="sum"),
    op("mean", ref.reducer(np.mean), *REDUCE[:-1]),
    op("nansum", ref.reducer(np.nansum), *REDUCE, dtypes=NUMBERS, result="sum"),
    op(
        "prod",
        ref.reducer(np.prod),
        case(T(())),
        case(T((7,), 0.5, 2)),
        case(X, 1),
        case(X, 0, keepdim=True),
        case(T((0, 2)), 0),
        dtypes=NUMBERS,
        result="sum",
    ),
    op("amax", ref.reducer(np.max), *EXTREME, case(CUBE, (0, 2)), dtypes=NUMBERS),
    op("amin", ref.reducer(np.min), *EXTREME, case(CUBE, (0, 2)), dtypes=NUMBERS),
    op("max", ref.extreme(np.max, np.argmax, np.maximum), *EXTREME[:2], case(X, T((5,))), dtypes=NUMBERS),
    op("max", ref.extreme(np.max, np.argmax, np.maximum), *EXTREME[2:], dtypes=NUMBERS, result=("same", "int64")),
    op("min", ref.extreme(np.min, np.argmin, np.minimum), *EXTREME[:2], case(X, T((5,))), dtypes=NUMBERS),
    op("min", ref.extreme(np.min, np.argmin, np.minimum), *EXTREME[2:], dtypes=NUMBERS, result=("same", "int64")),
    op("argmax", ref.reducer(np.argmax), *EXTREME, dtypes=NUMBERS, result="int64", grad=False),
    op("argmin", ref.reducer(np.argmin), *EXTREME, dtypes=NUMBERS, result="int64", grad=False),
    op("any", ref.reducer(np.any), *REDUCE, dtypes=tuple(d for d in ALL if d != "uint8"), result="bool", grad=False),
    op("all", ref.reducer(np.all), *REDUCE, dtypes=tuple(d for d in ALL if d != "uint8"), result="bool", grad=False),
    op(
        "count_nonzero",
        lambda x, dim=None: np.count_nonzero(x, ref.axes(dim)),
        case(X),
        case(T((3, 5), 0, 1), 1),
        case(CUBE, (0, 2)),
        dtypes=ALL,
        result="int64",
        grad=False,
    ),
    op(
        "logsumexp",
        ref.reducer(special.logsumexp),
        case(X, 1),
        case(CUBE, (0, 2)),
        case(T((3, 5), 500, 600), 0, keepdim=True),
    ),
    op(
        "cumsum",
        lambda x, dim: np.cumsum(x, dim),
        case(X, 1),
        case(CUBE, 0),
        case(T((0, 3)), 0),
        dtypes=ALL,
        result="sum",
        inplace=False,
    ),
    op("cumprod", lambda x, dim: np.cumprod(x, dim), case(X, 1), case(CUBE, 0), dtypes=NUMBERS, result="sum"),
    op(
        "cummax",
        ref.cumulative_extreme(np.maximum.accumulate),
        case(DISTINCT, 0),
        case(DISTINCT, -1),
        dtypes=NUMBERS,
        result=("same", "int64"),
    ),
    op(
        "cummin",
        ref.cumulative_extreme(np.minimum.accumulate),
        case(DISTINCT, 0),
        case(DISTINCT, -1),
        dtypes=NUMBERS,
        result=("same", "int64"),
    ),
    op("var", ref.moments(root=False, with_mean=False), *SPREAD),
    op("std", ref.moments(root=True, with_mean=False), *SPREAD),
    op("var_mean", ref.moments(root=False, with_mean=True), *SPREAD, method=False),
    op("std_mean", ref.moments(root=True, with_mean=True), *SPREAD, method=False),
    op(
        "softmax",
        special.softmax,
        case(X, 1),
        case(CUBE, 0),
        case(CUBE, -2),
        case(T((0, 3)), 1),
        case(T((4, 33), 50, 90), 1),
    ),
    op(
        "log_softmax",
        ref.log_softmax,
        case(X, 1),
        case(CUBE, 0),
        case(CUBE, -2),
        case(T((0, 3)), 1),
        case(T((4, 33), 50, 90), 1),
    ),
]

SHAPES = [
    op(
        "view",
        lambda x, *s: x.reshape(s),
        case(X, 5, 3),
        case(X, -1),
        case(T((0, 4)), 2, 0, 2),
        dtypes=ALL,
        function=False,
    ),
    op(
        "reshape",
        np.reshape,
        case(X, (5, 3)),
        case(CUBE, (-1, 2)),
        case(T(()), (1, 1)),
        case(T((0, 4)), (2, 0)),
        dtypes=ALL,
    ),
    op(
        "flatten",
        lambda x, start_dim=0, end_dim=-1: x.reshape(
            (*x.shape[:start_dim], -1, *x.shape[end_dim % max(x.ndim, 1) + 1 :])
        ),
        case(CUBE),
        case(CUBE, 1),
        case(CUBE, 0, 1),
        case(T(())),
        dtypes=ALL,
    ),
    op(
        "unflatten",
        lambda x, dim, sizes: x.reshape(2, 3, *sizes),
        case(CUBE, 2, (2, 2)),
        case(CUBE, -1, (-1, 4)),
        dtypes=ALL,
    ),
    op("ravel", np.ravel, case(CUBE), case(T(())), dtypes=ALL),
    op("transpose", np.swapaxes, case(CUBE, 0, 2), case(CUBE, -1, 1), dtypes=ALL),
    op("t", np.transpose, case(X), case(T((4,))), dtypes=ALL),
    op("permute", np.transpose, case(CUBE, (2, 0, 1)), case(CUBE, (-1, 0, 1)), dtypes=ALL),
    op("movedim", np.moveaxis, case(CUBE, 0, 2), case(CUBE, (0, 1), (2, 0)), dtypes=ALL),
    op(
        "expand",
        lambda x, *s: np.broadcast_to(x, [x.shape[i - len(s)] if n < 0 else n for i, n in enumerate(s)]),
        case(T((3, 1)), 3, 4),
        case(T((3, 1)), 2, -1, 4),
        case(T(()), 2, 2),
        dtypes=ALL,
        function=False,
    ),
    op("broadcast_to", np.broadcast_to, case(T((3, 1)), (2, 3, 4)), case(T(()), (2,)), dtypes=ALL),
    op(
        "expand_as",
        lambda x, y: np.broadcast_to(x, y.shape),
        case(T((3, 1)), T((3, 4), grad=False)),
        dtypes=ALL,
        function=False,
    ),
    op("broadcast_tensors", np.broadcast_arrays, case(T((3, 1)), T((1, 4)), T(())), dtypes=ALL, method=False),
    op(
        "squeeze",
        lambda x, dim=None: np.squeeze(x, ref.axes(dim)),
        case(T((1, 3, 1))),
        case(T((1, 3, 1)), 2),
        case(T((1, 3, 1)), (0, 2)),
        dtypes=ALL,
    ),
    op("unsqueeze", lambda x, dim: np.expand_dims(x, dim), case(X, 0), case(X, -1), case(T(()), 0), dtypes=ALL),
    op("select", lambda x, dim, index: np.take(x, index, dim), case(CUBE, 1, 2), case(CUBE, -1, -2), dtypes=ALL),
    op(
        "narrow",
        lambda x, dim, start, length: np.take(x, range(start, start + length), dim),
        case(CUBE, 1, 1, 2),
        case(CUBE, 0, 1, 0),
        dtypes=ALL,
    ),
    op(
        "diagonal",
        lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
        case(X),
        case(X, 1),
        case(CUBE, -1, 1, 2),
        dtypes=ALL,
    ),
    op("contiguous", lambda x: x, case(CUBE), case(T(())), dtypes=ALL, function=False),
    op("clone", lambda x: x, case(CUBE), case(T((0,))), dtypes=ALL),
    op("detach", lambda x: x, case(CUBE), dtypes=ALL, grad=False),
    op(
        "cat",
        np.concatenate,
        case([X, T((2, 5))]),
        case([CUBE, T((2, 3, 1)), CUBE], -1),
        case([T((0, 5)), X]),
        dtypes=ALL,
        method=False,
    ),
    op("stack", np.stack, case([X, X]), case([CUBE, CUBE], -1), case([T(()), T(())]), dtypes=ALL, method=False),
    op("repeat", lambda x, *n: np.tile(x, n), case(X, 2, 3), case(T((2,)), 3, 1, 2), dtypes=ALL, function=False),
    op("tile", np.tile, case(X, (2,)), case(T((2,)), (3, 2)), dtypes=ALL),
    op("flip", np.flip, case(CUBE, (0, 2)), case(X, (-1,)), dtypes=ALL),
    op("roll", np.roll, case(CUBE, 1, 0), case(X, (2, -1), (0, 1)), case(X, 4), dtypes=ALL),
    op("tril", np.tril, case(X), case(CUBE, 1), case(X, -2), dtypes=ALL, inplace=True),
    op("triu", np.triu, case(X), case(CUBE, 1), case(X, -2), dtypes=ALL, inplace=True),
]

ROWS = T((2, 5), 0, 2, dtype="int64")
PICK = T((4,), 0, 2, dtype="int64")

INDEXING = [
    op(
        "gather",
        lambda x, dim, i: np.take_along_axis(x, i, dim),
        case(X, 0, ROWS),
        case(CUBE, 1, T((2, 5, 4), 0, 2, dtype="int64")),
        dtypes=ALL,
    ),
    op(
        "scatter",
        ref.scatter(lambda old, new: new),
        case(X, 1, T((3, 1), 0, 4, dtype="int64"), T((3, 1))),
        case(X, 0, ROWS, 2.0, dtypes=FLOATS),
        dtypes=NUMBERS,
        inplace=True,
    ),
    op(
        "scatter_add",
        ref.scatter(np.add),
        case(X, 0, ROWS, T((2, 5))),
        case(CUBE, 2, T((2, 3, 6), 0, 3, dtype="int64"), T((2, 3, 6))),
        dtypes=NUMBERS,
        inplace=True,
    ),
    op("index_select", lambda x, dim, i: np.take(x, i, dim), case(X, 0, PICK), case(CUBE, -1, PICK), dtypes=ALL),
    op(
        "index_add",
        ref.index_add,
        case(X, 0, PICK, T((4, 5))),
        case(CUBE, 2, PICK, T((2, 3, 4)), alpha=2),
        dtypes=NUMBERS,
        inplace=True,
    ),
    op(
        F + "embedding",
        lambda i, w: w[i],
        case(T((2, 3), 0, 6, dtype="int64"), T((7, 4))),
        case(PICK, T((3, 2))),
        dtypes=FLOATS,
    ),
    op(
        "masked_fill",
        lambda x, m, v: np.where(m, v, x),
        case(X, T((3, 5), dtype="bool"), 2),
        case(CUBE, T((3, 1), dtype="bool"), T(())),
        dtypes=NUMBERS,
        inplace=True,
    ),
    op(
        "masked_select",
        lambda x, m: x[np.broadcast_to(m, x.shape)],
        case(X, T((3, 5), dtype="bool")),
        case(X, T((5,), dtype="bool")),
        dtypes=ALL,
    ),
    op(
        "nonzero",
        lambda x: np.argwhere(x),
        case(T((3, 5), -1, 1)),
        case(CUBE),
        case(T((0, 3))),
        dtypes=ALL,
        result="int64",
        grad=False,
    ),
    op("take", np.take, case(X, T((2, 3), 0, 14, dtype="int64")), dtypes=ALL),
    op(
        F + "one_hot",
        lambda i, n: np.eye(n, dtype=np.int64)[i],
        case(T((2, 3), 0, 4, dtype="int64"), 6),
        dtypes=("int64",),
        grad=False,
    ),
]

SMALL = (-1.0, 1.0)
M, N, K = T((3, 5), *SMALL), T((5, 4), *SMALL), T((4, 5), *SMALL)
VECTOR = T((5,), *SMALL)
BATCHES = (case(T((2, 3, 5), *SMALL), N), case(T((2, 1, 3, 5), *SMALL), T((3, 5, 2), *SMALL)))

MATRICES = [
    op(
        "matmul",
        np.matmul,
        case(M, N),
        case(VECTOR, N),
        case(M, VECTOR),
        case(VECTOR, VECTOR),
        *BATCHES,
        case(T((0, 5)), N),
        case(T((3, 0)), T((0, 4))),
        case(T((17, 35), *SMALL), T((35, 19), *SMALL)),
        dtypes=NUMBERS,
    ),
    op("mm", np.matmul, case(M, N), dtypes=NUMBERS),
    op(
        "bmm",
        np.matmul,
        case(T((2, 3, 5), *SMALL), T((2, 5, 4), *SMALL)),
        case(T((0, 3, 5)), T((0, 5, 4))),
        dtypes=NUMBERS,
    ),
    op("mv", np.matmul, case(M, VECTOR), dtypes=NUMBERS),
    op("dot", np.dot, case(VECTOR, VECTOR), dtypes=NUMBERS),
    op("outer", np.outer, case(VECTOR, T((3,))), dtypes=NUMBERS),
    op(
        F + "linear",
        lambda x, w, b=None: x @ w.T + (0 if b is None else b),
        case(M, K),
        case(M, K, T((4,))),
        case(T((2, 3, 5), *SMALL), K, T((4,))),
        case(VECTOR, K, T((4,))),
    ),
]

SAMPLES = REDUCTIONS + SHAPES + INDEXING + MATRICES
