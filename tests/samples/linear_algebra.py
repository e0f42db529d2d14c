"""Samples of products, contractions, norms and distances."""

import numpy as np
from scipy.spatial import distance

from tests import references as ref
from tests.sample import ALL, FLOATS, NUMBERS, T, case, op

F = "nn.functional."
L = "linalg."
SMALL = (-1.0, 1.0)
M, N = T((3, 5), *SMALL), T((5, 4), *SMALL)
VECTOR = T((5,), *SMALL)
LEFT, RIGHT = T((2, 3, 5), *SMALL), T((2, 5, 4), *SMALL)
CUBE = T((2, 3, 4))
SQUARE = T((4, 4), *SMALL)
inf = float("inf")


def accumulated(product):
    """`beta * input + alpha * product`, where beta 0 hides the input."""

    def reference(x, a, b, beta=1, alpha=1):
        added = alpha * product(a, b)
        return np.broadcast_to(added if beta == 0 else beta * x + added, added.shape)

    return reference


PRODUCTS = [
    op("vdot", np.dot, case(VECTOR, VECTOR), case(T((0,)), T((0,))), dtypes=NUMBERS),
    op(
        "inner",
        np.inner,
        case(VECTOR, VECTOR),
        case(T((2, 3), *SMALL), T((4, 3), *SMALL)),
        case(T((2, 2, 3), *SMALL), T((3,), *SMALL)),
        case(CUBE, T(())),
        case(T((2, 0)), T((3, 0))),
        dtypes=NUMBERS,
    ),
    op(
        "addmm",
        accumulated(np.matmul),
        case(T((3, 4)), M, N),
        case(T((4,)), M, N, beta=2, alpha=3),
        case(T((3, 1)), M, N, beta=0, alpha=2),
        case(T((2, 2)), T((2, 0)), T((0, 2))),
        dtypes=NUMBERS,
        inplace=True,
    ),
    op(
        "addmv",
        accumulated(np.matmul),
        case(T((3,)), M, VECTOR),
        case(T(()), M, VECTOR, beta=2, alpha=3),
        case(T((1,)), T((2, 0)), T((0,))),
        dtypes=NUMBERS,
        inplace=True,
    ),
    op(
        "addr",
        accumulated(np.multiply.outer),
        case(T((5, 3)), VECTOR, T((3,))),
        case(T((3,)), VECTOR, T((3,)), beta=2, alpha=-1),
        dtypes=NUMBERS,
        inplace=True,
    ),
    op(
        "addbmm",
        accumulated(lambda a, b: (a @ b).sum(0)),
        case(T((3, 4)), LEFT, RIGHT),
        case(T((4,)), LEFT, RIGHT, beta=2, alpha=3),
        case(T((3, 4)), T((0, 3, 5)), T((0, 5, 4))),
        dtypes=("float64", "float32", "int64", "int8"),
        inplace=True,
    ),
    op(
        "baddbmm",
        accumulated(np.matmul),
        case(T((2, 3, 4)), LEFT, RIGHT),
        case(T((3, 1)), LEFT, RIGHT, beta=2, alpha=3),
        dtypes=NUMBERS,
        inplace=True,
    ),
]


def einsum(equation, *operands):
    """NumPy's, whose letters may not be repeated in an output either."""
    return np.einsum(equation, *operands)


def vander(x, N=None, increasing=False):
    return np.vander(x, N, increasing)


EINSUMS = (
    case("i->", VECTOR),
    case("ij->j", M),
    case("ii", SQUARE),
    case("ii->i", SQUARE),
    case("ij->ji", M),
    case("ij,jk", M, N),
    case("i,j->ij", VECTOR, T((3,), *SMALL)),
    case("bij,bjk->bik", LEFT, RIGHT),
    case("bij,jk->kbi", LEFT, N),
    case("bn,anm,bm->ba", T((2, 5), *SMALL), T((3, 5, 4), *SMALL), T((2, 4), *SMALL)),
    case("...ij,...jk->...ik", T((3, 1, 2, 5), *SMALL), T((2, 5, 3), *SMALL)),
    case("i...->...", CUBE),
    case("...", CUBE),
    case("ij,ij->", M, M),
    case("ijk,ilm,njm,nlk->", *[T((2, 2, 2), *SMALL)] * 4),
    case("aij,ajk->aik", T((1, 2, 3), *SMALL), T((1, 3, 4), *SMALL)),
    case("ij,jk->ik", T((0, 3)), T((3, 2))),
    case("ij,jk->ik", T((2, 0)), T((0, 2))),
    case("iij,j->i", T((3, 3, 2), *SMALL), T((2,), *SMALL)),
    case("aB,Ba->", T((2, 3), *SMALL), T((3, 2), *SMALL)),
)

CONTRACTIONS = [
    op("einsum", einsum, *EINSUMS, dtypes=("float64", "float32", "int64"), method=False),
    op(
        "tensordot",
        lambda a, b, dims=2: np.tensordot(a, b, dims),
        case(LEFT, T((3, 5, 2), *SMALL)),
        case(LEFT, T((5, 2, 3), *SMALL), dims=([1, 2], [2, 0])),
        case(VECTOR, T((3,)), dims=0),
        case(M, N, dims=1),
        dtypes=("float64", "float32", "int64"),
        method=False,
    ),
    op(
        "kron",
        np.kron,
        case(T((2, 3)), T((3, 2))),
        case(T((3,)), T((2, 1, 2))),
        case(T(()), T((2, 2))),
        case(T((0, 2)), T((2, 2))),
        dtypes=ALL,
    ),
    op(
        "chain_matmul",
        lambda *m: np.linalg.multi_dot(m),
        case(M, N, T((4, 2), *SMALL), T((2, 6), *SMALL)),
        case(M, N),
        method=False,
        dtypes=("float64", "float32", "int64"),
    ),
    op(
        L + "multi_dot",
        np.linalg.multi_dot,
        case([VECTOR, N, T((4,), *SMALL)]),
        case([M, N, T((4, 2), *SMALL)]),
        case([M, VECTOR]),
        case([T((0, 5)), N, T((4, 2))]),
        dtypes=("float64", "float32", "int64"),
    ),
    op(
        "matrix_power",
        np.linalg.matrix_power,
        case(SQUARE, 0),
        case(SQUARE, 1),
        case(T((2, 3, 3), *SMALL), 5),
        case(T((0, 0)), 2),
        dtypes=("float64", "float32", "int64"),
    ),
    op(
        "cross",
        lambda a, b, dim=None: np.cross(a, b, axis=0 if dim is None else dim),
        case(T((3, 2)), T((3, 2))),
        case(T((2, 3)), T((2, 3)), 1),
        case(T((1, 3)), T((4, 3)), dim=-1),
        dtypes=NUMBERS,
    ),
    op(
        L + "cross",
        lambda a, b, dim=-1: np.cross(a, b, axis=dim),
        case(T((2, 3)), T((2, 3))),
        case(T((3, 4)), T((3, 1)), dim=0),
        dtypes=NUMBERS,
    ),
    op(
        L + "vecdot",
        lambda x, y, dim=-1: (x * y).sum(dim),
        case(VECTOR, VECTOR),
        case(CUBE, T((3, 4)), dim=1),
        case(T((2, 0)), T((2, 0))),
    ),
    op(
        L + "diagonal",
        lambda a, offset=0, dim1=-2, dim2=-1: np.diagonal(a, offset, dim1, dim2),
        case(SQUARE),
        case(CUBE, offset=1),
        case(CUBE, offset=-1, dim1=0, dim2=1),
        dtypes=ALL,
    ),
    op(
        "vander",
        vander,
        case(T((3,), *SMALL)),
        case(T((3,), *SMALL), 5, True),
        case(T((3,), *SMALL), 1),
        case(T((2,)), 0),
        case(T((0,))),
        method=False,
        dtypes=("float64", "float32", "int64"),
    ),
    op(
        L + "vander",
        lambda x, N=None: np.stack([np.vander(r, N, True) for r in x.reshape(-1, x.shape[-1])]).reshape(
            *x.shape, N or x.shape[-1]
        ),
        case(T((3,), *SMALL)),
        case(T((2, 3), *SMALL), N=2),
        dtypes=("float64", "float32", "int64"),
    ),
    op(
        "bilinear",
        lambda x, y, w, b=0: np.einsum("...i,oij,...j->...o", x, w, y) + b,
        case(T((6, 3), *SMALL), T((6, 4), *SMALL), T((5, 3, 4), *SMALL), T((5,))),
        case(T((3,), *SMALL), T((4,), *SMALL), T((5, 3, 4), *SMALL)),
        case(T((2, 2, 3), *SMALL), T((2, 2, 4), *SMALL), T((1, 3, 4), *SMALL)),
        case(T((0, 3)), T((0, 4)), T((5, 3, 4))),
        method=False,
        dtypes=("float64", "float32", "int64"),
    ),
]


def vector_norm(x, p=2, dim=None, keepdim=False):
    """Σ |x|^p over dimensions, to the power of 1 / p."""
    axes, size = ref.axes(dim), abs(x)
    options = {"axis": axes, "keepdims": keepdim}
    if p == inf:
        return size.max(**options)
    if p == -inf:
        return size.min(**options)
    if p == 0:
        return (x != 0).sum(**options).astype(x.dtype)
    return (size**p).sum(**options) ** (1 / p)


def matrix_norm(a, p="fro", dim=(-2, -1), keepdim=False):
    return np.linalg.norm(a, p, dim, keepdim)


def any_norm(a, p=None, dim=None, keepdim=False):
    if p is None:
        return vector_norm(a, 2, dim, keepdim)
    return np.linalg.norm(a, p, dim, keepdim)


def either_norm(x, p="fro", dim=None, keepdim=False):
    return vector_norm(x, 2 if p == "fro" else p, dim, keepdim)


POSITIVE = T((3, 5), 0.5, 3)
DISTINCT = T((3, 1, 5), distinct=True)

NORMS = [
    op(
        "norm",
        either_norm,
        case(T((3, 5))),
        case(CUBE, 1, 1),
        case(CUBE, 3, (0, 2), True),
        case(POSITIVE, -1, dim=0),
        case(T((3, 5), 1, 4), inf, -1),
    ),
    op(
        L + "vector_norm",
        vector_norm,
        case(T((3, 5))),
        case(CUBE, 1, 1),
        case(CUBE, 3.5, (0, 2), True),
        case(CUBE, 1.5, -1),
        case(POSITIVE, 0.5, 1),
        case(POSITIVE, -2, 0),
        case(DISTINCT, inf, 0),
        case(T((3, 5), 1, 4), -inf),
        case(POSITIVE, 0, 1),
        case(T(()), 3),
        case(T((0, 3)), 2, 0),
        case(T((0, 3)), 1),
    ),
    op(
        L + "matrix_norm",
        matrix_norm,
        case(T((3, 5))),
        case(CUBE, 1),
        case(CUBE, -1, (0, 1), True),
        case(CUBE, inf, (2, 0)),
        case(CUBE, -inf),
    ),
    op(
        L + "norm",
        any_norm,
        case(CUBE),
        case(CUBE, None, 1, True),
        case(VECTOR, 1),
        case(T((3, 5)), 1),
        case(T((3, 5)), "fro"),
        case(CUBE, inf, (0, 1)),
        case(CUBE, 3, 2),
    ),
    op(
        F + "normalize",
        lambda x, p=2, dim=1, eps=1e-12: x / np.maximum(vector_norm(x, p, dim, True), eps),
        case(T((3, 5))),
        case(CUBE, 1, 2),
        case(T((3, 5), *SMALL), 2, 0, 2.5),
    ),
]


def cdist(x, y, p=2.0, compute_mode=""):
    return vector_norm(x[..., :, None, :] - y[..., None, :, :], p, -1)


TALL = T((30, 4), *SMALL)

DISTANCES = [
    op(
        "cdist",
        cdist,
        case(M, T((4, 5), 2, 3)),
        case(T((2, 1, 3, 5), *SMALL), T((3, 4, 5), 2, 3)),
        case(M, T((4, 5), 2, 3), 1),
        case(M, T((4, 5), 2, 3), 3.5),
        case(M, T((4, 5), 2, 3), compute_mode="use_mm_for_euclid_dist"),
        case(TALL, T((6, 4), 2, 3)),
        case(T((0, 3)), T((2, 3))),
        case(T((2, 0)), T((3, 0))),
        dtypes=("float64", "float32"),
        method=False,
    ),
    op(
        "pdist",
        lambda x, p=2.0: distance.pdist(x, "minkowski", p=p),
        case(T((5, 3))),
        case(T((4, 3)), 1),
        case(T((3, 2)), 3.5),
        method=False,
        dtypes=("float64", "float32"),
    ),
    op(
        "pairwise_distance",
        lambda x, y, p=2.0, eps=1e-6, keepdim=False: vector_norm(x - y + eps, p, -1, keepdim),
        case(T((3, 5)), T((3, 5))),
        case(T((2, 3, 5)), T((5,)), 1, keepdim=True),
        method=False,
        dtypes=("float64", "float32"),
    ),
    op(
        "cosine_similarity",
        lambda x, y, dim=1, eps=1e-8: (
            (x * y).sum(dim) / np.maximum(vector_norm(x, 2, dim), eps) / np.maximum(vector_norm(y, 2, dim), eps)
        ),
        case(T((3, 5)), T((3, 5))),
        case(CUBE, T((4,)), -1),
        case(VECTOR, VECTOR, 0),
        method=False,
        dtypes=FLOATS,
    ),
]

SAMPLES = PRODUCTS + CONTRACTIONS + NORMS + DISTANCES

# Their factors are fixed only up to signs, or their arguments must be far from singular.
WITHOUT_SAMPLE = dict.fromkeys(
    (
        "cholesky",
        "cholesky_inverse",
        "cholesky_solve",
        "det",
        "geqrf",
        "inverse",
        "linalg.cholesky_ex",
        "linalg.cond",
        "linalg.eigh",
        "linalg.eigvalsh",
        "linalg.inv_ex",
        "linalg.lstsq",
        "linalg.lu",
        "linalg.lu_factor",
        "linalg.lu_factor_ex",
        "linalg.lu_solve",
        "linalg.matrix_rank",
        "linalg.pinv",
        "linalg.qr",
        "linalg.solve",
        "linalg.solve_ex",
        "linalg.solve_triangular",
        "linalg.svd",
        "linalg.svdvals",
        "linalg.tensorinv",
        "linalg.tensorsolve",
        "logdet",
        "lu_solve",
        "lu_unpack",
        "matrix_exp",
        "orgqr",
        "ormqr",
        "pinverse",
        "qr",
        "slogdet",
        "svd",
        "triangular_solve",
    ),
    "test_decompositions.py",
)
