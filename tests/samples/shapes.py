"""Samples of ops that join, split, raise, turn and repeat tensors, and of diagonals."""

import itertools

import numpy as np

from tests.sample import ALL, FLOATS, NUMBERS, T, case, op

X = T((3, 5))
CUBE = T((2, 3, 4))
VECTOR = T((4,))
COUNTS = T((3,), 0, 3, dtype="int64")
WINDOWS = "signal.windows."


def diag_embed(x, offset=0, dim1=-2, dim2=-1):
    """Matrices with the last dimension on a diagonal."""
    side = x.shape[-1] + abs(offset)
    rows = np.arange(x.shape[-1])
    result = np.zeros((*x.shape[:-1], side, side), x.dtype)
    result[..., rows - min(offset, 0), rows + max(offset, 0)] = x
    return np.moveaxis(result, (-2, -1), (dim1, dim2))


def block_diag(*blocks):
    """The blocks along the diagonal of zeros."""
    blocks = [np.atleast_2d(b) for b in blocks]
    result = np.zeros(np.sum([b.shape for b in blocks], 0), blocks[0].dtype)
    row, column = 0, 0
    for b in blocks:
        result[row : row + b.shape[0], column : column + b.shape[1]] = b
        row, column = row + b.shape[0], column + b.shape[1]
    return result


def windows_along(x, dim, size, step):
    """NumPy's sliding windows, every `step`-th."""
    view = np.lib.stride_tricks.sliding_window_view(x, size, dim)
    return np.take(view, range(0, view.shape[dim], step), dim)


def sum_to_size(x, *shape):
    """Sums what was broadcast."""
    lead = x.ndim - len(shape)
    axes = (*range(lead), *(i + lead for i, n in enumerate(shape) if n == 1))
    return x.sum(axes, keepdims=True).reshape(shape)


def choices(choose):
    """Rows of the elements at the positions that itertools chooses."""
    return lambda x, r=2: x[np.array(list(choose(range(len(x)), r)), dtype=np.int64).reshape(-1, r)]


JOINING = [
    op("atleast_1d", np.atleast_1d, case(T(())), case(X), case(T(()), X), dtypes=ALL, method=False),
    op("atleast_2d", np.atleast_2d, case(T(())), case(VECTOR), case(T(()), X), dtypes=ALL, method=False),
    op("atleast_3d", np.atleast_3d, case(T(())), case(VECTOR), case(CUBE, X), dtypes=ALL, method=False),
    op("hstack", np.hstack, case([X, T((3, 2))]), case([VECTOR, T(())]), dtypes=ALL, method=False),
    op("vstack", np.vstack, case([X, T((2, 5))]), case([VECTOR, VECTOR]), dtypes=ALL, method=False),
    op("dstack", np.dstack, case([X, X]), case([VECTOR, VECTOR]), dtypes=ALL, method=False),
    op("column_stack", np.column_stack, case([T((3,)), X]), case([VECTOR, VECTOR]), dtypes=ALL, method=False),
    op("block_diag", block_diag, case(X, T((2,)), T(())), case(T((0, 2)), X), dtypes=ALL, method=False),
    op(
        "meshgrid",
        lambda *t, indexing="ij": np.meshgrid(*(t[0] if isinstance(t[0], list) else t), indexing=indexing),
        case(T((3,)), T((2,)), T(())),
        case([T((3,)), T((2,))], indexing="xy"),
        case(T((0,)), T((2,))),
        dtypes=ALL,
        method=False,
    ),
    op(
        "cartesian_prod",
        lambda *t: np.array(list(itertools.product(*t)), dtype=t[0].dtype).reshape(-1, len(t)),
        case(T((3,)), T((2,))),
        case(T((3,)), T((0,))),
        dtypes=ALL,
        method=False,
    ),
    op(
        "combinations",
        choices(itertools.combinations),
        case(VECTOR),
        case(VECTOR, 3),
        case(VECTOR, 1),
        case(VECTOR, 5),
        case(T((0,)), 2),
        dtypes=ALL,
    ),
    op(
        "combinations",
        lambda x, r, with_replacement: choices(itertools.combinations_with_replacement)(x, r),
        case(VECTOR, 2, True),
        case(T((3,)), 4, with_replacement=True),
        dtypes=ALL,
    ),
]


def pieces(split, dim):
    """hsplit and its like, with places as a tuple."""
    return lambda x, where: split(x, list(where) if isinstance(where, tuple) else where)


SPLITTING = [
    op(
        "split",
        lambda x, s, dim=0: np.split(x, np.cumsum(s)[:-1] if isinstance(s, list) else range(s, x.shape[dim], s), dim),
        case(T((7, 2)), 3),
        case(X, [1, 4], 1),
        case(X, 9),
        dtypes=ALL,
    ),
    op(
        "split_with_sizes",
        lambda x, s, dim=0: np.split(x, np.cumsum(s)[:-1], dim),
        case(X, [1, 4], 1),
        case(X, [0, 3, 0]),
        dtypes=ALL,
    ),
    op(
        "chunk",
        lambda x, n, dim=0: np.split(x, range(-(-x.shape[dim] // n), x.shape[dim], -(-x.shape[dim] // n)), dim),
        case(T((7, 2)), 3),
        case(X, 2, 1),
        dtypes=ALL,
    ),
    op(
        "unbind",
        lambda x, dim=0: [np.take(x, i, dim) for i in range(x.shape[dim])],
        case(X),
        case(CUBE, -1),
        dtypes=ALL,
    ),
    op(
        "tensor_split",
        lambda x, where, dim=0: np.array_split(x, where, dim),
        case(T((7, 2)), 3),
        case(X, (1, 3), 1),
        case(X, 7),
        case(X, (2, 1)),
        dtypes=ALL,
    ),
    op("hsplit", pieces(np.hsplit, 1), case(T((3, 4)), 2), case(VECTOR, (1, 3)), case(X, (-2, 9)), dtypes=ALL),
    op("vsplit", pieces(np.vsplit, 0), case(T((4, 3)), 2), case(X, (1,)), dtypes=ALL),
    op("dsplit", pieces(np.dsplit, 2), case(CUBE, 2), case(CUBE, (1, 2)), dtypes=ALL),
]

DIAGONALS = [
    op("diag", np.diag, case(VECTOR), case(VECTOR, -2), case(X), case(X, 2), case(X, 9), dtypes=ALL),
    op(
        "diag_embed",
        diag_embed,
        case(X),
        case(X, 1),
        case(CUBE, -2, 0, 2),
        case(T((2, 0))),
        dtypes=ALL,
    ),
    op("diagflat", np.diagflat, case(T((2, 2))), case(VECTOR, -1), case(T(())), dtypes=ALL),
    op("trace", np.trace, case(X), case(T((0, 2))), dtypes=NUMBERS, result="sum"),
]

REARRANGING = [
    op("fliplr", np.fliplr, case(X), case(CUBE), dtypes=ALL),
    op("flipud", np.flipud, case(X), case(VECTOR), dtypes=ALL),
    op(
        "rot90",
        lambda x, k=1, dims=(0, 1): np.rot90(x, k, dims),
        case(X),
        case(X, 2),
        case(X, -1),
        case(X, 4),
        case(CUBE, 3, (2, 0)),
        dtypes=ALL,
    ),
    op(
        "repeat_interleave",
        lambda x, n, dim=None: np.repeat(x, n, dim),
        case(X, 2),
        case(X, 3, 1),
        case(X, 0, 0),
        case(X, COUNTS, 0),
        case(X, T((1,), 2, 2, dtype="int64"), -1),
        dtypes=ALL,
    ),
    op("view_as", lambda x, y: x.reshape(y.shape), case(VECTOR, T((2, 2), grad=False)), dtypes=FLOATS, function=False),
    op(
        "reshape_as",
        lambda x, y: x.reshape(y.shape),
        case(X, T((5, 3), grad=False)),
        dtypes=ALL,
        function=False,
    ),
    op(
        "sum_to_size",
        sum_to_size,
        case(CUBE, 3, 1),
        case(CUBE, 1, 3, 4),
        case(X, 1),
        dtypes=NUMBERS,
        result="sum",
        function=False,
    ),
    op(
        "unfold",
        windows_along,
        case(T((7,)), 0, 3, 1),
        case(X, 1, 2, 2),
        case(CUBE, 2, 3, 3),
        dtypes=ALL,
        function=False,
    ),
    op("positive", np.positive, case(X), dtypes=NUMBERS),
]

SAMPLES = JOINING + SPLITTING + DIAGONALS + REARRANGING
WITHOUT_SAMPLE = {
    **dict.fromkeys(
        ("new_zeros", "new_ones", "new_empty", "new_full", "scalar_tensor", "logspace"), "test_creation.py"
    ),
    "fill_diagonal_": "test_views.py",
    "randint_like": "test_random.py",
    **dict.fromkeys(
        (
            *(WINDOWS + n for n in ("bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine")),
            *(WINDOWS + n for n in ("general_hamming", "hamming", "hann", "kaiser", "nuttall")),
            *(n + "_window" for n in ("bartlett", "blackman", "hamming", "hann", "kaiser")),
        ),
        "test_windows.py",
    ),
}
